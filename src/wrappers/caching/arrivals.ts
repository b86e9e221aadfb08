/** What a copy or a move of ours brought: known from then on, and no other client's. */
import { StoreError, isInside, join, nameOf, parentOf, rebase } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import type { Barrier } from "./barriers.ts";
import type { Core } from "./core.ts";
import { hasFlight, isLate, makeParents } from "./journal-changes.ts";
import { insertClean, isSoft } from "./learn.ts";
import { baseOf } from "./remote.ts";
import type { Bytes } from "./remote.ts";
import { ABSENT, FILE } from "./rows.ts";
import type { NodeRow } from "./rows.ts";
import { isSame } from "./same.ts";

/** `missing`: there was nothing at the source; `theirs`: it was another client's, and stays. An entry: what stands at the target now, of a file. */
export type Sent = "done" | "missing" | "theirs" | Entry;

export function hasNoSource(sent: Sent): boolean {
  return sent === "missing" || sent === "theirs";
}

/**
 * What stands now where files were written or deleted at or below the target while the operation was pending: asked for, since the answer to a tree tells
 * nothing of its files. Where there was no source for it, all that lies here is about to be sent, and an earlier version of ours may have landed there.
 */
export async function arrivals(core: Core, barrier: Barrier, sent: Sent): Promise<Arrivals> {
  const { dst, tree } = barrier;
  if (dst === null || !core.rules.arrivalIsBase) return { found: [] };
  try {
    if (typeof sent !== "string" && sent.etag !== null) return barrier.kind === "move" ? await compared(core, barrier.seq, sent, 0) : { found: [sent] };
    const missing = hasNoSource(sent);
    const stayed = missing && tree === 0 && core.rules.vanishedKnowsTarget ? await stayedOf(core, barrier, dst) : undefined;
    if (stayed !== undefined) return { found: [], stayed };
    return tree === 0 && !missing ? await oneArrival(core, barrier, dst) : { found: await treeArrivals(core, barrier, dst, missing) };
  } catch (error) {
    // The operation has arrived all the same. Of what is there nothing is known then, as before, and a write in doubt keeps it beside ours.
    if (!StoreError.is(error) || core.ended.aborted) throw error;
    return { found: [] };
  }
}

/**
 * Another version than our user copied or moved, by what is told. Where that was replaced or deleted here meanwhile, it is met as another client's; else nobody
 * here has seen it, and it is looked at before it is replaced.
 */
async function compared(core: Core, seq: number, found: Entry, compareMaxBytes: number): Promise<Arrivals> {
  const { place, node } = standing(core, found.path, seq);
  const wanted = isWanted(core, place, node);
  // A clean row keeps what it knows.
  if ((wanted && node !== undefined) || !core.rules.movedIsCompared) return { found: [found] };
  const known = bytesOf(core, seq, node);
  if (known === undefined) return { found: [found] };
  if ((await hasBytes(core, known, found, compareMaxBytes)) !== false) return { found: [found] };
  return wanted ? { found: [] } : NOT_OURS;
}

/** As `Remote.hasBytes`; an answer that tells no hashes is completed. */
async function hasBytes(core: Core, known: Bytes, found: Entry, compareMaxBytes: number): Promise<boolean | undefined> {
  const told = known.base_hashes !== null && Object.keys(found.hashes).length === 0 ? await core.remote.look(found.path) : found;
  return told === null || told.etag !== found.etag ? undefined : core.remote.hasBytes(known, told, compareMaxBytes);
}

function isWanted(core: Core, place: StorePath | undefined, node: NodeRow | undefined): boolean {
  return place !== undefined && (node === undefined || !isPending(core, node));
}

export interface Arrivals {
  readonly found: readonly Entry[];
  /** There was no source, and at the target is what was known of it. Null: nothing of ours, there or brought there. Undefined: nobody knows. */
  readonly stayed?: { readonly etag: string | null } | undefined;
}

const NOT_OURS: Arrivals = { found: [], stayed: { etag: null } };

