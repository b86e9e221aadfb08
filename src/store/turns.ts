/**
 * One at a time for each key, first come, first served: `await turns.take(path, signal, () => move())`. For what a service does in two steps, or a provider
 * by a look and a change after it. Writers of other processes are not held off.
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

  /** Both keys, always in the same order, so that two who want both never wait for each other. */
  both<T>(one: string, other: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    if (one === other) return this.take(one, signal, work);
    const [first, second] = one < other ? [one, other] : [other, one];
    return this.take(first, signal, () => this.take(second, signal, work));
  }
}

/** Rejects with the reason of the signal where that fires first; the work itself goes on. */
export function unlessAborted<T>(wait: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return wait;
  return new Promise((done, fail) => {
    const left = (): void => fail(signal.reason as Error);
    if (signal.aborted) return left();
    signal.addEventListener("abort", left, { once: true });
    wait.then(done, fail).finally(() => signal.removeEventListener("abort", left));
  });
}
