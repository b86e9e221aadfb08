/** What is known of files, queues, hosts and transfers. Nothing here asks a host. */
import type { Core } from "./core.ts";
import { decayed } from "./hosts.ts";
import type { HostState } from "./hosts.ts";
import { cachedName } from "./keep.ts";
import { copiesOf, fileOf, monthOf } from "./rows.ts";
import type { FileRow } from "./rows.ts";
import { DEAD, FAILED, SENDING, STORED } from "./schema.ts";

export interface UploadInfo {
  readonly host: string;
  /** Path in the store of that name, or a link of another program. Empty where the upload failed. */
  readonly url: string;
  readonly state: "sending" | "stored" | "dead" | "failed";
  readonly checkedMs: number | null;
}
export interface FileInfo {
  readonly hash: string;
  readonly name: string;
  readonly size: number;
  /** When it was first put in, milliseconds since 1970. */
  readonly createdMs: number;
  /** It waits for uploads. */
  readonly queued: boolean;
  /** It is in the cache of this node. */
  readonly cached: boolean;
  /** The mark of the confirmation; null: none yet. */
  readonly confirmed: string | null;
  readonly uploads: readonly UploadInfo[];
}
export interface QueueInfo {
  readonly files: number;
  readonly bytes: number;
}
export interface Queues {
  /** Files that have too few copies and whose bytes wait in a cache. */
  readonly upload: QueueInfo;
  /** Files that nobody has confirmed. */
  readonly export: QueueInfo;
}
export interface SyncStatus {
  readonly upload: readonly FileInfo[];
  readonly export: readonly FileInfo[];
}
export interface Meters {
  /** Bytes for ever. */
  readonly total: Meter;
  /** Bytes of this month (UTC). */
  readonly month: Meter;
}
export interface Meter {
  readonly uploaded: number;
  readonly downloaded: number;
}
export interface HostInfo {
  readonly name: string;
  readonly state: HostState;
  /** It is among the hosts of this pool. */
  readonly here: boolean;
  /** All failures so far, and how much they still weigh: each loses half in a day. */
  readonly errors: number;
  readonly score: number;
  readonly uploads: number;
  readonly downloads: number;
  readonly lastError: string | null;
  readonly lastErrorMs: number | null;
  /** Living copies there. */
  readonly copies: number;
}

const STATES: Readonly<Record<number, UploadInfo["state"]>> = { [SENDING]: "sending", [STORED]: "stored", [DEAD]: "dead", [FAILED]: "failed" };
const UPLOAD = "queued = 1 and marked_ms is null";
const EXPORT = "confirmed is null and marked_ms is null";

export async function info(core: Core, hash: string): Promise<FileInfo | null> {
  const file = await fileOf(core.db, hash);
  return file === undefined || file.marked_ms !== null ? null : await infoOf(core, file);
}

async function infoOf(core: Core, file: FileRow): Promise<FileInfo> {
  const { id, hash, name, size, created_ms: createdMs, queued, confirmed } = file;
  const uploads = (await copiesOf(core.db, id)).map(({ host, url, state, checked_ms: checkedMs }) => ({
    host,
    url,
    state: STATES[state] ?? "dead",
    checkedMs,
  }));
  return { hash, name, size, createdMs, queued: queued === 1, cached: (await cachedName(core, id)) !== undefined, confirmed, uploads };
}

export async function queues(core: Core): Promise<Queues> {
  const one = async (where: string): Promise<QueueInfo> => {
    const [row] = await core.db.query<QueueInfo>(`select count(*) as files, cast(coalesce(sum(size), 0) as {int}) as bytes from file where ${where}`);
    return row ?? { files: 0, bytes: 0 };
  };
  return { upload: await one(UPLOAD), export: await one(EXPORT) };
}

export async function syncStatus(core: Core): Promise<SyncStatus> {
  const list = async (where: string): Promise<FileInfo[]> => {
    const infos: FileInfo[] = [];
    for (const file of await core.db.query<FileRow>(`select * from file where ${where} order by id`)) infos.push(await infoOf(core, file));
    return infos;
  };
  return { upload: await list(UPLOAD), export: await list(EXPORT) };
}

export async function meters(core: Core): Promise<Meters> {
  const one = async (where: string, ...values: readonly string[]): Promise<Meter> => {
    const [row] = await core.db.query<Meter>(
      `select cast(coalesce(sum(uploaded), 0) as {int}) as uploaded, cast(coalesce(sum(downloaded), 0) as {int}) as downloaded from meter ${where}`,
      ...values,
    );
    return row ?? { uploaded: 0, downloaded: 0 };
  };
  return { total: await one(""), month: await one("where month = ?", monthOf(core.now())) };
}

export async function hostInfos(core: Core): Promise<HostInfo[]> {
  const counts = await core.db.query<{ readonly host: string; readonly n: number }>(
    "select host, count(*) as n from copy where state = ? group by host",
    STORED,
  );
  const copies = new Map(counts.map(({ host, n }) => [host, n]));
  return (await core.hosts.all()).map((row) => ({
    name: row.name,
    state: row.state,
    here: core.settings.hosts.has(row.name),
    errors: row.errors,
    score: decayed(row, core.now()),
    uploads: row.uploads,
    downloads: row.downloads,
    lastError: row.last_error,
    lastErrorMs: row.last_error_ms,
    copies: copies.get(row.name) ?? 0,
  }));
}
