/** Pending operations on trees and on two paths: kept in memory beside their table, with the questions that others ask of them. */
import { isInside, parentOf, rebase, root } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import type { Journal } from "./journal.ts";
import type { BarrierRow, ItemRow, NodeRow } from "./rows.ts";
import type { Base, Bytes } from "./remote.ts";
import { FILE } from "./rows.ts";
import type { Rules } from "./rules.ts";
import { related } from "./tree.ts";

export type Barrier = Omit<BarrierRow, "src" | "dst"> & { readonly src: StorePath; readonly dst: StorePath | null };

export class Barriers {
  readonly #journal: Journal;
  readonly #rules: Rules;
  /** In order of `seq`. */
  #all: Barrier[] = [];
  /** How many have this path as source or target: a path without barriers above it costs a few lookups. */
  #at = new Map<StorePath, number>();

  constructor(journal: Journal, rules: Rules) {
    this.#journal = journal;
    this.#rules = rules;
    this.reload();
  }

  reload(): void {
    this.#all = this.#journal.all<BarrierRow>("select * from barrier order by seq") as Barrier[];
    this.#at = new Map();
    for (const one of this.#all) this.#note(one, 1);
  }

  get all(): readonly Barrier[] {
    return this.#all;
  }
  get size(): number {
    return this.#all.length;
  }

  get(seq: number): Barrier | undefined {
    return this.#all.find((one) => one.seq === seq);
  }

  /** Inside of a transaction. */
  add(barrier: Barrier, items: readonly Omit<ItemRow, "seq">[] = []): void {
    const { seq, kind, src, dst, tree, run, doubt, fresh, step, tries, due, error } = barrier;
    this.#journal.run(
      "insert into barrier(seq, kind, src, dst, tree, run, doubt, fresh, step, tries, due, error) values(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      seq,
      kind,
      src,
      dst,
      tree,
      run,
      doubt,
      fresh,
      step,
      tries,
      due,
      error,
    );
    for (const { path, etag } of items) this.#journal.run("insert or replace into item(seq, path, etag) values(?, ?, ?)", seq, path, etag);
    this.#all.push(barrier);
    this.#note(barrier, 1);
  }

  /** Inside of a transaction. */
  update(seq: number, changes: Partial<Pick<Barrier, "run" | "doubt" | "step" | "fresh" | "tries" | "due" | "error">>): void {
    const columns = Object.keys(changes);
    this.#journal.run(`update barrier set ${columns.map((column) => `${column} = ?`).join(", ")} where seq = ?`, ...Object.values(changes), seq);
    this.#all = this.#all.map((one) => (one.seq === seq ? { ...one, ...changes } : one));
  }

  /** Inside of a transaction. Leaves that waited for it are free. */
  remove(seq: number): void {
    const barrier = this.get(seq);
    if (barrier === undefined) return;
    this.#journal.run("delete from barrier where seq = ?", seq);
    this.#journal.run("delete from item where seq = ?", seq);
    this.#journal.run("update node set wait = null where wait = ?", seq);
    this.#all = this.#all.filter((one) => one.seq !== seq);
    this.#journal.run("delete from version where seq = ?", seq);
    this.#note(barrier, -1);
  }

  items(seq: number): ItemRow[] {
    return this.#journal.all<ItemRow>("select * from item where seq = ?", seq);
  }

  /**
   * Inside of a transaction. A request of ours that was under way when these were journalled has landed: what they are to remove, take along or replace is that
   * version, null: nothing, unless a move or copy puts something else there before. `replaced`: the row that was sent is gone.
   */
  landed(path: StorePath, flight: number, etag: string | null, replaced: boolean): void {
    const later = this.#all.filter(({ seq }) => seq > flight);
    const brought = later.find(({ dst }) => dst !== null && isInside(path, dst))?.seq ?? Infinity;
    for (const { seq, kind, src } of later)
      if (seq < brought && (kind === "remove" ? replaced && etag !== null : kind === "move" && src === path))
        this.#journal.run("update item set etag = ? where path = ? and seq = ?", etag, path, seq);
    const next = later.find((one) => mayChange(one, path));
    if (next?.dst === path) this.#expect(next, path, etag);
  }

