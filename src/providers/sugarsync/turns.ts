/** One at a time, by key: what two calls of this store must not do at once (make one folder twice, replace one file together). */
import { StoreError } from "../../store/index.ts";

export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** The signal ends the waiting, not the work. */
  async take<T>(key: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const { promise: mine, resolve: leave } = Promise.withResolvers<void>();
    const after = before.then(() => mine);
    this.#last.set(key, after);
    try {
      await before;
      if (signal?.aborted === true) throw new StoreError("aborted", "the caller gave up before the change began", { applied: false, cause: signal.reason });
      return await work();
    } finally {
      leave();
      if (this.#last.get(key) === after) this.#last.delete(key);
    }
  }
}