async function stayedOf(core: Core, barrier: Barrier, dst: StorePath): Promise<Arrivals["stayed"]> {
  const known = core.barriers.targetOf(barrier);
  if (known !== undefined) {
    // It was not asked for, and it may be all that tells later what a move has taken along.
    const { etag } = known;
    return etag === null || isLate(core) || (await core.remote.look(dst))?.etag === etag ? known : { etag: null };
  }
  const { place, node } = standing(core, dst, barrier.seq);
  if (isWanted(core, place, node) || (node !== undefined && node.base_kind !== FILE)) return undefined;
  const bytes = bytesOf(core, barrier.seq, node);
  if (bytes === undefined) return undefined;
  const found = await core.remote.look(dst);
  const replaced = core.barriers.expected(barrier.seq, dst);
  if (found !== null && found.etag !== null && replaced?.etag === found.etag) return replaced;
  // A request whose answer was lost may have brought it; or another client, if it is another version.
  if (found !== null && (await core.remote.hasBytes(bytes, found, core.settings().compareMaxBytes)) === false) return { etag: null };
  if (node !== undefined) return undefined;
  // Replaced or deleted here by a later operation, which is to find no other version than this.
  return found === null || found.etag !== null ? { etag: found?.etag ?? null } : undefined;
}

/** Has nothing of ours ever arrived at the source of this move of a file? Whatever is there is another client's. */
export function isUnsent(core: Core, { kind, seq, src, tree }: Barrier): boolean {
  return kind === "move" && tree === 0 && core.rules.movedIsCompared && core.barriers.expected(seq, src)?.etag === null;
}

/**
 * Has another client replaced the source of this move of a file, and is what the move brings replaced or deleted here by now? Their version would be gone from
 * both places. Where it is wanted it is moved, whoever wrote it.
 */
export async function isTheirs(core: Core, { kind, seq, src, dst }: Barrier): Promise<boolean> {
  if (kind !== "move" || dst === null || !core.rules.movedIsCompared) return false;
  const known = core.barriers.expected(seq, src);
  if (known === undefined) return false;
  const { place, node } = standing(core, dst, seq);
  if (isWanted(core, place, node)) return false;
  const found = await core.remote.look(src);
  return found !== null && found.kind === "file" && found.etag !== null && found.etag !== known.etag;
}

/** Has an earlier try of this move landed, and another client written at its source since? By what is told of both files. */
export async function hasLanded(core: Core, { kind, seq, src, dst }: Barrier, source: Entry, target: Entry): Promise<boolean> {
  const known = core.barriers.expected(seq, src);
  if (kind !== "move" || dst === null || !core.rules.movedIsCompared || known === undefined || source.etag === null || source.etag === known.etag) return false;
  const bytes = bytesOf(core, seq, standing(core, dst, seq).node);
  return bytes !== undefined && (await core.remote.hasBytes(bytes, target, core.settings().compareMaxBytes)) === true;
}

/** What the operation is to bring. */
function bytesOf(core: Core, seq: number, node: NodeRow | undefined): Bytes | undefined {
  return core.barriers.brings(seq) ?? (node?.base_kind === FILE ? node : undefined);
}

/** What a transfer answers is the word of the source where there are no etags: not to be compared with what is found later. */
async function oneArrival(core: Core, { seq }: Barrier, dst: StorePath): Promise<Arrivals> {
  const { place, node } = standing(core, dst, seq);
  if (place !== undefined && node !== undefined && !isUncertain(core, node, place)) return { found: [] };
  const found = await core.remote.look(dst);
  if (found === null) return { found: [] };
  // The answer was lost, and another client may have written there since.
  return compared(core, seq, found, core.settings().compareMaxBytes);
}

async function treeArrivals(core: Core, barrier: Barrier, dst: StorePath, missing: boolean): Promise<readonly Entry[]> {
  const { seq, kind, src } = barrier;
  const wanted = new Map<StorePath, NodeRow>();
  for (const top of core.barriers.spread(dst, seq)) {
    for (const node of core.tree.subtree(core.tree.at(top)?.id ?? -1)) {
      const path = core.tree.pathOf(node);
      const there = core.barriers.behind(path, seq);
      if (there === undefined || !isInside(there, dst)) continue;
      const soft = kind === "copy" && !missing && isUncertain(core, node, path);
      if (soft || isBlind(core, node) || (missing && isSent(node) && !hasFlight(core, node))) wanted.set(there, node);
    }
  }
  const free = missing && leavesNothing(core, barrier);
  const found: Entry[] = [];
  for (const one of await ask(core, dst, wanted)) {
    const node = wanted.get(one.path) as NodeRow;
    if (node.base_kind === null || (missing ? !free : node.base_kind !== FILE)) found.push(one);
    // What was known of it is known of the source: only the same bytes are what came from there.
    else if (missing) {
      if (node.base_kind === FILE && (await hasBytes(core, node, one, core.settings().compareMaxBytes)) === true) found.push(one);
    } else {
      const source = await core.remote.look(rebase(one.path, dst, src));
      if (source !== null && (await isSame(core, source, one))) found.push(one);
    }
  }
  return found;
}

