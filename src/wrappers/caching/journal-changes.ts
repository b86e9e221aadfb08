/** The pieces that changes of the tree are made of. All run inside of a transaction, after everything was decided. */
import { nameOf } from "../../store/index.ts";
import type { Entry, Metadata, StorePath } from "../../store/index.ts";
import type { Barrier } from "./barriers.ts";
import type { Core } from "./core.ts";
import { asKept } from "./entries.ts";
import { baseOf, noBase } from "./remote.ts";
import type { Base } from "./remote.ts";
import { ABSENT, DIRECTORY, FILE } from "./rows.ts";
import type { BarrierKind, FlightRow, ItemRow, NodeRow } from "./rows.ts";
import { ancestors } from "./tree.ts";
import type { NewNode, NodeChanges } from "./tree.ts";

/** Earliest start of the upload of a file that was written now: each write starts the quiet time anew, but not for ever. */
export function dueOf(core: Core, sinceMs: number): number {
  const { uploadDelayMs, maxDelayMs, mode } = core.settings();
  const now = core.clock.now();
  if (mode === "write-through") return now;
  const quiet = now + uploadDelayMs;
  return Math.ceil(core.rules.dueIsBounded ? Math.min(quiet, Math.max(now, sinceMs + Math.max(maxDelayMs, uploadDelayMs))) : quiet);
}

/** What every change of a row does: a new generation, and a fresh start of its attempts. */
export function changed(core: Core, before: NodeRow | undefined, due: number): Pick<NodeRow, "dirty" | "gen" | "since" | "due" | "wait" | "tries" | "error"> {
  const since = before?.dirty === 1 && before.since !== null ? before.since : core.clock.now();
  return { dirty: 1, gen: core.numbers.next(), since, due, wait: null, tries: 0, error: null };
}

export function hasFlight(core: Core, node: NodeRow): boolean {
  return core.journal.get("select 1 from flight where node = ?", node.id) !== undefined;
}

/** What is told of a remote directory above a new row. */
export type KnownParent = (path: StorePath) => Entry | null | undefined;

/** Rows for all directories above a path; the id of the last. `exist`: the remote has them, since it has what lies below. `due`: of new ones. */
export function makeParents(core: Core, path: StorePath, known: KnownParent, exist: boolean, due: number = core.clock.now()): number {
  let parent = 1;
  for (const at of ancestors(path)) {
    const name = nameOf(at);
    const there = core.tree.child(parent, name);
    if (there !== undefined && there.kind === DIRECTORY) {
      parent = there.id;
      continue;
    }
    if (there !== undefined) giveWay(core, there, at);
    const found = there !== undefined ? null : exist ? undefined : known(at);
    const isThere = there === undefined && (exist || (found !== null && found !== undefined));
    const id = core.numbers.row();
    core.tree.insert({
      id,
      parent,
      name,
      kind: DIRECTORY,
      implied: isThere ? 2 : 1,
      ...(isThere
        ? { dirty: 0, gen: core.numbers.next(), base_kind: DIRECTORY, base_gen: core.numbers.next() }
        : { ...changed(core, undefined, due), base_kind: found === null ? ABSENT : null }),
    } satisfies NewNode);
    parent = id;
  }
  return parent;
}

/** The row of a deleted file makes room for a directory: at the remote the file goes first, whatever is sent after it. */
export function giveWay(core: Core, node: NodeRow, path: StorePath): void {
  if (core.rules.typeChangeIsBarrier) addBarrier(core, "remove", path, null, { items: [{ path, etag: hardEtag(core, node, path) }] });
  core.uploader.abandon(node.id, "always");
  core.content.unref(node.content);
  core.tree.remove(node);
}

/** The etag that a request may be conditional on; null where none is known for sure: what is on its way to this path will have another one. */
export function hardEtag(core: Core, node: NodeRow, path: StorePath): string | null {
  if (node.base_kind !== FILE || node.base_etag === null || (core.barriers.insideTarget(path) && core.rules.movedBaseIsSoft)) return null;
  return core.tree.look(path).moved > node.base_gen && core.rules.movedBaseIsSoft ? null : node.base_etag;
}

export interface FileFacts {
  readonly content: number;
  readonly size: number;
  readonly modified: number | null;
  readonly ctype: string | null;
  readonly metadata: string | null;
}

