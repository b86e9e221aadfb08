/**
 * From paths to ids: one search for each segment that is not known, and one by id where this store itself made the file a moment ago.
 *
 * A path that leads nowhere is looked at twice: what was remembered on the way may be out of date, and a root that is gone must not read as "no files".
 */
import { StoreError, nameOf, parentOf, root } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import type { Signal } from "./api.ts";
import { isMissing } from "./errors.ts";
import { native } from "./names.ts";
import type { Place } from "./paths.ts";
import { FOLDER, SHORTCUT, byAge, byRank, entryOf, isFolder } from "./resource.ts";
import type { DriveFile, Item } from "./resource.ts";
import type { Session } from "./session.ts";

/** What bears a name in a directory: the first of all is the one that counts. */
export interface Found {
  readonly item: Item;
  readonly all: readonly Item[];
}

/** Folders first, then the newest: the first one of a name is the one that counts. */
export const ORDER = "folder,name,modifiedTime desc";
/** Of one name there is one file as a rule. Drive takes "a" and "A" for the same here, so a few more may come. */
const LEAVES = 100;

export function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

/** Everything of this name in these folders. Null: nothing. */
export async function leaf(session: Session, place: Place, path: StorePath, signal: Signal): Promise<Found | null> {
  const name = native(nameOf(path));
  return found(session, place, path, await bearers(session, place, name, signal), signal);
}

/** Folders of one name are one directory, so each of them is asked: the name may be in several. */
async function bearers(session: Session, place: Place, name: string, signal: Signal): Promise<DriveFile[]> {
  const files = new Map<string, DriveFile>();
  for (const parent of place.ids) for (const file of await inFolder(session, parent, name, signal)) files.set(file.id, file);
  return [...files.values()];
}

async function inFolder(session: Session, parent: string, name: string, signal: Signal): Promise<DriveFile[]> {
  const { recent, searched } = session;
  const files: DriveFile[] = [];
  const asked = new Set<string>();
  // By id the service knows it at once, and by name perhaps not yet.
  for (const { id } of recent.named(parent, name)) {
    asked.add(id);
    const now = await current(session, id, signal);
    if (now !== undefined && now.trashed !== true && now.name === name && now.parents?.includes(parent) === true) files.push(now);
  }
  if (files.length > 0 && searched.ids(parent, name)?.every((id) => asked.has(id)) === true) return files;
  for (const file of await search(session, parent, name, signal)) {
    const now = asked.has(file.id) ? undefined : recent.corrected(parent, file);
    if (now !== undefined && now.name === name && now.trashed !== true) files.push(now);
  }
  return files;
}

/** What Drive's search shows of exactly this name. */
async function search(session: Session, parent: string, name: string, signal: Signal): Promise<DriveFile[]> {
  const askedMs = session.settings.clock.monotonic();
  const q = `${quoted(parent)} in parents and name = ${quoted(name)} and trashed = false`;
  const files: DriveFile[] = [];
  for (let pageToken: string | undefined, more = true; more; more = pageToken !== undefined) {
    const page = await session.api.list(q, { pageSize: LEAVES, orderBy: ORDER, ...(pageToken === undefined ? {} : { pageToken }) }, signal);
    pageToken = page.nextPageToken;
    // The search takes no notice of case.
    files.push(...page.files.filter((file) => file.name === name));
  }
  const ids = files.map(({ id }) => id);
  session.searched.note(parent, name, ids, askedMs);
  return files;
}

async function current(session: Session, id: string, signal: Signal): Promise<DriveFile | undefined> {
  try {
    return await session.api.get(id, signal);
  } catch (error) {
    if (!isMissing(error)) throw error;
    session.recent.forget(id);
    return undefined;
  }
}

