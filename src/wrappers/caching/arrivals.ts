/** What a copy or a move of ours brought: known from then on, and no other client's. */
import { StoreError, isInside, join, nameOf, parentOf, rebase } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import type { Barrier } from "./barriers.ts";
import type { Core } from "./core.ts";
import { hasFlight, isLate, makeParents } from "./journal-changes.ts";
import { insertClean, isSoft } from "./learn.ts";
import { baseOf, noBase } from "./remote.ts";
import { ABSENT, FILE } from "./rows.ts";
import type { NodeRow } from "./rows.ts";
import { isSame } from "./same.ts";
import { bytesOf, hasBytes, hasOneOf, isPending, isWanted, placeOf, standing, wasThere } from "./whose.ts";

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
    if (typeof sent !== "string" && sent.etag !== null) return await compared(core, barrier, sent, 0);
    const missing = hasNoSource(sent);
    const stayed = missing && tree === 0 && core.rules.vanishedKnowsTarget ? await stayedOf(core, barrier, dst) : undefined;
    if (stayed !== undefined) return { found: [], stayed };
    return tree === 0 && !missing ? await oneArrival(core, barrier, dst) : await treeArrivals(core, barrier, dst, missing);
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
async function compared(core: Core, barrier: Barrier, found: Entry, compareMaxBytes?: number): Promise<Arrivals> {
  const { seq } = barrier;
  const { place, node } = standing(core, found.path, seq);
  const wanted = isWanted(core, place, node);
  // A clean row keeps what it knows.
  if ((wanted && node !== undefined) || !core.rules.movedIsCompared) return { found: [found] };
  const known = bytesOf(core, barrier, node);
  const isOther = known.length === 0 ? bringsNothing(core, barrier, node) : !(await hasOneOf(core, known, found, compareMaxBytes));
  if (!isOther) return { found: [found] };
  if (wanted) return { found: [] };
  return (await wasThere(core, seq, found)) ? { found: [found] } : NOT_OURS;
}

/** Had the remote nothing of ours that this could bring, and is it known what was at its target? */
function bringsNothing(core: Core, barrier: Barrier, node: NodeRow | undefined): boolean {
  return node?.base_kind === ABSENT && core.rules.askedIsKnown && !isLate(core) && core.barriers.knowsTarget(barrier);
}

export interface Arrivals {
  readonly found: readonly Entry[];
  /** Looked for, and not there. */
  readonly nothing?: readonly StorePath[] | undefined;
  /** There was no source, and at the target is what was known of it. Null: nothing of ours, there or brought there. Undefined: nobody knows. */
  readonly stayed?: { readonly etag: string | null; readonly entry?: Entry | undefined } | undefined;
}

const NOT_OURS: Arrivals = { found: [], stayed: { etag: null } };

async function stayedOf(core: Core, barrier: Barrier, dst: StorePath): Promise<Arrivals["stayed"]> {
  const known = core.barriers.targetOf(barrier);
  if (known !== undefined) {
    // It was not asked for, and it may be all that tells later what a move has taken along.
    if (known.etag === null || isLate(core)) return known;
    const entry = await core.remote.look(dst);
    return entry?.etag === known.etag ? { etag: known.etag, entry } : { etag: null };
  }
  const { seq } = barrier;
  const { place, node } = standing(core, dst, seq);
  if (!core.barriers.knowsTarget(barrier) || isWanted(core, place, node)) return undefined;
  const found = await core.remote.look(dst);
  if (found === null) return node === undefined ? { etag: null } : undefined;
  if (await wasThere(core, seq, found)) return core.barriers.expected(seq, dst);
  // A request whose answer was lost may have brought it; or another client, if it is another version.
  const bytes = bytesOf(core, barrier, node);
  const isOther = bytes.length === 0 ? node?.base_kind === ABSENT : !(await hasOneOf(core, bytes, found));
  if (isOther) return { etag: null };
  // Replaced or deleted here by a later operation, which is to find no other version than this.
  return node === undefined && found.etag !== null ? { etag: found.etag } : undefined;
}

/** What a transfer answers is the word of the source where there are no etags: not to be compared with what is found later. */
async function oneArrival(core: Core, barrier: Barrier, dst: StorePath): Promise<Arrivals> {
  const { place, node } = standing(core, dst, barrier.seq);
  if (place !== undefined && node !== undefined && !isUncertain(core, node, place)) return { found: [] };
  const found = await core.remote.look(dst);
  if (found === null) return { found: [], nothing: absent(core, [dst]) };
  // The answer was lost, and another client may have written there since.
  return compared(core, barrier, found);
}

async function treeArrivals(core: Core, barrier: Barrier, dst: StorePath, missing: boolean): Promise<Arrivals> {
  const { seq, kind } = barrier;
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
  const found: Entry[] = [];
  for (const one of await ask(core, dst, wanted)) {
    const ours = await isArrival(core, barrier, missing, wanted.get(one.path) as NodeRow, one);
    if (ours === true) found.push(one);
    if (ours !== false) wanted.delete(one.path);
  }
  return { found, nothing: absent(core, [...wanted.keys()]) };
}

/** Has the operation brought what is found where this row is to be sent, an earlier try of it, or one of the row? Undefined: nothing tells, and the row knows what to expect. */
async function isArrival(core: Core, barrier: Barrier, missing: boolean, node: NodeRow, found: Entry): Promise<boolean | undefined> {
  if (missing) {
    if (!leavesNothing(core, barrier)) return true;
    return node.base_kind === FILE && (await hasBytes(core, node, found)) === true;
  }
  if (barrier.kind === "move") return true;
  if (node.base_kind === FILE && (await hasBytes(core, node, found)) === false) return false;
  // There was nothing to be copied as our user saw it: a version of another client came along, and it may be the only one once a move has replaced the source.
  if (node.base_kind === ABSENT && core.rules.askedIsKnown && !isLate(core)) return false;
  const source = await core.remote.look(rebase(found.path, barrier.dst as StorePath, barrier.src));
  const same = source !== null && (await isSame(core, source, found));
  return same === undefined && node.base_kind !== FILE ? true : same;
}

/** A service that is late may not show yet what has come. */
function absent(core: Core, paths: readonly StorePath[]): readonly StorePath[] {
  return isLate(core) ? [] : paths;
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
export function recordArrivals(core: Core, { seq }: Barrier, { found, nothing = [] }: Arrivals, missing: boolean): void {
  for (const path of nothing) {
    const { node } = standing(core, path, seq);
    if (node !== undefined && isPending(core, node)) core.tree.update(node, noBase(ABSENT, core.numbers.next()));
  }
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
