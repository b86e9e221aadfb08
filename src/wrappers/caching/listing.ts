/** `list`: the children in the view, each once, although rows come and go between two pages. */
import { StoreError, calls, entry, hasCode, join, nameOf } from "../../store/index.ts";
import type { Entry, ListCall, Page, StorePath } from "../../store/index.ts";
import { liesBeside, mayHaveChildren } from "./beside.ts";
import type { Core } from "./core.ts";
import { entryOf, withLocalEtag } from "./entries.ts";
import { expedite } from "./expedite.ts";
import { isDeletedBelow, mayHaveVanished } from "./implied.ts";
import { ABSENT, DIRECTORY, FILE } from "./rows.ts";
import type { NodeRow } from "./rows.ts";
import { forget, isFresh, isPendingBelow, isSoft, learn, notFound } from "./learn.ts";
import { statForCaller, statRemote } from "./stat-remote.ts";

/** Immutable; the same may be asked for again. */
type Cursor =
  | { readonly in: "directory"; readonly settled: ReadonlySet<string>; readonly unseen: ReadonlySet<string>; readonly inner: unknown }
  | { readonly in: "walk"; readonly rest: readonly StorePath[]; readonly at: StorePath; readonly inner: Cursor | undefined }
  | { readonly in: "remote"; readonly inner: unknown };

export async function list(core: Core, call: ListCall): Promise<Page> {
  if (call.recursive) return walk(core, call);
  return directory(core, call, call.cursor as Cursor | undefined);
}

async function directory(core: Core, call: ListCall, cursor: Cursor | undefined): Promise<Page> {
  if (cursor === undefined) return first(core, call);
  if (cursor.in !== "directory") throw new StoreError("unknown", "this cursor belongs to another listing");
  const page = await core.inner.list({ ...call, ifNoneMatch: undefined, cursor: cursor.inner });
  return merged(core, call, page, cursor.settled, cursor.unseen, []);
}

/** A listing that barriers take part in is gathered whole; it is gathered again where they change meanwhile. */
const ROUNDS = 20;

async function first(core: Core, call: ListCall): Promise<Page> {
  const page = await firstPage(core, call);
  const empty = page.entries.length === 0 && (page.cursor ?? undefined) === undefined;
  if (empty && mayHaveVanished(core, core.tree.at(call.path)) && !(await existsInView(core, call.path, call.signal)))
    throw (await fileInstead(core, call.path, call.signal)) === undefined ? notFound() : notADirectory();
  return page;
}

async function firstPage(core: Core, call: ListCall): Promise<Page> {
  const { path } = call;
  for (let round = 0; ; round++) {
    const { known, node } = core.tree.look(path);
    if (known === ABSENT && !liesBeside(core, path)) throw notFound();
    if (mayHaveChildren(core, node) && !core.barriers.touches(path)) return beside(core, call);
    if (node?.kind === FILE && (node.dirty === 1 || isFresh(core, node))) throw notADirectory();
    const rows = node === undefined ? [] : core.tree.children(node.id);
    // Known to exist only here: nobody else can have put anything into it.
    if (node?.dirty === 1 && node.base_kind === ABSENT && !core.barriers.touches(path)) return { entries: await entriesOf(core, call, rows) };
    const watch = core.watches.watch(path);
    try {
      if (core.barriers.moves(path)) {
        const entries = await gathered(core, call);
        if (watch.touched && round < ROUNDS) continue;
        return { entries };
      }
      const settled = new Set<string>();
      const unseen = new Set<string>();
      const now: Entry[] = [];
      for (const row of rows) {
        // Clean rows are compared with what the remote lists; what is pending is what it is.
        if (row.dirty === 0 && row.kind !== ABSENT) unseen.add(row.name);
        else {
          const there = await entriesOf(core, call, [row]);
          if (row.kind === ABSENT || there.length > 0) settled.add(core.spelling.key(row.name));
          now.push(...there);
        }
      }
      const page = await asked(core, call, node);
      if (page === undefined) continue;
      return await merged(core, call, page, core.rules.listingHasSnapshot ? settled : new Set(), unseen, now);
    } finally {
      core.watches.end(watch);
    }
  }
}

