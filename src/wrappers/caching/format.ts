/** The journal's format on disk: schema, pragmas, version, and the way from an older version to this one. */
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "../../store/index.ts";
import { indexes as candidateIndexes } from "./candidates.ts";
import { openSqlite, opening } from "./sqlite.ts";
import type { Sqlite } from "./sqlite.ts";

/** Major version: `FORMAT`, `user_version`. docs/formats/cache.md describes it; a change there is a step in `upgrades`. */
export const version = 1;
const FORMAT_TEXT = /^stratus cache (\d+)\n$/;

export const schema = `
create table meta(key text primary key, value any) strict, without rowid;
create table session(id integer primary key, boot text not null, durability text not null, opened integer not null, clean integer not null) strict;
create table node(id integer primary key, parent integer not null, name text not null, kind integer not null, implied integer not null default 0,
  dirty integer not null, gen integer not null, content integer, size integer, modified real, ctype text, metadata text,
  local integer not null default 0, complete integer not null default 1,
  base_kind integer, base_etag text, base_size integer, base_modified real, base_hashes text, base_crc integer, base_id text,
  base_gen integer not null default 0, moved_gen integer not null default 0, checked integer, since integer, due integer, wait integer,
  tries integer not null default 0, error text, unique(parent, name)) strict;
create table content(id integer primary key, refs integer not null, size integer not null, crc integer not null, hashes text not null, used integer, data blob) strict;
create table flight(id integer primary key, node integer not null, gen integer not null, kind integer not null, path text not null, content integer,
  cond integer not null, started integer not null, doubt integer not null) strict;
create table barrier(seq integer primary key, kind text not null, src text not null, dst text, tree integer not null default 1, run integer not null default 0,
  doubt integer not null default 0, fresh integer not null default 0, step integer not null default 0, tries integer not null default 0, due integer, error text) strict;
create table item(seq integer not null, path text not null, etag text, primary key(seq, path)) strict, without rowid;
create table conflict(id integer primary key, at integer not null, path text not null, kept text, what text not null) strict;
insert into node(id, parent, name, kind, dirty, gen) values(1, 0, '', 2, 0, 0);
`;

/** No part of the version: what is missing is made by each opening. A release that does not know `version` loses what it says, and no more. */
const additions = `
create table if not exists version(seq integer, path text, size integer, hashes text, crc integer) strict;
create index if not exists version_seq on version(seq, path);
create index if not exists node_wait on node(wait) where wait is not null;
create index if not exists node_parked on node(id) where dirty = 1 and due is null;
create index if not exists node_content on node(content) where content is not null;
create index if not exists content_used on content(used, id) where used is not null;
create index if not exists flight_node on flight(node);
create index if not exists flight_path on flight(path);
create index if not exists flight_content on flight(content) where content is not null;
${candidateIndexes}
`;

/** Step n leads from version n to n + 1, in one transaction. None rewrites content files. */
export type Upgrades = Readonly<Record<number, (exec: (sql: string) => void) => void>>;
export const upgrades: Upgrades = {};

export interface FormatOptions {
  readonly version?: number | undefined;
  readonly upgrades?: Upgrades | undefined;
  /** After each step of an upgrade, and after the creation. */
  readonly step?: (() => void) | undefined;
}

/** Refuses a directory of another program or a newer version before anything in it is touched. */
export function checkFormatFile(directory: string, known: number = version): void {
  const path = join(directory, "FORMAT");
  if (!existsSync(path)) return;
  const found = FORMAT_TEXT.exec(readFileSync(path, "utf8"));
  if (found === null) throw new StoreError("config", "the cache directory belongs to another program");
  if (Number(found[1]) > known)
    throw new StoreError("config", `the cache directory has format ${found[1]}, this release knows ${known}: use the release that wrote it, or a newer one`);
}

