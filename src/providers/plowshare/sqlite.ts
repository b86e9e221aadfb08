/** The little of better-sqlite3 that is used, so that none of its types leaves this file. */
import { existsSync, writeFileSync } from "node:fs";
import Database from "better-sqlite3";

export type Value = number | string | null;
export interface Statement {
  run(...values: readonly Value[]): { readonly changes: number; readonly lastInsertRowid: number | bigint };
  get(...values: readonly Value[]): unknown;
  all(...values: readonly Value[]): unknown[];
}
export interface Sqlite {
  prepare(sql: string): Statement;
  exec(sql: string): unknown;
  pragma(text: string, options?: { readonly simple?: boolean }): unknown;
  close(): unknown;
  readonly inTransaction: boolean;
}

/** Waits for no lock: who has it keeps it. Made by us, so that nobody else can read it; the log beside it gets the same mode. */
export function openSqlite(path: string): Sqlite {
  if (!existsSync(path)) writeFileSync(path, "", { flag: "wx", mode: 0o600 });
  return new Database(path, { timeout: 0 }) as unknown as Sqlite;
}

/** Everything or nothing. What throws inside undoes it. */
export function transaction<T>(db: Sqlite, work: () => T): T {
  if (db.inTransaction) return work();
  db.exec("begin immediate");
  try {
    const result = work();
    db.exec("commit");
    return result;
  } catch (error) {
    if (db.inTransaction) db.exec("rollback");
    throw error;
  }
}
