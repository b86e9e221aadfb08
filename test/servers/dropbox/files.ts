/** Questions about single files, folders made and things deleted. */
import type { Asked } from "./routes.ts";
import { beside } from "./commit.ts";
import { refused } from "./errors.ts";
import { metadataOf, tagged } from "./metadata.ts";
import type { Json } from "./metadata.ts";
import { fold, mustRead, mustWrite } from "./names.ts";
import type { FileNode, Node, Tree } from "./tree.ts";

/** At most so many in one call (API reference, `too_many_files`). */
export const MANY = 10_000;

export function lookUp(tree: Tree, path: string, at: string): Node {
  if (path.startsWith("id:")) {
    for (const node of tree.nodes.values()) if (node.id === path) return node;
    throw refused(`${at}/not_found`);
  }
  mustRead(path, at);
  const node = tree.at(path);
  if (node === undefined) throw refused(`${at}/not_found`);
  return node;
}

export function getMetadata({ account, args }: Asked): Json {
  return tagged(lookUp(account.tree, args["path"] as string, "path"));
}

/** The file that a download gives. */
export function downloadable(tree: Tree, path: string): FileNode {
  const node = lookUp(tree, path, "path");
  if (node.kind === "folder") throw refused("path/not_file");
  if (!node.downloadable) throw refused("unsupported_file");
  return node;
}

export function createFolder({ account, args }: Asked): Json {
  const { tree } = account;
  const path = args["path"] as string;
  mustWrite(path, "path");
  if (tree.fileAbove(path)) throw refused("path/conflict/file_ancestor");
  const there = tree.at(path);
  if (there !== undefined && args["autorename"] !== true) throw refused(`path/conflict/${there.kind}`);
  return { metadata: metadataOf(tree.folder(there === undefined ? path : beside(tree, path, false))) };
}

export function remove({ account, args }: Asked): Json {
  const { tree } = account;
  const path = args["path"] as string;
  const node = lookUp(tree, path, "path_lookup");
  const parent = args["parent_rev"];
  // "Perform delete if given rev matches … This field does not support deleting a folder" (API reference, DeleteArg).
  if (parent !== undefined && (node.kind === "folder" || node.rev !== parent)) throw refused(`path_write/conflict/${node.kind}`);
  const key = fold(path);
  if (tree.below(key).length >= MANY) throw refused("too_many_files");
  tree.remove(key);
  return { metadata: tagged(node) };
}

export function restore({ account, args }: Asked): Json {
  const { tree } = account;
  const path = args["path"] as string;
  mustWrite(path, "path_write");
  const old = tree.revisions.get(fold(path))?.find(({ rev }) => rev === args["rev"]);
  if (old === undefined) throw refused("invalid_revision");
  if (tree.at(path)?.kind === "folder") throw refused("path_write/conflict/folder");
  return metadataOf(tree.put(old.display, { ...old, hiddenUntil: 0 }));
}

export function listRevisions({ account, args }: Asked): Json {
  const path = args["path"] as string;
  mustRead(path, "path");
  const all = account.tree.revisions.get(fold(path));
  if (all === undefined) throw refused("path/not_found");
  return { is_deleted: account.tree.at(path) === undefined, entries: all.slice(0, (args["limit"] as number | undefined) ?? 10).map(metadataOf) };
}
