/** The children of a directory: one search a page, set right by what this store did itself a moment ago. */
import { StoreError, join, parentOf } from "../../store/index.ts";
import type { Entry, ListCall, Page, StorePath } from "../../store/index.ts";
import type { FilePage, Signal } from "./api.ts";
import { DriveRefusal } from "./errors.ts";
import { ORDER, confirmRoot, directoryAt, isCircle, quoted, resolved, wasOutdated } from "./lookup.ts";
import { isTemporary, shown } from "./names.ts";
import type { Place } from "./paths.ts";
import { byRank, entryOf, isFolder } from "./resource.ts";
import type { DriveFile, Item } from "./resource.ts";
import { patience } from "./retries.ts";
import type { Session } from "./session.ts";

const PAGE = 1000;
/** Shortcuts looked up at once. */
const AT_ONCE = 8;
/** Times that a listing begins anew because Drive does not know its place any more. */
const RESTARTS = 3;

/** Where a listing stands; a page may be asked for twice, so nothing in here changes but `given`: by name what bears it, and on which page. */
interface Cursor {
  readonly place: Place;
  readonly page: number;
  readonly pageToken: string;
  readonly given: Map<string, readonly Given[]>;
}

interface Given {
  readonly id: string;
  readonly page: number;
  readonly isFolder: boolean;
}

export async function list(session: Session, call: ListCall): Promise<Page> {
  const cursor = call.cursor as Cursor | undefined;
  if (cursor !== undefined) return page(session, call, cursor.place, cursor);
  for (let again = true; ; again = false) {
    const place = await directoryAt(session, call.path, call.signal);
    if (place === "file") throw await notADirectory(session, call);
    if (place === null) {
      await confirmRoot(session, call.signal);
      throw new StoreError("not-found", "nothing is there");
    }
    if (isCircle(place)) return { entries: [] };
    const first = place.ids.length === 1 ? await page(session, call, place, undefined) : await union(session, call, place);
    if (first.entries.length > 0 || (first.cursor ?? null) !== null) return first;
    // A folder that was deleted lists as an empty one.
    if (!again || !(await wasOutdated(session, place, call.path, call.signal))) return first;
  }
}

async function notADirectory(session: Session, { path, signal }: ListCall): Promise<StoreError> {
  const parent = await directoryAt(session, parentOf(path), signal);
  return parent === "file" ? new StoreError("not-found", "nothing is there") : new StoreError("not-a-directory", "a file has no children");
}

async function page(session: Session, { path, signal }: ListCall, place: Place, cursor: Cursor | undefined): Promise<Page> {
  const folder = place.ids[0] as string;
  const number = cursor?.page ?? 0;
  const given: Cursor["given"] = cursor?.given ?? new Map();
  const { files, nextPageToken } = await searched(session, folder, cursor?.pageToken, signal);
  const seen = files.flatMap((file) => session.recent.corrected(folder, file) ?? []);
  // What the search does not know yet comes with its last page.
  if (nextPageToken === undefined) {
    const there = new Set(seen.map(({ id }) => id));
    for (const file of session.recent.in(folder)) if (!there.has(file.id) && !wasGiven(given, file, number)) seen.push(file);
  }
  const items = await withTargets(session, seen, signal);
  const entries: Entry[] = [];
  for (const [name, all] of grouped(items)) {
    const before = (given.get(name) ?? []).filter((one) => one.page < number);
    // A listing that began anew shows again what was given: that is no second file.
    const more = all.filter(({ file }) => !before.some(({ id }) => id === file.id));
    const bearers = [...before, ...more.map((item) => ({ id: item.file.id, page: number, isFolder: isFolder(item) }))];
    given.set(name, bearers);
    // What this store deleted since it was given, and made anew, was never beside the new one.
    const there = bearers.filter(({ id }) => !session.recent.hasLeft(folder, id));
    if (more.length > 0) rivals(session, join(path, shown(name)), there);
    if (before.length === 0) entries.push(entryOf(join(path, shown(name)), all[0] as Item));
  }
  return { entries, ...(nextPageToken === undefined ? {} : { cursor: { place, page: number + 1, pageToken: nextPageToken, given } satisfies Cursor }) };
}

function wasGiven(given: Cursor["given"], file: DriveFile, page: number): boolean {
  return given.get(file.name)?.some((before) => before.page < page && before.id === file.id) === true;
}

