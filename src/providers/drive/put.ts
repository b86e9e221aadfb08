/** Where a file is and what it is called: one request that changes both. */
import type { FileBody, Signal } from "./api.ts";
import { isAmbiguous } from "./errors.ts";
import type { Place } from "./paths.ts";
import type { DriveFile } from "./resource.ts";
import type { Session } from "./session.ts";
import { homeOf } from "./stored.ts";

/** Gives a file its place and name; where the answer is lost, the file itself tells. */
export async function put(session: Session, file: DriveFile, parent: Place, name: string, signal: Signal): Promise<DriveFile> {
  const home = homeOf(parent);
  const from = file.parents?.[0];
  // Its time is that of its bytes, which a new name does not change; Drive would say otherwise.
  const body: FileBody = { name, ...(file.modifiedTime === undefined ? {} : { modifiedTime: file.modifiedTime }) };
  const placement = from === home ? {} : { addParents: home, ...(from === undefined ? {} : { removeParents: from }) };
  let now: DriveFile;
  try {
    now = await session.api.update(file.id, body, signal, placement);
  } catch (error) {
    if (!isAmbiguous(error)) throw error;
    now = await session.api.get(file.id, signal).catch(() => {
      throw error;
    });
    if (now.name !== name || now.parents?.includes(home) !== true) throw error;
  }
  if (from !== undefined) session.recent.left(from, now);
  session.recent.put(now);
  return now;
}
