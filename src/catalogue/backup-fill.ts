/** Rows of a checked backup into an empty catalogue, in one transaction, from the tables of their time to those of today. */
import { StoreError } from "../store/index.ts";
import type { BackupComponent } from "./backup-component.ts";
import { BackupError } from "./backup-error.ts";
import { rowsOf } from "./backup-format.ts";
import type { BackupHeader, TableHeader } from "./backup-format.ts";
import { readBackup } from "./backup-read.ts";
import type { Spool } from "./backup-spool.ts";
import { countOf, tablesOf } from "./backup-tables.ts";
import type { Tables } from "./backup-tables.ts";
import { VERSION_TABLE, applyStep } from "./migrate.ts";
import type { Catalogue, Transaction } from "./types.ts";
import type { Tally } from "./work-progress.ts";

/** Whose backup it is, and whether this release knows its tables. @throws BackupError `bad-backup`, `unknown-version` */
export function checkComponents(header: BackupHeader, components: readonly BackupComponent[]): void {
  const theirs = header.components.map(({ name }) => name).toSorted();
  const ours = components.map(({ name }) => name).toSorted();
  if (theirs.join("\n") !== ours.join("\n")) throw new BackupError("bad-backup", `this is a backup of ${theirs.join(", ")}, not of ${ours.join(", ")}`);
  for (const { name, steps } of header.components) {
    const { migrations = [] } = components.find((component) => component.name === name) ?? {};
    if (steps.length > migrations.length) throw new BackupError("unknown-version", `the backup has tables of the ${name} that only a newer release knows`);
    if (steps.some((step, index) => step !== migrations[index]?.name))
      throw new BackupError("bad-backup", `the backup has tables of the ${name} with another history`);
  }
}

/** @throws BackupError `not-empty`, `bad-backup` */
export async function fill(
  catalogue: Catalogue,
  components: readonly BackupComponent[],
  spool: Spool,
  nowMs: number,
  tally: Tally,
  signal: AbortSignal | undefined,
): Promise<void> {
  // Opens it, refuses another program's, and makes what counts the versions.
  await catalogue.migrate("backup", []);
  await catalogue.transaction(async (tx) => {
    await tx.lock("migrate");
    const tables = tablesOf(catalogue.kind, tx);
    await clear(tx, tables, components);
    const header = await readBackup(
      spool.read(),
      {
        header: async (header) => {
          checkComponents(header, components);
          for (const { name, steps } of header.components) {
            const { migrations } = components.find((component) => component.name === name) as BackupComponent;
            for (let version = 1; version <= steps.length; version++) await applyStep(tx, name, migrations, version, nowMs);
          }
          await checkTables(tx, tables, components, header);
          tally.expect(rowsOf(header));
        },
        rows: async (table, rows) => {
          await legal(() => tables.insert(table.name, table.columns, rows));
          tally.add(rows.length);
        },
      },
      signal,
    );
    for (const { name, lastId } of header.tables) if (lastId !== null) await tables.setLastId(name, lastId);
    for (const { name, steps } of header.components) {
      const { migrations, settle } = components.find((component) => component.name === name) as BackupComponent;
      for (let version = steps.length + 1; version <= migrations.length; version++) await legal(() => applyStep(tx, name, migrations, version, nowMs));
      await settle?.(tx, nowMs);
    }
    // Rules that SQLite looks at when the transaction ends would fail there without a name.
    signal?.throwIfAborted();
  });
}

/** Takes away the empty tables that an opening made. */
async function clear(tx: Transaction, tables: Tables, components: readonly BackupComponent[]): Promise<void> {
  for (const component of components) {
    for (const { name, rows = "kept" } of component.tables)
      if (rows === "kept" && (await tables.has(name)) && (await countOf(tx, name)) > 0)
        throw new BackupError("not-empty", "the catalogue is not empty: a backup is put back into a new one");
    for (const { name } of component.tables.toReversed()) if (await tables.has(name)) await tx.run(`drop table "${name}"`);
    await tx.run(`delete from ${VERSION_TABLE} where component = ?`, component.name);
  }
}

/** The tables of the backup are those that its steps make; rows that the steps put there themselves are in it. */
async function checkTables(tx: Transaction, tables: Tables, components: readonly BackupComponent[], header: BackupHeader): Promise<void> {
  const expected: Pick<TableHeader, "name" | "component" | "columns">[] = [];
  for (const { name: component, tables: all } of components)
    for (const { name, rows } of all)
      if (rows !== "left-out" && (await tables.has(name))) expected.push({ name, component, columns: await tables.columns(name) });
  const shape = (list: readonly Pick<TableHeader, "name" | "component" | "columns">[]): string =>
    list
      .map(({ name, component, columns }) => JSON.stringify([name, component, columns.map((column) => [column.name, column.type])]))
      .toSorted((one, other) => (one < other ? -1 : 1))
      .join("\n");
  if (shape(header.tables) !== shape(expected)) throw new BackupError("bad-backup", "the backup has other tables than its version has");
  for (const { name } of expected.toReversed()) await tx.run(`delete from "${name}"`);
}

/** Rows that break a rule of their table are the fault of the backup. */
async function legal(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const code = StoreError.is(error) ? (error.cause as { readonly code?: unknown } | undefined)?.code : undefined;
    if (typeof code === "string" && (/^SQLITE_(?:CONSTRAINT|MISMATCH)/.test(code) || /^2[23]\w{3}$/.test(code)))
      throw new BackupError("bad-backup", "the backup has rows that break the rules of their tables", { cause: error });
    throw error;
  }
}
