/** `flush`: until everything acknowledged before the call has arrived, or was replaced by something newer. */
import { StoreError, isInside, parsePath, root } from "../../store/index.ts";
import type { Store, StorePath } from "../../store/index.ts";
import { PARKED_DUE } from "./barrier-run.ts";
import { pathsOf } from "./barriers.ts";
import type { Core } from "./core.ts";
import { checkAbort } from "./gave-up.ts";
import { errorOf } from "./retry-policy.ts";
import { SUBTREE } from "./rows.ts";
import { FOLLOWS } from "./candidates.ts";
import { related } from "./tree.ts";
import type { Uploader } from "./uploader.ts";

type Parked = readonly { readonly path: StorePath; readonly error: string | null }[];

/** Is anything that was acknowledged up to `newest` still going to arrive, or to fail? Asked after every end of a request, so it looks no further than the first. */
function isRunning(core: Core, newest: number, below: StorePath, sparesHolds: boolean): boolean {
  const { journal, barriers, rules } = core;
  const parked = new Set(barriers.all.filter(({ due }) => due === PARKED_DUE).map(({ seq }) => seq));
  for (const barrier of barriers.all) {
    if (barrier.seq > newest || (below !== root && !pathsOf(barrier).some((path) => related(path, below)))) continue;
    if (sparesHolds && barrier.kind === "hold" && barrier.doubt === 1) continue;
    if (!parked.has(barrier.seq) && !waitsForParked(core, barrier.seq, parked)) return true;
  }
  if (rules.flushWaitsForFlights)
    for (const { path, gen } of journal.all<{ path: string; gen: number }>("select path, gen from flight"))
      if (gen <= newest && (below === root || isInside(path as StorePath, below))) return true;
  if (below === root && parked.size === 0)
    return (
      journal.get("select 1 from node where dirty = 1 and wait is null and due is not null and gen <= ? limit 1", newest) !== undefined ||
      journal.get("select 1 from node where wait is not null and dirty = 1 and due is not null and gen <= ? limit 1", newest) !== undefined
    );
  return rowsUpTo(core, newest, below).some(({ due, path }) => due !== null && !isBehind(core, path, parked));
}

function rowsUpTo(core: Core, newest: number, below: StorePath): { readonly due: number | null; readonly error: string | null; readonly path: StorePath }[] {
  const top = core.tree.at(below);
  if (top === undefined) return [];
  return core.journal
    .all<{ id: number; parent: number; name: string; due: number | null; error: string | null }>(
      `${SUBTREE} select n.id, parent, name, due, error from t join node n using(id) where n.dirty = 1 and n.gen <= ?`,
      top.id,
      newest,
    )
    .map((row) => ({ due: row.due, error: row.error, path: core.tree.pathOf(row) }));
}

/** Does it wait for an operation that waits for a person? */
function isBehind(core: Core, path: StorePath, parked: ReadonlySet<number>): boolean {
  if (parked.size === 0) return false;
  const over = core.barriers.over(path);
  return over !== undefined && (parked.has(over.seq) || waitsForParked(core, over.seq, parked));
}

function parkedUpTo(core: Core, newest: number, below: StorePath): Parked {
  const barriers = core.barriers.all.filter(
    ({ seq, due, src, dst }) => seq <= newest && due === PARKED_DUE && (related(src, below) || (dst !== null && related(dst, below))),
  );
  return [...barriers.map(({ src, error }) => ({ path: src, error })), ...rowsUpTo(core, newest, below)];
}

function waitsForParked(core: Core, seq: number, parked: ReadonlySet<number>): boolean {
  if (parked.size === 0) return false;
  const barrier = core.barriers.get(seq);
  if (barrier === undefined) return false;
  return core.barriers.all.some((other) => parked.has(other.seq) && other.seq < seq && pathsOf(other).some((a) => pathsOf(barrier).some((b) => related(a, b))));
}

/** Everything up to then is due now; what failed keeps its pause. */
function expedite(core: Core, newest: number, below: StorePath): void {
  const now = core.clock.now();
  const top = below === root ? undefined : core.tree.at(below);
  const changes = core.group.record(() => {
    if (below === root)
      return core.journal.run(
        `update node set due = ? where dirty = 1 and wait is null and due is not null and due > ? and tries = 0 and gen <= ? and not ${FOLLOWS}`,
        now,
        now,
        newest,
      );
    if (top === undefined) return 0;
    return core.journal.run(
      `update node set due = ? where dirty = 1 and tries = 0 and due > ? and gen <= ? and not ${FOLLOWS} and id in (${SUBTREE} select id from t)`,
      now,
      now,
      newest,
      top.id,
    );
  });
  if (changes > 0) core.uploader.wake();
}

export interface FlushOptions {
  readonly path?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Of a call that failed, and may have happened or not, nothing was acknowledged: its paths are held again by whoever opens the cache next. */
  readonly sparesHolds?: boolean | undefined;
}

export async function flush(core: Core, uploader: Uploader, store: Store, { path, signal, sparesHolds = false }: FlushOptions = {}): Promise<void> {
  const below = parsePath(path ?? root);
  const newest = core.numbers.newest;
  await uploader.waitedFor(async () => {
    for (;;) {
      checkAbort(signal);
      // What is acknowledged waits for nobody any more, also in a layer below that groups calls.
      await core.group.idle();
      if (!isRunning(core, newest, below, sparesHolds)) return report(parkedUpTo(core, newest, below));
      const next = uploader.changed(signal);
      expedite(core, newest, below);
      const over = new AbortController();
      const pushed = pushBelow(store, over.signal);
      try {
        await next;
      } finally {
        over.abort();
        await pushed;
      }
      if (core.ended.aborted) throw new StoreError("closed", "the store was closed while it was flushed");
      if (core.group.poisoned) throw new StoreError("unavailable", "the journal of the cache could not be flushed", { transient: false });
    }
  });
}

/** Groups of an archive below are sent now instead of when they are full. */
async function pushBelow(store: Store, signal: AbortSignal): Promise<void> {
  for (const control of Object.values(store.layers).reverse()) {
    if (signal.aborted) return;
    await control.flush({ signal }).catch((error: unknown) => {
      // Its calls fail by themselves, and say so to their upload.
      if (!StoreError.is(error)) throw error;
    });
  }
}

function report(parked: Parked): void {
  const first = parked[0];
  if (first === undefined) return;
  const told = errorOf(first.error);
  throw new StoreError(told?.code ?? "conflict", told?.reason ?? "a change waits for a decision", {
    applied: "partly",
    partial: { done: 0, at: first.path },
    path: first.path,
    transient: false,
  });
}
