/** One catalogue of a pool in a process of its own: `node pool-child.ts URL DIRECTORY FILES`; an empty URL is SQLite. Prints what it took as JSON. */
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Pool, backupCatalogue, poolTables, postgresCatalogue, restoreCatalogue, sqliteCatalogue } from "../src/pool/index.ts";
import type { Catalogue } from "../src/pool/index.ts";
import { local } from "../src/providers/local/index.ts";
import { memory } from "../src/providers/memory/index.ts";
import { measure } from "./measure.ts";

export interface Told {
  readonly perSecond: Readonly<Record<string, number>>;
  readonly rows: number;
  readonly backupSeconds: number;
  readonly backupBytes: number;
  readonly restoreSeconds: number;
  readonly peakMiB: number;
}

const hashOf = (n: number): string => createHash("sha256").update(`file ${n}`).digest("hex");
const seconds = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
  const start = performance.now();
  const result = await work();
  return [result, (performance.now() - start) / 1000];
};

/** Files with one copy each, as rows: the operations are measured, not the filling. */
async function fill(db: Catalogue, files: number): Promise<void> {
  await db.migrate("pool", poolTables.migrations);
  const step = 1000;
  for (let from = 0; from < files; from += step)
    await db.transaction(async (tx) => {
      for (let n = from; n < Math.min(files, from + step); n++) {
        const [row] = await tx.query<{ readonly id: number }>(
          "insert into file(hash, name, size, created_ms, queued) values(?, ?, ?, ?, 0) returning id",
          hashOf(n),
          `file ${n}`,
          1000 + n,
          n,
        );
        const url = `/${hashOf(n).slice(0, 2)}/${hashOf(n)}.0123456789ab`;
        await tx.run(
          "insert into copy(file, host, url, state, owned, made_ms, checked_ms) values(?, 'a', ?, 1, 1, ?, ?)",
          (row as { readonly id: number }).id,
          url,
          n,
          n,
        );
      }
    });
}

const [url = "", directory = "", count = ""] = process.argv.slice(2);
const files = Number(count);
await mkdir(join(directory, "backups"), { recursive: true });
const place = (): Catalogue =>
  url === "" ? sqliteCatalogue({ file: join(directory, "pool.db") }) : postgresCatalogue({ connectionString: url, schema: `files_${files}` });
{
  await using db = place();
  await fill(db, files);
  if (db.kind === "postgres") await db.run("analyze");
}
let at = 0;
const some = (): string => hashOf((at = (at + 7919) % files));
const perSecond: Record<string, number> = {};
{
  await using pool = await Pool.open({ catalogue: place(), directory: join(directory, "cache"), capacityBytes: 1e9, hosts: { a: memory() }, copies: 1 });
  let next = 0;
  const operations = {
    "look up a file": () => pool.exists(some()),
    "look up a file and its copies": () => pool.info(some()),
    "look up a hash that is not there": () => pool.exists(hashOf(-1)),
    "put in a small file": () => pool.upload(`new file ${next++}`),
  };
  Object.assign(perSecond, await measure(operations, { rounds: 9, roundMs: 100 }));
}
await using db = place();
await db.migrate("pool", poolTables.migrations);
await using store = local({ directory: join(directory, "backups"), name: "backups" });
const [backup, backupSeconds] = await seconds(() => backupCatalogue({ catalogue: db, components: [poolTables], store, temporaryDirectory: directory }));
await using target = sqliteCatalogue({ file: join(directory, "restored.db") });
const [restored, restoreSeconds] = await seconds(() => restoreCatalogue({ catalogue: target, components: [poolTables], store, temporaryDirectory: directory }));
const sum = (tables: Readonly<Record<string, number>>): number => Object.values(tables).reduce((all, rows) => all + rows, 0);
if (sum(restored.tables) !== sum(backup.tables)) throw new Error("rows were lost");
const peakMiB = Math.round(process.resourceUsage().maxRSS / 1024);
const told: Told = { perSecond, rows: sum(backup.tables), backupSeconds, backupBytes: backup.size, restoreSeconds, peakMiB };
console.log(JSON.stringify(told));
