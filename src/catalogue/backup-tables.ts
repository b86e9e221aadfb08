/** What the two databases say differently of tables: which columns they have, their rows in pages, ids that were given. */
import { StoreError } from "../store/index.ts";
import type { Column, ColumnType } from "./backup-format.ts";
import type { Catalogue, Transaction, Value } from "./types.ts";

/** Within one transaction. Names are those of our own migrations, never of a backup. */
export interface Tables {
  /** Before anything else: all that is read afterwards is one state of the catalogue. */
  freeze(): Promise<void>;
  has(table: string): Promise<boolean>;
  /** In the order in which they were made. */
  columns(table: string): Promise<readonly Column[]>;
  /** Null for a table that gives no ids, or gave none. */
  lastId(table: string): Promise<number | null>;
  pages(table: string, columns: readonly Column[]): AsyncIterable<readonly (readonly Value[])[]>;
  insert(table: string, columns: readonly Column[], rows: readonly (readonly Value[])[]): Promise<void>;
  /** After the rows. Ids go on behind this one and behind all that are there. */
  setLastId(table: string, id: number): Promise<void>;
}

/** Rows of one page: enough that questions cost little, and little memory. */
const PAGE = 1000;
const quoted = (name: string): string => `"${name}"`;
const listed = (columns: readonly Column[]): string => columns.map(({ name }) => quoted(name)).join(", ");

export function tablesOf(kind: Catalogue["kind"], tx: Transaction): Tables {
  return kind === "sqlite" ? sqliteTables(tx) : postgresTables(tx);
}

export async function countOf(tx: Transaction, table: string): Promise<number> {
  return (await tx.query<{ readonly n: number }>(`select count(*) as n from ${quoted(table)}`))[0]?.n ?? 0;
}

function typeOf(table: string, name: string, types: Readonly<Record<string, ColumnType>>, type: string): Column {
  const found = types[type.toLowerCase()];
  if (found === undefined) throw new StoreError("config", `the column ${table}.${name} has a type that backups do not know`, { applied: false });
  return { name, type: found };
}

function values(row: Readonly<Record<string, Value>>, columns: readonly Column[]): Value[] {
  return columns.map(({ name }) => row[name] ?? null);
}

function sqliteTables(tx: Transaction): Tables {
  const has = async (table: string): Promise<boolean> =>
    (await tx.query("select 1 as x from sqlite_master where type = 'table' and name = ?", table)).length > 0;
  return {
    // A transaction has the whole database.
    freeze: async () => {},
    has,
    columns: async (table) => {
      const found = await tx.query<{ readonly name: string; readonly type: string }>("select name, type from pragma_table_info(?) order by cid", table);
      return found.map(({ name, type }) => typeOf(table, name, { integer: "int", real: "real", text: "text" }, type));
    },
    lastId: async (table) => {
      if (!(await has("sqlite_sequence"))) return null;
      return (await tx.query<{ readonly seq: number }>("select seq from sqlite_sequence where name = ?", table))[0]?.seq ?? null;
    },
    pages: async function* (table, columns) {
      const sql = `select rowid as "row id", ${listed(columns)} from ${quoted(table)} where rowid > ? order by rowid limit ${PAGE}`;
      for (let last = Number.MIN_SAFE_INTEGER; ;) {
        const rows = await tx.query<Readonly<Record<string, Value>>>(sql, last);
        if (rows.length > 0) yield rows.map((row) => values(row, columns));
        if (rows.length < PAGE) return;
        last = rows.at(-1)?.["row id"] as number;
      }
    },
    insert: async (table, columns, rows) => {
      const taken = columns.map((_, index) => `value ->> ${index}`).join(", ");
      await tx.run(`insert into ${quoted(table)}(${listed(columns)}) select ${taken} from json_each(?)`, JSON.stringify(rows));
    },
    setLastId: async (table, id) => {
      const changed = await tx.run("update sqlite_sequence set seq = max(seq, ?) where name = ?", id, table);
      if (changed === 0) await tx.run("insert into sqlite_sequence(name, seq) values(?, ?)", table, id);
    },
  };
}

const CASTS: Readonly<Record<ColumnType, string>> = { int: "bigint", real: "double precision", text: "text" };

function postgresTables(tx: Transaction): Tables {
  const identity = async (table: string): Promise<string | undefined> =>
    (
      await tx.query<{ readonly name: string }>(
        "select column_name as name from information_schema.columns where table_schema = current_schema() and table_name = ? and is_identity = 'YES'",
        table,
      )
    )[0]?.name;
  return {
    // Else each question would see what was committed meanwhile.
    freeze: async () => void (await tx.run("set transaction isolation level repeatable read, read only")),
    has: async (table) => (await tx.query("select 1 as x from pg_catalog.pg_tables where schemaname = current_schema() and tablename = ?", table)).length > 0,
    columns: async (table) => {
      const found = await tx.query<{ readonly name: string; readonly type: string }>(
        "select column_name as name, data_type as type from information_schema.columns where table_schema = current_schema() and table_name = ? order by ordinal_position",
        table,
      );
      return found.map(({ name, type }) => typeOf(table, name, { bigint: "int", integer: "int", "double precision": "real", text: "text" }, type));
    },
    lastId: async (table) => {
      const column = await identity(table);
      if (column === undefined) return null;
      const [sequence] = await tx.query<{ readonly name: string }>("select pg_get_serial_sequence(?, ?) as name", quoted(table), column);
      if (sequence === undefined) return null;
      const [at] = await tx.query<{ readonly last: number; readonly used: boolean }>(`select last_value as last, is_called as used from ${sequence.name}`);
      return at?.used === true ? at.last : null;
    },
    pages: async function* (table, columns) {
      await tx.run(`declare stratus_backup no scroll cursor for select ${listed(columns)} from ${quoted(table)}`);
      for (;;) {
        const rows = await tx.query<Readonly<Record<string, Value>>>(`fetch forward ${PAGE} from stratus_backup`);
        if (rows.length > 0) yield rows.map((row) => values(row, columns));
        if (rows.length < PAGE) break;
      }
      await tx.run("close stratus_backup");
    },
    insert: async (table, columns, rows) => {
      const taken = columns.map(({ type }, index) => `(value ->> ${index})::${CASTS[type]}`).join(", ");
      const into = `insert into ${quoted(table)}(${listed(columns)}) overriding system value`;
      await tx.run(`${into} select ${taken} from jsonb_array_elements(?::jsonb)`, JSON.stringify(rows));
    },
    setLastId: async (table, id) => {
      const column = await identity(table);
      if (column === undefined || id < 1) return;
      await tx.query(
        `select setval(pg_get_serial_sequence(?, ?), greatest(?::bigint, (select coalesce(max(${quoted(column)}), 1) from ${quoted(table)})))`,
        quoted(table),
        column,
        id,
      );
    },
  };
}
