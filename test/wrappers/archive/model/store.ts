/** The store below the model: objects never change, a listing may show each of them as it was up to `settle` steps ago. */
import { Join } from "./join.ts";
import type { Archive } from "./join.ts";

/** In steps of the model's time: S, Z, GRACE and TOMB of archive.md 8.1. */
export const TIMES = { settle: 3, late: 6, grace: 12, tomb: 25 } as const;

interface Life {
  readonly from: number;
  to: number;
}

export class ModelStore {
  now = 0;
  readonly objects: Map<string, Archive> = new Map();
  /** Everything that ever landed, in order, and its join: what must be shown if nothing is lost. */
  readonly landed: Archive[] = [];
  readonly landedAt: number[] = [];
  readonly ever: Join = new Join();
  /** Changes with the objects. */
  version = 0;
  readonly #lives: Map<string, Life> = new Map();

  put(archive: Archive): void {
    if (this.#lives.has(archive.name)) return; // The same bytes again, or too late: it was deleted since.
    this.objects.set(archive.name, archive);
    this.#lives.set(archive.name, { from: this.now, to: Infinity });
    this.landed.push(archive);
    this.landedAt.push(this.now);
    this.ever.add(archive);
    this.version++;
  }

  delete(name: string): void {
    if (!this.objects.delete(name)) return;
    (this.#lives.get(name) as Life).to = this.now;
    this.version++;
  }

  wasThere(name: string): boolean {
    return this.#lives.has(name);
  }

  /** `stale[k]`: how many steps ago the k-th object is looked at. */
  list(stale: readonly number[]): Set<string> {
    const names = new Set<string>();
    let k = 0;
    for (const [name, { from, to }] of this.#lives) {
      const seen = this.now - ((stale[k++ % stale.length] ?? 0) % TIMES.settle);
      if (from <= seen && seen < to) names.add(name);
    }
    return names;
  }
}
