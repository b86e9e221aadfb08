/** Metadata of Dropbox as entries. */
import { StoreError, entry } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";

export interface FileMetadata {
  readonly name: string;
  readonly id: string;
  readonly path_lower?: string;
  readonly rev: string;
  readonly size: number;
  readonly client_modified: string;
  readonly content_hash?: string;
  readonly is_downloadable?: boolean;
}
export interface FolderMetadata {
  readonly name: string;
  readonly id: string;
  readonly path_lower?: string;
}
export type Metadata = ({ readonly ".tag": "file" } & FileMetadata) | ({ readonly ".tag": "folder" } & FolderMetadata);

/** A document that is only exported has no size that its bytes would have. */
export function fileEntry(path: StorePath, file: FileMetadata): Entry {
  return entry({
    path,
    kind: "file",
    size: file.is_downloadable === false ? null : file.size,
    modifiedMs: Date.parse(file.client_modified),
    etag: file.rev,
    id: file.id,
    hashes: file.content_hash === undefined ? undefined : { dropbox: file.content_hash },
  });
}

/** Folders have no times. */
export function folderEntry(path: StorePath, folder: FolderMetadata): Entry {
  return entry({ path, kind: "directory", id: folder.id });
}

export function entryOf(path: StorePath, one: Metadata): Entry {
  return one[".tag"] === "file" ? fileEntry(path, one) : folderEntry(path, one);
}

/** @throws StoreError `unavailable` for what is no metadata: an answer that was cut, or of somebody between us and the service. */
export function metadataIn(answer: unknown): Metadata {
  const { ".tag": tag, name, id } = (answer ?? {}) as { ".tag"?: unknown; name?: unknown; id?: unknown };
  if ((tag !== "file" && tag !== "folder") || typeof name !== "string" || typeof id !== "string") throw unclear();
  return tag === "file" ? { ".tag": tag, ...fileIn(answer) } : (answer as Metadata);
}

export function fileIn(answer: unknown): FileMetadata {
  const { rev, size, client_modified, name } = (answer ?? {}) as Partial<FileMetadata>;
  if (typeof rev !== "string" || typeof size !== "number" || typeof client_modified !== "string" || typeof name !== "string") throw unclear();
  return answer as FileMetadata;
}

export function unclear(): StoreError {
  return new StoreError("unavailable", "the service's answer is not what it says of files and folders");
}

/** "2026-11-26T18:00:00Z": to the second, cut. */
export function stampOf(ms: number): string {
  return new Date(Math.floor(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
}
