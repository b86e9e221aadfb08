/** The hybrid clock that stamps come from: never behind what was seen, never the same time twice. */
import { StoreError } from "../../store/index.ts";
import type { Clock } from "../../store/index.ts";
import type { Manifest } from "./format/records.ts";
import { MAX_TIME_MS } from "./format/stamp.ts";
import type { Rules } from "./rules.ts";

export class HybridClock {
  readonly #clock: Clock;
  readonly #rules: Pick<Rules, "nextTime">;
  #lastMs = 0;
  #seenMs = 0;

  constructor(clock: Clock, rules: Pick<Rules, "nextTime">) {
    this.#clock = clock;
    this.#rules = rules;
  }

  /** What the index remembers. */
  restore(lastMs: number, seenMs: number): void {
    this.#lastMs = lastMs;
    this.#seenMs = seenMs;
  }

  get lastMs(): number {
    return this.#lastMs;
  }
  get seenMs(): number {
    return this.#seenMs;
  }
  /** How far the stamps are ahead of this machine's clock. */
  get aheadMs(): number {
    return Math.max(0, Math.max(this.#lastMs, this.#seenMs) - Math.floor(this.#clock.now()));
  }

  /** Every time of a manifest. */
  see({ timeMs, records, tombstones, claims }: Manifest): void {
    this.seeTime(timeMs);
    for (const { stamp } of records) this.seeTime(stamp[0]);
    for (const { upTo } of tombstones) this.seeTime(upTo[0]);
    for (const { stamp } of claims) this.seeTime(stamp[0]);
  }

  seeTime(timeMs: number): void {
    if (timeMs > this.#seenMs) this.#seenMs = timeMs;
  }

  tick(): number {
    const next = this.#rules.nextTime({ lastMs: this.#lastMs, nowMs: Math.max(0, Math.floor(this.#clock.now())), seenMs: this.#seenMs });
    if (next >= MAX_TIME_MS) throw new StoreError("config", "the clock of this archive stands too far in the future", { applied: false });
    this.#lastMs = next;
    return next;
  }
}
