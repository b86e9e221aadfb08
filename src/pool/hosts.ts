/** What each host has done so far, kept over restarts: who failed least is asked first. */
import type { Catalogue, Queryable } from "../catalogue/index.ts";
import type { ErrorCode, StoreError } from "../store/index.ts";

/** active: gets copies. draining: is read, gets none, and its copies do not count. retired: has none of ours any more. */
export type HostState = "active" | "draining" | "retired";
export interface HostRow {
  readonly name: string;
  readonly state: HostState;
  readonly errors: number;
  readonly score: number;
  readonly scored_ms: number;
  readonly uploads: number;
  readonly downloads: number;
  readonly last_error: string | null;
  readonly last_error_ms: number | null;
}

const HALF_LIFE_MS = 86_400_000;
/** These say nothing about the host. */
const NOT_ITS_FAULT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["aborted", "closed", "bad-body"]);

export class Hosts {
  readonly #db: Catalogue;
  readonly #random: () => number;

  constructor(db: Catalogue, random: () => number) {
    this.#db = db;
    this.#random = random;
  }

  async add(names: Iterable<string>): Promise<void> {
    for (const name of names)
      await this.#db.run(
        "insert into host(name, state, errors, score, scored_ms, uploads, downloads) values(?, 'active', 0, 0, 0, 0, 0) on conflict(name) do nothing",
        name,
      );
  }

  all(): Promise<HostRow[]> {
    return this.#db.query<HostRow>("select * from host order by name");
  }

  async failed(name: string, error: StoreError, now: number): Promise<void> {
    if (NOT_ITS_FAULT.has(error.code)) return;
    await this.#db.transaction(async (tx) => {
      const [row] = await tx.query<HostRow>("select * from host where name = ? {for update}", name);
      if (row === undefined) return; // Of a link of another program.
      const score = decayed(row, now) + 1;
      await tx.run(
        "update host set errors = errors + 1, score = ?, scored_ms = ?, last_error = ?, last_error_ms = ? where name = ?",
        score,
        now,
        error.code,
        now,
        name,
      );
    });
  }

  async uploaded(db: Queryable, name: string): Promise<void> {
    await db.run("update host set uploads = uploads + 1 where name = ?", name);
  }

  async downloaded(name: string): Promise<void> {
    await this.#db.run("update host set downloads = downloads + 1 where name = ?", name);
  }

  /** Fewest failures first, each of which loses half of its weight in a day, so that a host that came back is asked again. Equals in random order, so that they share the work. */
  async order(names: readonly string[], now: number): Promise<string[]> {
    const rows = new Map((await this.all()).map((row) => [row.name, row]));
    const ranked = names.map((name) => {
      const row = rows.get(name);
      return { name, score: row === undefined ? 0 : decayed(row, now), chance: this.#random() };
    });
    return ranked.sort((a, b) => a.score - b.score || a.chance - b.chance).map(({ name }) => name);
  }
}

/** Rounded, so that two old failures of equal age are equals. */
export function decayed({ score, scored_ms: scored }: HostRow, now: number): number {
  return Math.round(score * 2 ** (-Math.max(0, now - scored) / HALF_LIFE_MS) * 1000) / 1000;
}
