/** Which backups of the catalogue there are, as far as they decide what may be deleted. */
import type { Catalogue, Queryable, Transaction } from "../catalogue/index.ts";
import { factOf } from "./rows.ts";

const LOCK = "repo backup";

/**
 * Before the rows are read. Whatever expired in a transaction that had not been committed by then counts this backup as one from before: the two meet in a lock.
 * @throws StoreError `already-exists` where a backup has this name
 */
export async function beginBackup(db: Catalogue, name: string, now: number): Promise<number> {
  return await db.transaction(async (tx) => {
    await tx.lock(LOCK);
    const [row] = await tx.query<{ readonly id: number }>("insert into repo_backup(name, started_ms) values(?, ?) returning id", name, now);
    return (row as { readonly id: number }).id;
  });
}

/** Once it is stored, whole: from here on it counts. */
export async function finishBackup(db: Queryable, id: number, now: number, size: number, rowCount: number): Promise<void> {
  await db.run("update repo_backup set finished_ms = ?, size = ?, row_count = ? where id = ?", now, size, rowCount, id);
}

/** The last one that may not know what this transaction does. */
export async function latestBackup(tx: Transaction): Promise<number> {
  await tx.lock(LOCK);
  return (await tx.query<{ readonly id: number }>("select coalesce(max(id), 0) as id from repo_backup"))[0]?.id ?? 0;
}

/** A condition: since then there were as many backups as are wanted. Takes that number as its value. */
export const backedUp = (after: string): string =>
  `(select count(*) from repo_backup b where b.id > ${after} and b.finished_ms is not null) >= cast(? as {int})`;

export async function backupsWanted(db: Queryable): Promise<number> {
  return Number((await factOf(db, "backups_before_delete")) ?? "0");
}
