/** Room for so much at once: first come, first served. */
import { StoreError } from "../../store/index.ts";

interface Waiter {
  readonly amount: number;
  readonly go: () => void;
}

export class Semaphore {
  readonly #limit: () => number;
  readonly #waiting: Waiter[] = [];
  #used = 0;

  /** The limit may change while it is used. */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** Resolves to what gives the room back. More than there ever is waits until nobody else has any. */
  async acquire(amount: number, signal?: AbortSignal | undefined): Promise<() => void> {
    if (signal?.aborted === true) throw aborted(signal);
    if (this.#waiting.length > 0 || !this.#fits(amount))
      await new Promise<void>((go, fail) => {
        const stop = (): void => {
          this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
          fail(aborted(signal as AbortSignal));
          this.#next();
        };
        const waiter: Waiter = {
          amount,
          go: () => {
            signal?.removeEventListener("abort", stop);
            go();
          },
        };
        this.#waiting.push(waiter);
        signal?.addEventListener("abort", stop, { once: true });
      });
    else this.#used += amount;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#used -= amount;
      this.#next();
    };
  }

  #fits(amount: number): boolean {
    return this.#used === 0 || this.#used + amount <= this.#limit();
  }

  /** Taken for them here, so that nobody comes in between. */
  #next(): void {
    for (let first = this.#waiting[0]; first !== undefined && this.#fits(first.amount); first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#used += first.amount;
      first.go();
    }
  }
}

/** Nothing has been sent for who waits. */
export function aborted(signal: AbortSignal): StoreError {
  const reason: unknown = signal.reason;
  const late = typeof reason === "object" && reason !== null && (reason as { readonly name?: unknown }).name === "TimeoutError";
  return new StoreError(late ? "timeout" : "aborted", "the caller gave up", { cause: reason, applied: false });
}

/** Who waits leaves when its signal fires; the work goes on for the others. */
export function orAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work;
  return new Promise((done, fail) => {
    const leave = (): void => fail(aborted(signal));
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
    work.then(done, fail).finally(() => signal.removeEventListener("abort", leave));
  });
}
