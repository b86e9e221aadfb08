/** The uploader: what may start is decided in one place, whenever something ended, fell due or was changed. */
import { isInside } from "../../store/index.ts";
import type { StoreError, StorePath } from "../../store/index.ts";
import { PARKED_DUE, runBarrier } from "./barrier-run.ts";
import { pathsOf } from "./barriers.ts";
import type { Barrier } from "./barriers.ts";
import { candidates } from "./candidates.ts";
import type { Candidate, Which } from "./candidates.ts";
import type { Core, UploaderSignals } from "./core.ts";
import { resolveDoubt } from "./doubt.ts";
import { orGone } from "./gave-up.ts";
import { sendLeaf } from "./leaf.ts";
import type { LeafEnd } from "./leaf.ts";
import { Parallel } from "./parallel.ts";
import { Pauses } from "./pauses.ts";
import { asStoreError, backOffMs } from "./retry-policy.ts";
import { ABSENT, FILE } from "./rows.ts";
import type { FlightRow } from "./rows.ts";
import { Transfer } from "./transfer-watch.ts";

const MEND_EVERY_MS = 1000;
/** Rows looked at in one step; the first step is small, since as a rule a few places are free. */
const WINDOW = 256;
const FIRST_WINDOW = 32;
/** What makes a directory may be deleted, or wait for a person: so often, at least, it is looked at again. */
const FOLLOWS_AT_MOST_MS = 1000;
/** So long small files may pass a large one that finds no place. */
const OVERTAKEN_MS = 60_000;
/** Thousands of files fall due one by one, and each look sees all that runs: what falls due so soon is one look. */
const GATHER_MS = 20;

interface Claim {
  readonly path: StorePath;
  readonly bytes: number;
  readonly transfer: Transfer;
  readonly startedAt: number;
}

export class Uploader implements UploaderSignals {
  #core!: Core;
  parallel!: Parallel;
  pauses!: Pauses;
  /** Leaves that run, by row. */
  readonly #claims = new Map<number, Claim>();
  readonly #claimed = new Map<StorePath, number>();
  readonly #barriers = new Set<number>();
  readonly #resolving = new Set<number>();
  readonly #jobs = new Set<Promise<void>>();
  /** Until when a lost request may still land, monotonic; by flight and by barrier. */
  readonly #holds = new Map<number, number>();
  /** Looks that failed: not before this time, monotonic, and how often. */
  readonly #retries = new Map<number, { at: number; tries: number }>();
  #waiters: { readonly done: () => void }[] = [];
  #woken = false;
  #ended = false;
  #timer: AbortController | undefined;
  #timerAt = Infinity;
  #keepsAlive = 0;
  #beatAt = 0;
  /** When the last look began: what has fallen due since, even during it, was not seen by it. */
  #looked = { now: -Infinity, monotonic: -Infinity };

  attach(core: Core): void {
    this.#core = core;
    this.parallel = new Parallel(core.remoteCan);
    this.pauses = new Pauses(core);
    this.#beatAt = core.clock.monotonic();
  }

  /** Every doubt of the last session holds anew: no clock is trusted over a restart. */
  start(): void {
    const { journal, barriers } = this.#core;
    for (const { id } of journal.all<{ id: number }>("select id from flight where doubt = 1")) this.#hold(id);
    for (const { seq, doubt } of barriers.all) if (doubt === 1) this.#hold(seq);
    this.wake();
  }

