/** `move` and `copy`, journalled: of files whose bytes lie here as a write, of everything else as a barrier. */
import { StoreError, entry, nameOf } from "../../store/index.ts";
import type { CopyCall, Entry, MoveCall, StorePath } from "../../store/index.ts";
import { checkParents, checkTarget, hardened, refusal, roomForBarrier } from "./checks.ts";
import type { Core } from "./core.ts";
import { entryOf } from "./entries.ts";
import { change } from "./facts.ts";
import type { Facts } from "./facts.ts";
import {
  addBarrier,
  afterPending,
  changed,
  copiedBase,
  deleteDirectory,
  deleteFile,
  dropRow,
  dueOf,
  giveWay,
  hardEtag,
  hasFlight,
  isLate,
  isLocalOnly,
  makeParents,
  mayStand,
  setFile,
} from "./journal-changes.ts";
import type { KnownParent } from "./journal-changes.ts";
import { insertClean } from "./learn.ts";
import { baseElsewhere, baseOf } from "./remote.ts";
import type { Base } from "./remote.ts";
import { ABSENT, DIRECTORY, FILE } from "./rows.ts";
import type { ItemRow, NodeRow } from "./rows.ts";
import { know, stat } from "./view.ts";
import type { Known } from "./view.ts";

/** Below this a cached file is sent anew rather than copied and deleted by the remote, where that has no move. */
const SMALL_BYTES = 65_536;

interface Plan {
  readonly from: StorePath;
  readonly to: StorePath;
  readonly source: Known;
  readonly target: Known;
  readonly parents: KnownParent;
}

export async function transfer(core: Core, { operation, path: from, to, signal }: CopyCall | MoveCall): Promise<Entry> {
  await roomForBarrier(core, signal);
  let isDirectory = false;
  const told = await change(
    core,
    [from, to],
    (facts) => {
      const seen = know(core, from, facts);
      const source = operation === "move" && seen.kind === FILE ? sourceOf(core, seen, from, facts) : seen;
      isDirectory = source.kind === DIRECTORY;
      if (source.kind === ABSENT) throw refusal("not-found", "nothing is there");
      if (source.kind === DIRECTORY && core.remoteCan[operation === "move" ? "moveTree" : "copyTree"] === false)
        throw new StoreError("unsupported", `this store does not ${operation} directories`, { applied: false });
      const parents = checkParents(core, to, facts, true);
      const target = checkTarget(core, source.kind, to, facts);
      const plan: Plan = { from, to, source, target, parents };
      return () => {
        if (source.kind === FILE) (operation === "move" ? moveFile : copyFile)(core, plan);
        else (operation === "move" ? moveTree : copyTree)(core, plan);
        core.journal.after(() => {
          core.step("tree.committed");
          core.events.tell(operation === "move" ? "renamed" : "pending", from, { to });
          core.uploader.wake();
        });
        return answer(core, plan);
      };
    },
    { signal },
  );
  if (told !== undefined) return told;
  try {
    return await stat(core, { operation: "stat", path: to, signal, detail: "basic", fresh: false });
  } catch (error) {
    // It is journalled and will arrive: that nobody can say more of it now is no failure of the call.
    if (!StoreError.is(error)) throw error;
    return entry({ path: to, kind: isDirectory ? "directory" : "file", complete: false });
  }
}

/** Of a file that is moved by a request, and not by its bytes. */
function sourceOf(core: Core, seen: Known, from: StorePath, facts: Facts): Known {
  const { node } = seen;
  if (node === undefined || (node.dirty === 1 && !hasFlight(core, node))) return seen;
  const asked = hardened(core, seen, from, facts);
  return asked.entry === null ? seen : asked;
}

/** Undefined: the remote has to be asked. */
function answer(core: Core, { to, source }: Plan): Entry | undefined {
  if (source.kind === DIRECTORY) return entry({ path: to, kind: "directory" });
  const node = core.tree.at(to);
  if (node !== undefined && (node.dirty === 1 || node.content !== null)) return entryOf(core, node, to);
  // Its etag and identity may be others at the new place.
  return source.entry === undefined || source.entry === null ? undefined : { ...source.entry, path: to, etag: null, id: null, complete: false };
}

