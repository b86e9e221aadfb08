/** The directory of this host and the catalogue brought into agreement, when a repository opens. */
import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Catalogue, Hold } from "../catalogue/index.ts";
import { readMarker, writeMarker } from "../local-files/index.ts";
import { StoreError, makeDirectories } from "../store/index.ts";
import { addCopy, finishLeaving } from "./copies.ts";
import { Core, HOSTS, hostKey } from "./core.ts";
import { Disk, onDisk, sumOfFile } from "./disk.ts";
import { RepositoryError } from "./errors.ts";
import { guidOf } from "./names.ts";
import type { Settings } from "./options.ts";
import { copyOf, factOf } from "./rows.ts";
import type { FileRow } from "./rows.ts";
import { COMPONENT, migrations } from "./schema.ts";
import { sweepDead } from "./sweep.ts";

export interface OpenReport {
  /** Ids of files that the catalogue has on this host and the disk has not: somebody took them away. */
  readonly missing: readonly number[];
  /** Local files without a row that were taken back, for their bytes are those of a file without a copy here. */
  readonly adopted: readonly number[];
  /** Names of local files that no row names: writes that were never acknowledged, or all that is left of a catalogue that was put back from an old backup. They lie in `orphans` until maintenance. */
  readonly orphans: readonly string[];
}

interface HostRow {
  readonly id: number;
  readonly token: string;
  readonly active: number;
}

/** @throws RepositoryError `no-repository`; StoreError `conflict` where another process has the directory, `config` where it or the host's name is another's */
export async function openCore(settings: Settings): Promise<{ readonly core: Core; readonly report: OpenReport }> {
  const { catalogue, directory } = settings;
  await catalogue.migrate(COMPONENT, migrations);
  const repository = await factOf(catalogue, "id");
  if (repository === undefined) throw new RepositoryError("no-repository", "the catalogue has no repository: create it, or restore its backup");
  const { id, hold } = await hostOf(settings, repository);
  try {
    const disk = new Disk(directory);
    await disk.prepare();
    const core = new Core(settings, disk, id, hold);
    const { backupsBeforeDelete } = settings;
    if (backupsBeforeDelete !== undefined)
      await catalogue.run("update repo_fact set value = ? where key = 'backups_before_delete'", String(backupsBeforeDelete));
    await finishLeaving(core);
    await sweepDead(core, true);
    const missing = await lookForCopies(core);
    return { core, report: { missing, ...(await lookForOrphans(core)) } };
  } catch (error) {
    await hold[Symbol.asyncDispose]();
    throw error;
  }
}

/** A directory is a host of one repository: the file HOST says which. In the catalogue first, so that a crash in between leaves nothing but a row. */
async function hostOf(settings: Settings, repository: string): Promise<{ readonly id: number; readonly hold: Hold }> {
  const { catalogue, directory, host: name, clock } = settings;
  await onDisk(() => makeDirectories(directory, 0o700));
  const found = await tokenOf(directory, repository);
  const token = found ?? randomBytes(16).toString("hex");
  const now = clock.now();
  const id = await catalogue.transaction(async (tx) => {
    await tx.lock(HOSTS);
    const [mine] = await tx.query<HostRow>("select id, token, active from repo_host where token = ?", token);
    const [named] = await tx.query<HostRow>("select id, token, active from repo_host where name = ?", name);
    if (named !== undefined && named.token !== token) {
      if (named.active === 1 || mine !== undefined)
        throw new StoreError("config", "another directory has this host name: give this one another, or decommission that host", { applied: false });
      await tx.run("update repo_host set token = ?, active = 1 where id = ?", token, named.id);
    } else if (mine !== undefined) await tx.run("update repo_host set name = ?, active = 1 where id = ?", name, mine.id);
    else await tx.run("insert into repo_host(name, token, limit_bytes, active, made_ms, seen_ms) values(?, ?, null, 1, ?, ?)", name, token, now, now);
    const [row] = await tx.query<HostRow>("select id, token, active from repo_host where token = ?", token);
    return (row as HostRow).id;
  });
  const hold = await holdOf(catalogue, id);
  if (hold === null) throw new StoreError("conflict", "another process has this directory", { transient: false, applied: false });
  try {
    await catalogue.run("update repo_host set limit_bytes = ?, seen_ms = ? where id = ?", settings.cacheLimitBytes, now, id);
    if (found === undefined) await writeMarker(onDisk, join(directory, "HOST"), `stratus repository ${repository} ${token}\n`);
    return { id, hold };
  } catch (error) {
    await hold[Symbol.asyncDispose]();
    throw error;
  }
}

