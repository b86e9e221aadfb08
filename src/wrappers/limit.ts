/**
 * At most so many operations at once, each counted until its body ends: `limit({ concurrency: 8 })`.
 *
 *   const store = stack(webdav({ url }), limit());                  // what the service prefers
 *   await store.layers.limit.configure({ concurrency: 2 });         // in force at once
 */
import { StoreError, control, kindOf, layer, observe, setting, uniform } from "../store/index.ts";
import type { Call, Control, Kind, Layer, Operation, StorePath } from "../store/index.ts";

export interface LimitSettings {
  /** Operations at once; questions and reads on one side, changes on the other, so many each. At least 1. Default: what the store below prefers. */
  readonly concurrency: number;
}
export interface LimitControl extends Control<LimitSettings> {
  /** Calls that have not started yet. */
  readonly waiting: number;
}

/**
 * First come, first served. A call whose signal fires while it waits leaves the queue with `aborted` or `timeout`, `applied` false.
 * The result of a read holds its place until it is read to its end, fails or is closed. Two pools, because a write may stream from a read of the
 * same store: with one, eight such copies at once would wait for each other for ever. Who keeps `concurrency` results open and asks for one more in
 * between waits all the same; `report()` names the body that is open the longest.
 */
export function limit(given: Partial<LimitSettings> = {}): Layer<"limit", LimitControl> {
  return layer("limit", (inner) => {
    const preferred = Number.isFinite(inner.capabilities.concurrency) ? inner.capabilities.concurrency : 1000;
    const base = control<LimitSettings>(
      "limit",
      { concurrency: setting.count("operations at once, for reads and for changes each", preferred, { min: 1 }) },
      given,
      ({ concurrency }) => {
        for (const pool of [questions, changes]) pool.resize(concurrency);
      },
    );
    const questions = new Pool(base.settings.concurrency);
    const changes = new Pool(base.settings.concurrency);
    return {
      control: controlOf(base, questions, changes),
      describe: () => `concurrency=${base.settings.concurrency}`,
      backend: uniform(inner, {
        async around(call, next) {
          const pool = CHANGES.has(call.operation) ? changes : questions;
          const held = pool.hold(call) ?? (await pool.wait(call));
          const reply = await observe(call, next, { end: () => pool.release(held) });
          return reply;
        },
        async read(call, next) {
          const held = questions.hold(call) ?? (await questions.wait(call));
          const reply = await observe(call, next, { end: () => questions.release(held) });
          // What is in memory asks nothing of the service any more, and nobody has to close it.
          if (reply.body.inMemory) questions.release(held);
          return reply;
        },
      }),
    };
  });
}

export const Limit: Kind<LimitControl> = kindOf("limit");

const CHANGES: ReadonlySet<Operation> = new Set<Operation>(["write", "delete", "mkdir", "copy", "move"]);

function controlOf(base: Control<LimitSettings>, questions: Pool, changes: Pool): LimitControl {
  return {
    kind: base.kind,
    get settings() {
      return base.settings;
    },
    configure: (patch) => base.configure(patch),
    flush: (options) => base.flush(options),
    get waiting() {
      return questions.waiting + changes.waiting;
    },
    report() {
      const oldest = questions.oldest;
      return {
        concurrency: base.settings.concurrency,
        reading: questions.running,
        changing: changes.running,
        waiting: questions.waiting + changes.waiting,
        ...(oldest === undefined ? undefined : { oldestReader: oldest }),
      };
    },
  };
}

/** One place in a pool. */
interface Held {
  readonly path: StorePath;
}
interface Waiter {
  readonly held: Held;
  start(): void;
}

class Pool {
  #size: number;
  /** In the order in which they started. */
  readonly #running = new Set<Held>();
  readonly #queue: Set<Waiter> = new Set();

  constructor(size: number) {
    this.#size = size;
  }

  get running(): number {
    return this.#running.size;
  }
  get waiting(): number {
    return this.#queue.size;
  }
  get oldest(): StorePath | undefined {
    for (const { path } of this.#running) return path;
    return undefined;
  }

  /** A place at once; undefined where there is none. No promise while nobody waits. */
  hold({ path }: Call): Held | undefined {
    // Nobody waits while there is room: a place that comes free is given away at once.
    if (this.#running.size >= this.#size) return undefined;
    const held = { path };
    this.#running.add(held);
    return held;
  }

  wait({ path, signal }: Call): Promise<Held> {
    return new Promise((done, fail) => {
      if (signal?.aborted === true) return fail(gaveUp(signal));
      const waiter: Waiter = {
        held: { path },
        start: () => {
          signal?.removeEventListener("abort", leave);
          done(waiter.held);
        },
      };
      const leave = (): void => {
        this.#queue.delete(waiter);
        fail(gaveUp(signal as AbortSignal));
      };
      this.#queue.add(waiter);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  /** Twice is once. */
  release(held: Held): void {
    if (this.#running.delete(held)) this.#startWaiting();
  }

  resize(size: number): void {
    this.#size = size;
    this.#startWaiting();
  }

  #startWaiting(): void {
    for (const waiter of this.#queue) {
      if (this.#running.size >= this.#size) return;
      this.#queue.delete(waiter);
      this.#running.add(waiter.held);
      waiter.start();
    }
  }
}

function gaveUp(signal: AbortSignal): StoreError {
  const { reason } = signal as { readonly reason: unknown };
  const late = typeof reason === "object" && reason !== null && (reason as { readonly name?: unknown }).name === "TimeoutError";
  return new StoreError(late ? "timeout" : "aborted", "the caller gave up while the call waited for its turn", { applied: false, cause: reason });
}