function moveFile(core: Core, plan: Plan): void {
  const { from, to, source, parents } = plan;
  const { node } = source;
  if (node !== undefined && node.content !== null) {
    const small = core.remoteCan.move !== "native" && (node.size ?? Infinity) < SMALL_BYTES && isKept(core, node.content);
    if (!hasFlight(core, node) && (node.dirty === 1 || small)) {
      writeAt(core, plan, node, node.content);
      deleteFile(core, from, undefined, parents);
      return;
    }
  }
  const there = expected(core, plan);
  const known = moved(core, plan);
  const parent = makeParents(core, to, parents, exists(plan.target));
  clearFile(core, to);
  if (node !== undefined) {
    core.tree.update(node, { parent, name: nameOf(to), wait: null, ...(node.content === null ? undefined : { local: 1 }) });
    core.watches.touch(from);
  } else if (source.entry !== undefined && source.entry !== null && core.rules.movedIsCompared && !core.barriers.changes(from))
    remember(core, source.entry, parent, to);
  addFileBarrier(core, "move", plan, there, known);
}

function addFileBarrier(core: Core, kind: "move" | "copy", { from, to, source }: Plan, { fresh, items, replaced }: Expected, taken: Expected["items"]): void {
  const seq = addBarrier(core, kind, from, to, { tree: false, fresh, items: [...items, ...taken] });
  if (core.rules.movedIsCompared) core.barriers.mayFind(seq, from, brought(core, source));
  core.barriers.mayFind(seq, to, replaced);
}

/** Where no row at the target will say it: what was seen of the source, or what its own row knows. */
function brought(core: Core, { node, entry: found }: Known): readonly Base[] {
  if (node === undefined) return found === undefined || found === null || isLate(core) ? [] : [baseOf(found, 0)];
  if (node.content === null && node.dirty === 0) return [node];
  return hasFlight(core, node) && core.rules.askedIsKnown ? mayStand(core, node) : [];
}

/** What is moved without a row of its own: whoever replaces it before it has arrived has seen this version, and no other. */
function remember(core: Core, found: Entry, parent: number, to: StorePath): void {
  insertClean(core, found, parent, nameOf(to), baseElsewhere(found, core.numbers.next()));
}

/** What the move may take along: the version that the view knew, null where the remote had none of ours. It follows what is under way. */
function moved(core: Core, { from, source: { node, entry: found } }: Plan): readonly Omit<ItemRow, "seq">[] {
  if (!core.remoteCan.etag || core.barriers.changes(from)) return [];
  if (node?.base_kind === ABSENT) return [{ path: from, etag: null }];
  const etag = found === undefined ? node && hardEtag(core, node, from) : found?.etag;
  return etag === null || etag === undefined ? [] : [{ path: from, etag }];
}

/** What came by a download is flushed to the disk with the journal where it lies inside of it; a file of its own may be gone after a power loss. */
function isKept(core: Core, content: number): boolean {
  return !core.rules.pendingIsOnDisk || core.journal.get("select 1 from content where id = ? and data is not null", content) !== undefined;
}

function copyFile(core: Core, plan: Plan): void {
  const { to, source, parents } = plan;
  const { node } = source;
  if (node !== undefined && node.content !== null && node.dirty === 1 && core.rules.copyOfPendingIsWrite) {
    writeAt(core, plan, node, node.content);
    return;
  }
  const there = expected(core, plan);
  const parent = makeParents(core, to, parents, exists(plan.target));
  clearFile(core, to);
  if (node !== undefined && node.content !== null) core.tree.insert(clone(core, node, parent, nameOf(to)));
  addFileBarrier(core, "copy", plan, there, []);
}

/** The target as a file of its own with the same bytes. */
function writeAt(core: Core, { to, target, parents }: Plan, node: NodeRow, content: number): void {
  const parent = makeParents(core, to, parents, exists(target));
  core.content.ref(content);
  const { size, modified, ctype, metadata } = node;
  setFile(core, to, parent, { content, size: size ?? 0, modified, ctype, metadata }, afterPending(core, to, target.entry));
  core.content.settle(content, core.clock.now());
}

interface Expected {
  readonly fresh: boolean;
  readonly items: readonly Omit<ItemRow, "seq">[];
  /** Known by its bytes alone: one of these. */
  readonly replaced: readonly Base[];
}

const FRESH: Expected = { fresh: true, items: [], replaced: [] };
const UNKNOWN: Expected = { fresh: false, items: [], replaced: [] };

/** One version: by its etag, or where none is told by its bytes. */
function onlyThis(path: StorePath, etag: string | null, base: Base): Expected {
  return etag === null ? { ...UNKNOWN, replaced: [base] } : { ...UNKNOWN, items: [{ path, etag }] };
}