async function found(session: Session, place: Place, path: StorePath, files: readonly DriveFile[], signal: Signal): Promise<Found | null> {
  const all: Item[] = [];
  for (const file of files) all.push(await resolved(session, file, signal));
  const [item] = all.sort(byRank);
  if (item === undefined) return null;
  // Folders of one name are one directory, and no trouble to anybody.
  const rivals = all.filter((one) => !isFolder(one) || !isFolder(item));
  if (all.length > 1 && rivals.length > 0) {
    session.tell(
      path,
      all.map(({ file }) => file.id),
    );
    if (session.settings.duplicates === "error")
      throw new StoreError("conflict", `${all.length} files of this name are in the folder`, { applied: false, transient: false, entry: entryOf(path, item) });
  }
  return { item, all };
}

/** A shortcut with what it points to. */
export async function resolved(session: Session, file: DriveFile, signal: Signal): Promise<Item> {
  if (file.mimeType !== SHORTCUT) return { file, target: file };
  const { targetId } = file.shortcutDetails ?? {};
  if (targetId === undefined) return { file, target: null };
  try {
    const target = await session.api.get(targetId, signal);
    return { file, target: target.trashed === true || target.mimeType === SHORTCUT ? null : target };
  } catch (error) {
    if (!isMissing(error)) throw error;
    return { file, target: null };
  }
}

/** The directory at a path. "file": what is there is none, or a parent is none. Null: nothing is there. */
export async function directoryAt(session: Session, path: StorePath, signal: Signal): Promise<Place | "file" | null> {
  if (path === root) return rootPlace(session, signal);
  const known = session.paths.get(path);
  if (known !== undefined) return known;
  if (!session.paths.isOutdated(path)) return searchedDirectory(session, path, signal);
  // Believed until now by all who work in there: one asks again, the others wait for its answer. From below to above, so that no two wait for each other.
  return session.turns.take(`directory ${path}`, signal, async () => {
    const place = session.paths.get(path) ?? (await searchedDirectory(session, path, signal));
    // Where there is none, nobody waits for the next answer.
    if (session.paths.isOutdated(path)) session.paths.drop(path);
    return place;
  });
}

async function searchedDirectory(session: Session, path: StorePath, signal: Signal): Promise<Place | "file" | null> {
  const parent = await directoryAt(session, parentOf(path), signal);
  if (parent === null || parent === "file") return parent;
  const there = await leaf(session, parent, path, signal);
  if (there === null) return null;
  return placeOf(session, parent, path, there) ?? "file";
}

/** The place of a directory that was found, remembered. Null: it is none. */
export function placeOf(session: Session, parent: Place, path: StorePath, { item, all }: Found): Place | null {
  if (!isFolder(item)) return null;
  const folders = all.filter(isFolder).sort(byAge);
  const ids = folders.map(({ target }) => (target as DriveFile).id);
  const place: Place = { ids, chain: [...parent.chain, ...ids] };
  session.paths.set(path, place);
  return place;
}

/** A shortcut may lead back to a folder that was passed on the way: nothing is below it, or a walk would never end. */
export function isCircle({ ids, chain }: Place): boolean {
  return ids.some((id) => chain.indexOf(id) !== chain.lastIndexOf(id));
}

/** The root of the store. @throws StoreError `config` where it is missing and not to be made */
export async function rootPlace(session: Session, signal: Signal): Promise<Place> {
  if (session.rootPlace !== undefined) return session.rootPlace;
  return session.turns.take("root", signal, async () => {
    const place = session.rootPlace ?? (await findRoot(session, signal));
    session.setRoot(place);
    return place;
  });
}

/** Folders of one name are one directory, on the way to the root and there: two processes may have made it at once. */
async function findRoot(session: Session, signal: Signal): Promise<Place> {
  const { settings } = session;
  let ids: readonly string[] = [await aliveFolder(session, settings.rootId, signal)];
  for (const segment of settings.folder) {
    const name = native(segment);
    const place: Place = { ids, chain: ids };
    const there = await bearers(session, place, name, signal);
    const items: Item[] = [];
    for (const file of there) items.push(await resolved(session, file, signal));
    if (settings.createRoot && items.length === 0) items.push(...(await makeRoot(session, place, name, signal)));
    ids = items
      .filter(isFolder)
      .sort(byAge)
      .map(({ target }) => (target as DriveFile).id);
    if (ids.length === 0) throw lost("the folder of this store is not in the drive");
  }
  return { ids, chain: ids };
}

