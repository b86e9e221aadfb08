/** Who owns the archives of a writer: itself, or who has claimed it. */
import type { IndexDatabase } from "./database.ts";

export interface ClaimRow {
  readonly writer: string;
  readonly by: string;
  readonly t: number;
  readonly born: number;
  /** When this index saw it first, by the local clock. */
  readonly learned: number;
  readonly archive: number;
}

/** Chains of claims longer than this are not followed: nobody loses his index so often. */
const LONGEST_CHAIN = 64;

export class Owners {
  readonly #db: IndexDatabase;
  /** Of each claimed writer the claim with the least stamp: the others are void. Read again after claims came or went. */
  #claims: ReadonlyMap<string, ClaimRow> | undefined;

  constructor(db: IndexDatabase) {
    this.#db = db;
  }

  changed(): void {
    this.#claims = undefined;
  }

  claimOf(writer: string): ClaimRow | undefined {
    if (this.#claims === undefined) {
      const first = new Map<string, ClaimRow>();
      // The same claim in several archives was learned when the first of them was.
      const rows = this.#db.all<ClaimRow>("select writer, by, t, born, min(learned) as learned, archive from claim group by writer, by, t order by t, by");
      for (const row of rows) if (!first.has(row.writer)) first.set(row.writer, row);
      this.#claims = first;
    }
    return this.#claims.get(writer);
  }

  /** Claims are followed: who claims a writer gets what that one had claimed. Undefined: a claim is known and not in force yet. */
  ownerOf(writer: string, nowMs: number, delayMs: number): string | undefined {
    let owner = writer;
    for (let steps = 0; steps < LONGEST_CHAIN; steps++) {
      const claim = this.claimOf(owner);
      if (claim === undefined || claim.by === owner) return owner;
      if (nowMs - claim.learned < delayMs) return undefined;
      owner = claim.by;
    }
    return undefined;
  }

  /** Writes a claim of an archive; one that was known already from another archive keeps the time at which it was. */
  add({ writer, by, t, born, learned, archive }: ClaimRow): void {
    const before = this.#db.get<{ readonly learned: number | null }>(
      "select min(learned) as learned from claim where writer = ? and by = ? and t = ?",
      writer,
      by,
      t,
    );
    this.#db.run(
      "insert or replace into claim(writer, by, t, born, learned, archive) values(?, ?, ?, ?, ?, ?)",
      writer,
      by,
      t,
      born,
      before?.learned ?? learned,
      archive,
    );
    this.changed();
  }
}
