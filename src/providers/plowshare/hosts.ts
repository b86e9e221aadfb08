/** What each host has done so far, kept over restarts: who failed least is asked first. */
import type { ErrorCode, StoreError } from "../../store/index.ts";
import type { Sqlite } from "./sqlite.ts";

export interface HostRecord {
  readonly name: string;
  /** All failures so far. */
  readonly errors: number;
  /** Failures that still count: each loses half of its weight in a day, so that a host that came back is asked again. */
  readonly score: number;
  readonly uploads: number;
  readonly downloads: number;
  /** The smallest file that it refused as too large, in bytes; null: none. */
  readonly refusedBytes: number | null;
  readonly lastError: string | null;
  readonly lastErrorMs: number | null;
}

const HALF_LIFE_MS = 86_400_000;
/** These say nothing about the host. */
const NOT_ITS_FAULT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["aborted", "closed", "config", "bad-body", "no-space", "too-large"]);

interface Row {
  readonly name: string;
  readonly errors: number;
  readonly score: number;
  readonly scored: number;
  readonly uploads: number;
  readonly downloads: number;
  readonly refused: number | null;
  readonly last: string | null;
  readonly last_at: number | null;
}

export class Hosts {
  readonly #db: Sqlite;
  constructor(db: Sqlite) {
    this.#db = db;
  }

  #row(name: string): Row {
    this.#db.prepare("insert into host(name) values(?) on conflict do nothing").run(name);
    return this.#db.prepare("select * from host where name = ?").get(name) as Row;
  }

  failed(name: string, error: StoreError, now: number, bytes?: number): void {
    if (error.code === "too-large" && bytes !== undefined) {
      const { refused } = this.#row(name);
      this.#db.prepare("update host set refused = ? where name = ?").run(Math.min(refused ?? Infinity, bytes), name);
    }
    if (NOT_ITS_FAULT.has(error.code)) return;
    const score = decayed(this.#row(name), now) + 1;
    this.#db.prepare("update host set errors = errors + 1, score = ?, scored = ?, last = ?, last_at = ? where name = ?").run(score, now, error.code, now, name);
  }
  uploaded(name: string, bytes: number): void {
    const { refused } = this.#row(name);
    // It takes what it once refused.
    this.#db.prepare("update host set uploads = uploads + 1, refused = ? where name = ?").run(refused !== null && refused <= bytes ? null : refused, name);
  }
  downloaded(name: string): void {
    this.#row(name);
    this.#db.prepare("update host set downloads = downloads + 1 where name = ?").run(name);
  }

  /** Fewest failures first; who refused such a size last. Equals in random order, so that they share the work. */
  order(names: readonly string[], now: number, random: () => number, bytes = 0): string[] {
    const ranked = names.map((name) => {
      const row = this.#row(name);
      return { name, small: row.refused !== null && row.refused <= bytes ? 1 : 0, score: decayed(row, now), chance: random() };
    });
    return ranked.sort((a, b) => a.small - b.small || a.score - b.score || a.chance - b.chance).map(({ name }) => name);
  }

  all(now: number): HostRecord[] {
    return (this.#db.prepare("select * from host order by name").all() as Row[]).map((row) => ({
      name: row.name,
      errors: row.errors,
      score: decayed(row, now),
      uploads: row.uploads,
      downloads: row.downloads,
      refusedBytes: row.refused,
      lastError: row.last,
      lastErrorMs: row.last_at,
    }));
  }
  forget(name: string): void {
    this.#db.prepare("delete from host where name = ?").run(name);
  }
}

/** Rounded, so that two old failures of equal age are equals. */
function decayed({ score, scored }: Row, now: number): number {
  const age = Math.max(0, now - scored);
  return Math.round(score * 2 ** (-age / HALF_LIFE_MS) * 1000) / 1000;
}
