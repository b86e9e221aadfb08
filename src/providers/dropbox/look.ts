/** What is at a path now. */
import { StoreError, entry, root } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import { entryOf, metadataIn } from "./entries.ts";
import type { Metadata } from "./entries.ts";
import { ApiError, isRefusal, refusalOf } from "./errors.ts";
import type { Session } from "./session.ts";

/** Null: nothing. */
export async function metadataAt(session: Session, native: string, signal: AbortSignal | undefined): Promise<Metadata | null> {
  try {
    return metadataIn((await session.ask("filesGetMetadata", { path: native }, signal)).result);
  } catch (error) {
    if (isRefusal(error, "path/not_found")) return null;
    throw error instanceof ApiError ? refusalOf(error) : error;
  }
}

/** What a look gives; undefined where it cannot be seen: after a failure that one is the one to tell. */
export async function seen<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (!StoreError.is(error)) throw error;
    return undefined;
  }
}

/** @throws StoreError `not-found`, or `config` where the root of the store is missing */
export async function stat(session: Session, path: StorePath, signal: AbortSignal | undefined): Promise<Entry> {
  if (path === root) {
    // The root of an account has no metadata, and is asked for its first child.
    if (session.settings.root === "") await session.ask("filesListFolder", { path: "", limit: 1 }, signal);
    else await session.checkRoot(signal);
    return entry({ path, kind: "directory" });
  }
  const found = await metadataAt(session, session.names.native(path), signal);
  if (found === null) throw await absent(session, signal);
  return entryOf(path, found);
}

/** Nothing is there: said only while the root of the store is. */
export async function absent(session: Session, signal: AbortSignal | undefined, cause?: unknown): Promise<StoreError> {
  await session.checkRoot(signal);
  return new StoreError("not-found", "nothing is there", { applied: false, cause });
}

/** Is this folder empty? One child is enough to know. */
export async function isEmpty(session: Session, native: string, signal: AbortSignal | undefined): Promise<boolean> {
  let { result } = await session.ask("filesListFolder", { path: native, limit: 1 }, signal);
  for (;;) {
    const { entries, cursor, has_more: more } = result as { entries: readonly { readonly ".tag": string }[]; cursor: string; has_more: boolean };
    if (entries.some((one) => one[".tag"] !== "deleted")) return false;
    if (!more) return true;
    ({ result } = await session.ask("filesListFolderContinue", { cursor }, signal));
  }
}
