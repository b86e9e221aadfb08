/** The SQLite database of the index: opened, locked, made, set aside where it is damaged. */
import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Database, Statement } from "better-sqlite3";
import { StoreError, makePrivateDirectory } from "../../../store/index.ts";
import type { StepHook } from "../steps.ts";
import { SCHEMA, SCHEMA_VERSION } from "./schema.ts";

export type Row = Readonly<Record<string, unknown>>;

/** One owner at a time; every commit is on the disk when it returns. */
export class IndexDatabase {
  readonly #db: Database;
  readonly #statements = new Map<string, Statement<unknown[], Row>>();
  readonly #damagedMark: string;
  /** Nothing was there, or what was there was damaged. */
  readonly isNew: boolean;

  private constructor(db: Database, isNew: boolean, damagedMark: string) {
    this.#db = db;
    this.isNew = isNew;
    this.#damagedMark = damagedMark;
  }

  /** @throws StoreError `conflict`: another process has it; `config`: of a later version, or the folder cannot be used */
  static async open(directory: string, nowMs: number, step: StepHook): Promise<IndexDatabase> {
    const file = join(directory, "archive.db");
    const mark = `${file}.damaged`;
    try {
      await makePrivateDirectory(directory);
    } catch (error) {
      throw localTrouble(error);
    }
    const { default: Sqlite } = await import("better-sqlite3");
    const attempt = (): IndexDatabase => {
      // It has the names of all files: for its owner's eyes only.
      writeFileSync(file, "", { flag: "a", mode: 0o600 });
      const db = new Sqlite(file, { timeout: 0 });
      try {
        return new IndexDatabase(db, prepare(db, step), mark);
      } catch (error) {
        db.close();
        throw error;
      }
    };
    // Tried even where it is known to be damaged: what another process still has open is refused here, by its lock.
    try {
      const database = attempt();
      if (!existsSync(mark)) return database;
      database.close();
    } catch (error) {
      if (!isDamaged(error)) throw localTrouble(error);
    }
    try {
      // Not deleted: somebody may want to look at it.
      for (const end of ["", "-wal", "-shm"]) if (existsSync(file + end)) renameSync(file + end, `${file}.bad-${nowMs}${end}`);
      rmSync(mark, { force: true });
      return attempt();
    } catch (error) {
      throw localTrouble(error);
    }
  }

  static async inMemory(): Promise<IndexDatabase> {
    const { default: Sqlite } = await import("better-sqlite3");
    const db = new Sqlite(":memory:");
    db.exec(SCHEMA);
    return new IndexDatabase(db, true, "");
  }

  #statement(sql: string): Statement<unknown[], Row> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare<unknown[], Row>(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  run(sql: string, ...values: readonly unknown[]): number {
    return this.#guarded(() => this.#statement(sql).run(...values).changes);
  }

  insert(sql: string, ...values: readonly unknown[]): number {
    return this.#guarded(() => Number(this.#statement(sql).run(...values).lastInsertRowid));
  }

  get<T extends object = Row>(sql: string, ...values: readonly unknown[]): T | undefined {
    return this.#guarded(() => this.#statement(sql).get(...values) as T | undefined);
  }

  all<T extends object = Row>(sql: string, ...values: readonly unknown[]): T[] {
    return this.#guarded(() => this.#statement(sql).all(...values) as T[]);
  }

  /** All of it or nothing, and on the disk when this returns. Synchronous, so nothing comes between. */
  transaction<T>(work: () => T): T {
    if (this.#db.inTransaction) return work();
    return this.#guarded(() => {
      this.#db.exec("begin immediate");
      try {
        const result = work();
        this.#db.exec("commit");
        return result;
      } catch (error) {
        if (this.#db.inTransaction) this.#db.exec("rollback");
        throw error;
      }
    });
  }

  /** What would be, if: `work` changes what it likes, its result is kept and its changes are not. */
  draft<T>(work: () => T): T {
    return this.#guarded(() => {
      this.#db.exec("begin immediate");
      try {
        return work();
      } finally {
        if (this.#db.inTransaction) this.#db.exec("rollback");
      }
    });
  }

  #guarded<T>(work: () => T): T {
    if (!this.#db.open) throw new StoreError("closed", "the store is closed", { applied: false });
    try {
      return work();
    } catch (error) {
      // Nothing of it is believed any more: the next opening sets it aside.
      if (isDamaged(error) && this.#damagedMark !== "") writeFileSync(this.#damagedMark, "");
      throw localTrouble(error);
    }
  }

  close(): void {
    this.#db.close();
  }
}

/** True: the tables were made just now. */
function prepare(db: Database, step: StepHook): boolean {
  // Before anything is read: in this mode the first lock is kept until the end.
  db.pragma("locking_mode = EXCLUSIVE");
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.pragma("cache_size = -65536");
  db.exec("begin immediate");
  try {
    const version = db.pragma("user_version", { simple: true }) as number;
    if (version > SCHEMA_VERSION) throw new StoreError("config", "the local index was made by a newer version; it is left as it is");
    if (version === 0) {
      db.exec(SCHEMA);
      step("upgraded");
      db.pragma(`user_version = ${SCHEMA_VERSION}`);
    }
    db.exec("commit");
    return version === 0;
  } catch (error) {
    if (db.inTransaction) db.exec("rollback");
    throw error;
  }
}

function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

function isDamaged(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(error));
}

/** What goes wrong on this machine, in words of the contract. */
export function localTrouble(error: unknown): unknown {
  const code = codeOf(error);
  if (StoreError.is(error) || code === "") return error;
  if (/^SQLITE_(BUSY|LOCKED)/.test(code))
    return new StoreError("conflict", "the local folder of this archive is in use by another process", { cause: error, transient: false, applied: false });
  if (code === "SQLITE_FULL" || code === "ENOSPC" || code === "EDQUOT")
    return new StoreError("no-space", "the local disk is full", { cause: error, applied: false });
  if (isDamaged(error))
    return new StoreError("corrupt", "the local index is damaged; it is made anew when the store is opened again", { cause: error, applied: false });
  if (/^(SQLITE_|E[A-Z]+$)/.test(code)) return new StoreError("config", "the local folder of this archive cannot be used", { cause: error, applied: false });
  return error;
}
