/** The index on disk: schema, version, and the way from an older version to this one. docs/formats/plowshare.md describes it. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "../../store/index.ts";
import { openSqlite } from "./sqlite.ts";
import type { Sqlite } from "./sqlite.ts";

/** `FORMAT` and `user_version`. */
export const version = 1;
const FORMAT_TEXT = /^stratus plowshare (\d+)\n$/;

export const schema = `
create table meta(key text primary key, value any) strict, without rowid;
create table node(id integer primary key autoincrement, parent integer not null, name text not null, kind integer not null, content integer, modified real not null,
  type text, metadata text, gen integer not null, unique(parent, name)) strict;
create index node_content on node(content) where content is not null;
create table content(id integer primary key autoincrement, refs integer not null, size integer not null, sha256 text not null) strict;
create table link(id integer primary key autoincrement, content integer not null, host text not null, url text not null, remove text, admin text, made integer not null,
  checked integer, dead integer) strict;
create index link_content on link(content);
create index link_host on link(host);
create index link_url on link(url);
create index link_remove on link(remove) where remove is not null;
create table removal(id integer primary key autoincrement, host text not null, url text not null, remove text, admin text, since integer not null, due integer,
  tries integer not null default 0, stuck text) strict;
create index removal_due on removal(due) where due is not null;
create table flight(id integer primary key autoincrement, host text not null, name text not null, size integer not null, started integer not null, ended integer) strict;
create table host(name text primary key, errors integer not null default 0, score real not null default 0, scored integer not null default 0,
  uploads integer not null default 0, downloads integer not null default 0, refused integer, last text, last_at integer) strict;
insert into meta(key, value) values('gen', 1), ('features', '');
insert into node(id, parent, name, kind, modified, gen) values(1, 0, '', 2, 0, 1);
`;

/** Step n leads from version n to n + 1, in one transaction. */
export type Upgrades = Readonly<Record<number, (exec: (sql: string) => void) => void>>;
export const upgrades: Upgrades = {};

export interface FormatOptions {
  readonly flush: boolean;
  readonly createRoot: boolean;
  readonly version?: number | undefined;
  readonly upgrades?: Upgrades | undefined;
}

/** What can be known before the lock is taken. @throws StoreError `config` for a missing, a foreign and a newer directory; nothing in it is touched */
export function checkDirectory(directory: string, { createRoot, version: known = version }: FormatOptions): void {
  const path = join(directory, "FORMAT");
  if (!existsSync(path)) {
    if (existsSync(join(directory, "index.db")) || createRoot) return;
    throw new StoreError("config", "there is no index in this directory; the option createRoot makes one", { applied: false });
  }
  const found = FORMAT_TEXT.exec(readFileSync(path, "utf8"));
  if (found === null) throw new StoreError("config", "the index directory belongs to another program", { applied: false });
  if (Number(found[1]) > known) throw newer(Number(found[1]), known);
}

/** Opens `index.db`, creates or upgrades it. The caller holds the owner's lock. */
export function openDatabase(directory: string, options: FormatOptions): Sqlite {
  const { version: wanted = version, upgrades: steps = upgrades } = options;
  const path = join(directory, "index.db");
  // A FORMAT without an index: somebody took it away, and an empty one would say that all files are gone.
  if (!existsSync(path) && existsSync(join(directory, "FORMAT")))
    throw new StoreError("corrupt", "the index of this directory is missing: put it back from a backup, or move the directory aside", { applied: false });
  let db: Sqlite | undefined;
  try {
    db = openSqlite(path);
    // Before WAL, so that its shared part lies on the heap and a second process is refused.
    db.pragma("locking_mode = EXCLUSIVE");
    refuseForeign(db, directory, wanted);
    if (db.pragma("journal_mode = WAL", { simple: true }) !== "wal")
      throw new StoreError("config", "this file system cannot keep a write-ahead log: use a local directory", { applied: false });
    db.pragma(`synchronous = ${options.flush ? "FULL" : "NORMAL"}`);
    db.pragma("temp_store = memory");
    db.pragma("trusted_schema = off");
    bringTo(db, directory, wanted, steps);
    db.prepare("select count(*) from node where id = 1").get();
    return db;
  } catch (error) {
    db?.close();
    throw error;
  }
}

function refuseForeign(db: Sqlite, directory: string, wanted: number): void {
  const found = db.pragma("user_version", { simple: true }) as number;
  if (found > wanted) throw newer(found, wanted);
  const { tables, ours } = db
    .prepare("select count(*) as tables, coalesce(sum(name in ('meta', 'node', 'content', 'link', 'removal')), 0) as ours from sqlite_master")
    .get() as { readonly tables: number; readonly ours: number };
  if (found === 0 && tables === 0) {
    if (existsSync(join(directory, "FORMAT")))
      throw new StoreError("corrupt", "the index of this directory is empty: put it back from a backup", { applied: false });
    return;
  }
  if (found === 0 || ours < 5) throw new StoreError("config", "index.db in the index directory belongs to another program", { applied: false });
  const features = db.prepare("select value from meta where key = 'features'").get() as { readonly value: string } | undefined;
  if (features !== undefined && features.value !== "")
    throw new StoreError("config", `the index needs what this release does not know: ${features.value}`, { applied: false });
}

function bringTo(db: Sqlite, directory: string, wanted: number, steps: Upgrades): void {
  const found = db.pragma("user_version", { simple: true }) as number;
  if (found === 0) db.exec(`begin immediate; ${schema} pragma user_version = ${wanted}; commit`);
  else if (found < wanted) {
    const copy = join(directory, `index-before-${wanted}.db`);
    rmSync(copy, { force: true });
    db.prepare("vacuum into ?").run(copy);
    for (let at = found; at < wanted; at++) {
      const upgrade = steps[at];
      if (upgrade === undefined) throw new StoreError("config", `this release cannot read format ${at} of the index`, { applied: false });
      db.exec("begin immediate");
      try {
        upgrade((sql) => void db.exec(sql));
        db.pragma(`user_version = ${at + 1}`);
        db.exec("commit");
      } catch (error) {
        if (db.inTransaction) db.exec("rollback");
        throw error;
      }
    }
  }
  // Also after a step of an earlier opening that was the last one before a crash.
  const path = join(directory, "FORMAT");
  const text = `stratus plowshare ${wanted}\n`;
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text, { mode: 0o600 });
}

function newer(found: number, known: number): StoreError {
  return new StoreError("config", `the index has format ${found}, this release knows ${known}: use the release that wrote it, or a newer one`, {
    applied: false,
  });
}
