/**
 * One at a time for each key, first come, first served: `await turns.take(path, signal, () => move())`.
 *
 * For what a server does in two steps, such as rclone's MOVE onto a file: the target is deleted, then the source renamed. Of two at once both may delete
 * and one fail, and what the other had stored is gone. Writers of other processes are not held off.
 */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Rejects with the reason of the signal where that fires while it waits; then nothing was done. */
  async take<T>(key: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const { promise: mine, resolve: done } = Promise.withResolvers<void>();
    this.#last.set(key, mine);
    try {
      if (before !== undefined) await unlessAborted(before, signal);
      return await work();
    } finally {
      // Who left early does not let the next one in before whoever has the turn is done.
      void (before ?? Promise.resolve()).then(() => {
        if (this.#last.get(key) === mine) this.#last.delete(key);
        done();
      });
    }
  }
}

function unlessAborted(wait: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return wait;
  return new Promise((done, fail) => {
    const left = (): void => fail(signal.reason as Error);
    if (signal.aborted) return left();
    signal.addEventListener("abort", left, { once: true });
    void wait.then(() => {
      signal.removeEventListener("abort", left);
      done();
    });
  });
}
