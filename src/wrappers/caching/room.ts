/** The hard limit: what cannot leave may grow no further than this, so writers are slowed to the uploads, and never below a floor. */
import type { Clock } from "../../store/index.ts";
import type { Content } from "./content.ts";
import type { Events } from "./events.ts";
import { checkAbort, orGone } from "./gave-up.ts";
import type { CacheSettings } from "./options.ts";
import type { Rules } from "./rules.ts";

export interface RoomOptions {
  readonly content: Content;
  readonly rules: Rules;
  readonly clock: Clock;
  readonly events: Events;
  readonly settings: () => Readonly<CacheSettings>;
  readonly changed: (signal: AbortSignal) => Promise<void>;
}

export class Room {
  readonly #options: RoomOptions;
  /** First come, first served. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  get isOver(): boolean {
    return this.#held > this.#options.settings().hardLimitBytes;
  }

  get #held(): number {
    const { content, rules } = this.#options;
    return rules.hardLimitSparesClean ? content.pendingBytes : content.bytes;
  }

  /** Returns when so many bytes more may come: there is room, uploads have made as much, or the slowest rate allows it. */
  async wait(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    checkAbort(signal);
    const mine = this.#turn.then(() => this.#wait(bytes, signal));
    this.#turn = mine.catch(() => {});
    await orGone(mine, signal);
  }

  async #wait(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    const { content, clock, events, settings, changed } = this.#options;
    const { hardLimitBytes, hardLimitBytesPerSecond } = settings();
    if (this.#held + bytes <= hardLimitBytes || signal?.aborted === true) return;
    events.tell("limit", null, { bytes: this.#held, total: hardLimitBytes });
    const enough = content.settledBytes + bytes;
    const over = new AbortController();
    const stop = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
    const timer = { over: false };
    const slow = clock.sleep((bytes * 1000) / hardLimitBytesPerSecond, stop).then(
      () => void (timer.over = true),
      () => {},
    );
    try {
      while (!timer.over && content.settledBytes < enough && this.#held + bytes > settings().hardLimitBytes && !stop.aborted)
        await Promise.race([slow, changed(stop).catch(() => {})]);
    } finally {
      over.abort();
    }
  }
}
