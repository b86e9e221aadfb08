/** The little of better-sqlite3 that is used, so that none of its types leaves this file. */
import { existsSync, writeFileSync } from "node:fs";
import Database from "better-sqlite3";
import { StoreError } from "../../store/index.ts";
import { codeOf } from "./error-code.ts";

export type Value = number | string | Buffer | Uint8Array | null;
export interface Statement {
  run(...values: readonly Value[]): { readonly changes: number };
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

/** What SQLite says about a file that it cannot use, in our codes. Other errors stay as they are. */
export function opening(error: unknown): unknown {
  if (StoreError.is(error)) return error;
  const code = codeOf(error);
  const details = { cause: error, applied: false, transient: false };
  if (/^SQLITE_(?:BUSY|LOCKED)/.test(code)) return new StoreError("conflict", "the cache directory is in use", details);
  if (/^SQLITE_(?:CORRUPT|NOTADB)/.test(code))
    return new StoreError("corrupt", "the journal of this cache directory is damaged; nothing was changed or deleted", details);
  if (/^SQLITE_(?:CANTOPEN|READONLY|PERM|AUTH)/.test(code)) return new StoreError("config", "the cache directory cannot be written", details);
  if (code.startsWith("SQLITE_FULL")) return new StoreError("no-space", "the disk of the cache directory is full", details);
  if (code.startsWith("SQLITE_")) return new StoreError("unavailable", "the disk of the cache directory fails", details);
  return error;
}
