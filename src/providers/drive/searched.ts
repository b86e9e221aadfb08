/**
 * What a search for a name showed last, while that counts as fresh. What this store put under a name a moment ago is known by id, but another client's
 * file of the same name only a search shows: without one from time to time it would never be noticed while this store goes on writing there.
 */
import type { Clock } from "../../store/index.ts";

interface Seen {
  readonly ids: readonly string[];
  readonly untilMs: number;
}

export class Searched {
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #seen = new Map<string, Seen>();

  constructor(clock: Clock, ttlMs: number) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  /** `askedMs`: when the search was sent, by the monotonic clock. */
  note(parent: string, name: string, ids: readonly string[], askedMs: number): void {
    if (this.#ttlMs === 0) return;
    const now = this.#clock.monotonic();
    // In the order of their ends, but for what overtook another on the way.
    for (const [key, { untilMs }] of this.#seen) {
      if (untilMs > now) break;
      this.#seen.delete(key);
    }
    const key = keyOf(parent, name);
    this.#seen.delete(key);
    this.#seen.set(key, { ids, untilMs: askedMs + this.#ttlMs });
  }

  /** The ids that the last search showed; undefined: there was none, or it is too long ago. */
  ids(parent: string, name: string): readonly string[] | undefined {
    const seen = this.#seen.get(keyOf(parent, name));
    return seen !== undefined && seen.untilMs > this.#clock.monotonic() ? seen.ids : undefined;
  }

  clear(): void {
    this.#seen.clear();
  }
}

function keyOf(parent: string, name: string): string {
  return `${parent}/${name}`;
}