  #hold(number: number): void {
    const { rules, settings, clock } = this.#core;
    if (rules.holdsDoubt && rules.looksAfterDoubt && settings().holdMs > 0) this.#holds.set(number, clock.monotonic() + settings().holdMs);
  }

  #isHeld(number: number): boolean {
    const { clock } = this.#core;
    const until = this.#holds.get(number);
    const retry = this.#retries.get(number);
    if (until !== undefined && clock.monotonic() >= until) this.#holds.delete(number);
    return this.#holds.has(number) || (retry !== undefined && clock.monotonic() < retry.at);
  }

  get running(): number {
    return this.#claims.size + this.#barriers.size + this.#resolving.size;
  }
  get uploading(): number {
    return this.#claims.size;
  }
  get heartbeatAgeMs(): number {
    return this.#core.clock.monotonic() - this.#beatAt;
  }

  claimOf(node: number): Transfer | undefined {
    return this.#claims.get(node)?.transfer;
  }

  // What others say

  wake(): void {
    if (this.#woken || this.#ended) return;
    this.#woken = true;
    // After whatever is ready: many changes are one look, and nobody is starved.
    setImmediate(() => {
      this.#woken = false;
      this.#pump();
    });
  }

  wakeAt(due: number): void {
    const { clock } = this.#core;
    const inMs = due - clock.now();
    if (inMs <= 0 || this.#waiters.length > 0) this.wake();
    else if (!this.#woken) this.#sleepUntil(clock.monotonic() + inMs);
  }

  abandon(node: number, when: "always" | "untouched"): void {
    const transfer = this.#claims.get(node)?.transfer;
    if (transfer === undefined || (when === "untouched" && transfer.sent > 0)) return;
    const { journal } = this.#core;
    const stop = (): void => transfer.abort(new DOMException("the file was changed or deleted", "AbortError"));
    if (journal.inTransaction) journal.after(stop);
    else stop();
  }

  inDoubt(number: number): void {
    this.#hold(number);
    this.wake();
  }

  changed(signal?: AbortSignal): Promise<void> {
    return orGone(new Promise<void>((done) => this.#waiters.push({ done })), signal);
  }

  #tellChanged(): void {
    for (const { done } of this.#waiters.splice(0)) done();
  }

  probe(): void {
    this.pauses.probe();
    this.wake();
  }

  get reason(): StoreError | undefined {
    return this.pauses.reason;
  }

  /** While somebody waits, timers keep the process alive. */
  async waitedFor<T>(work: () => Promise<T>): Promise<T> {
    this.#keepsAlive++;
    this.#rearm();
    try {
      return await work();
    } finally {
      this.#keepsAlive--;
      this.#rearm();
    }
  }

  end(): void {
    this.#ended = true;
    this.#timer?.abort();
    this.#tellChanged();
  }

  async stopped(): Promise<void> {
    while (this.#jobs.size > 0) await Promise.all(this.#jobs);
  }

  // What may start

  #pump(): void {
    const { group, clock } = this.#core;
    if (this.#ended || group.poisoned) return this.#tellChanged();
    this.#looked = { now: clock.now(), monotonic: clock.monotonic() };
    this.#revive();
    for (const { transfer } of this.#claims.values()) transfer.check();
    const may = this.pauses.start();
    if (may !== "none" && (may === "all" || this.running === 0)) {
      const most = may === "all" ? Infinity : 1;
      this.#startBarriers(most);
      this.#startDoubts(most);
      this.#startLeaves(most);
    }
    this.#tellChanged();
    this.#arm();
  }

  /** A scheduler that was not here for so long is begun anew; what still runs of the old one finds its flight or nothing. */
  #revive(): void {
    const { settings, events, clock } = this.#core;
    const age = this.heartbeatAgeMs;
    this.#beatAt = clock.monotonic();
    if (age < settings().heartbeatMs || this.running === 0) return;
    events.tell("stalled", null);
    for (const { transfer } of this.#claims.values()) transfer.abort(new DOMException("the uploader was stalled", "TimeoutError"));
    events.tell("recovered", null);
  }

  #startBarriers(most: number): void {
    const { barriers, clock } = this.#core;
    for (const barrier of barriers.all) {
      if (this.running >= most) return;
      if (this.#barriers.has(barrier.seq) || this.#isHeld(barrier.seq) || (barrier.run === 1 && barrier.kind !== "hold")) continue;
      if (barrier.kind === "hold" && barrier.doubt === 0) continue;
      if (barrier.due !== null && barrier.due > clock.now()) continue;
      if (barriers.mustWait(barrier) || this.#hasRequestsInside(barrier)) continue;
      this.#runBarrier(barrier);
    }
  }

  /** A request under way below would land in, or after, what the operation makes of the tree. */
  #hasRequestsInside(barrier: Barrier): boolean {
    const { journal, rules, locks } = this.#core;
    const paths = pathsOf(barrier);
    if (locks.isHeld(paths) && barrier.kind !== "hold") return true;
    if (!rules.barrierWaitsForFlights) return false;
    const inside = (path: string): boolean => paths.some((one) => isInside(path as StorePath, one));
    for (const path of this.#claimed.keys()) if (inside(path)) return true;
    return journal.all<{ path: string }>("select path from flight").some(({ path }) => inside(path));
  }

  #startDoubts(most: number): void {
    for (const flight of this.#core.journal.all<FlightRow>("select * from flight where doubt = 1 order by id")) {
      if (this.running >= most) return;
      if (this.#resolving.has(flight.id) || this.#isHeld(flight.id)) continue;
      this.#resolve(flight);
    }
  }

  #startLeaves(most: number): void {
    const { journal, clock, settings, barriers, tree, locks } = this.#core;
    const { maxParallel, maxDelayMs } = settings();
    if (!this.parallel.mayStart(0, maxParallel)) return;
    const waits: (readonly [node: number, seq: number])[] = [];
    const later: (readonly [node: number, due: number])[] = [];
    const now = clock.now();
    // What waits for a full remote, or for a place for large files, is not looked at each time.
    let which: Which = this.pauses.filesMayStart(this.running) ? "all" : "noFiles";
    scan: for (let last = { due: -1, id: 0 }, count = FIRST_WINDOW; ; count = WINDOW) {
      const window = journal.all<Candidate>(candidates[which], now, last.due, last.id, count);
      for (const row of window) {
        if (this.running >= most || !this.parallel.mayStart(0, maxParallel)) break scan;
        if (this.#claims.has(row.id)) continue;
        if (row.follows !== null) {
          // Behind what makes it in the order too: thousands of them are not looked at each time.
          later.push([row.id, Math.min(row.follows + 1, now + Math.max(maxDelayMs, FOLLOWS_AT_MOST_MS))]);
          continue;
        }
        const bytes = row.kind === FILE ? (row.size ?? 0) : 0;
        if (row.kind === FILE && !this.pauses.filesMayStart(this.running)) continue;
        // Deletes make room, unless a full remote stops them as well.
        if (row.kind !== FILE && !this.#core.rules.noSpaceSparesDeletes && !this.pauses.filesMayStart(this.running)) continue;
        const path = tree.pathOf(row);
        const over = barriers.over(path);
        if (over !== undefined) {
          waits.push([row.id, over.seq]);
          continue;
        }
        if (this.#claimed.has(path) || locks.isHeld([path])) continue;
        if (journal.get("select 1 from flight where path = ? or node = ?", path, row.id) !== undefined) continue;
        if (!this.parallel.mayStart(bytes, maxParallel)) {
          // Small ones behind it have their own index. Where they take its places, it is waited for in the end.
          if (which === "small" || !(this.parallel.groups || now - row.due < OVERTAKEN_MS)) break scan;
          which = "small";
          last = row;
          continue scan;
        }
        this.#sendLeaf(row, path, bytes);
      }
      const end = window.at(-1);
      if (end === undefined || window.length < count) break;
      last = end;
    }
    if (waits.length > 0 || later.length > 0)
      this.#core.group.record(() => {
        for (const [node, seq] of waits) if (barriers.get(seq) !== undefined) journal.run("update node set wait = ? where id = ? and dirty = 1", seq, node);
        for (const [node, due] of later) journal.run("update node set due = ? where id = ? and dirty = 1 and due is not null", due, node);
      });
    // A directory above one that moved stands before it now.
    if (later.length > 0) this.wake();
  }

  // Jobs

  /** `mend`: what brings the journal into order where the end of the job could not be written down. */
  #job(work: () => Promise<void>, mend: () => void = () => {}): void {
    const one: Promise<void> = work()
      .catch((error: unknown) => {
        // After the end nobody is there to be told; a journal that failed has told already.
        if (this.#ended || this.#core.ended.aborted || this.#core.group.poisoned) return;
        const told = asStoreError(error);
        this.#core.events.tell("failed", null, { code: told.code, reason: told.reason });
        if (this.#core.rules.unwrittenIsDoubt) void this.#mended(mend);
        if (told.code === "unknown")
          queueMicrotask(() => {
            throw error;
          });
      })
      .finally(() => {
        this.#jobs.delete(one);
        this.wake();
      });
    this.#jobs.add(one);
  }

  /** Until it is written: whoever waits for what the job was about would wait for ever. */
  async #mended(mend: () => void): Promise<void> {
    const { group, clock, ended } = this.#core;
    while (!this.#ended && !ended.aborted && !group.poisoned) {
      try {
        group.record(mend);
        return this.wake();
      } catch (error) {
        const { code, reason } = asStoreError(error);
        this.#core.events.tell("failed", null, { code, reason });
        await clock.sleep(MEND_EVERY_MS, ended, { background: true }).catch(() => {});
      }
    }
  }

  #runBarrier({ seq, src }: Barrier): void {
    this.#barriers.add(seq);
    this.#job(async () => {
      try {
        const { error, doubt } = await runBarrier(this.#core, seq);
        if (doubt === true) this.#hold(seq);
        if (error === undefined) this.pauses.succeeded(false);
        else this.pauses.failed(error, src);
      } finally {
        this.#barriers.delete(seq);
      }
    }, this.#barrierIsInDoubt(seq));
  }

  #barrierIsInDoubt(seq: number): () => void {
    return () => {
      const { barriers } = this.#core;
      if (barriers.get(seq)?.run !== 1) return;
      barriers.update(seq, { run: 0, doubt: 1, step: 1 });
      this.#hold(seq);
    };
  }

  #leafIsInDoubt(node: number): () => void {
    return () => {
      const { journal } = this.#core;
      for (const { id } of journal.all<{ id: number }>("select id from flight where node = ? and doubt = 0", node)) {
        journal.run("update flight set doubt = 1 where id = ?", id);
        this.#hold(id);
      }
    };
  }

  #resolve(flight: FlightRow): void {
    this.#resolving.add(flight.id);
    this.#job(async () => {
      try {
        await resolveDoubt(this.#core, flight);
        this.#holds.delete(flight.id);
        this.#retries.delete(flight.id);
        this.pauses.succeeded(false);
      } catch (error) {
        if (this.#core.ended.aborted) return;
        const told = asStoreError(error);
        const tries = (this.#retries.get(flight.id)?.tries ?? 0) + 1;
        this.#retries.set(flight.id, { tries, at: this.#core.clock.monotonic() + backOffMs(tries, told, this.#core.random) });
        this.pauses.failed(told, flight.path);
        if (told.code === "unknown" && told.applied === "unknown") throw error;
      } finally {
        this.#resolving.delete(flight.id);
      }
    });
  }

  #sendLeaf(row: Candidate, path: StorePath, bytes: number): void {
    const { clock, settings, events, step, remoteCan, ended } = this.#core;
    const transfer = new Transfer(row.kind === FILE ? bytes : null, {
      clock,
      ended,
      stallMs: () => settings().stallMs,
      answerMs: () => (remoteCan.concurrency >= 1000 ? Infinity : settings().answerMs),
      onProgress: (sent, total) => {
        events.progress(path, sent, total);
        // Mostly it moves away, and of thousands that wait in one archive each would look at all.
        if ((transfer.deadline ?? Infinity) < this.#timerAt) this.#arm();
      },
      onHalf: () => step("leaf.sent.half"),
      onSent: () => step("leaf.sent"),
      onStuck: () => events.tell("stuck", path),
    });
    const claim: Claim = { path, bytes, transfer, startedAt: clock.monotonic() };
    this.#claims.set(row.id, claim);
    this.#claimed.set(path, row.id);
    this.parallel.started(bytes);
    this.#job(async () => {
      let end: LeafEnd = {};
      try {
        end = await sendLeaf(this.#core, row.id, path, transfer);
      } finally {
        this.#claims.delete(row.id);
        this.#claimed.delete(path);
        const now = clock.monotonic();
        const took = end.sent === true ? now - claim.startedAt : undefined;
        this.parallel.ended(bytes, took, end.error?.code === "rate-limited", now, settings().maxParallel);
      }
      if (end.doubt !== undefined) this.#hold(end.doubt);
      if (end.error !== undefined) this.pauses.failed(end.error, path);
      else if (row.kind !== ABSENT || end.sent === true) this.pauses.succeeded(end.sent === true);
    }, this.#leafIsInDoubt(row.id));
  }

  // Time

  /** One timer, for whatever comes next. */
  #arm(): void {
    if (this.#ended) return;
    const { journal, clock, barriers, settings } = this.#core;
    const now = clock.now();
    const mono = clock.monotonic();
    const looked = this.#looked;
    const waits: number[] = [];
    const due = journal.get<{ due: number | null }>(
      "select min(due) as due from node where dirty = 1 and wait is null and due is not null and due > ?",
      looked.now,
    )?.due;
    if (due !== null && due !== undefined) waits.push(due - now);
    for (const { due: at, seq } of barriers.all) if (at !== null && at > looked.now && at < PARKED_DUE && !this.#barriers.has(seq)) waits.push(at - now);
    // One that is over waits for something else, a pause or a free place: a timer of 0 ms would spin until that came.
    for (const at of this.#holds.values()) if (at > looked.monotonic) waits.push(at - mono);
    for (const { at } of this.#retries.values()) if (at > looked.monotonic) waits.push(at - mono);
    const next = this.pauses.nextAfter(looked.monotonic);
    if (next !== undefined) waits.push(next - mono);
    for (const { transfer } of this.#claims.values()) if (transfer.deadline !== undefined) waits.push(transfer.deadline - mono);
    if (this.running > 0) waits.push(settings().heartbeatMs / 4);
    if (waits.length > 0) this.#sleepUntil(mono + Math.max(GATHER_MS, Math.min(...waits)));
  }

  #sleepUntil(at: number): void {
    if (this.#ended) return;
    const { clock } = this.#core;
    // The two clocks do not tick together: a millisecond sooner is no reason to begin anew.
    if (at >= this.#timerAt - 1 && this.#timer !== undefined) return;
    this.#timer?.abort();
    const timer = new AbortController();
    this.#timer = timer;
    this.#timerAt = at;
    clock.sleep(at - clock.monotonic(), timer.signal, { background: this.#keepsAlive === 0 }).then(
      () => {
        if (this.#timer !== timer) return;
        this.#timer = undefined;
        this.#timerAt = Infinity;
        this.wake();
      },
      () => {},
    );
  }

  #rearm(): void {
    this.#timer?.abort();
    this.#timer = undefined;
    this.#timerAt = Infinity;
    this.#arm();
  }
}
