/**
 * Group commit: calls join the open group, which is sealed when it is full or old, sent as one archive, and answers them all. Bodies are complete before
 * they join, so one that fails is its own caller's trouble.
 */
import { StoreError, hasCode, undone } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import { Conflicts } from "./conflicts.ts";
import type { Core } from "./core.ts";
import type { Change, Outcome } from "./evaluate.ts";
import { Group, bytesOf, pathsOf } from "./group.ts";
import type { Pending } from "./group.ts";
import { Sealer } from "./sealer.ts";
import { Semaphore, aborted, orAborted } from "./semaphore.ts";
import type { Uploads } from "./uploads.ts";

/** What a group needs of the rest of the layer. */
export interface GroupHelp {
  /** Before a seal: the view is complete and young. */
  ready(): Promise<void>;
  /** Writes the bytes of these paths into archives of this installation. */
  take(paths: readonly StorePath[]): Promise<void>;
}

/** Takes of one copy, before it is somebody else's constant change that is to blame. */
const MOST_ROUNDS = 5;

export class Groups {
  readonly #core: Core;
  readonly #sealer: Sealer;
  readonly #help: GroupHelp;
  readonly #slots: Semaphore;
  readonly conflicts: Conflicts = new Conflicts();
  #open: Group | undefined;
  #hurrying = false;
  /** Closed and not settled, oldest first. */
  readonly #running = new Set<Group>();
  /** In the order in which they came. */
  #waiting: Pending[] = [];
  /** All that have no answer yet. */
  readonly #pending = new Set<Pending>();
  /** Bytes that are being taken over for copies and moves. */
  readonly #taking = new Set<Promise<void>>();
  readonly counts: { sealedFull: number; sealedByAge: number; sent: number; sentMembers: number } = { sealedFull: 0, sealedByAge: 0, sent: 0, sentMembers: 0 };

  constructor(core: Core, uploads: Uploads, help: GroupHelp) {
    this.#core = core;
    this.#sealer = new Sealer(core, uploads);
    this.#help = help;
    this.#slots = new Semaphore(() => core.settings.uploads);
    core.ended.addEventListener("abort", () => this.#end(), { once: true });
  }

  get openMembers(): number {
    return this.#open?.size ?? 0;
  }
  get openBytes(): number {
    return this.#open?.bytes ?? 0;
  }

  /** A place among the uploads, for a repack. */
  slot(): Promise<() => void> {
    return this.#slots.acquire(1, this.#core.ended);
  }

  /** Resolves when its archive is stored. */
  submit(change: Change, signal: AbortSignal | undefined): Promise<Entry | undefined> {
    return new Promise((done, fail) => {
      const stop = (): void => this.#leave(pending, signal as AbortSignal);
      const pending: Pending = {
        change,
        paths: pathsOf(change),
        state: "waiting",
        left: false,
        rounds: 0,
        settle: (outcome) => {
          if (pending.state === "done") return;
          pending.state = "done";
          this.#pending.delete(pending);
          signal?.removeEventListener("abort", stop);
          if ("error" in outcome) fail(outcome.error);
          else done(outcome.done);
        },
      };
      if (signal?.aborted === true) return pending.settle({ error: aborted(signal) });
      signal?.addEventListener("abort", stop, { once: true });
      this.#pending.add(pending);
      this.#enter(pending);
    });
  }

  /** The store is closed and waits no longer. */
  #end(): void {
    for (const pending of this.#pending) {
      const applied = pending.state === "sealed" ? "unknown" : false;
      this.#remove(pending);
      pending.settle({ error: new StoreError("closed", "the store was closed", { applied }) });
    }
  }

