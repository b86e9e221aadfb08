/** How many uploads run at once: found by what the remote does with them, between 3 and the maximum. */
import type { Capabilities } from "../../store/index.ts";

const START = 8;
const LEAST = 3;
/** An upload up to this size costs 1; its time says how busy the service is. */
export const SMALL_BYTES = 100_000;
const TIMED_BYTES = 65_536;
const GROWTH_OF_SMALLEST = 1.00005;

export class Parallel {
  readonly #preferred: number;
  /** A layer below groups calls: small bodies wait there, and are many. */
  readonly groups: boolean;
  #limit = START;
  #used = 0;
  #running = 0;
  #grouped = 0;
  #groupedBytes = 0;
  #smallest = Infinity;
  #times: number[] = [];
  #refused = false;
  #lookedAt = 0;

  constructor({ concurrency }: Pick<Capabilities, "concurrency">) {
    this.#preferred = concurrency;
    this.groups = concurrency >= 1000;
  }

  /** Now in force. */
  limit(maxParallel: number): number {
    return Math.min(this.#limit, maxParallel, this.#preferred);
  }

  #isGrouped(bytes: number): boolean {
    return this.groups && bytes <= SMALL_BYTES;
  }

  mayStart(bytes: number, maxParallel: number): boolean {
    if (this.#isGrouped(bytes)) return this.#grouped < this.#preferred / 2 && this.#groupedBytes + bytes <= 64 << 20;
    const limit = this.limit(maxParallel);
    return this.#running < Math.min(LEAST, limit) || this.#used + costOf(bytes) <= limit;
  }

  started(bytes: number): void {
    if (this.#isGrouped(bytes)) {
      this.#grouped++;
      this.#groupedBytes += bytes;
      return;
    }
    this.#running++;
    this.#used += costOf(bytes);
  }

  /** `ms`: of an upload that succeeded; undefined for all else. */
  ended(bytes: number, ms: number | undefined, refused: boolean, nowMs: number, maxParallel: number): void {
    if (this.#isGrouped(bytes)) {
      this.#grouped--;
      this.#groupedBytes -= bytes;
      return;
    }
    this.#running--;
    this.#used -= costOf(bytes);
    this.#refused ||= refused;
    if (ms !== undefined && bytes <= TIMED_BYTES) {
      this.#times.push(ms);
      // One lucky value is forgotten in time.
      this.#smallest = Math.min(this.#smallest * GROWTH_OF_SMALLEST, Math.max(ms, 0.01));
    }
    if (nowMs - this.#lookedAt >= 1000) this.#adapt(nowMs, maxParallel);
  }

  #adapt(nowMs: number, maxParallel: number): void {
    const times = this.#times.sort((a, b) => a - b);
    const median = times[Math.floor(times.length / 2)] ?? 0;
    if (this.#refused) this.#limit = Math.max(LEAST, 0.7 * this.#limit);
    else if (times.length < 4) this.#limit++;
    else if (median > 2.5 * this.#smallest) this.#limit = Math.max(LEAST, 0.9 * this.#limit);
    else if (median < 1.7 * this.#smallest) this.#limit += Math.max(1, 0.1 * this.#limit);
    this.#limit = Math.min(this.#limit, maxParallel);
    this.#times = [];
    this.#refused = false;
    this.#lookedAt = nowMs;
  }
}

export function costOf(bytes: number): number {
  return bytes <= SMALL_BYTES ? 1 : 1 + bytes / (1 << 20);
}
