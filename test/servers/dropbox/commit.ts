/** Putting bytes at a path: modes, conflicts, names beside a conflict (API reference: CommitInfo, WriteMode). */
import { uploadRefused } from "./errors.ts";
import type { Account } from "./accounts.ts";
import type { Json } from "./metadata.ts";
import { mustWrite } from "./names.ts";
import { contentHash } from "./content-hash.ts";
import type { Chunk } from "../spill.ts";
import type { FileNode, Tree } from "./tree.ts";

export interface Commit {
  readonly path: string;
  readonly mode?: string | { readonly ".tag": string; readonly update?: string };
  readonly autorename?: boolean;
  readonly client_modified?: string;
  readonly strict_conflict?: boolean;
}

export function commit(account: Account, args: Json, chunks: readonly Chunk[], session?: string): FileNode {
  const { tree } = account;
  const { path, mode = "add", autorename = false, client_modified, strict_conflict = false } = args as unknown as Commit;
  mustWrite(path, "");
  if (tree.fileAbove(path)) throw uploadRefused("conflict/file_ancestor", session);
  const there = tree.at(path);
  const way = typeof mode === "string" ? mode : mode[".tag"];
  const wanted = typeof mode === "string" ? undefined : mode.update;
  const hash = contentHash(chunks);
  const same = there?.kind === "file" && there.hash === hash;
  const inTheWay =
    there?.kind === "folder" ||
    (way === "add" && there !== undefined && (strict_conflict || !same)) ||
    (way === "update" && (there === undefined ? strict_conflict : there.kind === "file" && there.rev !== wanted && (strict_conflict || !same)));
  // "Dropbox won't update the metadata since nothing really changed" (dropbox-sdk-obj-c issue 15): neither the rev nor client_modified.
  if (same && !inTheWay) return there;
  const size = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (tree.used() - (there?.kind === "file" && !inTheWay ? there.size : 0) + size > account.allocated) throw uploadRefused("insufficient_space", session);
  const fresh = { chunks, clientModified: client_modified ?? tree.stamp() };
  if (!inTheWay) return tree.put(path, fresh);
  if (!autorename) throw uploadRefused(there?.kind === "folder" ? "conflict/folder" : "conflict/file", session);
  return tree.put(beside(tree, path, way === "update"), fresh);
}

/** "a (1).txt", or for a rev that is not the latest "a (conflicted copy).txt": the words that Dropbox uses. */
export function beside(tree: Tree, path: string, conflicted: boolean): string {
  const dot = path.lastIndexOf(".");
  const cut = dot > path.lastIndexOf("/") + 1 ? dot : path.length;
  for (let n = 1; ; n++) {
    const mark = conflicted ? ` (conflicted copy${n === 1 ? "" : ` ${n}`})` : ` (${n})`;
    const candidate = path.slice(0, cut) + mark + path.slice(cut);
    if (tree.at(candidate) === undefined) return candidate;
  }
}
