/** Making directories: one request, parents are made with it, and of two at once one is refused. */
import { StoreError } from "../../store/index.ts";
import type { Entry, MkdirCall } from "../../store/index.ts";
import { entryOf, folderEntry } from "./entries.ts";
import type { FolderMetadata } from "./entries.ts";
import { ApiError, isRefusal, refusalOf } from "./errors.ts";
import { metadataAt } from "./look.ts";
import type { Session } from "./session.ts";

export async function mkdir(session: Session, { path, existOk, signal }: MkdirCall): Promise<Entry> {
  const native = session.names.native(path);
  await session.needRoot(signal);
  try {
    const { result } = await session.commit(signal, () => session.ask("filesCreateFolderV2", { path: native, autorename: false }, signal));
    return folderEntry(path, (result as { readonly metadata: FolderMetadata }).metadata);
  } catch (error) {
    if (!isRefusal(error, "path/conflict/folder", "path/conflict/file")) throw error instanceof ApiError ? refusalOf(error) : error;
    const there = existOk && error.tag.endsWith("/folder") ? await metadataAt(session, native, signal) : null;
    if (there?.[".tag"] === "folder") return entryOf(path, there);
    throw new StoreError("already-exists", `a ${error.tag.endsWith("/file") ? "file" : "directory"} of this name is there`, { cause: error, applied: false });
  }
}