async function makeRoot(session: Session, place: Place, name: string, signal: Signal): Promise<Item[]> {
  const [parent = ""] = place.ids;
  const made = await session.api.create({ id: await session.newId(parent, name, signal), name, mimeType: FOLDER, parents: [parent] }, signal);
  session.recent.put(made);
  const others = (await bearers(session, place, name, signal)).filter(({ id, mimeType }) => mimeType === FOLDER && id !== made.id);
  return [...others, made].map((file) => ({ file, target: file }));
}

async function aliveFolder(session: Session, id: string, signal: Signal): Promise<string> {
  try {
    const there = await session.api.get(id, signal);
    if (there.mimeType === FOLDER && there.trashed !== true) return there.id;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  throw lost("the drive or folder of this store does not exist, or is not shared with this account");
}

export function lost(reason: string): StoreError {
  return new StoreError("config", reason, { applied: false });
}

/** Is the root still what it was? Forgets it where it is not, and finds or makes it anew. @throws StoreError `config` */
export async function confirmRoot(session: Session, signal: Signal): Promise<DriveFile> {
  for (let again = true; ; again = false) {
    const place = await rootPlace(session, signal);
    try {
      const there = await session.api.get(place.ids[0] as string, signal);
      if (there.trashed !== true) return there;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    session.drop(root);
    if (!again) throw lost("the folder of this store is in the trash");
  }
}

/** Nothing was found below `parent`: true where that may be because what was remembered of it is out of date, and has been forgotten now. */
export async function wasOutdated(session: Session, parent: Place, path: StorePath, signal: Signal): Promise<boolean> {
  for (const id of parent.ids) {
    try {
      const there = await session.api.get(id, signal);
      if (there.trashed !== true && (path === root || isStill(there, parent, path))) continue;
    } catch (error) {
      if (!isMissing(error)) throw error;
      session.recent.forget(id);
    }
    session.drop(path);
    if (path !== root) await confirmRoot(session, signal);
    return true;
  }
  return false;
}

/** Under its name, in the folder that was passed before it. */
function isStill({ name, parents = [] }: DriveFile, { ids, chain }: Place, path: StorePath): boolean {
  const above = chain.slice(0, -ids.length);
  return name === native(nameOf(path)) && parents.some((id) => above.includes(id));
}

export interface Looked {
  readonly parent: Place;
  readonly found: Found;
}

/** What is at a path other than the root; null where nothing is, said by the service itself. */
export async function look(session: Session, path: StorePath, signal: Signal): Promise<Looked | null> {
  for (let again = true; ; again = false) {
    const above = parentOf(path);
    const parent = await directoryAt(session, above, signal);
    if (parent === "file") return null;
    if (parent === null) {
      await confirmRoot(session, signal);
      return null;
    }
    const there = isCircle(parent) ? null : await leaf(session, parent, path, signal);
    if (there !== null) return { parent, found: there };
    if (!again || !(await wasOutdated(session, parent, above, signal))) return null;
  }
}

/** @throws StoreError `not-found` */
export async function need(session: Session, path: StorePath, signal: Signal): Promise<Item> {
  if (path === root) {
    const file = await confirmRoot(session, signal);
    return { file, target: file };
  }
  const there = await look(session, path, signal);
  if (there === null) throw new StoreError("not-found", "nothing is there");
  return there.found.item;
}

export async function stat(session: Session, path: StorePath, signal: Signal): Promise<Entry> {
  return entryOf(path, await need(session, path, signal));
}