  /** Before the seal it is taken out, as if it had never been; afterwards nobody knows. */
  #leave(pending: Pending, signal: AbortSignal): void {
    const sealed = pending.state === "sealed";
    pending.left = sealed;
    this.#remove(pending);
    pending.settle({ error: sealed ? aborted(signal).with({ applied: this.#core.rules.appliedAfterSeal(), cause: signal.reason }) : aborted(signal) });
  }

  #remove(pending: Pending): void {
    if (pending.state === "waiting") this.#waiting = this.#waiting.filter((one) => one !== pending);
    if (pending.state !== "joined") return;
    for (const group of this.#running) group.remove(pending);
    if (this.#open === undefined) return;
    this.#open.remove(pending);
    if (this.#open.size > 0) return;
    // An empty group costs nothing, not even a timer.
    this.#open.timer.abort();
    this.#open.markSettled();
    this.#open = undefined;
  }

  #enter(pending: Pending): void {
    if (pending.paths.some((path) => this.conflicts.has(path))) {
      pending.state = "waiting";
      this.#waiting.push(pending);
      return;
    }
    const { maxBytes, maxMembers } = this.#core.settings;
    const open = this.#open;
    if (open !== undefined && open.size > 0 && open.bytes + bytesOf(pending.change) > maxBytes) this.#close("sealedFull");
    this.#open ??= this.#begin();
    this.#open.add(pending);
    this.#core.step("joined");
    if (this.#open.size >= maxMembers || this.#open.bytes >= maxBytes) this.#close("sealedFull");
  }

  #begin(): Group {
    const group = new Group();
    const { clock, ended, settings } = this.#core;
    const old = (): void => {
      if (this.#open === group) this.#close("sealedByAge");
    };
    if (settings.maxDelayMs === 0 || this.#hurrying) setImmediate(old);
    else clock.sleep(settings.maxDelayMs, AbortSignal.any([group.timer.signal, ended])).then(old, () => {});
    return group;
  }

  /** Nobody joins any more; sealed and sent as soon as there is room. */
  #close(why: "sealedFull" | "sealedByAge" | "flushed"): void {
    const group = this.#open;
    if (group === undefined) return;
    this.#open = undefined;
    group.timer.abort();
    if (why !== "flushed") this.counts[why]++;
    const paths = group.pending.flatMap((one) => one.paths);
    for (const path of paths) this.conflicts.add(path);
    this.#running.add(group);
    void this.#run(group).finally(() => {
      this.#running.delete(group);
      for (const path of paths) this.conflicts.remove(path);
      group.markSettled();
      this.drain();
    });
  }

  /** The store is closing: no group waits for company any more. */
  hurry(): void {
    this.#hurrying = true;
    this.#close("flushed");
  }

  /** Calls that waited for a path join now, in their order. */
  drain(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const pending of waiting) if (pending.state === "waiting") this.#enter(pending);
  }

  /** Sends what is open; resolves when everything that had joined by now is answered, or failed: its calls say so. */
  async flush(): Promise<void> {
    for (;;) {
      this.#close("flushed");
      const running = [...this.#running].map((group) => group.settled);
      if (running.length + this.#taking.size === 0) return;
      await Promise.all([...running, ...this.#taking]);
    }
  }

  /**
   * Before a question that wants the truth: what was left in the middle, at this path, above or below it, has arrived or failed. Until then nobody can say what
   * is there, and who was told "unknown" would take its own later version for somebody else's.
   */
  async known(path: StorePath, signal: AbortSignal | undefined): Promise<void> {
    if (!this.#core.rules.freshAwaitsLeft) return;
    for (const group of this.#running) if (group.wasLeftAt(path)) await orAborted(group.settled, signal);
  }

  /** Before a body streams to a path: what has joined there goes first, what is on its way has arrived, and from now on others wait. */
  async reserve(path: StorePath, signal: AbortSignal): Promise<void> {
    for (;;) {
      if (this.#open?.touches(path) === true) this.#close("flushed");
      if (!this.conflicts.has(path)) return this.conflicts.add(path);
      await this.conflicts.changed(signal);
    }
  }

  free(path: StorePath): void {
    this.conflicts.remove(path);
    this.drain();
  }

  async #run(group: Group): Promise<void> {
    let release: (() => void) | undefined;
    try {
      release = await this.slot();
      await this.#help.ready();
      await this.#sealAndSend(group);
    } catch (error) {
      for (const pending of group.pending) pending.settle({ error });
    } finally {
      release?.();
    }
  }

  async #sealAndSend(group: Group): Promise<void> {
    const pending = group.pending.filter(({ state }) => state === "joined");
    if (pending.length === 0) return;
    const { archive, outcomes } = this.#sealer.seal(pending.map(({ change }) => change));
    const done: { readonly pending: Pending; readonly entry: Entry | undefined }[] = [];
    outcomes.forEach((outcome, i) => {
      const one = pending[i] as Pending;
      if ("done" in outcome) done.push({ pending: one, entry: outcome.done });
      else this.#notDone(group, one, outcome);
    });
    if (archive !== undefined) {
      for (const { pending: one } of done) one.state = one.state === "joined" ? "sealed" : one.state;
      this.#core.step("sealed");
      try {
        await this.#sealer.send(archive);
      } catch (error) {
        for (const { pending: one } of done) one.settle({ error });
        return;
      }
      this.counts.sent++;
      this.counts.sentMembers += archive.records.length;
    }
    for (const { pending: one, entry } of done) one.settle({ done: entry });
    this.#core.step("resolved");
  }

  #notDone(group: Group, pending: Pending, outcome: Exclude<Outcome, { readonly done: unknown }>): void {
    group.remove(pending);
    if ("refused" in outcome) return pending.settle({ error: outcome.refused });
    pending.state = "waiting";
    if ("later" in outcome) {
      // Its own group still holds its paths: it joins when that one has settled.
      this.#waiting.push(pending);
      return;
    }
    const taking = this.#takeFor(pending, outcome.take).finally(() => this.#taking.delete(taking));
    this.#taking.add(taking);
  }

  async #takeFor(pending: Pending, paths: readonly StorePath[]): Promise<void> {
    try {
      if (++pending.rounds > MOST_ROUNDS) throw new StoreError("conflict", "the files change all the time", { applied: false });
      await this.#help.take(paths);
      this.#core.step("taken");
      if (pending.state === "waiting") this.#enter(pending);
    } catch (error) {
      // Nothing of the copy or move has begun. What is listed and cannot be found is not a file that is not there.
      const gone = hasCode(error, "not-found") ? new StoreError("unavailable", "the archive of a file cannot be found", { cause: error }) : error;
      pending.settle({ error: undone(gone) });
    }
  }
}
