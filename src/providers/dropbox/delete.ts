/** Deleting. delete_v2 takes everything below a folder, so emptiness is looked at first; a file goes in the version that was seen. */
import { StoreError, inPart } from "../../store/index.ts";
import type { DeleteCall } from "../../store/index.ts";
import { ApiError, isRefusal, refusalOf } from "./errors.ts";
import { isEmpty, metadataAt } from "./look.ts";
import type { Session } from "./session.ts";
import { REV } from "./write.ts";

/** Times that what is there changes between the look and the deletion before we say so. */
const TRIES = 3;
const CHANGED = ["path_write/conflict/file", "path_write/conflict/folder"] as const;

export async function remove(session: Session, call: DeleteCall): Promise<void> {
  const { path, recursive, ifMatch, signal } = call;
  const native = session.names.native(path);
  try {
    if (ifMatch !== undefined) await removeVersion(session, native, ifMatch, signal);
    else if (recursive) await removeTree(session, native, signal);
    else await removeOne(session, native, signal);
  } catch (error) {
    throw error instanceof ApiError ? refusalOf(error) : error;
  }
}

/** False: nothing was there. */
async function send(session: Session, native: string, rev: string | undefined, signal: AbortSignal | undefined): Promise<boolean> {
  const args = { path: native, ...(rev === undefined ? {} : { parent_rev: rev }) };
  try {
    await session.commit(signal, () => session.ask("filesDeleteV2", args, signal, { quietMs: session.settings.treeTimeoutMs }));
    return true;
  } catch (error) {
    if (!isRefusal(error, "path_lookup/not_found")) throw error;
    await session.checkRoot(signal);
    return false;
  }
}

async function removeVersion(session: Session, native: string, ifMatch: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    // An etag that is no rev matches nothing, but nothing may be there, or a folder.
    await send(session, native, REV.test(ifMatch) ? ifMatch : "000000000", signal);
  } catch (error) {
    if (isRefusal(error, "path_write/conflict/folder")) throw refusalOf(error, { code: "is-a-directory", reason: "a folder has no etag" });
    if (isRefusal(error, "path_write/conflict/file")) throw refusalOf(error, { code: "precondition-failed", reason: "the file has another etag" });
    throw error;
  }
}

async function removeOne(session: Session, native: string, signal: AbortSignal | undefined): Promise<void> {
  for (let tries = 1; ; tries++) {
    const there = await metadataAt(session, native, signal);
    if (there === null) return session.checkRoot(signal);
    try {
      if (there[".tag"] === "folder" && !(await isEmpty(session, native, signal)))
        throw new StoreError("not-empty", "the folder has children", { applied: false });
      return void (await send(session, native, there[".tag"] === "file" ? there.rev : undefined, signal));
    } catch (error) {
      const changed = isRefusal(error, ...CHANGED, "path/not_folder", "path/not_found");
      if (!changed) throw error;
      if (tries === TRIES) throw refusalOf(error, { code: "conflict", reason: "somebody else changes this at the moment" });
    }
  }
}

async function removeTree(session: Session, native: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    await send(session, native, undefined, signal);
  } catch (error) {
    // More than Dropbox does at once: child by child, and then what is left.
    if (!isRefusal(error, "too_many_files")) throw error;
    await removeChildren(session, native, signal);
    await send(session, native, undefined, signal);
  }
}

/** @throws StoreError with `applied: "partly"`, or "unknown" where an answer was lost; the same call again goes on. */
async function removeChildren(session: Session, native: string, signal: AbortSignal | undefined): Promise<void> {
  let done = 0;
  try {
    let { result } = await session.ask("filesListFolder", { path: native, limit: 2000 }, signal);
    for (;;) {
      const { entries, cursor, has_more: more } = result as { entries: readonly { ".tag": string; name: string }[]; cursor: string; has_more: boolean };
      for (const { ".tag": tag, name } of entries) {
        if (tag === "deleted") continue;
        await removeTree(session, `${native}/${name}`, signal);
        done++;
      }
      if (!more) return;
      ({ result } = await session.ask("filesListFolderContinue", { cursor }, signal));
    }
  } catch (error) {
    const known = error instanceof ApiError ? refusalOf(error) : error;
    throw done > 0 && StoreError.is(known) ? inPart(known, "delete") : known;
  }
}
