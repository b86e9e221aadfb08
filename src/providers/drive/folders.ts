/** Folders: made one after the other for each path, since Drive would take two of one name without a word. */
import { StoreError, nameOf, parentOf, root } from "../../store/index.ts";
import type { Entry, MkdirCall, StorePath } from "../../store/index.ts";
import type { Signal } from "./api.ts";
import { isAmbiguous, isMissing, reasonOf } from "./errors.ts";
import { confirmRoot, directoryAt, isCircle, leaf, lost, placeOf } from "./lookup.ts";
import type { Found } from "./lookup.ts";
import { native } from "./names.ts";
import type { Place } from "./paths.ts";
import { FOLDER, entryOf } from "./resource.ts";
import type { DriveFile } from "./resource.ts";
import type { Session } from "./session.ts";

/** Times that a folder goes away under our hands before we say so. */
const TRIES = 4;

/** The directory at this path, made with all its parents where it is missing. @throws StoreError `not-a-directory` where a file is in the way */
export async function ensure(session: Session, path: StorePath, signal: Signal): Promise<Place> {
  const there = await directoryAt(session, path, signal);
  if (there === "file") throw new StoreError("not-a-directory", "a parent of this path is a file", { applied: false });
  if (there !== null) {
    if (isCircle(there)) throw new StoreError("unsupported", "a shortcut leads back to a folder above it", { applied: false });
    return there;
  }
  // Made from the top; each in its turn, and none while the turn of another is held.
  const made = await inParent(session, path, signal, async (parent) => {
    const found = await leaf(session, parent, path, signal);
    if (found !== null) {
      const place = placeOf(session, parent, path, found);
      if (place === null) throw new StoreError("not-a-directory", "a parent of this path is a file", { applied: false });
      return { file: found.item.file, place };
    }
    const file = await create(session, parent, path, signal);
    return { file, place: remember(session, parent, path, file) };
  });
  return made.place;
}

export async function mkdir(session: Session, { path, existOk, signal }: MkdirCall): Promise<Entry> {
  if (path === root) {
    const file = await confirmRoot(session, signal);
    const there = entryOf(path, { file, target: file });
    if (existOk) return there;
    throw new StoreError("already-exists", "the root is always there", { entry: there, applied: false });
  }
  native(nameOf(path));
  const made = await inParent(session, path, signal, async (parent) => {
    const found = await leaf(session, parent, path, signal);
    if (found !== null) return { file: existing(session, parent, path, found, existOk), place: undefined };
    const file = await create(session, parent, path, signal);
    return { file, place: remember(session, parent, path, file) };
  });
  return entryOf(path, { file: made.file, target: made.file });
}

function existing(session: Session, parent: Place, path: StorePath, found: Found, existOk: boolean): DriveFile {
  const place = placeOf(session, parent, path, found);
  const entry = entryOf(path, found.item);
  if (place === null) throw new StoreError("already-exists", "a file of this name is there", { entry, applied: false });
  if (!existOk) throw new StoreError("already-exists", "a directory of this name is there", { entry, applied: false });
  return { ...(found.item.target as DriveFile), id: found.item.file.id };
}

interface Made {
  readonly file: DriveFile;
  readonly place: Place | undefined;
}

/** Does something in the parent of a path, made where it is missing; once more where the parent turned out to be gone. */
export async function inParent<T extends { readonly file: DriveFile } = Made>(
  session: Session,
  path: StorePath,
  signal: Signal,
  work: (parent: Place) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    const parent = await ensure(session, parentOf(path), signal);
    try {
      const made = await session.turns.take(path, signal, () => work(parent));
      if (made.file.trashed !== true) return made;
      // The parent lies in the trash, and so does what was just made in it.
      await outdated(session, parentOf(path), signal);
      if (tries === TRIES) throw new StoreError("conflict", "somebody else deletes the folder over and over", { applied: false });
    } catch (error) {
      if (!isMissing(error) || tries === TRIES) throw error;
      await outdated(session, parentOf(path), signal);
    }
  }
}

/** The folder of a path is gone: nothing that was remembered of it holds. @throws StoreError `config` where the root itself is */
export async function outdated(session: Session, path: StorePath, signal: Signal): Promise<void> {
  session.drop(path);
  await confirmRoot(session, signal);
}

function remember(session: Session, parent: Place, path: StorePath, file: DriveFile): Place {
  const place: Place = { ids: [file.id], chain: [...parent.chain, file.id] };
  if (file.trashed !== true) session.paths.set(path, place);
  return place;
}

async function create(session: Session, parent: Place, path: StorePath, signal: Signal): Promise<DriveFile> {
  const name = native(nameOf(path));
  const home = parent.ids[0];
  if (home === undefined) throw lost("the directory has no folder");
  const made = await creating(session, home, name, signal, (id) => session.api.create({ id, name, mimeType: FOLDER, parents: [home] }, signal));
  if (made.mimeType !== FOLDER) throw new StoreError("conflict", "a file of this store came to be there at this moment", { applied: false });
  return made;
}

/**
 * A creation under an id of its own. Where the answer is lost it is asked for by that id; where the id is taken, that was an earlier try of ours: `taken`
 * says what to do with what it made, by default nothing.
 */
export async function creating(
  session: Session,
  parent: string,
  name: string,
  signal: Signal,
  create: (id: string) => Promise<DriveFile>,
  taken: (file: DriveFile) => Promise<DriveFile> = async (file) => file,
): Promise<DriveFile> {
  const id = await session.newId(parent, name, signal);
  try {
    const made = await create(id);
    session.settled(parent, name);
    session.recent.put(made);
    return made;
  } catch (error) {
    if (reasonOf(error) === "fileIdInUse") {
      const there = await session.api.get(id, signal);
      session.settled(parent, name);
      // Deleted or moved since: its id cannot be used again, and a new one can.
      if (there.trashed === true || there.name !== name || there.parents?.includes(parent) !== true)
        return creating(session, parent, name, signal, create, taken);
      session.recent.put(there);
      return taken(there);
    }
    if (signal?.aborted === true) session.doubt(parent, name, id);
    if (!isAmbiguous(error)) throw error;
    session.doubt(parent, name, id);
    const there = await found(session, id, signal, error);
    session.settled(parent, name);
    session.recent.put(there);
    return there;
  }
}

/** By its id. @throws the first error where nothing can be seen of it: that settles nothing, since the request may still land */
async function found(session: Session, id: string, signal: Signal, lostAnswer: StoreError): Promise<DriveFile> {
  try {
    return await session.api.get(id, signal);
  } catch {
    throw lostAnswer;
  }
}
