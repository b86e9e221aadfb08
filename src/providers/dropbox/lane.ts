/**
 * What all stores of one account in this process share: one commit at a time, and one pause when the service asks to slow down.
 *
 * Dropbox lets one writer at a time into a namespace and answers `too_many_write_operations` to the others; and it counts requests by account.
 */
import { StoreError, unlessAborted } from "../../store/index.ts";
import type { Clock } from "../../store/index.ts";

export class Lane {
  readonly #clock: Clock;
  #until = -Infinity;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  users = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Somebody commits, or waits for it. */
  get busy(): boolean {
    return this.#waiting > 0;
  }

  /** The service named a wait: nobody asks before it is over. */
  pause(ms: number): void {
    this.#until = Math.max(this.#until, this.#clock.monotonic() + ms);
  }

  /** Waits until the pause is over. @throws StoreError `rate-limited` where that is longer than anybody wants to wait */
  async pass(longestMs: number, signal: AbortSignal | undefined): Promise<void> {
    for (let left = this.#until - this.#clock.monotonic(); left > 0; left = this.#until - this.#clock.monotonic()) {
      if (left > longestMs)
        throw new StoreError("rate-limited", "the service asked this account to wait longer than a call may", {
          retryAfterMs: Math.ceil(left),
          applied: false,
        });
      await this.#clock.sleep(left, signal);
    }
  }

  /** Commits in turn, first come, first served. Rejects with the reason of the signal where that fires while it waits. */
  async turn<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    this.#waiting += 1;
    try {
      await unlessAborted(before, signal);
      return await work();
    } finally {
      this.#waiting -= 1;
      // Who left early does not let the next one in before whoever has the turn is done.
      void before.then(resolve);
    }
  }
}

/** By clock, so that a test with a clock of its own shares nothing with others. */
const lanes = new WeakMap<Clock, Map<string, Lane>>();

/** `account`: what tells accounts apart without being a secret in the clear. */
export function enterLane(clock: Clock, account: string): Lane {
  const all = lanes.get(clock) ?? new Map<string, Lane>();
  lanes.set(clock, all);
  const lane = all.get(account) ?? new Lane(clock);
  all.set(account, lane);
  lane.users += 1;
  return lane;
}

export function leaveLane(clock: Clock, account: string, lane: Lane): void {
  lane.users -= 1;
  if (lane.users === 0) lanes.get(clock)?.delete(account);
}
