/** The time of a program: stands still until told, jumps from sleeper to sleeper, and ends for a store whose process died. */
import type { Clock } from "../../../../src/store/index.ts";

interface Sleeper {
  readonly owner: symbol;
  readonly dueMs: number;
  readonly wake: () => void;
}
/** The clock as one process sees it. After `stop` none of its sleepers wakes any more, as in a process that was killed. */
export interface ProcessClock extends Clock {
  stop(): void;
}

/** The 26th of November 2026: any moment that is later than what the remote held before the program began. */
const STARTS_AT_MS = 1_795_700_000_000;

export class ProgramClock {
  #elapsedMs = 0;
  readonly #sleepers = new Set<Sleeper>();

  get elapsedMs(): number {
    return this.#elapsedMs;
  }
  get nowMs(): number {
    return STARTS_AT_MS + this.#elapsedMs;
  }

  process(): ProcessClock {
    const owner = Symbol("process");
    let stopped = false;
    return {
      now: () => this.nowMs,
      monotonic: () => this.#elapsedMs,
      sleep: (ms, signal) =>
        new Promise((done, fail) => {
          if (signal?.aborted === true) return fail(signal.reason as Error);
          if (stopped) return undefined;
          const leave = (): void => {
            this.#sleepers.delete(sleeper);
            fail(signal?.reason as Error);
          };
          const sleeper: Sleeper = {
            owner,
            dueMs: this.#elapsedMs + Math.max(0, ms),
            wake: () => {
              signal?.removeEventListener("abort", leave);
              done();
            },
          };
          this.#sleepers.add(sleeper);
          signal?.addEventListener("abort", leave, { once: true });
        }),
      stop: () => {
        stopped = true;
        for (const sleeper of this.#sleepers) if (sleeper.owner === owner) this.#sleepers.delete(sleeper);
      },
    };
  }

  /** Milliseconds until the next sleeper wakes; undefined where nobody sleeps. */
  untilNextMs(): number | undefined {
    const first = this.#first();
    return first === undefined ? undefined : Math.max(0, first.dueMs - this.#elapsedMs);
  }

  /** Wakes whoever sleeps until then, in order, and lets each run until it waits for something else. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#elapsedMs + ms;
    await quiet();
    for (let first = this.#first(); first !== undefined && first.dueMs <= untilMs; first = this.#first()) {
      this.#sleepers.delete(first);
      this.#elapsedMs = Math.max(this.#elapsedMs, first.dueMs);
      first.wake();
      await quiet();
    }
    this.#elapsedMs = untilMs;
    await quiet();
  }

  #first(): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) if (first === undefined || sleeper.dueMs < first.dueMs) first = sleeper;
    return first;
  }
}

/**
 * Until nothing runs any more but what waits for the clock or for the remote: no promise is ready and no call is with the thread pool of Node
 * (file system, compression). So a program takes the same course each time, however slow the disk is.
 */
export async function quiet(): Promise<void> {
  for (let calm = 0; calm < 3;) {
    await new Promise((done) => setImmediate(done));
    calm = process.getActiveResourcesInfo().some(isWork) ? 0 : calm + 1;
  }
}

/** FSReqPromise, FSReqCallback, CloseReq (of file handles), ZlibContext. */
function isWork(resource: string): boolean {
  return resource.includes("Req") || resource.startsWith("Zlib");
}
