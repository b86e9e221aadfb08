/** Numbered steps from one version of a component's tables to the next, the same for both databases. docs/formats/catalogue.md describes the table that counts them. */
import { StoreError } from "../store/index.ts";
import type { Catalogue, Migration, Transaction } from "./types.ts";

export const VERSION_TABLE = "catalogue_migration";
const MAKE = `create table ${VERSION_TABLE}(component {text} not null, version {int} not null, name {text} not null, applied_ms {int} not null, primary key(component, version)) {strict}`;

interface Applied {
  readonly version: number;
  readonly name: string;
}
type Tables = (tx: Transaction) => Promise<readonly string[]>;

/** `tables`: names of all tables where ours would be. */
export async function migrateBy(catalogue: Catalogue, component: string, migrations: readonly Migration[], tables: Tables, now: () => number): Promise<void> {
  let at = await catalogue.transaction(async (tx) => {
    await tx.lock("migrate");
    const there = await tables(tx);
    if (there.length === 0) await tx.run(MAKE);
    else if (!there.includes(VERSION_TABLE))
      throw new StoreError("config", "the catalogue belongs to another program: it has tables that are not ours", { applied: false });
    return check(component, migrations, await applied(tx, component));
  });
  for (; at < migrations.length; at++) {
    const version = at + 1;
    await catalogue.transaction(async (tx) => {
      await tx.lock("migrate");
      // Another machine may have done it meanwhile.
      if (check(component, migrations, await applied(tx, component)) >= version) return;
      await applyStep(tx, component, migrations, version, now());
    });
  }
}

async function applied(tx: Transaction, component: string): Promise<Applied[]> {
  try {
    return await tx.query<Applied>(`select version, name from ${VERSION_TABLE} where component = ? order by version`, component);
  } catch (error) {
    if (!StoreError.is(error) || error.code !== "unknown") throw error;
    throw error.with({ code: "config", reason: `the catalogue belongs to another program: its table ${VERSION_TABLE} is not ours`, transient: false });
  }
}

/** The names of the steps that were applied. @throws StoreError `config` where they are not those of this release */
export async function appliedSteps(tx: Transaction, component: string, migrations: readonly Migration[]): Promise<string[]> {
  const found = await applied(tx, component);
  check(component, migrations, found);
  return found.map(({ name }) => name);
}

/** One step with its row. The caller has locked "migrate". */
export async function applyStep(tx: Transaction, component: string, migrations: readonly Migration[], version: number, now: number): Promise<void> {
  const { name, statements } = migrations[version - 1] as Migration;
  for (const statement of statements) await tx.run(statement);
  await tx.run(`insert into ${VERSION_TABLE}(component, version, name, applied_ms) values(?, ?, ?, ?)`, component, version, name, now);
}

/** The version there is. */
function check(component: string, migrations: readonly Migration[], found: readonly Applied[]): number {
  if (found.length > migrations.length)
    throw new StoreError(
      "config",
      `the tables of the ${component} have version ${found.length}, this release knows ${migrations.length}: use the release that wrote them, or a newer one`,
      { applied: false },
    );
  found.forEach(({ version, name }, index) => {
    if (version !== index + 1 || name !== migrations[index]?.name)
      throw new StoreError("config", `the tables of the ${component} have another history: step ${index + 1} is not the one of this release`, {
        applied: false,
      });
  });
  return found.length;
}
