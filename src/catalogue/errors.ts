/** What the databases say, in our codes. Their own words are in `cause` alone. */
import { StoreError } from "../store/index.ts";
import type { ErrorCode, ErrorDetails } from "../store/index.ts";

type Rule = readonly [pattern: RegExp, code: ErrorCode, reason: string, transient?: boolean];

const SQLITE: readonly Rule[] = [
  [/^SQLITE_(?:BUSY|LOCKED)/, "conflict", "the catalogue is in use by another process", false],
  [/^SQLITE_NOTADB/, "config", "the file of the catalogue is no SQLite database"],
  [/^SQLITE_CORRUPT/, "corrupt", "the catalogue is damaged: put it back from a backup"],
  [/^SQLITE_(?:CANTOPEN|READONLY|PERM|AUTH)/, "config", "the catalogue cannot be opened for writing"],
  [/^SQLITE_FULL/, "no-space", "the disk of the catalogue is full"],
  [/^SQLITE_CONSTRAINT_(?:UNIQUE|PRIMARYKEY)/, "already-exists", "such a row is there already"],
  [/^SQLITE_IOERR/, "unavailable", "the disk of the catalogue fails", false],
];

/** SQLSTATE, and what Node says of connections. */
const POSTGRES: readonly Rule[] = [
  [/^(?:40001|40P01|55P03)$/, "conflict", "another transaction is in the way"],
  [/^23505$/, "already-exists", "such a row is there already"],
  [/^(?:28\w{3})$/, "unauthenticated", "the database refuses this user"],
  [/^42501$/, "permission-denied", "the user of the database may not do this"],
  [/^3D000$/, "config", "there is no such database"],
  [/^53100$/, "no-space", "the disk of the database is full"],
  [/^(?:08\w{3}|53\w{3}|57P0[1-5]|57014)$/, "unavailable", "the database cannot serve now"],
  [/^XX00[12]$/, "corrupt", "the database is damaged"],
  [/^E(?:CONN|PIPE|HOST|NET|TIMEDOUT|AI_)/, "unavailable", "the database cannot be reached"],
  [/^ENO(?:TFOUND|ENT)$/, "unavailable", "the database cannot be reached"],
];

function by(rules: readonly Rule[], error: unknown, more: ErrorDetails): StoreError {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  for (const [pattern, ours, reason, transient] of rules)
    if (typeof code === "string" && pattern.test(code)) return new StoreError(ours, reason, { cause: error, applied: false, transient, ...more });
  return new StoreError("unknown", "the catalogue failed", { cause: error, applied: false, ...more });
}

/** TypeErrors of ours and StoreErrors stay as they are. */
export function fromSqlite(error: unknown): unknown {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" && code.startsWith("SQLITE_") ? by(SQLITE, error, {}) : error;
}

/** `more`: what is known of the call that failed. */
export function fromPostgres(error: unknown, more: ErrorDetails = {}): StoreError {
  if (StoreError.is(error)) return error;
  // The package says so in words alone where a connection ended under a query or could not be had in time.
  const ended = error instanceof Error && /Connection terminated|timeout exceeded|Client was closed|not queryable/i.test(error.message);
  if (ended && (error as { readonly code?: unknown }).code === undefined)
    return new StoreError("unavailable", "the connection to the database is lost", { cause: error, applied: false, ...more });
  return by(POSTGRES, error, more);
}
