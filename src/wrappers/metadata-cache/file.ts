/**
 * What is remembered, over a restart: docs/formats/metadata-cache.md. It is only a cache: whatever is not certain about the file (not closed, damaged, of another
 * version or another store) throws it away, and a file that is not ours is not touched.
 */
import fs from "node:fs/promises";
import nodePath from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { StoreError, makeDirectories } from "../../store/index.ts";
import type { Clock, StorePath } from "../../store/index.ts";
import type { MetadataMemory } from "./memory.ts";
import { Owner } from "./owner.ts";
import { APPLICATION_ID, VERSION, decode, encode, sum } from "./rows.ts";
import type { Row } from "./rows.ts";
import { isDamaged, openDatabase } from "./sqlite.ts";
import type { Database } from "./sqlite.ts";
import type { Directory, TreeJournal } from "./tree.ts";

export interface MetadataFileOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly maxStaleMs: number;
  /** Of the store below: facts of another one are no facts. */
  readonly identity: string;
}

/** How long changes gather before they are written. */
const GATHER_MS = 5000;
/** Facts written in one transaction, so that the event loop is not held up for long. */
const BATCH = 2000;

export class MetadataFile implements TreeJournal {
  /** "new", "warm", "failed", or why what was there was thrown away. */
  state = "closed";
  readonly #options: MetadataFileOptions;
  #memory: MetadataMemory | undefined;
  #database: Database | undefined;
  #owner: Owner | undefined;
  #loading = false;
  readonly #changed = new Set<Directory>();
  readonly #dropped = new Set<StorePath>();
  #stop: AbortController | undefined;
  #writing: Promise<void> | undefined;

  constructor(options: MetadataFileOptions) {
    this.#options = options;
  }

