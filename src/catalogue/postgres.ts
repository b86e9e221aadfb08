/** A catalogue in one schema of a PostgreSQL database, shared by any number of processes and machines. */
import { StoreError, systemClock } from "../store/index.ts";
import type { Clock } from "../store/index.ts";
import { fromPostgres } from "./errors.ts";
import { Inside } from "./inside.ts";
import { migrateBy } from "./migrate.ts";
import { loadPg, typesOf } from "./pg-package.ts";
import type { PgClient, PgPool } from "./pg-package.ts";
import { PostgresHolds } from "./postgres-holds.ts";
import { checkValues, inDialect } from "./sql.ts";
import type { Catalogue, Hold, Migration, Transaction, Value } from "./types.ts";

export interface PostgresCatalogueOptions {
  /** `postgres://user:password@host:port/database`, or what the variables PGHOST, PGUSER, PGPASSWORD … say where it is left out. Never in an error or a log. */
  readonly connectionString?: string | undefined;
  /** The tables lie in this schema, made where there is none: lower-case letters, digits and "_", at most 63. Default "stratus". */
  readonly schema?: string | undefined;
  /** Connections at once, beside one for holds. 1 to 100. Default 4. */
  readonly maxConnections?: number | undefined;
  /** How long a connection may take to come about, in milliseconds; then `unavailable`. Default 30,000. */
  readonly connectTimeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** How often a transaction that met a deadlock runs again. */
const RUNS = 5;

/** Opened by the first use, not here. PostgreSQL 12 or newer. Needs the package `pg`. */
export function postgresCatalogue(options: PostgresCatalogueOptions = {}): Catalogue {
  const { schema = "stratus", maxConnections = 4 } = options;
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) throw new StoreError("config", "schema is a name of lower-case letters, digits and _, at most 63");
  if (!Number.isInteger(maxConnections) || maxConnections < 1 || maxConnections > 100)
    throw new StoreError("config", "maxConnections is a number from 1 to 100");
  return new PostgresCatalogue(options, schema, maxConnections);
}

class PostgresCatalogue implements Catalogue {
  readonly kind = "postgres";
  readonly #options: PostgresCatalogueOptions;
  readonly #schema: string;
  readonly #max: number;
  readonly #inside = new Inside();
  readonly #holds = new PostgresHolds(() => this.#client());
  #pool: Promise<PgPool> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: PostgresCatalogueOptions, schema: string, max: number) {
    this.#options = options;
    this.#schema = schema;
    this.#max = max;
  }

  async #open(): Promise<PgPool> {
    const pg = await loadPg();
    const { connectionString, connectTimeoutMs = 30_000 } = this.#options;
    const pool = new pg.default.Pool({
      ...(connectionString === undefined ? {} : { connectionString }),
      max: this.#max + 1,
      connectionTimeoutMillis: connectTimeoutMs,
      options: `-c search_path=${this.#schema}`,
      types: typesOf(pg),
      application_name: "stratus",
    });
    // One that idles may break: the pool throws it away and makes another, and who uses one is told by its query.
    pool.on("error", () => {});
    return pool;
  }

  async #client(): Promise<PgClient> {
    if (this.#closing !== undefined) throw new StoreError("closed", "the catalogue is closed", { applied: false });
    this.#pool ??= this.#open();
    try {
      return await (await this.#pool).connect();
    } catch (error) {
      throw fromPostgres(error);
    }
  }

  /** With a connection of its own until the work is done. One that broke is not given back. */
  async #with<T>(work: (client: PgClient, spoiled: () => void) => Promise<T>): Promise<T> {
    this.#inside.refuse();
    const client = await this.#client();
    let broken = false;
    // Without a listener the end of a connection would end the process.
    const noticed = (): void => void (broken = true);
    client.on("error", noticed);
    try {
      return await work(client, noticed);
    } catch (error) {
      broken ||= StoreError.is(error) && error.code === "unavailable";
      throw error;
    } finally {
      client.off("error", noticed);
      client.release(broken);
    }
  }

  async query<R>(sql: string, ...values: readonly Value[]): Promise<R[]> {
    return this.#with(async (client) => (await ask(client, sql, values)).rows as R[]);
  }

  async run(sql: string, ...values: readonly Value[]): Promise<number> {
    return this.#with(async (client) => (await ask(client, sql, values)).rowCount ?? 0);
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let run = 1; ; run++) {
      try {
        return await this.#with((client, spoiled) => this.#once(client, spoiled, work));
      } catch (error) {
        const code = StoreError.is(error) ? (error.cause as { readonly code?: unknown } | undefined)?.code : undefined;
        if (run === RUNS || (code !== "40P01" && code !== "40001")) throw error;
      }
    }
  }

  async #once<T>(client: PgClient, spoiled: () => void, work: (tx: Transaction) => Promise<T>): Promise<T> {
    let over = false;
    const live = (): void => {
      if (over) throw new TypeError("this transaction has ended");
    };
    const tx: Transaction = {
      query: async <R>(sql: string, ...values: readonly Value[]) => (live(), (await ask(client, sql, values)).rows as R[]),
      run: async (sql, ...values) => (live(), (await ask(client, sql, values)).rowCount ?? 0),
      lock: async (key) => (live(), void (await ask(client, "select pg_advisory_xact_lock(hashtextextended(?, 1))", [`${this.#schema} ${key}`]))),
      // In the key space of the holds, and shared: it keeps out who wants to hold, and no other transaction.
      free: async (key) => {
        live();
        const { rows } = await ask(client, "select pg_try_advisory_xact_lock_shared(hashtextextended(?, 2)) as got", [`${this.#schema} ${key}`]);
        return (rows[0] as { readonly got: boolean }).got;
      },
    };
    await ask(client, "begin", []);
    let result: T;
    try {
      result = await this.#inside.run(() => work(tx));
    } catch (error) {
      over = true;
      // What cannot be rolled back ends with its connection; what is to be told is why.
      await ask(client, "rollback", []).catch(spoiled);
      throw error;
    }
    over = true;
    try {
      await client.query("commit");
    } catch (error) {
      throw fromPostgres(error, { applied: "unknown" });
    }
    return result;
  }

  async hold(key: string): Promise<Hold | null> {
    this.#inside.refuse();
    return this.#holds.take(`${this.#schema} ${key}`, key);
  }

  async migrate(component: string, migrations: readonly Migration[]): Promise<void> {
    // Of its own, for it comes before every table: two machines that do it at once meet in the unique name.
    await this.transaction(async (tx) => {
      await tx.lock("migrate");
      const [there] = await tx.query("select 1 from pg_catalog.pg_namespace where nspname = ?", this.#schema);
      if (there === undefined) await tx.run(`create schema "${this.#schema}"`);
    });
    const tables = async (tx: Transaction): Promise<string[]> =>
      (await tx.query<{ readonly name: string }>("select tablename as name from pg_catalog.pg_tables where schemaname = ?", this.#schema)).map(
        ({ name }) => name,
      );
    await migrateBy(this, component, migrations, tables, (this.#options.clock ?? systemClock).now);
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      const pool = await this.#pool?.catch(() => undefined);
      await this.#holds.close();
      await pool?.end();
    })();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function ask(client: PgClient, sql: string, values: readonly Value[]): Promise<{ readonly rows: unknown[]; readonly rowCount: number | null }> {
  checkValues(values);
  const text = inDialect(sql, "postgres");
  try {
    return await client.query(text, values);
  } catch (error) {
    throw fromPostgres(error);
  }
}
