/** What is done with a filled pool and a filled repository, each operation so that the catalogue is as large afterwards as before. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Catalogue } from "../src/catalogue/index.ts";
import { Pool, poolTables } from "../src/pool/index.ts";
import { memory } from "../src/providers/memory/index.ts";
import { Repository } from "../src/repository/index.ts";
import { borrow } from "../src/store/index.ts";
import type { Contender } from "./measure.ts";
import { CACHED_SIZE, GROUP, fillPool, fillRepository, hashOf } from "./pool-fill.ts";

export type Operations = Readonly<Record<string, Contender>>;
export type Measured = Readonly<Record<string, number>>;
type Measure = (operations: Operations) => Promise<Measured>;

/**
 * So many files are looked up before anything is measured: of a large catalogue whose pages are read for the first time other things are measured than of one that
 * has been open for a minute, and a small one is read whole in the first round.
 */
const MOST_WARMED = 200_000;
/** Of those, the first: what they took is told by itself. */
const FIRST = 5000;

/** Each has a file of its own on the disk. */
const MOST_CACHED = 10_000;
const GRACE = { graceMs: 0 } as const;

/** Calls a second of the first ones after the opening. */
async function warmed(files: number, look: () => Promise<unknown>): Promise<number> {
  const first = Math.min(files, FIRST);
  const start = performance.now();
  for (let n = 0; n < first; n++) await look();
  const perSecond = (first * 1000) / (performance.now() - start);
  for (let n = first; n < Math.min(files, MOST_WARMED); n++) await look();
  return perSecond;
}

export async function poolOperations(place: () => Catalogue, directory: string, files: number, measure: Measure): Promise<Measured> {
  const cached = Math.min(files, MOST_CACHED);
  const store = memory();
  const open = (capacityBytes: number): Promise<Pool> =>
    Pool.open({ catalogue: place(), directory: join(directory, "cache"), capacityBytes, hosts: { a: borrow(store) }, copies: 1 });
  {
    await using db = place();
    await db.migrate("pool", poolTables.migrations);
    await fillPool(db, files);
  }
  await (await open(0)).close();
  {
    await using db = place();
    await db.migrate("pool", poolTables.migrations);
    await db.run(
      `insert into cached(node, file, name, used_ms, size) select (select id from node), f.id, 'cached' || f.hash, f.id, f.size from (select id, hash, size from file order by id limit ${cached}) f`,
    );
    if (db.kind === "postgres") await db.run("analyze");
  }
  for (let n = 0; n < cached; n++) await writeFile(join(directory, "cache", "files", `cached${hashOf(n)}`), Buffer.alloc(CACHED_SIZE));
  // Full to the last byte.
  await using pool = await open(Math.ceil((cached * CACHED_SIZE) / 0.9));
  if (pool.opened.missing.length > 0 || pool.opened.adopted.length > 0) throw new Error("the cache is not the one that was filled");
  let [at, fresh] = [0, 0];
  const some = (): string => hashOf((at = (at + 7919) % files));
  const name = (): string => String(fresh++).padStart(CACHED_SIZE, "n");
  const atFirst = await warmed(files, () => pool.info(some()));
  const perSecond = await measure({
    "pool: look up a file": () => pool.exists(some()),
    "pool: look up a file and its copies": () => pool.info(some()),
    "pool: look up a hash that is not there": () => pool.exists(hashOf(-1)),
    "pool: queues": () => pool.queues(),
    "pool: nothing to sync, export or collect": async () => [await pool.sync(), await pool.dump(), await pool.collect()],
    "pool: put in, sync, remove and collect a file, one leaves the full cache": async () => {
      const hash = await pool.upload(name());
      const { complete } = await pool.sync();
      if (complete !== 1) throw new Error(`${complete} files were sent`);
      await pool.remove(hash);
      await pool.collect(GRACE);
    },
  });
  return { ...perSecond, "pool: the first files and their copies after the opening": atFirst };
}

export async function repositoryOperations(place: () => Catalogue, directory: string, files: number, measure: Measure): Promise<Measured> {
  const store = memory();
  const options = { store: borrow(store), directory: join(directory, "local"), host: "bench", cacheLimitBytes: files * CACHED_SIZE, graceMs: 0 };
  // The rows of local copies come after the opening, which would ask for each file.
  const db = place();
  await using repo = await Repository.create({ ...options, catalogue: db, publishedStaleMs: Number.MAX_SAFE_INTEGER });
  await fillRepository(db, files);
  const [first] = await db.query<{ readonly id: number }>("select min(id) as id from repo_file");
  let [at, fresh] = [0, 0];
  const some = (): number => (at = (at + 7919) % files);
  const id = (): number => (first?.id ?? 1) + some();
  const path = (): string => {
    const n = Math.floor(some() / GROUP);
    return `/d${Math.floor(n / GROUP)}/f${n}`;
  };
  const must = (right: boolean): void => {
    if (!right) throw new Error("a search of the repository found something else");
  };
  const atFirst = await warmed(files, async () => {
    must((await repo.find({ sha256: hashOf(some()) })).length === 1);
    must((await repo.get(path())) !== null);
  });
  const perSecond = await measure({
    "repository: the current version of a path": async () => must((await repo.get(path())) !== null),
    "repository: a file by its id": () => repo.info(id()),
    "repository: find by hash": async () => must((await repo.find({ sha256: hashOf(some()) })).length === 1),
    "repository: find by path": async () => must((await repo.find({ path: path() })).length > 0),
    "repository: find by directory and state": async () => must((await repo.find({ under: path().split("/f")[0] ?? "", state: "published" })).length > 0),
    "repository: find by tag, all versions": async () =>
      must((await repo.findTagged({ all: [`tag ${Math.floor(id() / GROUP)}`], published: false })).length > 0),
    "repository: tag and untag a file": async () => {
      const file = id();
      await repo.tagFile(file, "new");
      await repo.untagFile(file, "new");
    },
    "repository: add, publish, fetch, expire, purge and collect a file": async () => {
      const file = await repo.addFile(`/new/${fresh++ % 100}`);
      await repo.write(file, "n".repeat(CACHED_SIZE));
      await repo.publish(file);
      await repo.unlink(file);
      must((await repo.text(file)).length === CACHED_SIZE);
      await repo.expire(file);
      await repo.purge(file);
    },
    "repository: look after the host": () => repo.maintainHost(),
  });
  return { ...perSecond, "repository: the first hashes and paths after the opening": atFirst };
}