/** Where something pending brings it. */
function expectedThen(core: Core, to: StorePath, { entry: found }: Known): Expected {
  if (afterPending(core, to, undefined) === null) return FRESH;
  if (!core.rules.askedIsKnown || isLate(core)) return UNKNOWN;
  const row = core.tree.at(to);
  const replaced = row !== undefined ? mayStand(core, row) : found === undefined || found === null ? [] : [baseOf(found, 0)];
  return { fresh: row === undefined ? found === null : replaced[0]?.base_kind === ABSENT, items: [], replaced };
}

function exists(target: Known): boolean {
  return target.entry !== undefined && target.entry !== null;
}

/**
 * What the barrier may find at its target: nothing (`fresh`), the file that the view knew (an item with its etag), or whatever there is. Inside of
 * another pending operation nothing is sure: what is known was learnt at another place.
 */
function expected(core: Core, { to, target }: Plan): Expected {
  if (core.barriers.changes(to)) return expectedThen(core, to, target);
  const { node, entry: found } = target;
  if (found !== undefined) return found === null ? FRESH : onlyThis(to, found.etag, baseOf(found, 0));
  if (node === undefined) return target.look.blocker === undefined ? FRESH : UNKNOWN;
  // Where that lands, the journal follows it (`Barriers.landed`), if it can be told by its etag.
  if (hasFlight(core, node) && !(core.rules.landedIsOurs && core.remoteCan.etag)) return UNKNOWN;
  if (node.base_kind === ABSENT) return FRESH;
  return onlyThis(to, hardEtag(core, node, to), node);
}

/** The row of a file or whiteout that is replaced. */
function clearFile(core: Core, path: StorePath): void {
  const there = core.tree.at(path);
  if (there === undefined) return;
  if (!hasFlight(core, there)) core.barriers.drops(path, there);
  dropRow(core, there);
}

function clone(core: Core, node: NodeRow, parent: number, name: string): Parameters<Core["tree"]["insert"]>[0] {
  core.content.ref(node.content);
  const { id: _, ...rest } = node;
  return {
    ...rest,
    ...copiedBase(core, node),
    ...(node.dirty === 1 ? changed(core, undefined, dueOf(core, core.clock.now())) : { gen: core.numbers.next() }),
    id: core.numbers.row(),
    parent,
    name,
    local: 1,
    wait: null,
    moved_gen: 0,
  };
}

/** Room at the target of a tree: an empty directory there goes, and so does what is left of a deleted file. */
function clearTree(core: Core, to: StorePath, target: Known): void {
  if (target.kind === DIRECTORY) deleteDirectory(core, to);
  const there = core.tree.at(to);
  if (there !== undefined) giveWay(core, there, to);
}

function moveTree(core: Core, { from, to, source, target, parents }: Plan): void {
  clearTree(core, to, target);
  const node = source.node;
  const only = isLocalOnly(node);
  const parent = makeParents(core, to, parents, exists(target));
  if (node !== undefined) {
    if (!core.rules.moveTakesChildren) for (const one of core.tree.children(node.id)) dropRow(core, one);
    core.tree.update(node, { parent, name: nameOf(to), wait: null });
    core.watches.touch(from);
  }
  if (!only) addBarrier(core, "move", from, to);
}

function copyTree(core: Core, { from, to, source, target, parents }: Plan): void {
  clearTree(core, to, target);
  const node = source.node;
  const only = isLocalOnly(node);
  const parent = makeParents(core, to, parents, exists(target));
  if (node !== undefined) cloneTree(core, node, parent, nameOf(to));
  if (!only) addBarrier(core, "copy", from, to);
}

function cloneTree(core: Core, node: NodeRow, parent: number, name: string): void {
  if (node.kind === FILE) {
    if (node.content !== null) core.tree.insert(clone(core, node, parent, name));
    return;
  }
  const now = core.clock.now();
  const id = core.numbers.row();
  if (node.kind === ABSENT) {
    if (core.rules.cloneTakesWhiteouts) core.tree.insert({ id, parent, name, kind: ABSENT, ...changed(core, undefined, now), ...copiedBase(core, node) });
    return;
  }
  const state = node.dirty === 1 ? changed(core, undefined, now) : { dirty: 0 as const, gen: core.numbers.next() };
  core.tree.insert({ id, parent, name, kind: DIRECTORY, implied: node.implied, ...state, base_kind: node.base_kind, base_gen: core.numbers.next() });
  for (const child of core.tree.children(node.id)) cloneTree(core, child, id, child.name);
}
