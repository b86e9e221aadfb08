/** `flush`: until everything acknowledged before the call has arrived, or was replaced by something newer. */
import { StoreError, isInside, parsePath, root } from "../../store/index.ts";
import type { Store, StorePath } from "../../store/index.ts";
import { PARKED_DUE } from "./barrier-run.ts";
import { pathsOf } from "./barriers.ts";
import type { Core } from "./core.ts";
import { checkAbort } from "./gave-up.ts";
import { errorOf } from "./retry-policy.ts";
import { related } from "./tree.ts";
import type { Uploader } from "./uploader.ts";

interface Left {
  /** Waits for nobody: it will arrive, or fail. */
  readonly running: number;
  readonly parked: readonly { readonly path: StorePath; readonly error: string | null }[];
}

/** What was acknowledged up to `newest` and has not arrived. */
function left(core: Core, newest: number, below: StorePath): Left {
  let running = 0;
  const parked: { path: StorePath; error: string | null }[] = [];
  const rows = core.journal.all<{ id: number; parent: number; name: string; due: number | null; error: string | null; wait: number | null }>(
    "select id, parent, name, due, error, wait from node where dirty = 1 and gen <= ?",
    newest,
  );
  const parkedBarriers = new Set(core.barriers.all.filter(({ due }) => due === PARKED_DUE).map(({ seq }) => seq));
  for (const row of rows) {
    const path = core.tree.pathOf(row);
    if (below !== root && !isInside(path, below)) continue;
    const over = row.due === null ? undefined : core.barriers.over(path);
    if (row.due === null || (over !== undefined && parkedBarriers.has(over.seq))) parked.push({ path, error: row.error });
    else running++;
  }
  if (core.rules.flushWaitsForFlights)
    for (const { path, gen } of core.journal.all<{ path: string; gen: number }>("select path, gen from flight"))
      if (gen <= newest && (below === root || isInside(path as StorePath, below))) running++;
  for (const barrier of core.barriers.all) {
    if (barrier.seq > newest || (below !== root && !pathsOf(barrier).some((path) => related(path, below)))) continue;
    if (barrier.due === PARKED_DUE) parked.push({ path: barrier.src, error: barrier.error });
    else if (!waitsForParked(core, barrier.seq, parkedBarriers)) running++;
  }
  return { running, parked };
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
    if (below === root) return core.journal.run("update node set due = ? where dirty = 1 and tries = 0 and due > ? and gen <= ?", now, now, newest);
    if (top === undefined) return 0;
    return core.journal.run(
      "update node set due = ? where dirty = 1 and tries = 0 and due > ? and gen <= ? and id in (with recursive t(id) as (select ? union all select n.id from node n join t on n.parent = t.id) select id from t)",
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
}

export async function flush(core: Core, uploader: Uploader, store: Store, { path, signal }: FlushOptions = {}): Promise<void> {
  const below = parsePath(path ?? root);
  const newest = core.numbers.newest;
  await uploader.waitedFor(async () => {
    for (;;) {
      checkAbort(signal);
      // What is acknowledged waits for nobody any more, also in a layer below that groups calls.
      await core.group.idle();
      const now = left(core, newest, below);
      if (now.running === 0) return report(now);
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

function report({ parked }: Left): void {
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
