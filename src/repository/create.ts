/** A repository in a catalogue: made, emptied, taken out again. */
import { randomBytes } from "node:crypto";
import { VERSION_TABLE } from "../catalogue/index.ts";
import type { Catalogue, Hold } from "../catalogue/index.ts";
import { makeDirectories } from "../store/index.ts";
import { latestBackup } from "./backups.ts";
import { finishLeaving } from "./copies.ts";
import { HOSTS, hostKey } from "./core.ts";
import type { Core } from "./core.ts";
import { onDisk } from "./disk.ts";
import { RepositoryError } from "./errors.ts";
import { tokenOf } from "./open.ts";
import type { Settings } from "./options.ts";
import { factOf } from "./rows.ts";
import { COMPONENT, REMOVING, STORED, TABLES, migrations } from "./schema.ts";

/** @throws RepositoryError `repository-exists` */
export async function createIn({ catalogue, directory, backupStore, backupsBeforeDelete }: Settings): Promise<void> {
  // Nothing is made that could not be opened then.
  await onDisk(() => makeDirectories(directory, 0o700));
  await catalogue.migrate(COMPONENT, migrations);
  if ((await factOf(catalogue, "id")) === undefined) await tokenOf(directory, undefined);
  await catalogue.transaction(async (tx) => {
    await tx.lock(HOSTS);
    if ((await tx.query("select 1 as x from repo_fact where key = 'id'")).length > 0)
      throw new RepositoryError("repository-exists", "the catalogue has a repository already");
    const wanted = backupsBeforeDelete ?? (backupStore === undefined ? 0 : 2);
    await tx.run("insert into repo_fact(key, value) values('id', ?)", randomBytes(16).toString("hex"));
    await tx.run("insert into repo_fact(key, value) values('backups_before_delete', ?)", String(wanted));
  });
}

/**
 * Drops the tables of the repository, and nothing else: objects in stores and local files stay, and nobody knows of them any more. Success where there is none. The catalogue stays open.
 * @throws RepositoryError `in-use` where a host is at work
 */
export async function destroyRepository(catalogue: Catalogue): Promise<void> {
  // So that there is something to ask, and to drop.
  await catalogue.migrate(COMPONENT, migrations);
  await whileNobodyWorks(catalogue, undefined, () =>
    catalogue.transaction(async (tx) => {
      for (const table of TABLES.toReversed()) await tx.run(`drop table ${table}`);
      await tx.run(`delete from ${VERSION_TABLE} where component = ?`, COMPONENT);
    }),
  );
}

/** All files, paths and tags go; hosts and backups stay. Objects are deleted by collections, once backups say so. */
export async function flush(core: Core): Promise<void> {
  await whileNobodyWorks(core.db, core.host, () =>
    core.db.transaction(async (tx) => {
      core.checkHold();
      const after = await latestBackup(tx);
      await tx.run("update repo_object set state = ?, file = null, due_ms = ?, after_backup = ? where state = ?", REMOVING, core.now(), after, STORED);
      await tx.run("update repo_copy set leaving = 1");
      for (const table of ["repo_file_tag", "repo_path_tag", "repo_file", "repo_path"]) await tx.run(`delete from ${table}`);
    }),
  );
  await finishLeaving(core);
}

async function whileNobodyWorks(catalogue: Catalogue, but: number | undefined, work: () => Promise<void>): Promise<void> {
  const held: Hold[] = [];
  try {
    for (const { id } of await catalogue.query<{ readonly id: number }>("select id from repo_host order by id")) {
      if (id === but) continue;
      const hold = await catalogue.hold(hostKey(id));
      if (hold === null) throw new RepositoryError("in-use", "a host is at work in this repository");
      held.push(hold);
    }
    await work();
  } finally {
    for (const hold of held) await hold[Symbol.asyncDispose]();
  }
}
