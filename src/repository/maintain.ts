/** Looking after this host: what is stale, what is over the limit, what was not sent. */
import { finishLeaving, leave } from "./copies.ts";
import type { Core } from "./core.ts";
import { ofOneFile } from "./failures.ts";
import type { FileFailure } from "./failures.ts";
import { STORED } from "./schema.ts";
import { upload } from "./send.ts";
import { afterPurge, isSafe, setPurged } from "./states.ts";

export interface HostReport {
  /** Ids of unpublished files that were purged, for they were stale. */
  readonly purged: readonly number[];
  /** Ids of published files that were sent: their publication was offline. */
  readonly uploaded: readonly number[];
  /** Ids of files whose local copy went, for it was not used for long, or the file was purged elsewhere. */
  readonly unlinked: readonly number[];
  /** Ids of files whose local copy went to make room. */
  readonly evicted: readonly number[];
  /** Bytes above the limit that cannot go: no store is known to have them, or they are in use. */
  readonly overLimitBytes: number;
  /** Local files without a row that were kept for long enough. */
  readonly orphans: number;
  readonly failures: readonly FileFailure[];
}

export async function maintainHost(core: Core, signal: AbortSignal | undefined): Promise<HostReport> {
  const failures: FileFailure[] = [];
  await finishLeaving(core);
  const uploaded = await sendPending(core, failures, signal);
  const purged = await purgeStale(core, failures, signal);
  const unlinked = await unlinkStale(core, signal);
  const evicted = await trim(core, signal);
  const orphans = await core.disk.dropOrphans(core.now() - core.settings.unpublishedStaleMs);
  return { purged, uploaded, unlinked, evicted, overLimitBytes: Math.max(0, await aboveLimit(core)), orphans, failures };
}

async function sendPending(core: Core, failures: FileFailure[], signal: AbortSignal | undefined): Promise<number[]> {
  if (core.settings.offline) return [];
  const rows = await core.db.query<{ readonly id: number }>(
    `select f.id from repo_file f where f.published = 1 and f.uploaded_ms is null and f.pending is null
     and exists (select 1 from repo_copy c where c.file = f.id and c.host = ? and c.leaving = 0) order by f.id`,
    core.host,
  );
  const sent: number[] = [];
  for (const { id } of rows) {
    if (signal?.aborted === true) break;
    try {
      await upload(core, id, signal);
      sent.push(id);
    } catch (error) {
      failures.push(ofOneFile(id, error, signal));
    }
  }
  return sent;
}

/** Older than the limit, not as old as it. Only this host's: others may still be at work on theirs. */
async function purgeStale(core: Core, failures: FileFailure[], signal: AbortSignal | undefined): Promise<number[]> {
  const stale = "published = 0 and expired_ms is null and purged_ms is null and pending is null and origin = ? and changed_ms < ?";
  const before = core.now() - core.settings.unpublishedStaleMs;
  const rows = await core.db.query<{ readonly id: number }>(`select id from repo_file where ${stale} order by id`, core.host, before);
  const purged: number[] = [];
  for (const { id } of rows) {
    if (signal?.aborted === true) break;
    const done = await core.turn(id, signal, async () => {
      if (core.isPinned(id)) return undefined;
      const outcome = await core.db.transaction(async (tx) => {
        const row = await core.lockedOrSkipped(tx, id);
        const still = row === undefined ? [] : await tx.query(`select 1 as x from repo_file where id = ? and ${stale}`, id, core.host, before);
        return row === undefined || still.length === 0 ? undefined : { object: await setPurged(core, tx, row) };
      });
      await finishLeaving(core, id);
      return outcome;
    });
    if (done === undefined) continue;
    purged.push(id);
    const { failure } = await afterPurge(core, done.object, signal);
    if (failure !== null) failures.push({ file: id, error: failure });
  }
  return purged;
}

async function unlinkStale(core: Core, signal: AbortSignal | undefined): Promise<number[]> {
  const rows = await core.db.query<{ readonly id: number }>(
    // Two questions with an index each.
    `select f.id from repo_file f where f.purged_ms is not null and exists (select 1 from repo_copy c where c.file = f.id and c.host = ? and c.leaving = 0)
     union select c.file as id from repo_copy c join repo_file f on f.id = c.file
     where c.host = ? and c.leaving = 0 and c.used_ms < ? and (f.published = 1 or f.expired_ms is not null) order by id`,
    core.host,
    core.host,
    core.now() - core.settings.publishedStaleMs,
  );
  const unlinked: number[] = [];
  for (const { id } of rows) {
    if (signal?.aborted === true) break;
    if (await letGo(core, id, signal)) unlinked.push(id);
  }
  return unlinked;
}

/** False: it is in use, or nobody is known to have its bytes but this disk. */
async function letGo(core: Core, id: number, signal: AbortSignal | undefined): Promise<boolean> {
  return await core.turn(id, signal, async () => {
    if (core.isPinned(id)) return false;
    const gone = await core.db.transaction(async (tx) => {
      const row = await core.lockedOrSkipped(tx, id);
      return row !== undefined && (row.purged_ms !== null || (await isSafe(tx, id))) && (await leave(core, tx, id));
    });
    if (gone) await finishLeaving(core, id);
    return gone;
  });
}

/** Copies that are looked at at once. */
const PAGE = 100;

/** Bytes of local copies, those that are leaving included, for they are still there; negative below the limit. */
async function aboveLimit(core: Core): Promise<number> {
  const limit = core.settings.cacheLimitBytes;
  if (limit === null) return -Infinity;
  const held = async (): Promise<number> => {
    const sum = "select cast(coalesce(sum(size), 0) as {int}) as bytes from repo_copy where host = ?";
    return (await core.db.query<{ readonly bytes: number }>(sum, core.host))[0]?.bytes ?? 0;
  };
  return (await core.localBytes.get(held)) - limit;
}

/** The copies that were not used for longest go, until the rest is within the limit. The caller has no turn of a file. Gives the ids of those that went. */
export async function trim(core: Core, signal: AbortSignal | undefined): Promise<number[]> {
  const evicted: number[] = [];
  if ((await aboveLimit(core)) <= 0) return evicted;
  // What others let go of first.
  await finishLeaving(core);
  let over = await aboveLimit(core);
  for (let after: Oldest | undefined; over > 0;) {
    const page = await oldest(core, after);
    for (const { file, size } of page) {
      if (over <= 0 || signal?.aborted === true) return evicted;
      if (!(await letGo(core, file, signal))) continue;
      over -= size;
      evicted.push(file);
    }
    if (page.length < PAGE) break;
    after = page.at(-1);
  }
  return evicted;
}

interface Oldest {
  readonly file: number;
  readonly size: number;
  readonly used: number;
}

/** A page of those that a store has, the least recently used ones first, behind the last one of the page before. */
function oldest(core: Core, after: Oldest | undefined): Promise<Oldest[]> {
  return core.db.query<Oldest>(
    `select c.file, c.size, c.used_ms as used from repo_copy c where c.host = ? and c.leaving = 0 and c.size > 0 ${after === undefined ? "" : "and (c.used_ms, c.file) > (?, ?)"}
     and exists (select 1 from repo_object o where o.file = c.file and o.state = ${STORED} and o.bad is null) order by c.used_ms, c.file limit ${PAGE}`,
    core.host,
    ...(after === undefined ? [] : [after.used, after.file]),
  );
}
