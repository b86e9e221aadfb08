/** Turns: so many commands at once, so many at one host; the first to come is the first to go. */
import { abortError } from "../../store/index.ts";

class Semaphore {
  readonly #waiting: (() => void)[] = [];
  #inUse = 0;

  async take(most: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) throw abortError(signal, { applied: false });
    if (this.#inUse < most) {
      this.#inUse += 1;
      return;
    }
    await new Promise<void>((go, stop) => {
      const leave = (): void => {
        const at = this.#waiting.indexOf(wake);
        if (at >= 0) this.#waiting.splice(at, 1);
        stop(abortError(signal as AbortSignal, { applied: false }));
      };
      const wake = (): void => {
        signal?.removeEventListener("abort", leave);
        go();
      };
      this.#waiting.push(wake);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  /** The turn goes to the next in line as it is. */
  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#inUse -= 1;
    else next();
  }
}

export class Slots {
  readonly #all = new Semaphore();
  readonly #hosts = new Map<string, Semaphore>();

  /** The host first: who waits for a host holds nobody else up. */
  async run<T>(
    host: string,
    { all, perHost }: { readonly all: number; readonly perHost: number },
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    let own = this.#hosts.get(host);
    if (own === undefined) this.#hosts.set(host, (own = new Semaphore()));
    await own.take(perHost, signal);
    try {
      await this.#all.take(all, signal);
      try {
        return await work();
      } finally {
        this.#all.give();
      }
    } finally {
      own.give();
    }
  }
}
