/** Which paths are on their way: what touches one of them, or lies above or below, waits, so that no group depends on the outcome of another. */
import { parentOf, root } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import { aborted } from "./semaphore.ts";

export class Conflicts {
  readonly #paths = new Map<StorePath, number>();
  readonly #ancestors = new Map<StorePath, number>();
  readonly #waiting = new Set<() => void>();

  add(path: StorePath): void {
    count(this.#paths, path, 1);
    for (let at = parentOf(path); at !== root; at = parentOf(at)) count(this.#ancestors, at, 1);
  }

  remove(path: StorePath): void {
    count(this.#paths, path, -1);
    for (let at = parentOf(path); at !== root; at = parentOf(at)) count(this.#ancestors, at, -1);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const go of waiting) go();
  }

  /** Resolves when something has arrived: whoever waits looks again. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((done, fail) => {
      if (signal.aborted) return fail(aborted(signal));
      const go = (): void => {
        signal.removeEventListener("abort", stop);
        done();
      };
      const stop = (): void => {
        this.#waiting.delete(go);
        fail(aborted(signal));
      };
      this.#waiting.add(go);
      signal.addEventListener("abort", stop, { once: true });
    });
  }

  has(path: StorePath): boolean {
    if (this.#paths.size === 0) return false;
    if (this.#paths.has(path) || this.#ancestors.has(path)) return true;
    for (let at = parentOf(path); at !== root; at = parentOf(at)) if (this.#paths.has(at)) return true;
    return false;
  }
}

function count(map: Map<StorePath, number>, path: StorePath, by: 1 | -1): void {
  const now = (map.get(path) ?? 0) + by;
  if (now === 0) map.delete(path);
  else map.set(path, now);
}