/** What the service has below a file; mostly that is nothing. */
async function beside(core: Core, call: ListCall): Promise<Page> {
  let page: Page;
  try {
    page = await core.inner.list({ ...call, ifNoneMatch: undefined, cursor: undefined });
  } catch (error) {
    throw hasCode(error, "not-found") ? notADirectory() : error;
  }
  if (page.entries.length === 0 && (page.cursor ?? undefined) === undefined) throw notADirectory();
  return merged(core, call, page, new Set(), new Set(), []);
}

/** The first page of the remote; empty where only the view has the directory; undefined: what was known of it was wrong, look again. */
async function asked(core: Core, call: ListCall, node: NodeRow | undefined): Promise<Page | undefined> {
  try {
    return await core.inner.list({ ...call, ifNoneMatch: undefined, cursor: undefined });
  } catch (error) {
    if (node === undefined || !hasCode(error, "not-found", "not-a-directory")) throw error;
    if (node.id === 1 || (node.kind === DIRECTORY && isPendingBelow(core, node))) return { entries: [] };
    // Where listings are late that says nothing yet.
    if (core.remoteCan.consistency.list === "eventual" && (await statRemote(core, call.path, { fresh: true, signal: call.signal }))?.kind === "directory")
      return { entries: [] };
    const gone = core.group.record(() => {
      const now = core.tree.row(node.id);
      return now === undefined || forget(core, now);
    });
    if (!gone) return { entries: [] };
    throw error;
  }
}

function notADirectory(): StoreError {
  return new StoreError("not-a-directory", "a file has no children");
}

type Asker = Pick<ListCall, "path" | "signal">;

async function entriesOf(core: Core, { path: dir, signal }: Asker, rows: readonly NodeRow[]): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const row of rows) {
    const path = join(dir, row.name);
    if (row.kind !== ABSENT && (await isThere(core, row, { path, signal }))) entries.push(entryOf(core, row, path));
  }
  return entries;
}

async function isThere(core: Core, row: NodeRow, { path, signal }: Asker): Promise<boolean> {
  return !mayHaveVanished(core, row) || existsInView(core, path, signal);
}

/** `settled`: names that were given, or are absent. `unseen`: clean rows that the remote has not listed yet. */
async function merged(
  core: Core,
  { path: dir, signal }: Asker,
  page: Page,
  settled: ReadonlySet<string>,
  before: ReadonlySet<string>,
  start: readonly Entry[],
): Promise<Page> {
  const entries: Entry[] = [...start];
  const unseen = new Set(before);
  const parent = core.tree.at(dir);
  for (const found of page.entries) {
    const row = parent === undefined ? undefined : core.spelling.child(core, parent.id, nameOf(found.path));
    const name = row?.name ?? nameOf(found.path);
    if (found.kind === "directory" && mayHaveChildren(core, row)) {
      entries.push({ ...found, path: join(dir, name) });
      continue;
    }
    unseen.delete(name);
    if (settled.has(core.spelling.key(name))) continue;
    const seen = await inView(core, { path: join(dir, name), signal }, found, row);
    if (seen !== undefined) entries.push(seen);
  }
  const inner = page.cursor ?? undefined;
  if (inner !== undefined) return { entries, cursor: { in: "directory", settled, unseen, inner } satisfies Cursor };
  for (const name of unseen) {
    const seen = await notListed(core, { path: join(dir, name), signal });
    if (seen !== undefined) entries.push(seen);
  }
  return { entries };
}

