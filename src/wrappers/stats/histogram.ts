/** Durations in 240 counters of fixed size: eight steps per power of two, so that a quantile is at most 6.25 % off, from a microsecond to an hour. */

const STEPS = 240;
/** The last value that has a step of its own: 71.6 minutes. What is longer is counted there. */
const LONGEST_US = 2 ** 32 - 1;

export interface Durations {
  readonly count: number;
  readonly sumMs: number;
  /** Null where nothing was counted: no duration is not a short one. Middle of the step in which it lies. */
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
}

export class Histogram {
  /** Doubles: they do not wrap. */
  readonly #counts = new Float64Array(STEPS);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }
  get sumMs(): number {
    return this.#sumMs;
  }

  add(ms: number): void {
    this.#count++;
    this.#sumMs += ms;
    if (ms > this.#maxMs) this.#maxMs = ms;
    const us = ms * 1000;
    const at = stepOf(us >= LONGEST_US ? LONGEST_US : us >>> 0);
    this.#counts[at] = (this.#counts[at] as number) + 1;
  }

  merge(other: Histogram): void {
    for (let i = 0; i < STEPS; i++) this.#counts[i] = (this.#counts[i] as number) + (other.#counts[i] as number);
    this.#count += other.#count;
    this.#sumMs += other.#sumMs;
    if (other.#maxMs > this.#maxMs) this.#maxMs = other.#maxMs;
  }

  /** In milliseconds; null of nothing. */
  quantile(share: number): number | null {
    if (this.#count === 0) return null;
    let left = Math.max(1, Math.ceil(share * this.#count));
    for (let i = 0; i < STEPS; i++) {
      left -= this.#counts[i] as number;
      // Never beyond what was really seen.
      if (left <= 0) return Math.min(this.#maxMs, middleOf(i) / 1000);
    }
    return this.#maxMs;
  }

  /** How many took less than so many microseconds, a power of two. Exact: powers of two are borders of steps. */
  below(us: number): number {
    let sum = 0;
    for (let i = 0; i < STEPS && startOf(i) < us; i++) sum += this.#counts[i] as number;
    return sum;
  }

  durations(): Durations {
    const { count, sumMs } = this;
    return {
      count,
      sumMs,
      p50Ms: this.quantile(0.5),
      p90Ms: this.quantile(0.9),
      p99Ms: this.quantile(0.99),
      maxMs: count === 0 ? null : this.#maxMs,
    };
  }
}

/** Whole microseconds, below 2^32. Up to 7 each is a step; then the exponent and the next three bits are its number. */
function stepOf(us: number): number {
  if (us < 8) return us;
  const exponent = 31 - Math.clz32(us);
  return ((exponent - 2) << 3) + ((us >>> (exponent - 3)) & 7);
}

function startOf(step: number): number {
  return step < 8 ? step : (8 + (step & 7)) * 2 ** ((step >> 3) - 1);
}

function middleOf(step: number): number {
  return step < 8 ? step : (startOf(step) + startOf(step + 1)) / 2;
}
