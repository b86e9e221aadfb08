/** A catalogue as lines, compressed: page by page, so that memory stays the same whatever its size. */
import { createHash } from "node:crypto";
import { Readable, pipeline } from "node:stream";
import { createGzip } from "node:zlib";
import { StoreError } from "../store/index.ts";
import type { BackupComponent } from "./backup-component.ts";
import { LONGEST_LINE, endLine, fits, headerLine, rowsOf } from "./backup-format.ts";
import type { BackupHeader, TableHeader } from "./backup-format.ts";
import { countOf } from "./backup-tables.ts";
import type { Tables } from "./backup-tables.ts";
import { VERSION_TABLE, appliedSteps } from "./migrate.ts";
import type { Transaction, Value } from "./types.ts";
import type { Tally } from "./work-progress.ts";

/** Higher levels cost more time than they save bytes. */
const LEVEL = 5;

/** What there is, at this moment of the catalogue. @throws StoreError `config` where a component has no tables, or those of another release */
export async function describe(tx: Transaction, tables: Tables, components: readonly BackupComponent[], madeMs: number): Promise<BackupHeader> {
  const steps: BackupHeader["components"][number][] = [];
  const headers: TableHeader[] = [];
  for (const { name: component, migrations, tables: all } of components) {
    const applied = (await tables.has(VERSION_TABLE)) ? await appliedSteps(tx, component, migrations) : [];
    if (applied.length === 0) throw new StoreError("config", `the catalogue has no tables of the ${component}`, { applied: false });
    steps.push({ name: component, steps: applied });
    for (const { name, rows } of all) {
      if (rows === "left-out" || !(await tables.has(name))) continue;
      headers.push({
        name,
        component,
        columns: await tables.columns(name),
        rows: await countOf(tx, name),
        lastId: await tables.lastId(name),
      });
    }
  }
  return { madeMs, components: steps, tables: headers };
}

/** The bytes of the backup. The transaction lasts until they were all taken. */
export function backupBytes(tables: Tables, header: BackupHeader, tally: Tally): AsyncIterable<Uint8Array> {
  const gzip = createGzip({ level: LEVEL });
  // Ends both when one fails; the error comes out of the iteration.
  pipeline(Readable.from(lines(tables, header, tally), { objectMode: false }), gzip, () => {});
  return gzip;
}

async function* lines(tables: Tables, header: BackupHeader, tally: Tally): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  const hashed = (text: string): Buffer => {
    const bytes = Buffer.from(text);
    hash.update(bytes);
    return bytes;
  };
  yield hashed(`${headerLine(header)}\n`);
  tally.expect(rowsOf(header));
  let total = 0;
  for (const table of header.tables) {
    let count = 0;
    for await (const page of tables.pages(table.name, table.columns)) {
      count += page.length;
      yield hashed(page.map((row) => `${lineOf(table, row)}\n`).join(""));
      tally.add(page.length);
    }
    if (count !== table.rows) throw new StoreError("corrupt", `the table ${table.name} has ${count} rows and says ${table.rows}`, { applied: false });
    total += count;
  }
  yield Buffer.from(`${endLine(total, hash.digest("hex"))}\n`);
}

function lineOf({ name, columns }: TableHeader, row: readonly Value[]): string {
  if (!columns.every(({ type }, index) => fits(row[index], type)))
    throw new StoreError("corrupt", `the table ${name} has a value that is not of its column`, { applied: false });
  const line = JSON.stringify(row);
  if (line.length > LONGEST_LINE) throw new StoreError("too-large", `the table ${name} has a row that is too large for a backup`, { applied: false });
  return line;
}