/** What the remote lists, as the view has it. A listing revalidates for nothing: what the comparison needs is in it. */
async function inView(core: Core, { path, signal }: Asker, found: Entry, row: NodeRow | undefined): Promise<Entry | undefined> {
  if (row === undefined) {
    if (!core.barriers.covers(path)) return { ...found, path };
    return statForCaller(core, path, { signal });
  }
  if (row.kind === ABSENT) return undefined;
  if (!(await isThere(core, row, { path, signal }))) return found.kind === "file" ? statForCaller(core, path, { signal }) : undefined;
  if (row.dirty === 1) return entryOf(core, row, path);
  // Inside of a pending operation, or with an etag that may have changed: the listing says nothing of these bytes.
  if (core.barriers.covers(path) || isSoft(core, row, core.tree.look(path).moved))
    return row.content === null ? withLocalEtag(core, row, { ...found, path }) : entryOf(core, row, path);
  const late = core.remoteCan.consistency.list === "eventual";
  // A late listing may show the version before: what was seen since is not given up for it.
  if (late && isFresh(core, row) && (row.kind === DIRECTORY || row.content !== null)) return entryOf(core, row, path);
  if (late && isKnown(row, found)) return row.content === null ? withLocalEtag(core, row, { ...found, path }) : entryOf(core, row, path);
  const told = late ? await statRemote(core, path, { fresh: true, signal }) : { ...found, path };
  if (told === null) {
    await learn(core, row, null, path);
    return undefined;
  }
  const learnt = await learn(core, row, told, path);
  const now = core.tree.at(path);
  if (learnt === "same" && now?.kind === FILE && now.content !== null) return entryOf(core, now, path);
  if (now !== undefined && now.dirty === 1) return now.kind === ABSENT ? undefined : entryOf(core, now, path);
  return now === undefined ? { ...found, path } : withLocalEtag(core, now, { ...found, path });
}

/** It lists what is known here: late or not, there is nothing to ask, and nothing to learn that may be old. */
function isKnown(row: NodeRow, found: Entry): boolean {
  if (found.kind === "directory") return row.kind === DIRECTORY;
  if (row.kind !== FILE || row.base_etag !== found.etag) return false;
  // Where there are no etags a file is known by the rest.
  return (
    found.etag !== null || (found.modifiedMs !== null && row.base_modified === found.modifiedMs && row.base_size === found.size && row.base_id === found.id)
  );
}

/** A clean row that the remote did not list: kept while it is fresh, for services that list late; else gone where listings are strong, else asked. */
async function notListed(core: Core, { path, signal }: Asker): Promise<Entry | undefined> {
  const row = core.tree.at(path);
  if (row === undefined || row.kind === ABSENT || !(await isThere(core, row, { path, signal }))) return undefined;
  if (row.dirty === 1 || (isFresh(core, row) && (row.content !== null || row.kind === DIRECTORY))) return entryOf(core, row, path);
  if (row.kind === DIRECTORY && isPendingBelow(core, row)) return entryOf(core, row, path);
  if (core.barriers.covers(path)) return statForCaller(core, path, { signal });
  if (core.remoteCan.consistency.list === "strong") {
    core.group.record(() => {
      const now = core.tree.row(row.id);
      if (now !== undefined && now.gen === row.gen) forget(core, now);
    });
    return undefined;
  }
  const found = await statRemote(core, path, { fresh: true, signal });
  await learn(core, row, found, path);
  return found ?? undefined;
}

/** All names that a directory may have while tree operations are pending around it, each looked at where the remote keeps it. */
async function gathered(core: Core, { path, signal }: ListCall): Promise<Entry[]> {
  const { node } = core.tree.look(path);
  // A file that was seen too long ago is asked for like a path that nobody here knows.
  if (node === undefined || node.kind === FILE) {
    const found = await statRemote(core, path, { signal });
    if (found === null) throw notFound();
    if (found.kind === "file") throw notADirectory();
  }
  const names = new Set<string>(core.barriers.arriving(path));
  for (const place of core.barriers.translate(path))
    if (place !== null) for await (const { path: child } of core.remote.children(place, signal ?? core.ended)) names.add(nameOf(child));
  if (node !== undefined) for (const { name } of core.tree.children(node.id)) names.add(name);
  const found: (Entry | undefined)[] = [];
  for (const name of names) {
    const at = join(path, name);
    const row = core.tree.at(at);
    if (row !== undefined && !(await isThere(core, row, { path: at, signal }))) {
      found.push(await fileInstead(core, at, signal));
      continue;
    }
    if (row !== undefined && (row.dirty === 1 || row.content !== null)) found.push(row.kind === ABSENT ? undefined : entryOf(core, row, at));
    else {
      const there = await statForCaller(core, at, { signal });
      found.push(
        there ?? (row?.kind === DIRECTORY && (isPendingBelow(core, row) || row.base_kind !== DIRECTORY) ? entry({ path: at, kind: "directory" }) : undefined),
      );
    }
  }
  return found.filter((one) => one !== undefined);
}

