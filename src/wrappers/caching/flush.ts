/** `flush`: until everything acknowledged before the call has arrived, or was replaced by something newer. */
import { StoreError, isInside, parsePath, root } from "../../store/index.ts";
import type { Store, StorePath } from "../../store/index.ts";
import { PARKED_DUE } from "./barrier-run.ts";
import { pathsOf } from "./barriers.ts";
import type { Core } from "./core.ts";
import { expedite, expediteAll } from "./expedite.ts";
import { checkAbort } from "./gave-up.ts";
import { errorOf } from "./retry-policy.ts";
import { SUBTREE } from "./rows.ts";
import { related } from "./tree.ts";
import type { Uploader } from "./uploader.ts";

type Parked = readonly { readonly path: StorePath; readonly error: string | null }[];

interface Row {
  readonly id: number;
  readonly parent: number;
  readonly name: string;
  readonly due: number | null;
  readonly error: string | null;
}

/** What one flush waits for. Asked after every end of a request, so it looks no further than the first that is not done, and at that one again. */
class Awaited {
  readonly #core: Core;
  readonly #newest: number;
  readonly #below: StorePath;
  readonly #sparesHolds: boolean;
  /** A row that was not done when it was last looked for. */
  #row = 0;

  constructor(core: Core, newest: number, below: StorePath, sparesHolds: boolean) {
    this.#core = core;
    this.#newest = newest;
    this.#below = below;
    this.#sparesHolds = sparesHolds;
  }

  /** Is anything that was acknowledged up to `newest` still going to arrive, or to fail? If so, everything up to then is due now; what failed keeps its pause. */
  isRunning(): boolean {
    const parked = new Set(this.#core.barriers.all.filter(({ due }) => due === PARKED_DUE).map(({ seq }) => seq));
    if (this.#isRowRunning(parked)) return true;
    if (!this.#areRowsRunning(parked) && !this.#isBarrierRunning(parked) && !this.#isFlightRunning()) return false;
    this.#expedite();
    return true;
  }

  #expedite(): void {
    if (this.#below === root) return expediteAll(this.#core, this.#newest);
    const top = this.#core.tree.at(this.#below);
    if (top !== undefined) expedite(this.#core, [top.id], { newest: this.#newest });
  }

  /** The row of the last time, where there is nothing to expedite. */
  #isRowRunning(parked: ReadonlySet<number>): boolean {
    const { tree, clock } = this.#core;
    const row = tree.row(this.#row);
    if (row === undefined || row.dirty === 0 || row.gen > this.#newest || (row.tries === 0 && (row.due ?? 0) > clock.now())) return false;
    return isGoingOn(this.#core, row, parked) && isInside(tree.pathOf(row), this.#below);
  }

  #areRowsRunning(parked: ReadonlySet<number>): boolean {
    const { journal } = this.#core;
    if (this.#below === root && parked.size === 0)
      return (
        journal.get("select 1 from node where dirty = 1 and wait is null and due is not null and gen <= ? limit 1", this.#newest) !== undefined ||
        journal.get("select 1 from node where wait is not null and dirty = 1 and due is not null and gen <= ? limit 1", this.#newest) !== undefined
      );
    const row = rowsUpTo(this.#core, this.#newest, this.#below).findLast((one) => isGoingOn(this.#core, one, parked));
    this.#row = row?.id ?? 0;
    return row !== undefined;
  }

  #isBarrierRunning(parked: ReadonlySet<number>): boolean {
    return this.#core.barriers.all.some((barrier) => {
      if (barrier.seq > this.#newest || (this.#below !== root && !pathsOf(barrier).some((path) => related(path, this.#below)))) return false;
      if (this.#sparesHolds && barrier.kind === "hold" && barrier.doubt === 1) return false;
      return !parked.has(barrier.seq) && !waitsForParked(this.#core, barrier.seq, parked);
    });
  }

  #isFlightRunning(): boolean {
    const { journal, rules } = this.#core;
    if (!rules.flushWaitsForFlights) return false;
    return journal.all<{ path: string }>("select path from flight where gen <= ?", this.#newest).some(({ path }) => isInside(path as StorePath, this.#below));
  }
}

/** As a rule what ends last comes last: directories that are made by what lies below them before all others, these as they fall due. */
function rowsUpTo(core: Core, newest: number, below: StorePath): Row[] {
  const top = core.tree.at(below);
  if (top === undefined) return [];
  return core.journal.all<Row>(
    `${SUBTREE} select n.id, parent, name, due, error from t join node n using(id) where n.dirty = 1 and n.gen <= ? order by n.kind = 2 and n.implied <> 0 desc, n.due`,
    top.id,
    newest,
  );
}

function isGoingOn(core: Core, row: Omit<Row, "error">, parked: ReadonlySet<number>): boolean {
  return row.due !== null && (parked.size === 0 || !isBehind(core, core.tree.pathOf(row), parked));
}

/** Does it wait for an operation that waits for a person? */
function isBehind(core: Core, path: StorePath, parked: ReadonlySet<number>): boolean {
  const over = core.barriers.over(path);
  return over !== undefined && (parked.has(over.seq) || waitsForParked(core, over.seq, parked));
}

function parkedUpTo(core: Core, newest: number, below: StorePath): Parked {
  const barriers = core.barriers.all.filter(
    ({ seq, due, src, dst }) => seq <= newest && due === PARKED_DUE && (related(src, below) || (dst !== null && related(dst, below))),
  );
  const rows = rowsUpTo(core, newest, below).map((row) => ({ path: core.tree.pathOf(row), error: row.error }));
  return [...barriers.map(({ src, error }) => ({ path: src, error })), ...rows];
}

function waitsForParked(core: Core, seq: number, parked: ReadonlySet<number>): boolean {
  if (parked.size === 0) return false;
  const barrier = core.barriers.get(seq);
  if (barrier === undefined) return false;
  return core.barriers.all.some((other) => parked.has(other.seq) && other.seq < seq && pathsOf(other).some((a) => pathsOf(barrier).some((b) => related(a, b))));
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
  const awaited = new Awaited(core, newest, below, sparesHolds);
  await uploader.waitedFor(async () => {
    for (;;) {
      checkAbort(signal);
      // What is acknowledged waits for nobody any more, also in a layer below that groups calls.
      await core.group.idle();
      if (!awaited.isRunning()) return report(parkedUpTo(core, newest, below));
      const next = uploader.changed(signal);
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
