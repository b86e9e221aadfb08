/** What writes of both kinds have in common: which file gets the bytes, and whether it got them. */
import { StoreError } from "../../store/index.ts";
import type { Signal } from "./api.ts";
import { lost } from "./lookup.ts";
import type { Found } from "./lookup.ts";
import type { Place } from "./paths.ts";
import { hasBytes, isFolder } from "./resource.ts";
import type { DriveFile } from "./resource.ts";
import type { Session } from "./session.ts";

/** What a file is called where nobody says: said always, or Drive would guess by the name, and an overwrite would keep what was. */
export const UNTYPED = "application/octet-stream";

/** The answer was lost: a revision that was not there before, of these bytes, is ours. Anything else settles nothing. */
export async function replacedAll(session: Session, before: DriveFile, md5: string, signal: Signal, lostAnswer: StoreError): Promise<DriveFile> {
  const now = await session.api.get(before.id, signal).catch(() => {
    throw lostAnswer;
  });
  if (now.md5Checksum !== md5 || now.headRevisionId === before.headRevisionId) throw lostAnswer;
  return now;
}

/** Deleted while it was written: what is written last is there. */
export async function untrashed(session: Session, file: DriveFile, signal: Signal): Promise<DriveFile> {
  const there = file.trashed === true ? await session.api.update(file.id, { trashed: false }, signal) : file;
  session.recent.put(there);
  return there;
}

/** The file that gets the new bytes; undefined: none is there. @throws StoreError where something else is */
export function replaceable(found: Found | null): DriveFile | undefined {
  if (found === null) return undefined;
  const { item } = found;
  if (isFolder(item)) throw new StoreError("is-a-directory", "there is a directory of this name", { applied: false });
  if (item.file !== item.target) throw new StoreError("unsupported", "a shortcut is not written through", { applied: false });
  if (!hasBytes(item.file)) throw new StoreError("unsupported", "one of Google's own documents is there: it is not overwritten", { applied: false });
  return item.file;
}

export function homeOf(parent: Place): string {
  const home = parent.ids[0];
  if (home === undefined) throw lost("the directory has no folder");
  return home;
}

/** What Drive says that it stored against what was sent. */
export function same(file: DriveFile, bytes: number, md5: string): DriveFile {
  if ((file.size !== undefined && Number(file.size) !== bytes) || (file.md5Checksum !== undefined && file.md5Checksum !== md5))
    throw new StoreError("integrity", "Drive stored other bytes than were sent, or somebody else wrote the file at this moment", { applied: true });
  return file;
}
