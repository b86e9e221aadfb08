/**
 * Copy and move by the rules of rename(2): a file over a file, a directory over nothing or an empty directory, never a merge.
 *
 * What was at the target goes only when the new file stands beside it, so there is no moment at which the path leads nowhere; where it cannot go, the
 * new file is taken back.
 */
import { StoreError, inPart, nameOf, parentOf } from "../../store/index.ts";
import type { CopyCall, Entry, MoveCall } from "../../store/index.ts";
import type { Signal } from "./api.ts";
import { discard, untold } from "./delete.ts";
import { creating, ensure, outdated } from "./folders.ts";
import { hasChildren } from "./list.ts";
import { leaf, look, need } from "./lookup.ts";
import type { Found, Looked } from "./lookup.ts";
import { isMissing } from "./errors.ts";
import { giveWay } from "./give-way.ts";
import { native } from "./names.ts";
import type { Place } from "./paths.ts";
import { entryOf, isFolder, isGoogle } from "./resource.ts";
import type { DriveFile, Item } from "./resource.ts";
import type { Session } from "./session.ts";
import { put } from "./put.ts";
import { homeOf } from "./stored.ts";

/** Times that a folder goes away under our hands before we say so. */
const TRIES = 4;

export function transfer(session: Session, call: CopyCall | MoveCall): Promise<Entry> {
  native(nameOf(call.to)); // A name that cannot be held is refused before any request.
  return call.operation === "copy" ? copy(session, call) : move(session, call);
}

async function copy(session: Session, call: CopyCall): Promise<Entry> {
  const { path, to, signal } = call;
  const first = await need(session, path, signal);
  // Trees are walked above, folder by folder.
  if (isFolder(first)) throw new StoreError("is-a-directory", "Drive copies no folders", { applied: false });
  const made = await atTarget(session, call, async (parent, target) => {
    const source = await need(session, path, signal);
    if (isFolder(source)) throw new StoreError("is-a-directory", "Drive copies no folders", { applied: false });
    refuse(source, target, false);
    const ids: string[] = [];
    const copied = await copyOf(session, source, parent, native(nameOf(to)), ids, signal).catch(async (error: unknown) => {
      // The caller gave up on the answer. Beside what is at the target a copy may not stay: two of one name.
      if (target !== null && signal?.aborted === true) for (const id of ids) await removedAgain(session, id);
      throw error;
    });
    if (target !== null && copied.trashed !== true) await giveWay(session, to, target.all, copied, signal, () => discard(session, copied, undefined));
    return copied;
  });
  return entryOf(to, { file: made, target: made });
}

/** `ids`: those under which copies were asked for. */
async function copyOf(session: Session, { target }: Item, parent: Place, name: string, ids: string[], signal: Signal): Promise<DriveFile> {
  if (target === null) throw new StoreError("corrupt", "the shortcut leads to nothing that this account can see", { applied: false });
  const home = homeOf(parent);
  const body = { name, parents: [home], ...(target.appProperties === undefined ? {} : { appProperties: target.appProperties }) };
  // Of Google's own documents no ids can be chosen.
  if (isGoogle(target.mimeType)) {
    const made = await session.api.copy(target.id, body, signal);
    session.recent.put(made);
    return made;
  }
  return creating(
    session,
    home,
    name,
    signal,
    (id) => {
      ids.push(id);
      return session.api.copy(target.id, { ...body, id, mimeType: target.mimeType }, signal);
    },
    async (earlier) => {
      // An earlier try of ours made it, perhaps of other bytes: it goes, and the next one has an id of its own.
      await discard(session, earlier, signal);
      const id = await session.newId(home, name, signal);
      ids.push(id);
      return session.api.copy(target.id, { ...body, id }, signal);
    },
  );
}

