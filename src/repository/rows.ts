/** Rows of the catalogue, and what of them users see. */
import type { Queryable, Transaction, Value } from "../catalogue/index.ts";
import { RepositoryError } from "./errors.ts";
import { REMOVING, STORED } from "./schema.ts";

export type FileState = "unpublished" | "published" | "expired" | "purged";

export interface FileRow {
  readonly id: number;
  readonly guid: string;
  readonly bucket: string;
  readonly key: string;
  readonly path: number;
  readonly origin: number;
  readonly pending: string | null;
  readonly content: number;
  readonly md5: string | null;
  readonly sha256: string | null;
  readonly size: number | null;
  readonly created_ms: number;
  readonly changed_ms: number;
  readonly uploaded_ms: number | null;
  readonly version: number | null;
  readonly published: number;
  readonly published_ms: number | null;
  readonly archived_ms: number | null;
  readonly expired_ms: number | null;
  readonly expired_after: number | null;
  readonly purged_ms: number | null;
  readonly marked_ms: number | null;
}
/** With the names that its numbers stand for. */
export interface FullRow extends FileRow {
  readonly path_text: string;
  readonly origin_name: string;
  readonly local: number;
}

/** One version of a path. Times are milliseconds since 1970. */
export interface FileInfo {
  readonly id: number;
  /** The logical path, "/…". */
  readonly path: string;
  readonly bucket: string;
  /** Unique in its bucket. */
  readonly key: string;
  /** Name of the host that added it. */
  readonly origin: string;
  readonly state: FileState;
  /** Among the published ones of its path, the greatest wins; null: never published. */
  readonly version: number | null;
  /** Of the bytes as they are stored. Null: nothing was written yet. Hexadecimal; `md5Base64` is what services take. */
  readonly md5: string | null;
  readonly md5Base64: string | null;
  readonly sha256: string | null;
  readonly size: number | null;
  readonly createdMs: number;
  /** When its bytes were last written. */
  readonly changedMs: number;
  readonly uploadedMs: number | null;
  readonly publishedMs: number | null;
  /** Never set: there is no archive tier. */
  readonly archivedMs: number | null;
  readonly expiredMs: number | null;
  readonly purgedMs: number | null;
  /** This host has its bytes. */
  readonly local: boolean;
}

/** Files, joined with what their numbers stand for; takes the id of this host as its first value. Conditions follow. */
export const SELECT = `select f.*, p.path as path_text, h.name as origin_name,
 case when exists (select 1 from repo_copy c where c.file = f.id and c.host = ? and c.leaving = 0) then 1 else 0 end as local
 from repo_file f join repo_path p on p.id = f.path join repo_host h on h.id = f.origin`;
/** What others see: nothing of a transaction that has not been committed. */
export const VISIBLE = "f.pending is null";

export function stateOf({ published, expired_ms, purged_ms }: Pick<FileRow, "published" | "expired_ms" | "purged_ms">): FileState {
  if (purged_ms !== null) return "purged";
  if (published === 1) return "published";
  return expired_ms === null ? "unpublished" : "expired";
}

export function infoOf(row: FullRow): FileInfo {
  const { id, path_text: path, bucket, key, origin_name: origin, version, md5, sha256, size } = row;
  return {
    id,
    path,
    bucket,
    key,
    origin,
    state: stateOf(row),
    version,
    md5,
    md5Base64: md5 === null ? null : Buffer.from(md5, "hex").toString("base64"),
    sha256,
    size,
    createdMs: row.created_ms,
    changedMs: row.changed_ms,
    uploadedMs: row.uploaded_ms,
    publishedMs: row.published_ms,
    archivedMs: row.archived_ms,
    expiredMs: row.expired_ms,
    purgedMs: row.purged_ms,
    local: row.local === 1,
  };
}

/** @throws RepositoryError `unknown-file` */
export async function fullRow(db: Queryable, host: number, id: number): Promise<FullRow> {
  const [row] = await db.query<FullRow>(`${SELECT} where f.id = ?`, host, id);
  if (row === undefined) throw unknown(id);
  return row;
}

export function unknown(id: number): RepositoryError {
  return new RepositoryError("unknown-file", "the repository has no such file", { file: id });
}

export interface ObjectRow {
  readonly id: number;
  readonly bucket: string;
  readonly path: string;
  readonly file: number | null;
  readonly content: number;
  readonly bad: string | null;
}

/** What the store has of this file. */
export async function objectOf(db: Queryable, file: number): Promise<ObjectRow | undefined> {
  return (await db.query<ObjectRow>("select id, bucket, path, file, content, bad from repo_object where file = ? and state = ?", file, STORED))[0];
}

export async function copyOf(db: Queryable, host: number, file: number): Promise<{ readonly name: string } | undefined> {
  return (await db.query<{ readonly name: string }>("select name from repo_copy where host = ? and file = ? and leaving = 0", host, file))[0];
}

/** The object of a file becomes one that is to be deleted; `after` as in the table. Gives its id. */
export async function letGoOfObject(tx: Transaction, file: number, now: number, after: number | null): Promise<number | undefined> {
  const [row] = await tx.query<{ readonly id: number }>(
    "update repo_object set state = ?, file = null, due_ms = ?, after_backup = ?, tries = 0 where file = ? and state = ? returning id",
    REMOVING,
    now,
    after,
    file,
    STORED,
  );
  return row?.id;
}

export async function factOf(db: Queryable, key: string): Promise<string | undefined> {
  return (await db.query<{ readonly value: string }>("select value from repo_fact where key = ?", key))[0]?.value;
}

/** So many places for values. */
export const places = (values: readonly Value[]): string => values.map(() => "?").join(", ");
