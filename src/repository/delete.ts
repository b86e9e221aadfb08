/** Objects that no file names any more. Their paths are never used again, so a deletion that lands late meets nobody's bytes. */
import type { Tally } from "../catalogue/index.ts";
import { StoreError } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { backedUp, backupsWanted } from "./backups.ts";
import type { Core } from "./core.ts";
import { REMOVING } from "./schema.ts";

export interface DeleteReport {
  /** Objects deleted in their stores. */
  readonly deleted: number;
  /** Objects that are still to be deleted, by reason; they are tried again later. */
  readonly failures: readonly { readonly bucket: string; readonly path: string; readonly error: StoreError }[];
}
interface DueRow {
  readonly id: number;
  readonly bucket: string;
  readonly path: string;
  readonly tries: number;
}

const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 86_400_000;
const PAGE = 500;

/** All that are due and backed up, or this one if it is. */
export async function deleteObjects(core: Core, signal: AbortSignal | undefined, only?: number, tally?: Tally): Promise<DeleteReport> {
  const failures: DeleteReport["failures"][number][] = [];
  let deleted = 0;
  if (core.settings.offline) return { deleted, failures };
  const wanted = await backupsWanted(core.db);
  const now = core.now();
  for (;;) {
    // One that is done is gone, or due later.
    const rows = await core.db.query<DueRow>(
      `select o.id, o.bucket, o.path, o.tries from repo_object o where o.state = ${REMOVING} and o.due_ms <= ? ${only === undefined ? "" : "and o.id = ?"}
       and (o.after_backup is null or ${backedUp("o.after_backup")}) order by o.due_ms, o.id limit ${PAGE}`,
      now,
      ...(only === undefined ? [] : [only]),
      wanted,
    );
    tally?.expect(rows.length);
    for (const row of rows) {
      if (signal?.aborted === true) return { deleted, failures };
      const error = await deleteOne(core.settings.buckets.get(row.bucket), row, signal);
      tally?.add(1);
      if (error === undefined) {
        deleted += 1;
        await core.db.run("delete from repo_object where id = ? and state = ?", row.id, REMOVING);
        continue;
      }
      failures.push({ bucket: row.bucket, path: row.path, error });
      const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(row.tries, 20));
      await core.db.run("update repo_object set tries = tries + 1, due_ms = ?, last_error = ? where id = ?", core.now() + wait, error.code, row.id);
    }
    if (rows.length < PAGE) return { deleted, failures };
  }
}

async function deleteOne(store: Store | undefined, { path }: DueRow, signal: AbortSignal | undefined): Promise<StoreError | undefined> {
  if (store === undefined) return new StoreError("config", "no such bucket was given to this repository", { applied: false });
  try {
    await store.delete(path, { signal });
    return undefined;
  } catch (error) {
    if (!StoreError.is(error)) throw error;
    return error;
  }
}