async function move(session: Session, call: MoveCall): Promise<Entry> {
  const { path, to, signal } = call;
  await need(session, path, signal);
  const done: { moved?: Looked } = {};
  const made = await atTarget(session, call, async (parent, target) => {
    const source = done.moved ?? (await look(session, path, signal));
    if (source === null) throw new StoreError("not-found", "nothing is there", { applied: false });
    const { item, all } = source.found;
    refuse(item, target, target !== null && isFolder(target.item) && (await hasChildren(session, targetPlace(target), signal)));
    const [first, ...rest] = all.map(({ file }) => file) as [DriveFile, ...DriveFile[]];
    const there = await put(session, first, parent, native(nameOf(to)), signal).catch(async (error: unknown) => {
      // The caller gave up on the answer. Beside what is at the target the file may not stay: two of one name.
      if (target !== null && signal?.aborted === true) await takenBack(session, first, parent, native(nameOf(to)));
      throw error;
    });
    done.moved = { ...source, found: { item: { ...item, file: there }, all: [{ ...item, file: there }, ...all.slice(1)] } };
    if (there.trashed === true) return there;
    const back = async (): Promise<void> => void (await put(session, there, { ids: first.parents ?? [], chain: [] }, first.name, undefined));
    if (target !== null) await giveWay(session, to, target.all, there, signal, back);
    let count = 1;
    for (const one of rest) {
      try {
        await put(session, one, parent, native(nameOf(to)), signal);
        count++;
      } catch (error) {
        throw StoreError.is(error) ? inPart(error, "move", { done: count, at: path }) : error;
      }
    }
    return there;
  });
  session.drop(path);
  session.drop(to);
  const item = done.moved?.found.item;
  return entryOf(to, { file: made, target: item === undefined || item.target?.id === made.id ? made : item.target });
}

/** A move that may have happened is undone. */
function takenBack(session: Session, before: DriveFile, parent: Place, name: string): Promise<void> {
  return untold(async () => {
    const now = await session.api.get(before.id, undefined);
    if (now.name === name && now.parents?.includes(homeOf(parent)) === true)
      await put(session, now, { ids: before.parents ?? [], chain: [] }, before.name, undefined);
  });
}

/** A copy that may have been made goes. */
function removedAgain(session: Session, id: string): Promise<void> {
  return untold(async () => discard(session, await session.api.get(id, undefined), undefined));
}

/** Does the work with what is at the target, in the turn of both paths; once more where the target's directory turned out to be gone. */
async function atTarget(
  session: Session,
  { path, to, signal }: CopyCall | MoveCall,
  work: (parent: Place, target: Found | null) => Promise<DriveFile>,
): Promise<DriveFile> {
  for (let tries = 1; ; tries++) {
    const parent = await ensure(session, parentOf(to), signal);
    try {
      const made = await session.turns.both(path, to, signal, async () => work(parent, await leaf(session, parent, to, signal)));
      if (made.trashed !== true) return made;
      if (tries === TRIES) throw new StoreError("conflict", "somebody else deletes the target's directory over and over", { applied: "unknown" });
    } catch (error) {
      if (!isMissing(error) || tries === TRIES) throw error;
    }
    // Of a file that was moved into a folder in the trash the next round takes it out again.
    await outdated(session, parentOf(to), signal);
    session.drop(parentOf(path));
  }
}

/** rename(2): what may take the place of what. */
function refuse(source: Item, target: Found | null, targetHasChildren: boolean): void {
  if (target === null) return;
  const [from, onto] = [isFolder(source), isFolder(target.item)];
  if (!from && onto) throw new StoreError("is-a-directory", "there is a directory at the target", { applied: false });
  if (from && !onto) throw new StoreError("not-a-directory", "there is a file at the target", { applied: false });
  if (targetHasChildren) throw new StoreError("not-empty", "the directory at the target is not empty", { applied: false });
}

function targetPlace({ all }: Found): Place {
  const ids = all.filter((item) => isFolder(item) && item.file === item.target).map(({ file }) => file.id);
  return { ids, chain: ids };
}
