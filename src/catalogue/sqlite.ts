/** A catalogue in one SQLite file, for one process at a time. */
import { existsSync, writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import Database from "better-sqlite3";
import { StoreError, Turns, systemClock } from "../store/index.ts";
import type { Clock } from "../store/index.ts";
import { fromSqlite } from "./errors.ts";
import { Inside } from "./inside.ts";
import { migrateBy } from "./migrate.ts";
import { checkValues, inDialect } from "./sql.ts";
import type { Catalogue, Hold, Migration, Transaction, Value } from "./types.ts";

/** The little of better-sqlite3 that is used, so that none of its types leaves this file. */
interface Statement {
  readonly reader: boolean;
  run(...values: readonly Value[]): { readonly changes: number };
  all(...values: readonly Value[]): unknown[];
}
interface Connection {
  prepare(sql: string): Statement;
  exec(sql: string): unknown;
  pragma(text: string, options?: { readonly simple?: boolean }): unknown;
  close(): unknown;
  readonly inTransaction: boolean;
}

export interface SqliteCatalogueOptions {
  /** Path of the file; made where there is none, mode 0600. Its directory exists. On a local disk: it needs a write-ahead log. */
  readonly file: string;
  /** Commits are on the disk before they resolve (fsync). Default true. Without it a power cut may take the last ones; a killed process loses nothing either way. */
  readonly flush?: boolean | undefined;
  /** The most memory for pages of the file, used as they are read. Default an eighth of what the machine or its container has, at most 512 MiB: room for a million files. */
  readonly cacheBytes?: number | undefined;
  readonly clock?: Clock | undefined;
}

const MOST_CACHE = 512 << 20;

/** Opened by `migrate`, not here. A second process, or a second catalogue of this one, over the same file is `conflict`. */
export function sqliteCatalogue(options: SqliteCatalogueOptions): Catalogue {
  if (typeof options.file !== "string" || options.file === "") throw new StoreError("config", "a SQLite catalogue needs the path of its file");
  const { cacheBytes = 0 } = options;
  if (!Number.isSafeInteger(cacheBytes) || cacheBytes < 0) throw new StoreError("config", "cacheBytes of a SQLite catalogue is a whole number, not negative");
  return new SqliteCatalogue(options);
}

class SqliteCatalogue implements Catalogue {
  readonly kind = "sqlite";
  readonly #options: SqliteCatalogueOptions;
  readonly #turns = new Turns();
  readonly #inside = new Inside();
  readonly #statements = new Map<string, Statement>();
  readonly #held = new Set<string>();
  #db: Connection | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SqliteCatalogueOptions) {
    this.#options = options;
  }

  /** One connection: what runs outside a transaction waits until that has ended. */
  #turn<T>(work: (db: Connection) => Promise<T> | T): Promise<T> {
    this.#inside.refuse();
    if (this.#closing !== undefined) throw new StoreError("closed", "the catalogue is closed", { applied: false });
    return this.#turns.take("connection", undefined, async () => {
      try {
        return await work((this.#db ??= open(this.#options)));
      } catch (error) {
        throw fromSqlite(error);
      }
    });
  }

  #prepared(db: Connection, sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = db.prepare(inDialect(sql, "sqlite"));
      // A statement that changes tables is prepared once and never again.
      if (/^\s*(?:select|insert|update|delete|with)\b/i.test(sql)) this.#statements.set(sql, statement);
    }
    return statement;
  }

  #all<R>(db: Connection, sql: string, values: readonly Value[]): R[] {
    checkValues(values);
    return this.#prepared(db, sql).all(...values) as R[];
  }

  #run(db: Connection, sql: string, values: readonly Value[]): number {
    checkValues(values);
    return this.#prepared(db, sql).run(...values).changes;
  }

  async query<R>(sql: string, ...values: readonly Value[]): Promise<R[]> {
    return this.#turn((db) => this.#all<R>(db, sql, values));
  }

  async run(sql: string, ...values: readonly Value[]): Promise<number> {
    return this.#turn((db) => this.#run(db, sql, values));
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#turn(async (db) => {
      let over = false;
      const live = <R>(use: () => R): R => {
        if (over) throw new TypeError("this transaction has ended");
        return use();
      };
      const failing = <R>(use: () => R): R => {
        try {
          return use();
        } catch (error) {
          throw fromSqlite(error);
        }
      };
      const tx: Transaction = {
        query: async <R>(sql: string, ...values: readonly Value[]) => live(() => failing(() => this.#all<R>(db, sql, values))),
        run: async (sql, ...values) => live(() => failing(() => this.#run(db, sql, values))),
        // The transaction has all of the database already.
        lock: async () => live(() => {}),
        free: async (key) => live(() => !this.#held.has(key)),
      };
      db.exec("begin immediate");
      try {
        const result = await this.#inside.run(() => work(tx));
        db.exec("commit");
        return result;
      } catch (error) {
        // Some errors of SQLite have rolled back already.
        if (db.inTransaction) db.exec("rollback");
        throw error;
      } finally {
        over = true;
      }
    });
  }

  async hold(key: string): Promise<Hold | null> {
    // The process owns the file, so that nobody else can want it.
    return this.#turn(() => {
      if (this.#held.has(key)) return null;
      this.#held.add(key);
      let mine = true;
      return {
        key,
        lost: false,
        [Symbol.asyncDispose]: async () => {
          if (mine) this.#held.delete(key);
          mine = false;
        },
      };
    });
  }

  async migrate(component: string, migrations: readonly Migration[]): Promise<void> {
    const tables = async (tx: Transaction): Promise<string[]> =>
      (await tx.query<{ readonly name: string }>("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")).map(({ name }) => name);
    await migrateBy(this, component, migrations, tables, (this.#options.clock ?? systemClock).now);
  }

  close(): Promise<void> {
    this.#closing ??= this.#turns.take("connection", undefined, async () => {
      this.#statements.clear();
      this.#held.clear();
      this.#db?.close();
      this.#db = undefined;
    });
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function usualCacheBytes(): number {
  const limit = process.constrainedMemory();
  return Math.min(MOST_CACHE, Math.min(totalmem(), limit > 0 ? limit : Infinity) / 8);
}

function open({ file, flush = true, cacheBytes = usualCacheBytes() }: SqliteCatalogueOptions): Connection {
  let db: Connection | undefined;
  try {
    // Made by us, so that nobody else can read it; the log beside it gets the same mode.
    if (!existsSync(file)) writeFileSync(file, "", { flag: "wx", mode: 0o600 });
    db = new Database(file, { timeout: 0 }) as unknown as Connection;
    // Before WAL, so that its index lies on the heap and a second process is refused; falls with the process.
    db.pragma("locking_mode = EXCLUSIVE");
    // What is another program's is left as it is, its journal mode too.
    const { tables, ours } = db
      .prepare("select count(*) as tables, coalesce(sum(name = 'catalogue_migration'), 0) as ours from sqlite_master where type = 'table'")
      .all()[0] as { readonly tables: number; readonly ours: number };
    if (tables > 0 && ours === 0)
      throw new StoreError("config", "the catalogue belongs to another program: it has tables that are not ours", { applied: false });
    if (db.pragma("journal_mode = WAL", { simple: true }) !== "wal")
      throw new StoreError("config", "this file system cannot keep a write-ahead log: use a local directory", { applied: false });
    db.pragma(`synchronous = ${flush ? "FULL" : "NORMAL"}`);
    db.pragma("foreign_keys = on");
    db.pragma("temp_store = memory");
    // In KiB. With less than the file each lookup in a large catalogue reads the file again, at two or three times the price (bench set pool).
    db.pragma(`cache_size = -${Math.max(1, Math.floor(cacheBytes / 1024))}`);
    db.pragma("trusted_schema = off");
    // Takes the lock now.
    db.exec("begin immediate; commit");
    return db;
  } catch (error) {
    db?.close();
    const known = fromSqlite(error);
    if (known !== error || StoreError.is(error)) throw known;
    throw new StoreError("config", "the file of the catalogue cannot be made or opened", { cause: error, applied: false });
  }
}
