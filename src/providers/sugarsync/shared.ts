/** Work that several callers wait for: who gives up stops waiting, and the work is broken off when nobody waits any more. */
import { StoreError } from "../../store/index.ts";

export class Shared<T> {
  readonly #work: Promise<T>;
  readonly #stop = new AbortController();
  #waiting = 0;
  /** Once it is there. */
  value: T | undefined;
  /** Resolves if the work fails; never otherwise. */
  readonly failed: Promise<void>;

  constructor(start: (signal: AbortSignal) => Promise<T>) {
    this.#work = start(this.#stop.signal).then((value) => (this.value = value));
    this.failed = new Promise((done) => {
      this.#work.catch(() => done());
    });
  }

  async wait(signal: AbortSignal | undefined): Promise<T> {
    if (this.value !== undefined) return this.value;
    const { promise: given, reject } = Promise.withResolvers<never>();
    const stop = (): void => reject(new StoreError("aborted", "the caller gave up before the call began", { applied: false, cause: signal?.reason }));
    if (signal?.aborted === true) stop();
    else signal?.addEventListener("abort", stop, { once: true });
    this.#waiting++;
    try {
      return await Promise.race([this.#work, given]);
    } finally {
      signal?.removeEventListener("abort", stop);
      if (--this.#waiting === 0 && this.value === undefined) this.#stop.abort(new StoreError("unavailable", "nobody waits any more", { applied: false }));
    }
  }
}
