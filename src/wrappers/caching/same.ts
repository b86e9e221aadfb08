/** Do two files of the remote hold the same bytes? */
import type { Entry } from "../../store/index.ts";
import type { Core } from "./core.ts";
import { sameHashes } from "./remote.ts";

/** By hash, else by reading both. False where that would be too much. */
export async function isSame(core: Core, a: Entry, b: Entry): Promise<boolean> {
  if (a.kind !== "file" || b.kind !== "file" || a.size !== b.size) return false;
  const said = sameHashes(a.hashes, b.hashes);
  if (said !== undefined) return said;
  if ((a.size ?? Infinity) > core.settings().compareMaxBytes) return false;
  const [one, other] = [await core.remote.crc(a), await core.remote.crc(b)];
  return one !== undefined && one === other;
}
