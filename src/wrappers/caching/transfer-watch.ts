/** One running request: its progress, and its end when no byte moves or no answer comes. */
import { StoreError } from "../../store/index.ts";
import type { Clock } from "../../store/index.ts";

/** An aborted call that does not end within this time is left behind; whatever it answers later is not heard. */
const LEFT_BEHIND_MS = 30_000;
/** The reason that AbortController makes by itself has a stack trace: a twentieth of the processor time of a small upload. */
const OVER = "the transfer is over";

export interface TransferOptions {
  readonly clock: Clock;
  readonly ended: AbortSignal;
  readonly stallMs: () => number;
  /** Infinity where a layer below groups calls and bounds its own uploads. */
  readonly answerMs: () => number;
  readonly onProgress: (bytes: number, total: number | null) => void;
  readonly onHalf: () => void;
  readonly onSent: () => void;
  readonly onStuck: () => void;
}

export class Transfer {
  readonly #options: TransferOptions;
  readonly #abort = new AbortController();
  readonly total: number | null;
  sent = 0;
  #half = false;
  #movedAt: number | undefined;
  #waiting = false;

  constructor(total: number | null, options: TransferOptions) {
    this.#options = options;
    this.total = total;
  }

  get aborted(): boolean {
    return this.#abort.signal.aborted;
  }

  abort(reason: unknown): void {
    this.#abort.abort(reason);
  }

  moved(bytes: number, total: number | null): void {
    this.sent = bytes;
    this.#movedAt = this.#options.clock.monotonic();
    this.#options.onProgress(bytes, total);
    if (!this.#half && this.total !== null && bytes * 2 >= this.total) {
      this.#half = true;
      this.#options.onHalf();
    }
    if (total !== null && bytes >= total) this.#options.onSent();
  }

  /** Monotonic; undefined: nothing is waited for now. */
  get deadline(): number | undefined {
    if (!this.#waiting || this.#movedAt === undefined || this.aborted) return undefined;
    const all = this.total === null || this.sent >= this.total;
    return this.#movedAt + (all ? this.#options.answerMs() : this.#options.stallMs());
  }

  /** Ends it where its time is over. */
  check(): void {
    const { deadline } = this;
    if (deadline !== undefined && this.#options.clock.monotonic() >= deadline) this.abort(new DOMException("no byte moved, or no answer came", "TimeoutError"));
  }

  async watched<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, ended, onStuck } = this.#options;
    const signal = AbortSignal.any([this.#abort.signal, ended]);
    this.#waiting = true;
    // What has no body waits for its answer from the start.
    if (this.total === null) this.#movedAt = clock.monotonic();
    const over = new AbortController();
    const stuck = new Promise<never>((_, fail) => {
      const leave = (): void => {
        clock.sleep(LEFT_BEHIND_MS, over.signal, { background: true }).then(
          () => {
            onStuck();
            fail(new StoreError("timeout", "a request did not end after it was aborted", { applied: "unknown" }));
          },
          () => {},
        );
      };
      if (signal.aborted) leave();
      else signal.addEventListener("abort", leave, { once: true, signal: over.signal });
    });
    try {
      return await Promise.race([call(signal), stuck]);
    } finally {
      over.abort(OVER);
      this.#waiting = false;
    }
  }
}
