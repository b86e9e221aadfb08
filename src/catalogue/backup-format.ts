/** The lines of a backup: a header, rows, an end. docs/formats/catalogue-backup.md describes them. Nothing here knows a database. */
import { BackupError } from "./backup-error.ts";
import type { Value } from "./types.ts";

export const FORMAT = "stratus-catalogue-backup";
export const VERSION = 1;
/** Of one line, in characters, so that a hostile file cannot fill the memory. */
export const LONGEST_LINE: number = 16 << 20;

export type ColumnType = "int" | "real" | "text";
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}
export interface TableHeader {
  readonly name: string;
  readonly component: string;
  readonly columns: readonly Column[];
  readonly rows: number;
  /** The last id that the table gave, so that none is given twice; null where it gives none. */
  readonly lastId: number | null;
}
export interface BackupHeader {
  readonly madeMs: number;
  /** Whose tables, and the names of the steps that made them: their number is the version. */
  readonly components: readonly { readonly name: string; readonly steps: readonly string[] }[];
  readonly tables: readonly TableHeader[];
}

/** Of all tables. */
export function rowsOf({ tables }: BackupHeader): number {
  return tables.reduce((sum, { rows }) => sum + rows, 0);
}

export function headerLine({ madeMs, components, tables }: BackupHeader): string {
  const shown = tables.map(({ name, component, columns, rows, lastId }) => ({
    name,
    component,
    columns: columns.map((column) => [column.name, column.type]),
    rows,
    last_id: lastId,
  }));
  return JSON.stringify({ format: FORMAT, version: VERSION, made_ms: madeMs, components, tables: shown });
}

export function endLine(rows: number, sha256: string): string {
  return JSON.stringify({ end: true, rows, sha256 });
}

const bad = (what: string, cause?: unknown): never => {
  throw new BackupError("bad-backup", what, { cause });
};
type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isName = (value: unknown): value is string => typeof value === "string" && /^[a-z_][a-z0-9_]{0,62}$/.test(value);
const isText = (value: unknown): value is string => typeof value === "string" && value.length > 0 && value.length <= 200;
/** Ids go on from here, so there must be some left. */
const isId = (value: unknown): value is number | null => value === null || (isCount(value) && value <= 2 ** 52);

/** @throws BackupError `bad-backup`, `unknown-version` */
export function parseHeader(line: string): BackupHeader {
  const fields = json(line);
  if (!isObject(fields) || fields["format"] !== FORMAT) return bad("this is no backup of a catalogue");
  if (fields["version"] !== VERSION) throw new BackupError("unknown-version", "the backup has a format that this release cannot read");
  const { made_ms: madeMs, components, tables } = fields;
  if (!isCount(madeMs) || !Array.isArray(components) || !Array.isArray(tables)) return bad("the header of the backup is not whole");
  const header = { madeMs, components: components.map(parseComponent), tables: tables.map(parseTable) };
  const names = header.tables.map(({ name }) => name);
  if (new Set(names).size !== names.length) return bad("the backup names a table twice");
  return header;
}

function parseComponent(given: unknown): BackupHeader["components"][number] {
  if (!isObject(given)) return bad("a component of the backup is none");
  const { name, steps } = given;
  if (!isText(name) || !Array.isArray(steps) || steps.length === 0 || !steps.every(isText)) return bad("a component of the backup is none");
  return { name, steps };
}

function parseTable(given: unknown): TableHeader {
  if (!isObject(given)) return bad("a table of the backup is none");
  const { name, component, columns, rows, last_id: lastId } = given;
  if (!isName(name) || !isText(component) || !Array.isArray(columns) || columns.length === 0 || !isCount(rows) || !isId(lastId))
    return bad("a table of the backup is none");
  return { name, component, columns: columns.map(parseColumn), rows, lastId };
}

function parseColumn(given: unknown): Column {
  if (!Array.isArray(given) || given.length !== 2) return bad("a column of the backup is none");
  const [name, type] = given as readonly unknown[];
  if (!isName(name) || (type !== "int" && type !== "real" && type !== "text")) return bad("a column of the backup is none");
  return { name, type };
}

/** @throws BackupError `bad-backup` for what is no row of these columns */
export function parseRow(line: string, columns: readonly Column[]): readonly Value[] {
  const row = json(line);
  if (!Array.isArray(row) || row.length !== columns.length) return bad("a row of the backup has other columns");
  for (let i = 0; i < columns.length; i++) if (!fits(row[i], (columns[i] as Column).type)) return bad("a row of the backup has a value of another type");
  return row as readonly Value[];
}

export function fits(value: unknown, type: ColumnType): value is Value {
  if (value === null) return true;
  if (type === "text") return typeof value === "string" && !value.includes("\0") && value.isWellFormed();
  return type === "int" ? Number.isSafeInteger(value) : Number.isFinite(value);
}

export function parseEnd(line: string): { readonly rows: number; readonly sha256: string } {
  const fields = json(line);
  if (!isObject(fields) || fields["end"] !== true) return bad("the backup goes on where its end should be");
  const { rows, sha256 } = fields;
  if (!isCount(rows) || typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) return bad("the end of the backup is not whole");
  return { rows, sha256 };
}

function json(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    return bad("a line of the backup is no JSON", cause);
  }
}
