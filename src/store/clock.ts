/** Time, injected: the system's clock, and one that stands still for tests. */

/** All time comes from here: no Date.now, no setTimeout, no AbortSignal.timeout in providers and layers (a manual clock cannot see those). */
export interface Clock {
  /** Milliseconds since 1970. May jump. */
  now(): number;
  /** Milliseconds of something that never jumps: for durations. */
  monotonic(): number;
  /** Rejects with the reason of the signal. Keeps the process alive, unless `background`: for timers that no caller waits for. */
  sleep(ms: number, signal?: AbortSignal | undefined, options?: { readonly background?: boolean | undefined }): Promise<void>;
}

/** Part of the options of every provider and layer that needs one of them. */
export interface Injected {
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** The longest time a Node timer takes; longer ones would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal, options) {
    for (let left = duration(ms); ; left -= LONGEST_TIMER_MS) {
      await timer(Math.min(left, LONGEST_TIMER_MS), signal, options?.background === true);
      if (left <= LONGEST_TIMER_MS) return;
    }
  },
};

/** A time that is not a number would end at once, or never. */
function duration(ms: number): number {
  if (typeof ms !== "number" || Number.isNaN(ms)) throw new TypeError("a time is a number of milliseconds");
  return Math.max(0, ms);
}

function timer(ms: number, signal: AbortSignal | undefined, background: boolean): Promise<void> {
  return new Promise((done, fail) => {
    if (signal?.aborted === true) return fail(signal.reason as Error);
    const stop = (): void => {
      clearTimeout(handle);
      fail(signal?.reason as Error);
    };
    const handle = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      done();
    }, ms);
    if (background) handle.unref();
    signal?.addEventListener("abort", stop, { once: true });
  });
}

interface Sleeper {
  readonly due: number;
  readonly wake: () => void;
}

/** Stands still until told: `advance` wakes sleepers in order and lets what they started settle. */
export function manualClock(startMs = 0): Clock & { advance(ms: number): Promise<void> } {
  let elapsed = 0;
  const sleepers = new Set<Sleeper>();
  const next = (until: number): Sleeper | undefined => {
    let first: Sleeper | undefined;
    for (const sleeper of sleepers) if (sleeper.due <= until && (first === undefined || sleeper.due < first.due)) first = sleeper;
    return first;
  };
  return {
    now: () => startMs + elapsed,
    monotonic: () => elapsed,
    sleep: (ms, signal) =>
      new Promise((done, fail) => {
        if (signal?.aborted === true) return fail(signal.reason as Error);
        const stop = (): void => {
          sleepers.delete(sleeper);
          fail(signal?.reason as Error);
        };
        const sleeper: Sleeper = {
          due: elapsed + duration(ms),
          wake: () => {
            signal?.removeEventListener("abort", stop);
            done();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", stop, { once: true });
      }),
    async advance(ms) {
      const until = elapsed + duration(ms);
      await settle();
      for (let sleeper = next(until); sleeper !== undefined; sleeper = next(until)) {
        sleepers.delete(sleeper);
        elapsed = Math.max(elapsed, sleeper.due);
        sleeper.wake();
        await settle();
      }
      elapsed = until;
      await settle();
    },
  };
}

/** Lets promises and callbacks that are ready run: three turns of the event loop, since a callback of one may start the next. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((done) => setImmediate(done));
}