/** The whole subtree: the remote's own listing where nothing of it is known here, else directory by directory. */
async function walk(core: Core, call: ListCall): Promise<Page> {
  const cursor = call.cursor as Cursor | undefined;
  if (
    cursor?.in === "remote" ||
    (cursor === undefined && core.tree.at(call.path) === undefined && !core.barriers.touches(call.path) && core.tree.look(call.path).known === undefined)
  ) {
    const page = await core.inner.list({ ...call, ifNoneMatch: undefined, cursor: cursor?.in === "remote" ? cursor.inner : undefined });
    const inner = page.cursor ?? undefined;
    return { entries: page.entries, ...(inner === undefined ? undefined : { cursor: { in: "remote", inner } satisfies Cursor }) };
  }
  const { at, inner, rest } = cursor?.in === "walk" ? cursor : { at: call.path, inner: undefined, rest: [] };
  let page: Page;
  try {
    page = await directory(core, { ...calls.list(at, { fresh: call.fresh }), signal: call.signal }, inner);
  } catch (error) {
    // One that went since its parent was listed; the one that was asked for is another matter.
    if (at === call.path || !hasCode(error, "not-found", "not-a-directory")) throw error;
    page = { entries: [] };
  }
  const below = [...page.entries.filter(({ kind }) => kind === "directory").map((one) => one.path), ...rest];
  const next = (page.cursor ?? undefined) as Cursor | undefined;
  if (next !== undefined) return { entries: page.entries, cursor: { in: "walk", at, inner: next, rest: below } satisfies Cursor };
  const [following, ...others] = below;
  if (following === undefined) return { entries: page.entries };
  return { entries: page.entries, cursor: { in: "walk", at: following, inner: undefined, rest: others } satisfies Cursor };
}

/** Pages are read until there is a child. */
export async function isEmptyInView(core: Core, path: StorePath, signal: AbortSignal | undefined): Promise<boolean> {
  let cursor: unknown;
  do {
    let page: Page;
    try {
      const call = { ...calls.list(path, { fresh: true }), signal };
      page = cursor === undefined ? await firstPage(core, call) : await directory(core, call, cursor as Cursor);
    } catch (error) {
      if (cursor === undefined && hasCode(error, "not-found", "not-a-directory")) return true;
      throw error;
    }
    for (const { path: child } of page.entries) if (await isReallyThere(core, child, signal)) return false;
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return true;
}

/** A late listing may still show what a conditional delete has just removed, of which no row is left. */
async function isReallyThere(core: Core, path: StorePath, signal: AbortSignal | undefined): Promise<boolean> {
  if (core.remoteCan.consistency.list === "strong" || core.tree.at(path) !== undefined) return true;
  return (await statForCaller(core, path, { fresh: true, signal })) !== undefined;
}

/** Where such a directory is not there any more: the file that another client has put there. */
export async function fileInstead(core: Core, path: StorePath, signal: AbortSignal | undefined): Promise<Entry | undefined> {
  const found = await statForCaller(core, path, { fresh: true, signal });
  return found?.kind === "file" ? found : undefined;
}

/** Of a directory that only its children keep: is it still there? */
export async function existsInView(core: Core, path: StorePath, signal: AbortSignal | undefined): Promise<boolean> {
  if (!(await isEmptyInView(core, path, signal))) return true;
  for (;;) {
    const node = core.tree.at(path);
    // Made by what was written below it, over nothing: with that it goes.
    if (node?.kind !== DIRECTORY || (node.implied === 1 && node.base_kind !== null)) return false;
    // Until the deletes inside of it have arrived nobody can tell what else keeps it.
    if (!isDeletedBelow(core, node)) return (await statRemote(core, path, { fresh: true, signal }))?.kind === "directory";
    const next = core.uploader.changed(signal);
    expedite(core, [node.id]);
    await next;
    if (core.ended.aborted) return false;
  }
}
