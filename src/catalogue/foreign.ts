/** Databases of other programs, read and never written. */
import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { StoreError } from "../store/index.ts";
import { fromSqlite } from "./errors.ts";

export interface ForeignTables {
  /** Names of the columns of a table; empty where there is none. */
  columns(table: string): readonly string[];
  rows(sql: string): readonly Readonly<Record<string, unknown>>[];
}

/** Opens a SQLite file read-only for as long as `work` runs. @throws StoreError `config` for what is no database, `corrupt` for a damaged one */
export function readForeignSqlite<T>(file: string, work: (tables: ForeignTables) => T): T {
  if (!existsSync(file)) throw new StoreError("config", "there is no such database file", { applied: false });
  let db: InstanceType<typeof Database> | undefined;
  try {
    db = new Database(file, { readonly: true, fileMustExist: true });
    db.pragma("trusted_schema = off");
    const open = db;
    return work({
      columns: (table) => (open.prepare("select name from pragma_table_info(?)").all(table) as { readonly name: string }[]).map(({ name }) => name),
      rows: (sql) => open.prepare(sql).all() as Readonly<Record<string, unknown>>[],
    });
  } catch (error) {
    throw fromSqlite(error);
  } finally {
    db?.close();
  }
}
