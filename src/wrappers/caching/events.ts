/** Listeners, and the memory of what was told last so that progress does not flood them. */
import { subscribe } from "../../store/index.ts";
import type { Clock, StorePath } from "../../store/index.ts";
import type { CacheEvent, CacheEventName } from "./control-types.ts";

const PROGRESS_EVERY_MS = 100;

export class Events {
  readonly #clock: Clock;
  readonly #listeners = new Set<(event: CacheEvent) => void>();
  readonly #progress = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  on(listener: (event: CacheEvent) => void): () => void {
    return subscribe(this.#listeners, listener);
  }

  tell(name: CacheEventName, path: string | null, details: Omit<CacheEvent, "name" | "atMs" | "path"> = {}): void {
    if (name === "uploaded" || name === "failed" || name === "parked") this.#progress.delete(path ?? "");
    if (this.#listeners.size === 0) return;
    const event: CacheEvent = Object.freeze({ name, atMs: this.#clock.now(), path: path as StorePath | null, ...details });
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        // The layer must go on; the mistake is shown as one that nobody caught.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** At most ten a second and path. */
  progress(path: string, bytes: number, total: number | null): void {
    if (this.#listeners.size === 0) return;
    const now = this.#clock.monotonic();
    const last = this.#progress.get(path);
    if (last !== undefined && now - last < PROGRESS_EVERY_MS) return;
    this.#progress.set(path, now);
    this.tell("progress", path, { bytes, total });
  }
}