export function fileFacts(
  core: Core,
  content: number,
  size: number,
  given: { readonly modifiedMs?: number | undefined; readonly contentType?: string | undefined; readonly metadata?: Metadata | undefined },
): FileFacts {
  const { remoteCan } = core;
  return {
    content,
    size,
    modified: asKept(given.modifiedMs ?? core.clock.now(), remoteCan),
    ctype: given.contentType ?? null,
    metadata: given.metadata !== undefined ? JSON.stringify(given.metadata) : remoteCan.writeMetadata === false ? null : "{}",
  };
}

/** May the remote still show what was deleted or moved away? */
export function isLate({ remoteCan }: Core): boolean {
  return remoteCan.consistency.list === "eventual" || remoteCan.consistency.read === "eventual";
}

/**
 * What a request at this path will find when all that is pending there has been sent; `found`: what is there now, or where it is to be brought from. Undefined:
 * nobody knows.
 */
export function afterPending(core: Core, path: StorePath, found: Entry | null | undefined): Entry | null | undefined {
  const { barriers, rules } = core;
  if (!barriers.changes(path)) return found;
  if (isLate(core)) return undefined;
  if (rules.goneIsAbsent && barriers.translate(path).every((place) => place === null)) return null;
  // The remote will say the same of the bytes, and another etag.
  return rules.askedIsKnown && found !== undefined ? found && { ...found, etag: null, id: null } : undefined;
}

/** A file that is to be sent: over whatever file or whiteout is there. The content row counts this name already. */
export function setFile(core: Core, path: StorePath, parent: number, facts: FileFacts, found: Entry | null | undefined): NodeRow {
  const name = nameOf(path);
  const there = core.tree.child(parent, name);
  const since = there?.dirty === 1 && there.since !== null ? there.since : core.clock.now();
  const changes = { kind: FILE, ...changed(core, there, dueOf(core, since)), ...facts, local: 1, complete: 1, implied: 0 } as const satisfies NodeChanges;
  if (there === undefined) {
    const id = core.numbers.row();
    const base = found === undefined ? noBase(null, 0) : found === null ? noBase(ABSENT, core.numbers.next()) : baseOf(found, core.numbers.next());
    core.tree.insert({ id, parent, name, ...changes, ...base });
    return core.tree.row(id) as NodeRow;
  }
  core.content.unref(there.content);
  core.tree.update(there, changes);
  return core.tree.row(there.id) as NodeRow;
}

export function addBarrier(
  core: Core,
  kind: BarrierKind,
  src: StorePath,
  dst: StorePath | null,
  more: { readonly tree?: boolean; readonly fresh?: boolean; readonly run?: boolean; readonly items?: readonly Omit<ItemRow, "seq">[] } = {},
): number {
  if (dst !== null && core.rules.ancestorsMayExist) mayExist(core, dst, true);
  const seq = core.numbers.next();
  const barrier: Barrier = {
    seq,
    kind,
    src,
    dst,
    tree: more.tree === false ? 0 : 1,
    run: more.run === true ? 1 : 0,
    doubt: 0,
    fresh: more.fresh === true ? 1 : 0,
    step: 0,
    tries: 0,
    due: null,
    error: null,
  };
  core.barriers.add(barrier, more.items ?? []);
  core.watches.touch(src);
  if (dst !== null) core.watches.touch(dst);
  return seq;
}

/** A request below them may make these directories at the remote: none of them is known to exist only here any more. */
export function mayExist(core: Core, path: StorePath, self: boolean): void {
  for (const at of self ? [...ancestors(path), path] : ancestors(path)) {
    const node = core.tree.at(at);
    if (node?.kind === DIRECTORY && node.base_kind === ABSENT) core.tree.update(node, { base_kind: null });
  }
}

/** The remote cannot have it: true only until the first request that may make it is journalled. */
export function isLocalOnly(node: NodeRow | undefined): boolean {
  return node?.kind === DIRECTORY && node.base_kind === ABSENT;
}

/**
 * What may stand at this place, whose etag will be another where it is copied or moved to: one version, or two while one is being written over the other.
 * Empty: nobody knows. Where a file is being made or deleted there may be nothing, too.
 */
