/** Deleting: into the trash, or for good where the options say so; all files that bear the name, so that the path is gone afterwards. */
import { StoreError, inPart } from "../../store/index.ts";
import type { DeleteCall, StorePath } from "../../store/index.ts";
import type { Signal } from "./api.ts";
import { isAmbiguous, isMissing } from "./errors.ts";
import { hasChildren } from "./list.ts";
import { look, placeOf } from "./lookup.ts";
import type { DriveFile } from "./resource.ts";
import type { Session } from "./session.ts";

export async function remove(session: Session, { path, recursive, signal }: DeleteCall): Promise<void> {
  await session.turns.take(path, signal, async () => {
    const there = await look(session, path, signal);
    // Deleting what is not there is done.
    if (there === null) return;
    const { parent, found } = there;
    const place = placeOf(session, parent, path, found);
    // Behind a shortcut lies somebody else's directory: the shortcut alone is removed, whatever is in there.
    const own = found.all.filter(({ file, target }) => file === target);
    if (place !== null && !recursive && own.length > 0) {
      const ids = own.map(({ file }) => file.id);
      if (await hasChildren(session, { ids, chain: place.chain }, signal)) throw new StoreError("not-empty", "the directory is not empty", { applied: false });
    }
    await discardAll(
      session,
      path,
      found.all.map(({ file }) => file),
      signal,
    );
    session.drop(path);
  });
}

/** The one that counts is the last to go: until then the path shows what it showed. */
export async function discardAll(session: Session, path: StorePath, files: readonly DriveFile[], signal: Signal): Promise<void> {
  let done = 0;
  try {
    for (const file of files.toReversed()) {
      await discard(session, file, signal);
      done++;
    }
  } catch (error) {
    if (done > 0 && StoreError.is(error)) throw inPart(error, "delete", { done, at: path });
    throw error;
  }
}

export async function discard(session: Session, file: DriveFile, signal: Signal): Promise<void> {
  const { api, settings, recent } = session;
  try {
    if (settings.deletes === "trash") return recent.put(await api.update(file.id, { trashed: true }, signal));
    await api.delete(file.id, signal);
  } catch (error) {
    if (!isMissing(error) && (!isAmbiguous(error) || !(await isGone(session, file.id, error, signal)))) throw error;
  }
  // No version will come after this one.
  for (const parent of file.parents ?? []) recent.left(parent, { ...file, version: String(Number.MAX_SAFE_INTEGER) });
}

/** The answer was lost: by its id the file tells whether it happened. */
async function isGone(session: Session, id: string, lostAnswer: StoreError, signal: Signal): Promise<boolean> {
  try {
    return (await session.api.get(id, signal)).trashed === true;
  } catch (error) {
    if (isMissing(error)) return true;
    throw lostAnswer;
  }
}

/** Why a call failed is what the caller must hear, so that a failure of what is done about it is not told. */
export async function untold(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (failure) {
    if (!StoreError.is(failure)) throw failure;
  }
}
