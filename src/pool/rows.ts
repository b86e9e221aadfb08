/** Rows of the catalogue and the questions that several parts ask. */
import type { Queryable, Transaction } from "../catalogue/index.ts";
import { DEAD, STORED } from "./schema.ts";

export interface FileRow {
  readonly id: number;
  readonly hash: string;
  readonly name: string;
  readonly size: number;
  readonly created_ms: number;
  readonly queued: number;
  readonly exported_ms: number | null;
  readonly confirmed: string | null;
  readonly marked_ms: number | null;
}
export interface CopyRow {
  readonly id: number;
  readonly file: number;
  readonly host: string;
  readonly url: string;
  readonly state: number;
  readonly owned: number;
  readonly made_ms: number;
  readonly checked_ms: number | null;
}

/** A copy that a store of ours has. Anything else is a link of another program. */
export const isPath = (url: string): boolean => url.startsWith("/");

export async function fileOf(db: Queryable, hash: string): Promise<FileRow | undefined> {
  return (await db.query<FileRow>("select * from file where hash = ?", hash))[0];
}

/** Nobody else changes this file, or its copies, until the transaction ends. */
export async function locked(tx: Transaction, id: number): Promise<FileRow | undefined> {
  return (await tx.query<FileRow>("select * from file where id = ? {for update}", id))[0];
}

export async function copiesOf(db: Queryable, file: number): Promise<CopyRow[]> {
  return db.query<CopyRow>("select * from copy where file = ? order by id", file);
}

/** A copy that this catalogue made or has looked at. What a dump merely says is a source, and no reason to let go of anything. */
export const TRUSTED = "(c.owned = 1 or c.checked_ms is not null)";

/** Hosts that are to keep a copy and are believed to: neither drained nor retired ones, nor links of other programs. */
export async function livingHosts(db: Queryable, file: number): Promise<string[]> {
  const rows = await db.query<{ readonly host: string }>(
    `select distinct c.host from copy c join host h on h.name = c.host where c.file = ? and c.state = ? and c.url like '/%' and h.state = 'active' and ${TRUSTED}`,
    file,
    STORED,
  );
  return rows.map(({ host }) => host);
}

/** Who is gone and may come back is a source too, only the last one. */
export async function sourcesOf(db: Queryable, file: number): Promise<CopyRow[]> {
  return db.query<CopyRow>("select * from copy where file = ? and state in (?, ?) order by id", file, STORED, DEAD);
}

export async function addRemoval(tx: Transaction, host: string, url: string, now: number, due: number): Promise<void> {
  if (!isPath(url)) return; // A link of another program: not ours to remove.
  await tx.run(
    "insert into removal(host, url, since_ms, due_ms, tries) values(?, ?, ?, ?, 0) on conflict(host, url) do update set due_ms = excluded.due_ms",
    host,
    url,
    now,
    due,
  );
}

/** Bytes moved, under the month they moved in (UTC). */
export async function addMeter(db: Queryable, now: number, uploaded: number, downloaded: number): Promise<void> {
  if (uploaded + downloaded === 0) return;
  await db.run(
    "insert into meter(month, uploaded, downloaded) values(?, ?, ?) on conflict(month) do update set uploaded = meter.uploaded + excluded.uploaded, downloaded = meter.downloaded + excluded.downloaded",
    monthOf(now),
    uploaded,
    downloaded,
  );
}

export function monthOf(now: number): string {
  return new Date(now).toISOString().slice(0, 7);
}