  /** Inside of a transaction. A request that was to make a file at a free path has not: there is nothing of ours for the directories that go after it. */
  notLanded(path: StorePath, flight: number): void {
    for (const { seq, kind } of this.#all)
      if (seq > flight && kind === "remove") this.#journal.run("delete from item where seq = ? and path = ? and etag is null", seq, path);
  }

  /** What the view knew of a place of this operation: an etag, null for "nothing of ours"; undefined: nothing is known. */
  expected(seq: number, path: StorePath): Pick<ItemRow, "etag"> | undefined {
    return this.#journal.get<Pick<ItemRow, "etag">>("select etag from item where seq = ? and path = ?", seq, path);
  }

  /**
   * What is at the target of a file's move or copy that has no source. A request of the move whose answer was lost may have changed it, unless there was nothing
   * to be sent; a copy that has, and has lost its source since, has made the only copy of it.
   */
  targetOf({ seq, kind, src, dst, fresh, step, tree }: Barrier): Pick<ItemRow, "etag"> | undefined {
    if (tree === 1 || dst === null || (step === 1 && kind === "move" && this.expected(seq, src)?.etag !== null)) return undefined;
    if (fresh === 1) return { etag: null };
    const known = this.expected(seq, dst);
    return known?.etag === null ? undefined : known;
  }

  /** Inside of a transaction. What an operation has brought to this path, or has left there, is what the next one takes along from it. */
  brought(path: StorePath, etag: string | null): void {
    const next = this.#all.find((one) => mayChange(one, path));
    if (next !== undefined && (next.dst === path || (next.kind === "move" && next.src === path))) this.#expect(next, path, etag);
  }

  /** What this operation on a file will find at one of its two places; null: nothing. */
  #expect({ seq, tree, src }: Barrier, path: StorePath, etag: string | null): void {
    if (tree === 1) return;
    if (path !== src) this.update(seq, { fresh: etag === null ? 1 : 0 });
    this.#journal.run("insert or replace into item(seq, path, etag) values(?, ?, ?)", seq, path, etag);
  }