/** Sent where a move or copy had no source: what our user has of it, and what was deleted of it. */
function isSent(node: NodeRow): boolean {
  return (node.kind === FILE && node.content !== null) || node.kind === ABSENT;
}

/** Was nothing at the target, as our user saw it? Then what stands there after an operation without a source is another client's, unless an earlier try brought it. */
export function leavesNothing({ rules }: Core, { tree, fresh }: Barrier): boolean {
  return rules.vanishedIsAbsent && (tree === 1 || fresh === 1);
}

async function ask(core: Core, dst: StorePath, wanted: ReadonlyMap<StorePath, NodeRow>): Promise<readonly Entry[]> {
  if (wanted.has(dst)) {
    const one = await core.remote.look(dst);
    return one === null ? [] : [one];
  }
  const found: Entry[] = [];
  for (const dir of new Set([...wanted.keys()].map(parentOf)))
    for await (const child of core.remote.children(dir)) if (wanted.has(child.path)) found.push(child);
  return found;
}

/**
 * Inside of a transaction, after the operation was taken off the list. Later ones may have moved what was written over it; then that is where it is a base,
 * of the old place. Without a source (`missing`) nothing came: only where nothing is known it is a base.
 */
export function recordArrivals(core: Core, { seq }: Barrier, found: readonly Entry[], missing: boolean): void {
  for (const one of found) {
    if (one.kind !== "file" || (one.etag === null && core.remoteCan.etag)) continue;
    const place = placeOf(core, one.path, seq);
    if (place === undefined) continue;
    const { node, known, blocker } = core.tree.look(place);
    if (node !== undefined) {
      if (missing ? isPending(core, node) : isUncertain(core, node, place)) core.tree.update(node, baseOf(one, core.numbers.next()));
    } else if (!missing && known === undefined && blocker === undefined && !core.barriers.touches(one.path)) insert(core, one);
  }
}

/** Where the view has by now what the operation `seq` put at `path`, unless something else was put there since. */
function placeOf(core: Core, path: StorePath, seq: number): StorePath | undefined {
  return core.barriers.spread(path, seq).find((place) => core.barriers.behind(place, seq) === path);
}

function standing(core: Core, path: StorePath, seq: number): { readonly place: StorePath | undefined; readonly node: NodeRow | undefined } {
  const place = placeOf(core, path, seq);
  return { place, node: place === undefined ? undefined : core.tree.at(place) };
}

/** A row to remember by that a tree of ours came here, of which nothing was known. Inside of a transaction, as above. */
export function arrivedTree(core: Core, { tree }: Barrier, dst: StorePath): NodeRow | undefined {
  if (tree === 0 || !core.rules.arrivalIsBase || core.barriers.touches(dst)) return undefined;
  const { blocker } = core.tree.look(dst);
  return blocker === undefined ? core.tree.row(makeParents(core, join(dst, "any"), () => undefined, true)) : undefined;
}

/** Nothing was known of it here: without a row the next write over it would not know whom it replaces. */
function insert(core: Core, one: Entry): void {
  insertClean(
    core,
    one,
    makeParents(core, one.path, () => undefined, true),
    nameOf(one.path),
    baseOf(one, core.numbers.next()),
  );
}

/** Pending, and nobody knows what it will replace. */
function isBlind(core: Core, node: NodeRow): boolean {
  return node.kind === FILE && node.base_kind === null && isPending(core, node);
}

/** Pending, and what it will replace is unknown, or known of another place. */
function isUncertain(core: Core, node: NodeRow, path: StorePath): boolean {
  return isPending(core, node) && (node.base_kind === null || core.barriers.insideTarget(path) || isSoft(core, node, core.tree.look(path).moved));
}

function isPending(core: Core, node: NodeRow): boolean {
  return (node.kind === FILE || node.kind === ABSENT) && node.dirty === 1 && !hasFlight(core, node);
}
