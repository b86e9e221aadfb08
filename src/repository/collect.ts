/** Files that nothing wants any more: marked, left for a grace, looked at again under the lock, forgotten, and only after the commit deleted. */
import { Tally } from "../catalogue/index.ts";
import type { OnProgress, Value } from "../catalogue/index.ts";
import { backedUp, backupsWanted, latestBackup } from "./backups.ts";
import { finishLeaving } from "./copies.ts";
import type { Core } from "./core.ts";
import { deleteObjects } from "./delete.ts";
import type { DeleteReport } from "./delete.ts";
import { setExpired } from "./states.ts";
import { forget, sweepDead } from "./sweep.ts";

export interface CollectReport extends DeleteReport {
  /** Files that were found to be unwanted now, and go after the grace. */
  readonly marked: number;
  /** Ids of the files that are gone for good. */
  readonly collected: readonly number[];
  /** Files that are locked, or were changed in between: the next collection. */
  readonly busy: number;
  /** Objects and expired files that wait for backups of the catalogue. */
  readonly waiting: number;
}
export interface DatabaseReport extends CollectReport {
  /** Ids of published files that a newer version of their path superseded. */
  readonly expired: readonly number[];
}

/**
 * Purged; expired and backed up; or unpublished and of a host that is gone: where no host that is in service has a copy. What an unpublished file of a living host becomes is that host's
 * to say. One value: how many backups are wanted.
 */
const UNWANTED = `f.pending is null and f.published = 0
 and not exists (select 1 from repo_copy c join repo_host h on h.id = c.host where c.file = f.id and c.leaving = 0 and h.active = 1)
 and (f.purged_ms is not null or (f.expired_ms is not null and ${backedUp("f.expired_after")})
      or (f.expired_ms is null and not exists (select 1 from repo_host o where o.id = f.origin and o.active = 1)))`;

export async function collect(core: Core, graceMs: number, signal: AbortSignal | undefined, onProgress?: OnProgress): Promise<CollectReport> {
  const tally = new Tally(onProgress);
  await sweepDead(core, false);
  const wanted = await backupsWanted(core.db);
  const now = core.now();
  await core.db.run(`update repo_file as f set marked_ms = null where f.marked_ms is not null and not (${UNWANTED})`, wanted);
  const marked = await core.db.run(`update repo_file as f set marked_ms = ? where f.marked_ms is null and ${UNWANTED}`, now, wanted);
  const due = await core.db.query<{ readonly id: number }>("select id from repo_file where marked_ms <= ? order by marked_ms, id", now - graceMs);
  tally.expect(due.length);
  const collected: number[] = [];
  let busy = 0;
  for (const { id } of due) {
    if (signal?.aborted === true) break;
    if (await collectOne(core, id, now - graceMs, wanted)) collected.push(id);
    else busy += 1;
    tally.add(1);
  }
  // What others collected lies here still.
  await finishLeaving(core);
  const deletion = await deleteObjects(core, signal, undefined, tally);
  return { marked, collected, busy, ...deletion, waiting: await waiting(core, wanted) };
}

async function collectOne(core: Core, id: number, before: number, wanted: number): Promise<boolean> {
  return await core.db.transaction(async (tx) => {
    const row = await core.lockedOrSkipped(tx, id);
    // The mark again, and what it stands for: a publication or a download may have taken it back.
    if (row === undefined || row.marked_ms === null || row.marked_ms > before) return false;
    const still = await tx.query(`select 1 as x from repo_file f where f.id = ? and ${UNWANTED}`, id, wanted);
    if (still.length === 0) return false;
    await forget(core, tx, id, row.expired_after ?? (await latestBackup(tx)));
    return true;
  });
}

async function waiting(core: Core, wanted: number): Promise<number> {
  const count = async (sql: string, ...values: readonly Value[]): Promise<number> => (await core.db.query<{ readonly n: number }>(sql, ...values))[0]?.n ?? 0;
  return (
    (await count(`select count(*) as n from repo_object o where o.state = 2 and o.after_backup is not null and not (${backedUp("o.after_backup")})`, wanted)) +
    (await count(
      `select count(*) as n from repo_file f where f.pending is null and f.published = 0 and f.purged_ms is null and f.expired_ms is not null and not (${backedUp("f.expired_after")})`,
      wanted,
    ))
  );
}

/** Versions that a newer published one of their path superseded expire; then a collection. */
export async function maintainDatabase(core: Core, graceMs: number, signal: AbortSignal | undefined, onProgress?: OnProgress): Promise<DatabaseReport> {
  const newer = "exists (select 1 from repo_file g where g.path = f.path and g.published = 1 and g.version > f.version)";
  const old = await core.db.query<{ readonly id: number }>(`select f.id from repo_file f where f.published = 1 and ${newer} order by f.id`);
  const expired: number[] = [];
  for (const { id } of old) {
    if (signal?.aborted === true) break;
    const done = await core.db.transaction(async (tx) => {
      const row = await core.lockedOrSkipped(tx, id);
      if (row === undefined || row.published === 0) return false;
      const still = await tx.query(`select 1 as x from repo_file f where f.id = ? and ${newer}`, id);
      if (still.length > 0) await setExpired(core, tx, id);
      return still.length > 0;
    });
    if (done) expired.push(id);
  }
  return { expired, ...(await collect(core, graceMs, signal, onProgress)) };
}