  /** Inside of a transaction: the row of a file goes. What replaces it is added after this. */
  drops(path: StorePath, row: NodeRow): void {
    for (const { seq, tree, src, dst } of this.#all)
      if (tree === 0 && dst !== null && row.base_kind === FILE && this.#rules.movedIsCompared && this.forward(dst, seq).includes(path)) {
        this.#journal.run("delete from version where seq = ? and path = ?", seq, src);
        this.mayFind(seq, src, [row]);
      }
  }

  /**
   * Inside of a transaction. What an operation may find at a path, one of these versions, where no etag and no row tells it: at the source of a file's move or
   * copy what it is to bring, elsewhere what it replaces or deletes.
   */
  mayFind(seq: number, path: StorePath, oneOf: readonly Base[]): void {
    for (const { base_kind: kind, base_size: size, base_hashes: hashes, base_crc: crc } of oneOf)
      if (kind === FILE) this.#journal.run("insert into version(seq, path, size, hashes, crc) values(?, ?, ?, ?, ?)", seq, path, size, hashes, crc);
  }

  /** None: nothing is known. */
  versions(seq: number, path: StorePath): readonly Bytes[] {
    return this.#journal.all<Bytes>("select size as base_size, hashes as base_hashes, crc as base_crc from version where seq = ? and path = ?", seq, path);
  }

  /** Did the view know what was at the target of this move or copy of a file? */
  knowsTarget({ seq, dst, fresh }: Barrier): boolean {
    return fresh === 1 || (dst !== null && (this.expected(seq, dst) !== undefined || this.versions(seq, dst).length > 0));
  }

  #note({ src, dst }: Barrier, by: 1 | -1): void {
    for (const path of dst === null ? [src] : [src, dst]) {
      const left = (this.#at.get(path) ?? 0) + by;
      if (left > 0) this.#at.set(path, left);
      else this.#at.delete(path);
    }
  }

  /** Is the path, or one above it, source or target of a pending operation? */
  covers(path: StorePath): boolean {
    if (this.#all.length === 0) return false;
    for (let at = path; ; at = parentOf(at)) {
      if (this.#at.has(at)) return true;
      if (at === root) return false;
    }
  }

  /** The oldest that a leaf at this path has to wait for. */
  over(path: StorePath): Barrier | undefined {
    if (!this.covers(path)) return undefined;
    if (!this.#rules.ordersByTree) return this.#all.find(({ src, dst }) => src === path || dst === path);
    return this.#all.find(({ src, dst }) => isInside(path, src) || (dst !== null && isInside(path, dst)));
  }

  /** Any whose paths contain this one, equal it or lie inside of it. */
  touches(path: StorePath): boolean {
    return this.#all.some((one) => concerns(one, path));
  }

  /** As `touches`, without requests of ours that are under way or in doubt: names that those may change are asked for one by one. */
  moves(path: StorePath): boolean {
    return this.#all.some((one) => one.kind !== "hold" && concerns(one, path));
  }

  /** Is what the remote has at this path another thing after a pending operation? A copy only reads its source. */
  changes(path: StorePath): boolean {
    return this.#all.some((one) => mayChange(one, path));
  }

  /** Is the last pending operation that changes this path the move or copy of a file to it? */
  bringsFile(path: StorePath): boolean {
    const last = this.#all.findLast((one) => mayChange(one, path));
    return last?.tree === 0 && last.dst === path;
  }

  insideTarget(path: StorePath): boolean {
    return this.covers(path) && this.#all.some(({ dst }) => dst !== null && isInside(path, dst));
  }

  /** Must this one wait for an earlier one? */
  mustWait(barrier: Barrier): boolean {
    const mine = pathsOf(barrier);
    for (const other of this.#all) {
      if (other.seq >= barrier.seq) return false;
      for (const a of mine)
        for (const b of pathsOf(other)) {
          // Two copies from one source read it, and no more.
          if (barrier.kind === "copy" && other.kind === "copy" && a === barrier.src && b === other.src) continue;
          if (this.#rules.ordersByTree ? related(a, b) : a === b) return true;
        }
    }
    return false;
  }

  /**
   * Where the remote keeps what the user calls `path`: pending operations undone, from the newest to the oldest. Two places where one of them may
   * have happened or not; null: the remote has nothing of ours there.
   */
  translate(path: StorePath): readonly (StorePath | null)[] {
    if (!this.covers(path)) return [path];
    const before = this.#undo(path, false);
    if (!this.#all.some(isHalf)) return [before];
    const after = this.#undo(path, true);
    return after === before ? [before] : [before, after];
  }

  #undo(path: StorePath, halfIsDone: boolean): StorePath | null {
    let at = path;
    for (let i = this.#all.length - 1; i >= 0; i--) {
      const barrier = this.#all[i] as Barrier;
      const { kind, src, dst } = barrier;
      if (kind === "hold") continue;
      const done = halfIsDone && isHalf(barrier);
      if (dst === null) {
        if (isInside(at, src)) return null;
      } else if (isInside(at, dst)) {
        if (!done) at = rebase(at, dst, src);
      } else if (kind === "move" && isInside(at, src)) return null;
    }
    return at;
  }

  /** Names that a directory has in the view because something is on its way into it. */
  arriving(dir: StorePath): string[] {
    const names: string[] = [];
    let at = dir;
    for (let i = this.#all.length - 1; i >= 0; i--) {
      const { src, dst } = this.#all[i] as Barrier;
      if (dst === null) continue;
      if (dst !== at && parentOf(dst) === at) names.push(dst.slice(dst.lastIndexOf("/") + 1));
      if (isInside(at, dst)) at = rebase(at, dst, src);
    }
    return names;
  }

  /** Where the view has by now what the barrier `seq` put at `path`: later ones moved, copied, replaced or deleted it. */
  forward(path: StorePath, seq: number): StorePath[] {
    let places = [path];
    if (!this.#rules.followsLaterMoves) return places;
    for (const { seq: later, kind, src, dst } of this.#all) {
      if (later <= seq || kind === "hold") continue;
      places = places.flatMap((at) => {
        if (dst === null) return isInside(at, src) ? [] : [at];
        if (isInside(at, src)) return kind === "copy" ? [at, rebase(at, src, dst)] : [rebase(at, src, dst)];
        return isInside(at, dst) ? [] : [at];
      });
    }
    return places;
  }

  /** Below which paths of the view lies by now what the barrier `seq` put below `path`: later moves took it along, or took some of it out. */
  spread(path: StorePath, seq: number): StorePath[] {
    let places = [path];
    if (!this.#rules.followsLaterMoves) return places;
    for (const { seq: later, kind, src, dst } of this.#all) {
      if (later <= seq || kind !== "move" || dst === null) continue;
      places = places.flatMap((at) => {
        if (isInside(at, src)) return [rebase(at, src, dst)];
        return isInside(src, at) ? [at, dst] : [at];
      });
    }
    return places;
  }

  /** Where what the view has at `path` lies once the barrier `seq` has ended: later moves undone. Undefined: a later one brings it, or takes away what was there. */
  behind(path: StorePath, seq: number): StorePath | undefined {
    let at = path;
    for (let i = this.#all.length - 1; i >= 0; i--) {
      const { seq: later, kind, src, dst } = this.#all[i] as Barrier;
      if (later <= seq) break;
      if (kind === "hold") continue;
      if (dst !== null && isInside(at, dst)) {
        if (kind === "copy") return undefined;
        at = rebase(at, dst, src);
      } else if (kind !== "copy" && isInside(at, src)) return undefined;
    }
    return at;
  }
}

function concerns({ src, dst }: Barrier, path: StorePath): boolean {
  return related(path, src) || (dst !== null && related(path, dst));
}

/** Of a copy its source stays what it is. */
function mayChange({ kind, src, dst }: Barrier, path: StorePath): boolean {
  return (kind !== "copy" && related(path, src)) || (dst !== null && related(path, dst));
}

function isHalf({ run, doubt, step }: Barrier): boolean {
  return run === 1 || doubt === 1 || step === 1;
}

export function pathsOf({ src, dst }: Barrier): readonly StorePath[] {
  return dst === null ? [src] : [src, dst];
}
