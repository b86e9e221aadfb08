/** From state to state: unpublished, published, expired, purged. Each step under the lock of its row. */
import type { Transaction } from "../catalogue/index.ts";
import type { StoreError } from "../store/index.ts";
import { latestBackup } from "./backups.ts";
import { copyOf, fullRow, letGoOfObject, objectOf, stateOf } from "./rows.ts";
import type { FileRow } from "./rows.ts";
import { finishLeaving, leave } from "./copies.ts";
import type { Core } from "./core.ts";
import { deleteObjects } from "./delete.ts";
import { RepositoryError } from "./errors.ts";
import { upload } from "./send.ts";

export interface PurgeReport {
  /** The object is gone from the store, or there was none. False: it waits for backups, for the store, or for being online. */
  readonly deleted: boolean;
  /** Why the store did not delete it; collections try again. */
  readonly failure: StoreError | null;
}

function purged({ id }: FileRow): RepositoryError {
  return new RepositoryError("illegal-transition", "it was purged", { file: id });
}

/** Uploads first, where no store has it. One that is published keeps its date. */
export async function publish(core: Core, id: number, signal: AbortSignal | undefined): Promise<void> {
  do await prepare(core, id, signal, null);
  while (!(await core.db.transaction((tx) => publishIn(core, tx, id, null))));
}

/** What of a publication needs a store; offline it waits for maintenance. */
export async function prepare(core: Core, id: number, signal: AbortSignal | undefined, pending: string | null): Promise<void> {
  const row = await fullRow(core.db, core.host, id);
  if (row.pending !== pending) throw new RepositoryError("unknown-file", "the repository has no such file", { file: id });
  if (row.purged_ms !== null) throw purged(row);
  if (row.content === 0) throw new RepositoryError("no-content", "nothing was written to it yet", { file: id });
  if (row.uploaded_ms !== null || row.published === 1) return;
  if (!core.settings.offline) await upload(core, id, signal, pending);
  else if ((await copyOf(core.db, core.host, id)) === undefined) throw new RepositoryError("not-local", "its bytes are on another host", { file: id });
}

/** False: its bytes were written again since they were sent. */
export async function publishIn(core: Core, tx: Transaction, id: number, pending: string | null): Promise<boolean> {
  const row = await core.locked(tx, id, pending);
  const state = stateOf(row);
  if (state === "purged") throw purged(row);
  if (state === "published") return true;
  if (row.uploaded_ms === null && !core.settings.offline) return false;
  const [counted] = await tx.query<{ readonly versions: number }>("update repo_path set versions = versions + 1 where id = ? returning versions", row.path);
  await tx.run(
    "update repo_file set published = 1, published_ms = ?, version = ?, expired_ms = null, expired_after = null, marked_ms = null where id = ?",
    core.now(),
    (counted as { readonly versions: number }).versions,
    id,
  );
  return true;
}

/** One that is expired keeps its date. */
export async function expireIn(core: Core, tx: Transaction, id: number, pending: string | null): Promise<void> {
  const row = await core.locked(tx, id, pending);
  const state = stateOf(row);
  if (state === "purged") throw purged(row);
  if (state !== "expired") await setExpired(core, tx, id);
}

export async function setExpired(core: Core, tx: Transaction, id: number): Promise<void> {
  await tx.run("update repo_file set published = 0, expired_ms = ?, expired_after = ? where id = ?", core.now(), await latestBackup(tx), id);
}

/** Gives the object that nothing names any more. */
export async function purgeIn(core: Core, tx: Transaction, id: number, pending: string | null): Promise<number | undefined> {
  return await setPurged(core, tx, await core.locked(tx, id, pending));
}

export async function setPurged(core: Core, tx: Transaction, row: FileRow): Promise<number | undefined> {
  const { id } = row;
  const state = stateOf(row);
  if (state === "purged") throw purged(row);
  if (state === "published") throw new RepositoryError("purging-published", "it is published: expire it first", { file: id });
  // A backup from before may be put back, and then it names this object.
  const object = await letGoOfObject(tx, id, core.now(), row.expired_after ?? (await latestBackup(tx)));
  await leave(core, tx, id);
  await tx.run("update repo_file set purged_ms = ?, marked_ms = null where id = ?", core.now(), id);
  return object;
}

/** Committed first; then the local copy goes, and the object, as far as it may. */
export async function purge(core: Core, id: number, signal: AbortSignal | undefined): Promise<PurgeReport> {
  const object = await core.turn(id, signal, async () => {
    const left = await core.db.transaction((tx) => purgeIn(core, tx, id, null));
    await finishLeaving(core, id);
    return left;
  });
  return await afterPurge(core, object, signal);
}

export async function afterPurge(core: Core, object: number | undefined, signal: AbortSignal | undefined): Promise<PurgeReport> {
  if (object === undefined) return { deleted: true, failure: null };
  const { deleted, failures } = await deleteObjects(core, signal, object);
  return { deleted: deleted === 1, failure: failures[0]?.error ?? null };
}

/** @throws RepositoryError `not-uploaded`: these are the only bytes */
export async function unlink(core: Core, id: number, signal: AbortSignal | undefined): Promise<void> {
  await core.turn(id, signal, async () => {
    await core.db.transaction(async (tx) => {
      const row = await core.locked(tx, id);
      if (row.purged_ms !== null) throw purged(row);
      if (!(await isSafe(tx, id))) throw new RepositoryError("not-uploaded", "no store is known to have its bytes", { file: id });
      await leave(core, tx, id);
    });
    await finishLeaving(core, id);
  });
}

/** The store has it, as far as anybody knows: the local copy may go. */
export async function isSafe(tx: Transaction, id: number): Promise<boolean> {
  const object = await objectOf(tx, id);
  return object !== undefined && object.bad === null;
}
