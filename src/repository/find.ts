/** Searches of the catalogue. No store is asked. */
import type { Value } from "../catalogue/index.ts";
import type { Core } from "./core.ts";
import { RepositoryError } from "./errors.ts";
import { checkPath } from "./names.ts";
import { SELECT, VISIBLE, infoOf, places } from "./rows.ts";
import type { FileInfo, FileState, FullRow } from "./rows.ts";
import { checkTag } from "./tags.ts";

/** All that are given must hold. */
export interface FindQuery {
  readonly id?: number | undefined;
  readonly path?: string | undefined;
  /** All paths that lie below this directory. */
  readonly under?: string | undefined;
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  /** Name of the host that added it. */
  readonly origin?: string | undefined;
  readonly state?: FileState | undefined;
  readonly md5?: string | undefined;
  readonly sha256?: string | undefined;
  readonly size?: number | undefined;
  readonly uploaded?: boolean | undefined;
  readonly createdFromMs?: number | undefined;
  /** Exclusive. */
  readonly createdBeforeMs?: number | undefined;
  /** Ids greater than this one: where the last page ended. */
  readonly afterId?: number | undefined;
  /** 1 to 100,000. Default 10,000. */
  readonly limit?: number | undefined;
}
export interface TagQuery {
  /** At least one of these. */
  readonly any?: readonly string[] | undefined;
  readonly all?: readonly string[] | undefined;
  /** None of these. */
  readonly exclude?: readonly string[] | undefined;
  /** True: the current version of each path. False: every file that is not purged. Default true. */
  readonly published?: boolean | undefined;
}

const CURRENT = "f.published = 1 and not exists (select 1 from repo_file g where g.path = f.path and g.published = 1 and g.version > f.version)";
const STATES: Readonly<Record<FileState, string>> = {
  unpublished: "f.published = 0 and f.expired_ms is null and f.purged_ms is null",
  published: "f.published = 1",
  expired: "f.published = 0 and f.expired_ms is not null and f.purged_ms is null",
  purged: "f.purged_ms is not null",
};
const CONDITIONS: Readonly<Record<Exclude<keyof FindQuery, "limit" | "state" | "under" | "uploaded">, readonly [sql: string, type: "number" | "string"]>> = {
  id: ["f.id = ?", "number"],
  path: ["p.path = ?", "string"],
  bucket: ["f.bucket = ?", "string"],
  key: ["f.key = ?", "string"],
  origin: ["h.name = ?", "string"],
  md5: ["f.md5 = ?", "string"],
  sha256: ["f.sha256 = ?", "string"],
  size: ["f.size = ?", "number"],
  createdFromMs: ["f.created_ms >= ?", "number"],
  createdBeforeMs: ["f.created_ms < ?", "number"],
  afterId: ["f.id > ?", "number"],
};

/** By id, as they were added. @throws RepositoryError `bad-query` */
export async function find(core: Core, query: FindQuery): Promise<FileInfo[]> {
  const { limit = 10_000 } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > 100_000) throw new RepositoryError("bad-query", "limit is a whole number from 1 to 100,000");
  const parts = [VISIBLE];
  const values: Value[] = [core.host];
  for (const [key, value] of Object.entries(query) as [keyof FindQuery, unknown][]) {
    if (value === undefined || key === "limit") continue;
    if (key === "state") parts.push(stateCondition(value));
    else if (key === "uploaded" && typeof value === "boolean") parts.push(`f.uploaded_ms is ${value ? "not " : ""}null`);
    else if (key === "under" && typeof value === "string") {
      const dir = value === "/" ? "" : checkPath(value);
      // "0" comes right after "/" in the order of bytes.
      parts.push("p.path > ? and p.path < ?");
      values.push(`${dir}/`, `${dir}0`);
    } else {
      const [sql, type] = (Object.hasOwn(CONDITIONS, key) ? CONDITIONS[key as keyof typeof CONDITIONS] : undefined) ?? [];
      if (sql === undefined || typeof value !== type || (type === "number" && !Number.isSafeInteger(value)) || !isText(value))
        throw new RepositoryError("bad-query", `a search by this ${key} is not possible`);
      parts.push(sql);
      values.push(value as Value);
    }
  }
  const rows = await core.db.query<FullRow>(`${SELECT} where ${parts.join(" and ")} order by f.id limit ${limit}`, ...values);
  return rows.map(infoOf);
}

/** What the catalogue cannot keep it cannot have. */
function isText(value: unknown): boolean {
  return typeof value !== "string" || (value.isWellFormed() && !value.includes("\0"));
}

function stateCondition(state: unknown): string {
  const found = typeof state === "string" && Object.hasOwn(STATES, state) ? STATES[state as FileState] : undefined;
  if (found === undefined) throw new RepositoryError("bad-query", "there is no such state");
  return found;
}

/** The current version: of the published ones the one that was published last. */
export async function current(core: Core, path: string): Promise<FileInfo | null> {
  const [row] = await core.db.query<FullRow>(`${SELECT} where p.path = ? and f.published = 1 order by f.version desc limit 1`, core.host, checkPath(path));
  return row === undefined ? null : infoOf(row);
}

/** Newest first; what was never published at the end. */
export async function versions(core: Core, path: string): Promise<FileInfo[]> {
  const rows = await core.db.query<FullRow>(
    `${SELECT} where p.path = ? and ${VISIBLE} order by coalesce(f.version, -1) desc, f.id desc`,
    core.host,
    checkPath(path),
  );
  return rows.map(infoOf);
}

/** A tag of a path is one of all its versions. @throws RepositoryError `bad-query` where only `exclude`, or nothing, is given */
export async function findTagged(core: Core, { any = [], all = [], exclude = [], published = true }: TagQuery): Promise<FileInfo[]> {
  if (any.length + all.length === 0) throw new RepositoryError("bad-query", "give tags to look for: what has none of some tags is nearly everything");
  for (const tag of [...any, ...all, ...exclude]) checkTag(tag);
  const has = (condition: string): string =>
    `(exists (select 1 from repo_file_tag t where t.file = f.id and t.tag ${condition}) or exists (select 1 from repo_path_tag t where t.path = f.path and t.tag ${condition}))`;
  const parts = [VISIBLE, published ? CURRENT : "f.purged_ms is null"];
  const values: Value[] = [core.host];
  // By the index of tags first, for the tagged ones are few.
  const first = any.length > 0 ? any : all.slice(0, 1);
  parts.push(
    `f.id in (select t.file from repo_file_tag t where t.tag in (${places(first)}) union select g.id from repo_path_tag t join repo_file g on g.path = t.path where t.tag in (${places(first)}))`,
  );
  values.push(...first, ...first);
  for (const tag of all) {
    parts.push(has("= ?"));
    values.push(tag, tag);
  }
  if (exclude.length > 0) {
    parts.push(`not ${has(`in (${places(exclude)})`)}`);
    values.push(...exclude, ...exclude);
  }
  const rows = await core.db.query<FullRow>(`${SELECT} where ${parts.join(" and ")} order by f.id`, ...values);
  return rows.map(infoOf);
}
