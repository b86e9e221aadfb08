/** SQLite, loaded when a file is used. */
import fs from "node:fs/promises";
import type BetterSqlite3 from "better-sqlite3";
import { StoreError } from "../../store/index.ts";

export type Database = BetterSqlite3.Database;

/** Made with mode 0600 where it is missing: SQLite gives its own helper files the same mode. Never waits for another's lock. @throws StoreError `config` */
export async function openDatabase(file: string): Promise<Database> {
  try {
    await (await fs.open(file, "a", 0o600)).close();
    const { default: Sqlite } = await import("better-sqlite3");
    return new Sqlite(file, { timeout: 0 });
  } catch (error) {
    throw new StoreError("config", "the file of this metadata cache cannot be opened", { cause: error });
  }
}

export function isDamaged(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" && (code.startsWith("SQLITE_CORRUPT") || code.startsWith("SQLITE_NOTADB"));
}