/** Tells of several that bear one name. Folders alone are one directory, and no trouble to anybody. */
function rivals(session: Session, path: StorePath, bearers: readonly Pick<Given, "id" | "isFolder">[]): void {
  if (bearers.length < 2 || bearers.every((one) => one.isFolder)) return;
  session.tell(
    path,
    bearers.map(({ id }) => id),
  );
  if (session.settings.duplicates === "error")
    throw new StoreError("conflict", "several files of one name are in the folder", { applied: false, transient: false });
}

/** By name; the first of each is the one that counts. Names of our own on their way are nobody's. */
function grouped(items: readonly Item[]): Map<string, Item[]> {
  const names = new Map<string, Item[]>();
  for (const item of items) {
    const { name } = item.file;
    if (isTemporary(name)) continue;
    const all = names.get(name);
    if (all === undefined) names.set(name, [item]);
    else all.push(item);
  }
  for (const all of names.values()) if (all.length > 1) all.sort(byRank);
  return names;
}

/** Several folders of one name are one directory: all of them at once, since a name may be in each. */
async function union(session: Session, call: ListCall, { ids }: Place): Promise<Page> {
  const items: Item[] = [];
  for (const id of ids) {
    // By id: a listing that began anew shows the same ones again.
    const files = new Map<string, DriveFile>();
    for (let pageToken: string | undefined, more = true; more; more = pageToken !== undefined) {
      const one: FilePage = await searched(session, id, pageToken, call.signal);
      pageToken = one.nextPageToken;
      for (const file of one.files.flatMap((seen) => session.recent.corrected(id, seen) ?? [])) files.set(file.id, file);
    }
    for (const file of session.recent.in(id)) if (!files.has(file.id)) files.set(file.id, file);
    items.push(...(await withTargets(session, [...files.values()], call.signal)));
  }
  const entries = [...grouped(items)].map(([name, all]) => {
    const path = join(call.path, shown(name));
    rivals(
      session,
      path,
      all.map((item) => ({ id: item.file.id, isFolder: isFolder(item) })),
    );
    return entryOf(path, all[0] as Item);
  });
  return { entries };
}

/** One page, tried again where the caller could only begin anew. */
async function searched(session: Session, folder: string, pageToken: string | undefined, signal: Signal): Promise<FilePage> {
  const q = `${quoted(folder)} in parents and trashed = false`;
  const waits = patience(session.settings);
  let token = pageToken;
  for (let restarts = 0; ;) {
    try {
      return await session.api.list(q, { pageSize: PAGE, orderBy: ORDER, ...(token === undefined ? {} : { pageToken: token }) }, signal);
    } catch (error) {
      // Drive forgets where a listing stands after some hours: it begins anew, and what was given is not given again.
      if (token !== undefined && StoreError.is(error) && error.status === 400 && error.cause instanceof DriveRefusal && restarts < RESTARTS) {
        restarts++;
        token = undefined;
      } else await waits.wait(error, signal);
    }
  }
}

async function withTargets(session: Session, files: readonly DriveFile[], signal: Signal): Promise<Item[]> {
  const items: Item[] = [];
  for (let at = 0; at < files.length;) {
    const file = files[at] as DriveFile;
    if (file.shortcutDetails === undefined) {
      items.push({ file, target: file });
      at++;
      continue;
    }
    const some = files.slice(at, at + AT_ONCE);
    items.push(...(await Promise.all(some.map((one) => resolved(session, one, signal)))));
    at += some.length;
  }
  return items;
}

/** Is anything in this directory that a caller would see? */
export async function hasChildren(session: Session, { ids }: Place, signal: Signal): Promise<boolean> {
  for (const id of ids) {
    if (session.recent.in(id).some(({ name }) => !isTemporary(name))) return true;
    const q = `${quoted(id)} in parents and trashed = false`;
    for (let pageToken: string | undefined, more = true; more; more = pageToken !== undefined) {
      const page = await session.api.list(q, { pageSize: 10, ...(pageToken === undefined ? {} : { pageToken }) }, signal);
      pageToken = page.nextPageToken;
      for (const file of page.files) {
        const now = session.recent.corrected(id, file);
        if (now !== undefined && !isTemporary(now.name)) return true;
      }
    }
  }
  return false;
}