/** Opens `journal.db`, creates or upgrades it. SQLite replays its own log here. The caller holds the owner's lock. */
export function openDatabase(directory: string, options: FormatOptions = {}): Sqlite {
  const { version: wanted = version, upgrades: steps = upgrades, step } = options;
  checkFormatFile(directory, wanted);
  const path = join(directory, "journal.db");
  if (!existsSync(path) && existsSync(join(directory, "FORMAT")))
    throw new StoreError("corrupt", "the journal of this cache directory is missing: move the directory aside to start anew");
  let db: Sqlite | undefined;
  try {
    db = openSqlite(path);
    // Before WAL, so that its index lies on the heap: no shared memory file, and a second process is refused.
    db.pragma("locking_mode = EXCLUSIVE");
    // And before anything that writes: what is not ours stays as it is.
    refuseForeign(db, directory, wanted);
    db.pragma("auto_vacuum = incremental");
    if (db.pragma("journal_mode = WAL", { simple: true }) !== "wal")
      throw new StoreError("config", "this file system cannot keep a write-ahead log: use a local directory");
    db.pragma("synchronous = NORMAL");
    db.pragma("wal_autocheckpoint = 1000");
    db.pragma("cache_size = -16000");
    db.pragma("temp_store = memory");
    db.pragma("trusted_schema = off");
    bringTo(db, directory, wanted, steps, step);
    db.exec(additions);
    // What opens cleanly may still be damaged further in; that shows at the first statement that meets it.
    db.prepare("select count(*) from node where id = 1").get();
    return db;
  } catch (error) {
    db?.close();
    throw opening(error);
  }
}

function refuseForeign(db: Sqlite, directory: string, wanted: number): void {
  const found = db.pragma("user_version", { simple: true }) as number;
  if (found > wanted)
    throw new StoreError("config", `the journal has format ${found}, this release knows ${wanted}: use the release that wrote it, or a newer one`);
  const { tables, ours } = db
    .prepare("select count(*) as tables, coalesce(sum(name in ('meta', 'node', 'content', 'flight')), 0) as ours from sqlite_master")
    .get() as {
    readonly tables: number;
    readonly ours: number;
  };
  if (found === 0 ? tables > 0 : ours < 4) throw new StoreError("config", "journal.db in the cache directory belongs to another program");
  if (found === 0) {
    // Of a journal whose log is gone nothing may be left but a first page, and what it named is somebody's unsent data.
    if (existsSync(join(directory, "content")) && readdirSync(join(directory, "content")).length > 0)
      throw new StoreError("corrupt", "the journal of this cache directory is empty, while it holds files: move the directory aside");
    return;
  }
  const features = db.prepare("select value from meta where key = 'features'").get() as { readonly value: string } | undefined;
  if (features !== undefined && features.value !== "") throw new StoreError("config", `the journal needs what this release does not know: ${features.value}`);
}

function bringTo(db: Sqlite, directory: string, wanted: number, steps: Upgrades, step: (() => void) | undefined): void {
  const found = db.pragma("user_version", { simple: true }) as number;
  if (found === 0) {
    db.exec(`begin immediate; ${schema} pragma user_version = ${wanted}; commit`);
    step?.();
  } else if (found < wanted) {
    const copy = join(directory, `journal-before-${wanted}.db`);
    rmSync(copy, { force: true });
    db.prepare("vacuum into ?").run(copy);
    for (let at = found; at < wanted; at++) {
      const upgrade = steps[at];
      if (upgrade === undefined) throw new StoreError("config", `this release cannot read format ${at} of the journal`);
      db.exec("begin immediate");
      try {
        upgrade((sql) => void db.exec(sql));
        db.pragma(`user_version = ${at + 1}`);
        db.exec("commit");
      } catch (error) {
        if (db.inTransaction) db.exec("rollback");
        throw error;
      }
      step?.();
    }
  }
  if (!existsSync(join(directory, "FORMAT")) || found !== wanted) writeFileSync(join(directory, "FORMAT"), `stratus cache ${wanted}\n`, { mode: 0o600 });
}
