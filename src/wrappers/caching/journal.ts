/** The journal database: prepared statements by their text, transactions, savepoints, and errors in our codes. */
import { StoreError } from "../../store/index.ts";
import { opening } from "./sqlite.ts";
import type { Sqlite, Statement, Value } from "./sqlite.ts";

export class Journal {
  readonly #db: Sqlite;
  readonly #statements = new Map<string, Statement>();
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #rollback: Statement;
  readonly #save: Statement;
  readonly #release: Statement;
  readonly #back: Statement;
  #effects: (() => void)[] = [];
  #closed = false;
  /** Counts statements that change something. */
  writes = 0;

  constructor(db: Sqlite) {
    this.#db = db;
    this.#begin = db.prepare("begin immediate");
    this.#commit = db.prepare("commit");
    this.#rollback = db.prepare("rollback");
    this.#save = db.prepare("savepoint one");
    this.#release = db.prepare("release one");
    this.#back = db.prepare("rollback to one");
  }

  #prepared(sql: string): Statement {
    if (this.#closed) throw new StoreError("closed", "the cache is closed", { applied: false });
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  get<R>(sql: string, ...values: readonly Value[]): R | undefined {
    return this.#prepared(sql).get(...values) as R | undefined;
  }

  all<R>(sql: string, ...values: readonly Value[]): R[] {
    return this.#prepared(sql).all(...values) as R[];
  }

  /** Gives the number of rows that changed. */
  run(sql: string, ...values: readonly Value[]): number {
    this.writes++;
    return this.#prepared(sql).run(...values).changes;
  }

  get inTransaction(): boolean {
    return this.#db.inTransaction;
  }

  /** What must wait until the transaction that runs now is committed; dropped where it is rolled back. */
  after(effect: () => void): void {
    this.#effects.push(effect);
  }

  /** All or nothing; its effects run right after the commit. Errors of SQLite come in our codes. */
  transaction<T>(work: () => T): T {
    const before = this.#effects;
    this.#effects = [];
    let effects: (() => void)[];
    let result: T;
    try {
      if (this.#closed) throw new StoreError("closed", "the cache is closed", { applied: false });
      this.#begin.run();
      result = work();
      this.#commit.run();
      effects = this.#effects;
    } catch (error) {
      // Some errors of SQLite have rolled back already.
      if (!this.#closed && this.#db.inTransaction) this.#rollback.run();
      throw opening(error);
    } finally {
      this.#effects = before;
    }
    for (const effect of effects) effect();
    return result;
  }

  /** One operation of several in a transaction: if it throws, it alone is taken back. */
  part<T>(work: () => T): T {
    const before = this.#effects;
    this.#effects = [];
    this.#save.run();
    try {
      const result = work();
      this.#release.run();
      before.push(...this.#effects);
      return result;
    } catch (error) {
      if (this.#db.inTransaction) {
        this.#back.run();
        this.#release.run();
      }
      throw error;
    } finally {
      this.#effects = before;
    }
  }

  checkpoint(): void {
    this.#db.pragma("wal_checkpoint(TRUNCATE)");
  }

  /** Gives back free pages in small steps: one large step would need as much room again in the log. */
  vacuumStep(): void {
    this.#db.pragma("incremental_vacuum(200)");
    this.checkpoint();
  }

  get freePages(): number {
    return this.#db.pragma("freelist_count", { simple: true }) as number;
  }

  close(): void {
    this.#closed = true;
    this.#statements.clear();
    this.#db.close();
  }
}
