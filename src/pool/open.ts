/** The cache directory and the catalogue brought into agreement, when a pool opens. */
import { randomBytes } from "node:crypto";
import { readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Catalogue, Hold } from "../catalogue/index.ts";
import { readMarker, writeMarker } from "../local-files/index.ts";
import { StoreError, makeDirectories } from "../store/index.ts";
import { withoutDigits } from "./cache-names.ts";
import { Core, NODES, nodeKey } from "./core.ts";
import { Disk, hashOfFile, onDisk } from "./disk.ts";
import { keep } from "./keep.ts";
import type { Settings } from "./options.ts";
import { sweepSending } from "./removal.ts";
import { migrations } from "./schema.ts";

export interface OpenReport {
  /** Files without a row that were taken into the pool: uploads that were never acknowledged, or all that is left of a catalogue that was put back from an old backup. */
  readonly adopted: readonly string[];
  /** Hashes of files that the catalogue has in this cache and the disk has not: somebody took them away. */
  readonly missing: readonly string[];
}

/** @throws StoreError `conflict` where another pool has the directory, `config` where it belongs to another catalogue */
export async function openCore(settings: Settings): Promise<{ readonly core: Core; readonly report: OpenReport }> {
  const { catalogue, directory } = settings;
  await catalogue.migrate("pool", migrations);
  const node = await nodeOf(settings);
  const hold = await holdOf(catalogue, node);
  if (hold === null) throw new StoreError("conflict", "the cache directory is in use by another pool", { transient: false, applied: false });
  try {
    const disk = new Disk(directory);
    await disk.prepare();
    const core = new Core(settings, disk, node, hold);
    await core.hosts.add(settings.hosts.keys());
    await finishAllLeaving(core);
    await sweepSending(core);
    const missing = await count(core);
    return { core, report: { adopted: await adopt(core), missing } };
  } catch (error) {
    await hold[Symbol.asyncDispose]();
    throw error;
  }
}

/** Somebody who looks after dead nodes has it for a moment: then once more, when he is done. */
async function holdOf(catalogue: Catalogue, node: string): Promise<Hold | null> {
  for (let attempt = 1; ; attempt++) {
    const hold = await catalogue.hold(nodeKey(node));
    if (hold !== null || attempt === 10) return hold;
    await catalogue.transaction((tx) => tx.lock(NODES));
  }
}

/** A directory is a node of one catalogue: the file NODE says which. In the catalogue first, so that a crash in between leaves nothing but an unused row. */
async function nodeOf({ catalogue, directory, clock }: Settings): Promise<string> {
  await onDisk(() => makeDirectories(directory, 0o700));
  const path = join(directory, "NODE");
  const text = await readMarker(path, "cache directory");
  if (text !== undefined) {
    const id = /^stratus pool ([0-9a-f]{32})\n$/.exec(text)?.[1];
    if (id === undefined) throw new StoreError("config", "the cache directory belongs to another program", { applied: false });
    const known = await catalogue.query("select 1 as x from node where id = ?", id);
    if (known.length === 0)
      throw new StoreError("config", "the cache directory belongs to another catalogue: files in it may wait for their upload", { applied: false });
    return id;
  }
  const there = await onDisk(() => readdir(directory));
  if (there.length > 0 && !there.every((name) => name === "NODE.new" || name.startsWith("catalogue.db")))
    throw new StoreError("config", "the cache directory holds files of another program: give the pool an empty one", { applied: false });
  const id = randomBytes(16).toString("hex");
  await catalogue.run("insert into node(id, made_ms) values(?, ?)", id, clock.now());
  await writeMarker(onDisk, path, `stratus pool ${id}\n`);
  return id;
}

async function finishAllLeaving(core: Core): Promise<void> {
  for (const { name } of await core.db.query<{ readonly name: string }>("select name from leaving where node = ?", core.node)) {
    await core.disk.drop(name);
    await core.db.run("delete from leaving where node = ? and name = ?", core.node, name);
  }
}

/** What is used, and whose bytes are gone: a row of a file that is not there, or is not of its size, would promise too much. */
async function count(core: Core): Promise<string[]> {
  const rows = await core.db.query<{ readonly id: number; readonly hash: string; readonly name: string; readonly size: number }>(
    "select f.id, f.hash, k.name, f.size from cached k join file f on f.id = k.file where k.node = ? order by f.id",
    core.node,
  );
  const missing: string[] = [];
  for (const { id, hash, name, size } of rows) {
    if ((await core.disk.size(name)) === size) {
      core.room.add(size);
      continue;
    }
    missing.push(hash);
    await core.db.run("delete from cached where node = ? and file = ?", core.node, id);
  }
  return missing;
}

/** A file without a row is the end of an upload that was cut off, or somebody's bytes without a catalogue: kept, for it costs little to be sure. */
async function adopt(core: Core): Promise<string[]> {
  const rows = await core.db.query<{ readonly name: string }>("select name from cached where node = ?", core.node);
  const known = new Set(rows.map(({ name }) => name));
  const adopted: string[] = [];
  for (const name of await core.disk.names()) {
    if (known.has(name)) continue;
    const found = await hashOfFile(core.disk.file(name));
    if (found === null) continue;
    // Whole files only ever get here, so it fits; no room is asked for what lies there already.
    core.room.add(found.size);
    const incoming = core.disk.incoming();
    await onDisk(() => rename(core.disk.file(name), incoming));
    const nothing = { grow: async () => {}, settle: () => {}, [Symbol.dispose]: () => {} };
    await keep(core, incoming, found, withoutDigits(name), true, nothing);
    adopted.push(found.hash);
  }
  return adopted;
}
