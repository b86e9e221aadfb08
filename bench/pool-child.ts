/**
 * One catalogue in a process of its own: `node pool-child.ts URL RESTORE DIRECTORY FILES`; an empty URL is SQLite, RESTORE is the URL of a PostgreSQL for the second restore, or empty. Prints what
 * it took as JSON.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { backupCatalogue, poolTables, postgresCatalogue, restoreCatalogue, sqliteCatalogue } from "../src/pool/index.ts";
import type { Catalogue } from "../src/pool/index.ts";
import { local } from "../src/providers/local/index.ts";
import { measure } from "./measure.ts";
import { poolOperations, repositoryOperations } from "./pool-operations.ts";
import type { Operations } from "./pool-operations.ts";

export interface Told {
  readonly perSecond: Readonly<Record<string, number>>;
  readonly rows: number;
  readonly backupSeconds: number;
  readonly backupBytes: number;
  /** By the kind of the database that was filled. */
  readonly restoreSeconds: Readonly<Record<string, number>>;
  readonly peakMiB: number;
}

const seconds = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
  const start = performance.now();
  const result = await work();
  return [result, (performance.now() - start) / 1000];
};
const sum = (tables: Readonly<Record<string, number>>): number => Object.values(tables).reduce((all, rows) => all + rows, 0);

const [url = "", restoreUrl = "", directory = "", count = ""] = process.argv.slice(2);
const files = Number(count);
await mkdir(join(directory, "backups"), { recursive: true });
const place = (name: string) => (): Catalogue =>
  url === "" ? sqliteCatalogue({ file: join(directory, `${name}.db`) }) : postgresCatalogue({ connectionString: url, schema: `${name}_${files}` });
const measured = (operations: Operations): Promise<Readonly<Record<string, number>>> => measure(operations, { rounds: 9, roundMs: 60 });
const perSecond = {
  ...(await poolOperations(place("pool"), directory, files, measured)),
  ...(await repositoryOperations(place("repository"), directory, files, measured)),
};
await using db = place("pool")();
await db.migrate("pool", poolTables.migrations);
await using store = local({ directory: join(directory, "backups"), name: "backups" });
const backupOf = { catalogue: db, components: [poolTables], store, temporaryDirectory: directory };
const [backup, backupSeconds] = await seconds(() => backupCatalogue(backupOf));
const targets: Readonly<Record<string, () => Catalogue>> = {
  SQLite: () => sqliteCatalogue({ file: join(directory, "restored.db") }),
  ...(restoreUrl === ""
    ? {}
    : { PostgreSQL: () => postgresCatalogue({ connectionString: restoreUrl, schema: `restored_${url === "" ? "from_sqlite" : "from_postgres"}_${files}` }) }),
};
const restoreSeconds: Record<string, number> = {};
for (const [kind, target] of Object.entries(targets)) {
  await using catalogue = target();
  const [restored, took] = await seconds(() => restoreCatalogue({ ...backupOf, catalogue }));
  if (sum(restored.tables) !== sum(backup.tables)) throw new Error("rows were lost");
  restoreSeconds[kind] = took;
}
const peakMiB = Math.round(process.resourceUsage().maxRSS / 1024);
const told: Told = { perSecond, rows: sum(backup.tables), backupSeconds, backupBytes: backup.size, restoreSeconds, peakMiB };
console.log(JSON.stringify(told));
