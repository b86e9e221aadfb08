/** copy_v2 and move_v2 (API reference: RelocationArg, RelocationError). */
import { beside } from "./commit.ts";
import { refused } from "./errors.ts";
import { MANY, lookUp } from "./files.ts";
import { tagged } from "./metadata.ts";
import type { Json } from "./metadata.ts";
import { fold, mustWrite } from "./names.ts";
import type { Asked } from "./routes.ts";
import type { Node, Tree } from "./tree.ts";

export function relocate({ account, args }: Asked, verb: "copy" | "move"): Json {
  const { tree } = account;
  const from = args["from_path"] as string;
  const to = args["to_path"] as string;
  const source = lookUp(tree, from, "from_lookup");
  // What was made a moment ago may not be found yet by a move (seen by rclone's tests; providers.md 2.4).
  if (verb === "move" && source.kind === "file" && source.hiddenUntil > tree.now()) throw refused("from_lookup/not_found");
  mustWrite(to, "to");
  const key = fold(from);
  const target = fold(to);
  // "We do not currently support case-only renaming": the call succeeds and the spelling stays (obsidian-air-sync issue 47).
  if (verb === "move" && key === target) return { metadata: tagged(source) };
  if (target.startsWith(`${key}/`)) throw refused(verb === "move" ? "cant_move_folder_into_itself" : "duplicated_or_nested_paths");
  if (tree.fileAbove(to)) throw refused("to/conflict/file_ancestor");
  const there = tree.at(to);
  if (there !== undefined && args["autorename"] !== true) throw refused(`to/conflict/${there.kind}`);
  const below = tree.below(key);
  if (below.length >= MANY) throw refused("too_many_files");
  const place = there === undefined ? to : beside(tree, to, false);
  const bytes = [key, ...below].reduce((sum, one) => sum + sizeOf(tree.nodes.get(one)), 0);
  if (verb === "copy" && tree.used() + bytes > account.allocated) throw refused("to/insufficient_space");
  return { metadata: tagged(verb === "copy" ? copied(tree, key, place) : moved(tree, key, place)) };
}

const sizeOf = (node: Node | undefined): number => (node?.kind === "file" ? node.size : 0);

function pairs(tree: Tree, key: string, place: string): [Node, string][] {
  const head = key.length;
  // Folding keeps the number of code units but for names in another form, so the rest of a path is taken from its own spelling.
  return [key, ...tree.below(key)].map((one) => [
    tree.nodes.get(one) as Node,
    place + tree.spelling(one).slice(tree.spelling(one).length - (one.length - head)),
  ]);
}

function copied(tree: Tree, key: string, place: string): Node {
  for (const [node, to] of pairs(tree, key, place))
    if (node.kind === "folder") tree.folder(to);
    else tree.put(to, { chunks: node.chunks, clientModified: node.clientModified, downloadable: node.downloadable });
  return tree.at(place) as Node;
}

/** Ids stay, revisions are new. */
function moved(tree: Tree, key: string, place: string): Node {
  const all = pairs(tree, key, place);
  tree.remove(key);
  for (const [node, to] of all)
    if (node.kind === "folder") tree.folder(to, node.id);
    else tree.put(to, { ...node, hiddenUntil: 0 });
  return tree.at(place) as Node;
}