  name(directory: Directory): void {
    this.directory(directory);
  }
  directory(directory: Directory): void {
    if (this.#database === undefined || this.#loading) return;
    this.#changed.add(directory);
    this.#schedule();
  }
  dropped(directory: Directory): void {
    if (this.#database === undefined || this.#loading) return;
    this.#dropped.add(directory.path);
    this.#schedule();
  }

  /** @throws StoreError `conflict`: somebody else has it. `config`: it cannot be opened, or is not a file of a metadata cache. */
  async open(memory: MetadataMemory): Promise<void> {
    const { path } = this.#options;
    this.#memory = memory;
    try {
      await makeDirectories(nodePath.dirname(path), 0o700);
    } catch (error) {
      throw new StoreError("config", "the directory of the metadata cache cannot be made", { cause: error });
    }
    this.#owner = await Owner.take(path);
    try {
      const found = await look(path);
      this.state = found;
      if (found !== "new" && found !== "warm") await discard(path);
      await this.#begin(found === "warm");
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  async #begin(load: boolean): Promise<void> {
    const { path } = this.#options;
    try {
      this.#database = await openDatabase(path);
      prepare(this.#database);
      if (!load) return this.#claim();
      const why = await this.#load(this.#database);
      if (why === undefined) return this.#claim();
      this.state = why;
    } catch (error) {
      if (!load || !isDamaged(error))
        throw StoreError.is(error) ? error : new StoreError("config", "the file of this metadata cache cannot be used", { cause: error });
      this.state = "discarded: damaged";
    }
    this.#database?.close();
    this.#database = undefined;
    this.#loading = true;
    this.#memory?.tree.clear();
    this.#loading = false;
    await discard(path);
    await this.#begin(false);
  }

  /** From here on the file is behind, until it is closed: if that never happens, it is worth nothing. On disk before anything else changes. */
  #claim(): void {
    const database = this.#database as Database;
    database.pragma("synchronous = FULL");
    this.#set("closed", "no");
    this.#set("store", this.#options.identity);
    this.#set("keys", this.#keys);
    database.pragma("synchronous = NORMAL");
  }

  get #keys(): string {
    const { tree, naming } = this.#memory as MetadataMemory;
    return `${tree.strict ? "strict" : "loose"} ${naming.exact ? "exact" : "folded"}`;
  }

  #set(key: string, value: string): void {
    (this.#database as Database).prepare("insert or replace into meta(key, value) values (?, ?)").run(key, value);
  }
  #get(key: string): unknown {
    return (this.#database as Database).prepare("select value from meta where key = ?").pluck().get(key);
  }

  /** Undefined: all is well; else why it is thrown away. */
  async #load(database: Database): Promise<string | undefined> {
    const memory = this.#memory as MetadataMemory;
    if (this.#get("closed") !== "yes") return "discarded: not closed";
    if (this.#get("store") !== this.#options.identity || this.#get("keys") !== this.#keys) return "discarded: of another store";
    const page = database.prepare<[string], Row>("select path, at, complete, etag, facts, crc from directory where path > ? order by path limit 50");
    const { clock, maxStaleMs } = this.#options;
    const times = { wall: clock.now(), monotonic: memory.now, ttlMs: memory.settings.ttlMs, maxStaleMs };
    this.#loading = true;
    try {
      for (let after = ""; ;) {
        const rows = page.all(after);
        for (const row of rows) {
          if (typeof row.path !== "string" || row.crc !== sum(row)) return "discarded: damaged";
          decode(row, memory, times);
          after = row.path;
        }
        if (rows.length < 50) return undefined;
        await turn();
      }
    } finally {
      this.#loading = false;
    }
  }

  #schedule(): void {
    if (this.#stop !== undefined || this.state === "failed") return;
    const stop = new AbortController();
    this.#stop = stop;
    this.#writing = this.#options.clock.sleep(GATHER_MS, stop.signal, { background: true }).then(
      async () => {
        this.#stop = undefined;
        await this.#write(undefined);
      },
      () => {},
    );
  }

  /** Writes what has changed. A file that cannot be written is behind for ever: it is given up, and thrown away when it is opened next. */
  async #write(signal: AbortSignal | undefined): Promise<void> {
    const database = this.#database;
    if (database === undefined || this.state === "failed") return;
    try {
      while ((this.#dropped.size > 0 || this.#changed.size > 0) && signal?.aborted !== true) {
        database.transaction(() => this.#batch(database))();
        await turn();
      }
    } catch {
      // Told by `report().file`: nobody has asked for the file to be written, so nobody can be told otherwise.
      this.state = "failed";
      this.#changed.clear();
      this.#dropped.clear();
    }
  }

  #batch(database: Database): void {
    const memory = this.#memory as MetadataMemory;
    const remove = database.prepare("delete from directory where path = ?");
    // "0" follows "/": all paths that begin with this one and a "/".
    const removeBelow = database.prepare("delete from directory where path = ? or (path > ? and path < ?)");
    for (const path of this.#dropped) {
      if (path === "/") database.exec("delete from directory");
      else removeBelow.run(path, `${path}/`, `${path}0`);
    }
    this.#dropped.clear();
    const put = database.prepare("insert or replace into directory(path, at, complete, etag, facts, crc) values (@path, @at, @complete, @etag, @facts, @crc)");
    const { clock } = this.#options;
    let written = 0;
    for (const directory of this.#changed) {
      this.#changed.delete(directory);
      const { path } = directory;
      const now = memory.tree.find(path);
      if (now === undefined || (now.kids.size === 0 && !now.complete)) remove.run(path);
      else put.run(encode(path, now, { wall: clock.now(), monotonic: memory.now }));
      written += 1 + (now?.kids.size ?? 0);
      if (written >= BATCH) return;
    }
  }

  async close(signal: AbortSignal | undefined): Promise<void> {
    this.#stop?.abort(new Error("closed"));
    await this.#writing;
    await this.#write(signal);
    try {
      const isWhole = this.#changed.size === 0 && this.#dropped.size === 0;
      if (this.#database !== undefined && this.state !== "failed" && isWhole) {
        this.#database.pragma("synchronous = FULL");
        this.#set("closed", "yes");
        this.#database.pragma("wal_checkpoint(TRUNCATE)");
      }
    } catch {
      // It says "no" still, and is thrown away when it is opened next.
      this.state = "failed";
    } finally {
      this.#release();
    }
  }

  #release(): void {
    this.#database?.close();
    this.#database = undefined;
    this.#owner?.release();
    this.#owner = undefined;
  }
}

function prepare(database: Database): void {
  database.pragma("locking_mode = EXCLUSIVE");
  if (database.pragma("application_id", { simple: true }) !== APPLICATION_ID)
    database.exec(
      `begin exclusive; pragma application_id = ${APPLICATION_ID}; pragma user_version = ${VERSION};
       create table meta(key text primary key, value text not null) strict, without rowid;
       create table directory(path text primary key, at real, complete integer not null, etag text, facts text not null, crc integer not null) strict, without rowid;
       commit`,
    );
  database.pragma("journal_mode = WAL");
  database.pragma("cache_size = -4000");
  database.pragma("trusted_schema = off");
}

/** Before SQLite touches it: whose file is it? By its first hundred bytes. */
async function look(path: string): Promise<string> {
  let handle: fs.FileHandle;
  try {
    handle = await fs.open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "new";
    throw new StoreError("config", "the file of this metadata cache cannot be opened", { cause: error });
  }
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(100), 0, 100, 0);
    if (bytesRead === 0) return "new";
    if (bytesRead < 100 || buffer.toString("latin1", 0, 16) !== "SQLite format 3\0" || buffer.readInt32BE(68) !== APPLICATION_ID)
      throw new StoreError("config", "this is no file of a metadata cache; it is left as it is");
    const version = buffer.readInt32BE(60);
    return version === VERSION ? "warm" : `discarded: version ${version}`;
  } finally {
    await handle.close();
  }
}

async function discard(path: string): Promise<void> {
  for (const one of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`]) await fs.rm(one, { force: true });
}