export function mayStand(core: Core, node: NodeRow): readonly Base[] {
  const { base_kind, base_size, base_modified, base_hashes, base_crc } = node;
  if (base_kind === null) return [];
  const gen = core.numbers.next();
  const base: Base = { base_kind, base_etag: null, base_size, base_modified, base_hashes, base_crc, base_id: null, base_gen: gen };
  const flight = core.journal.get<Pick<FlightRow, "kind" | "cond" | "content">>("select kind, cond, content from flight where node = ?", node.id);
  if (flight === undefined || flight.kind === ABSENT) return [base];
  // Without a condition it may replace anything.
  const content = flight.content === null || flight.cond === 0 ? undefined : core.content.facts(flight.content);
  if (content === undefined) return [];
  const sent: Base = { ...noBase(FILE, gen), base_size: content.size, base_hashes: content.hashes, base_crc: content.crc };
  return base_kind === FILE ? [sent, base] : [sent];
}

/** The one version that there may be, without a place. */
export function copiedBase(core: Core, node: NodeRow): Base {
  const [one, another] = !core.rules.askedIsKnown && node.dirty === 1 ? [] : mayStand(core, node);
  return one === undefined || another !== undefined ? noBase(null, 0) : one;
}

/** A row goes, with its content; what is being sent for it is not wanted any more. */
export function dropRow(core: Core, node: NodeRow): void {
  core.content.unref(node.content);
  if (core.rules.deleteWaitsForUpload) core.uploader.abandon(node.id, "always");
  core.tree.remove(node);
}

export function dropTree(core: Core, node: NodeRow): void {
  for (const one of core.tree.subtree(node.id).reverse()) dropRow(core, one);
}

/** `found`: what a look saw of a path that the tree does not know. */
export function deleteFile(core: Core, path: StorePath, found: Entry | null | undefined, known: KnownParent): void {
  const node = core.tree.at(path);
  const now = core.clock.now();
  if (node === undefined) {
    // Inside of a pending tree operation an etag says nothing: it was learnt at another place.
    const there = afterPending(core, path, found);
    const base = there === undefined || there === null ? noBase(null, 0) : baseOf(there, core.numbers.next());
    const parent = makeParents(core, path, known, found !== undefined && found !== null);
    core.tree.insert({ id: core.numbers.row(), parent, name: nameOf(path), kind: ABSENT, ...changed(core, undefined, now), ...base });
    return;
  }
  core.content.unref(node.content);
  const flight = hasFlight(core, node);
  if (node.base_kind === ABSENT && !flight) {
    core.tree.remove(node);
    if (mayBeBrought(core, path) && afterPending(core, path, undefined) !== null)
      core.tree.insert({ id: core.numbers.row(), parent: node.parent, name: node.name, kind: ABSENT, ...changed(core, undefined, now), ...noBase(null, 0) });
    return;
  }
  core.tree.update(node, { kind: ABSENT, content: null, size: null, local: 0, ...changed(core, node, now) });
  if (flight && core.rules.deleteWaitsForUpload) core.uploader.abandon(node.id, "always");
}

/** May a pending move or copy of a file bring one here, or leave the one that it was to replace, although the remote had nothing of the row that goes? */
function mayBeBrought({ barriers, rules }: Core, path: StorePath): boolean {
  return rules.askedIsKnown ? barriers.bringsFile(path) : barriers.insideTarget(path);
}

export function deleteTree(core: Core, path: StorePath): void {
  const node = core.tree.at(path);
  const only = isLocalOnly(node);
  if (node !== undefined) dropTree(core, node);
  if (!only) addBarrier(core, "delete", path, null);
}

/** An empty directory: what was deleted inside of it here is deleted there before it, and nothing else. */
export function deleteDirectory(core: Core, path: StorePath): void {
  const node = core.tree.at(path);
  const only = isLocalOnly(node);
  const items: Omit<ItemRow, "seq">[] = [];
  const unsure: [StorePath, readonly Base[]][] = [];
  if (node !== undefined) {
    if (core.rules.removeHasItems)
      for (const one of core.tree.subtree(node.id)) {
        if (one.id === node.id || one.kind !== ABSENT || (one.base_kind === ABSENT && !hasFlight(core, one))) continue;
        const at = core.tree.pathOf(one);
        const etag = hardEtag(core, one, at);
        items.push({ path: at, etag });
        if (etag === null && core.rules.askedIsKnown) unsure.push([at, mayStand(core, one)]);
      }
    dropTree(core, node);
  }
  if (only) return;
  const seq = addBarrier(core, "remove", path, null, { items });
  for (const [at, bases] of unsure) core.barriers.mayFind(seq, at, bases);
}
