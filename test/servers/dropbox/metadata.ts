/** What the API says about files and folders (API reference: FileMetadata, FolderMetadata, DeletedMetadata). */
import { lastName } from "./names.ts";
import { fold } from "./names.ts";
import type { Node } from "./tree.ts";

export type Json = Readonly<Record<string, unknown>>;

/** Of `path_display` only the last name is spelt as it is now: "the casing of the rest may differ from the folders' own" (API reference, Metadata). */
export function metadataOf(node: Node): Json {
  const common = { name: lastName(node.display), path_lower: fold(node.display), path_display: node.display, id: node.id };
  if (node.kind === "folder") return common;
  return {
    ...common,
    client_modified: node.clientModified,
    server_modified: node.serverModified,
    rev: node.rev,
    size: node.size,
    is_downloadable: node.downloadable,
    ...(node.downloadable ? { content_hash: node.hash } : { export_info: { export_as: "md" } }),
  };
}

/** Where the answer is a union the tag says which. */
export function tagged(node: Node): Json {
  return { ".tag": node.kind, ...metadataOf(node) };
}

export function deleted(key: string, display: string): Json {
  return { ".tag": "deleted", name: lastName(display), path_lower: key, path_display: display };
}
