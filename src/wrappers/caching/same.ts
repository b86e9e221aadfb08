/** Do two files of the remote hold the same bytes, and is the same said of them? */
import { isDeepStrictEqual } from "node:util";
import type { Entry } from "../../store/index.ts";
import type { Core } from "./core.ts";
import { sameHashes } from "./remote.ts";

/** By hash, else by reading both. Undefined where that would be too much, or they change meanwhile. */
export async function isSame(core: Core, a: Entry, b: Entry): Promise<boolean | undefined> {
  if (a.kind !== "file" || b.kind !== "file" || a.size !== b.size) return false;
  const said = sameHashes(a.hashes, b.hashes);
  if (said !== undefined) return said;
  if ((a.size ?? Infinity) > core.settings().compareMaxBytes) return undefined;
  const [one, other] = [await core.remote.crc(a), await core.remote.crc(b)];
  return one === undefined || other === undefined ? undefined : one === other;
}

type Words = Pick<Entry, "contentType" | "metadata">;

/** Content type and metadata, where both tell them: equal bytes may be those of an older version. */
export function saysSame(a: Words, b: Words): boolean {
  return agree(a.contentType, b.contentType) && agree(a.metadata, b.metadata);
}

function agree(one: unknown, other: unknown): boolean {
  return one === null || other === null || isDeepStrictEqual(one, other);
}