/** Somebody who looks after dead hosts has it for a moment: then once more, when he is done. */
async function holdOf(catalogue: Catalogue, id: number): Promise<Hold | null> {
  for (let attempt = 1; ; attempt++) {
    const hold = await catalogue.hold(hostKey(id));
    if (hold !== null || attempt === 10) return hold;
    await catalogue.transaction((tx) => tx.lock(HOSTS));
  }
}

/** That of the directory, undefined where it is new. @throws StoreError `config` where it is another program's or another repository's */
export async function tokenOf(directory: string, repository: string | undefined): Promise<string | undefined> {
  const text = await readMarker(join(directory, "HOST"), "local directory");
  if (text === undefined) {
    const there = await onDisk(() => readdir(directory));
    if (there.some((name) => name !== "HOST.new"))
      throw new StoreError("config", "the local directory holds files of another program: give the repository an empty one", { applied: false });
    return undefined;
  }
  const [, id, token] = /^stratus repository ([0-9a-f]{32}) ([0-9a-f]{32})\n$/.exec(text) ?? [];
  if (id === undefined || token === undefined) throw new StoreError("config", "the local directory belongs to another program", { applied: false });
  if (id !== repository)
    throw new StoreError("config", "the local directory belongs to another repository: files in it may be the only ones", { applied: false });
  return token;
}

/** A row of a file that is not there, or is not of its size, would promise too much. */
async function lookForCopies(core: Core): Promise<number[]> {
  const rows = await core.db.query<{ readonly file: number; readonly name: string; readonly size: number }>(
    "select file, name, size from repo_copy where host = ? and leaving = 0 order by file",
    core.host,
  );
  const missing: number[] = [];
  for (const { file, name, size } of rows) {
    if ((await core.disk.size(name)) === size) continue;
    missing.push(file);
    await core.db.run("delete from repo_copy where host = ? and name = ?", core.host, name);
    // What is there and too short or too long may still be worth something.
    if ((await core.disk.size(name)) !== null) await core.disk.setAside(name);
  }
  return missing;
}

async function lookForOrphans(core: Core): Promise<{ readonly adopted: number[]; readonly orphans: string[] }> {
  const rows = await core.db.query<{ readonly name: string }>("select name from repo_copy where host = ?", core.host);
  const known = new Set(rows.map(({ name }) => name));
  const adopted: number[] = [];
  const orphans: string[] = [];
  for (const name of await core.disk.names()) {
    if (known.has(name)) continue;
    const file = await adopt(core, name);
    if (file !== undefined) {
      adopted.push(file);
      continue;
    }
    orphans.push(name);
    await core.disk.setAside(name);
  }
  return { adopted, orphans };
}

/** The bytes of a file that has no copy here, by the guid in the name and the hash: a catalogue that was put back may have forgotten the copy. */
async function adopt(core: Core, name: string): Promise<number | undefined> {
  const guid = guidOf(name);
  if (guid === undefined) return undefined;
  const [found] = await core.db.query<FileRow>("select * from repo_file where guid = ? and pending is null and purged_ms is null", guid);
  if (found === undefined) return undefined;
  const sum = await sumOfFile(core.disk.file(name));
  if (sum === null || sum.sha256 !== found.sha256 || sum.size !== found.size) return undefined;
  return await core.db.transaction(async (tx) => {
    const [row] = await tx.query<FileRow>("select * from repo_file where id = ? {for update}", found.id);
    if (row === undefined || row.content !== found.content || row.purged_ms !== null) return undefined;
    if ((await copyOf(tx, core.host, found.id)) !== undefined) return undefined;
    await addCopy(core, tx, found.id, name, sum);
    return found.id;
  });
}
