/** A file as Drive tells of it, and as an entry. */
import { entry } from "../../store/index.ts";
import type { Entry, Hashes, StorePath } from "../../store/index.ts";
import { unpacked } from "./metadata.ts";

export const FOLDER = "application/vnd.google-apps.folder";
export const SHORTCUT = "application/vnd.google-apps.shortcut";
/** Folders, shortcuts, Docs, Sheets: what has no bytes of its own. */
export const isGoogle = (mimeType: string): boolean => mimeType.startsWith("application/vnd.google-apps.");

/** developers.google.com/workspace/drive/api/reference/rest/v3/files, as far as FIELDS asks for it. */
export interface DriveFile {
  readonly id: string;
  readonly name: string;
  readonly mimeType: string;
  readonly parents?: readonly string[];
  readonly trashed?: boolean;
  readonly createdTime?: string;
  readonly modifiedTime?: string;
  /** Grows with every change of the file. A 64-bit number as text. */
  readonly version?: string;
  readonly size?: string;
  readonly md5Checksum?: string;
  readonly sha1Checksum?: string;
  readonly sha256Checksum?: string;
  readonly headRevisionId?: string;
  readonly appProperties?: Readonly<Record<string, string>>;
  readonly shortcutDetails?: { readonly targetId?: string; readonly targetMimeType?: string };
  readonly capabilities?: { readonly canReadRevisions?: boolean };
}

export const FIELDS: string =
  "id,name,mimeType,parents,trashed,createdTime,modifiedTime,version,size,md5Checksum,sha1Checksum,sha256Checksum,headRevisionId,appProperties," +
  "shortcutDetails(targetId,targetMimeType),capabilities(canReadRevisions)";

/** A name in a folder: the file itself, and for a shortcut what it points to (null: gone, or not ours to see). */
export interface Item {
  readonly file: DriveFile;
  readonly target: DriveFile | null;
}

export function isFolder({ target }: Item): boolean {
  return target?.mimeType === FOLDER;
}

/** Bytes of Drive's own making have no size before they are exported. */
export function hasBytes(file: DriveFile): boolean {
  return !isGoogle(file.mimeType);
}

/** Equal ones of one path mean equal bytes: the revision, and without one the hash of the bytes. */
export function etagOf(file: DriveFile): string | null {
  if (!hasBytes(file)) return null;
  return file.headRevisionId ?? (file.md5Checksum === undefined ? null : `md5-${file.md5Checksum}`);
}

export function sizeOf(file: DriveFile): number | null {
  return hasBytes(file) && file.size !== undefined ? Number(file.size) : null;
}

export function entryOf(path: StorePath, { file, target }: Item): Entry {
  const modifiedMs = Date.parse((target ?? file).modifiedTime ?? "");
  if (target === null) return entry({ path, kind: "file", size: null, modifiedMs, id: file.id, metadata: {} });
  if (target.mimeType === FOLDER) return entry({ path, kind: "directory", modifiedMs, id: file.id });
  const isPlain = hasBytes(target);
  return entry({
    path,
    kind: "file",
    size: sizeOf(target),
    modifiedMs,
    etag: etagOf(target),
    id: file.id,
    contentType: target.mimeType,
    hashes: isPlain ? hashesOf(target) : {},
    metadata: unpacked(target.appProperties ?? {}),
  });
}

function hashesOf({ md5Checksum: md5, sha1Checksum: sha1, sha256Checksum: sha256 }: DriveFile): Hashes {
  return { ...(md5 === undefined ? {} : { md5 }), ...(sha1 === undefined ? {} : { sha1 }), ...(sha256 === undefined ? {} : { sha256 }) };
}

/** Which of several files of one name is the file: a folder before all others, then the newest; Drive's own order of `folder,name,modifiedTime desc`. */
export function byRank({ file: one }: Item, { file: other }: Item): number {
  const folders = Number(other.mimeType === FOLDER) - Number(one.mimeType === FOLDER);
  return folders !== 0 ? folders : byTime(other.modifiedTime, one.modifiedTime) || (one.id < other.id ? -1 : 1);
}

/** Of folders of one name the oldest: everybody who looks puts new children into the same one. */
export function byAge({ file: one }: Item, { file: other }: Item): number {
  return byTime(one.createdTime, other.createdTime) || (one.id < other.id ? -1 : 1);
}

function byTime(one: string | undefined, other: string | undefined): number {
  return Date.parse(one ?? "") - Date.parse(other ?? "") || 0;
}

/** Which of two answers about one file is the later one. */
export function isNewer(one: DriveFile, other: DriveFile): boolean {
  return Number(one.version ?? 0) > Number(other.version ?? 0);
}
