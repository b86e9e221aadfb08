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

export class Owners {
  readonly #db: IndexDatabase;
  /** Of each claimed writer the claim that holds. Found again after claims came or went. */
  #holding: ReadonlyMap<string, ClaimRow> | undefined;
  /** By the local clock: when the last refresh that succeeded began. What is in force is judged on that view, however much later it is now. */
  viewMs = 0;

  constructor(db: IndexDatabase) {
    this.#db = db;
  }

  changed(): void {
    this.#holding = undefined;
  }

  /** The claim that holds: of several the one with the least stamp; and none that leads back to its own writer, so that two who claim each other are not lost. */
  claimOf(writer: string): ClaimRow | undefined {
    return (this.#holding ??= this.#found()).get(writer);
  }

  #found(): Map<string, ClaimRow> {
    const holding = new Map<string, ClaimRow>();
    // The same claim in several archives was learned when the first of them was.
    const rows = this.#db.all<ClaimRow>("select writer, by, t, born, min(learned) as learned, archive from claim group by writer, by, t order by t, by");
    for (const row of rows) {
      if (holding.has(row.writer)) continue;
      let heir = row.by;
      for (let next = holding.get(heir); next !== undefined && heir !== row.writer; next = holding.get(heir)) heir = next.by;
      if (heir !== row.writer) holding.set(row.writer, row);
    }
    return holding;
  }

  /** Claims are followed: who claims a writer gets what that one had claimed. Undefined: a claim holds and is not in force yet. */
  ownerOf(writer: string, delayMs: number): string | undefined {
    let owner = writer;
    for (let claim = this.claimOf(owner); claim !== undefined; claim = this.claimOf(owner)) {
      if (this.viewMs - claim.learned < delayMs) return undefined;
      owner = claim.by;
    }
    return owner;
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
