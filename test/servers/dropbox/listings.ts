/** list_folder and its cursors: pages of what was there when it began, then what changed since (API reference, list_folder). */
import { badCall, refused } from "./errors.ts";
import { lookUp } from "./files.ts";
import { deleted, tagged } from "./metadata.ts";
import type { Json } from "./metadata.ts";
import { fold, mustRead, parentKey } from "./names.ts";
import type { Asked } from "./routes.ts";
import type { Tree } from "./tree.ts";

interface Cursor {
  /** Folded path of the listed folder. */
  readonly at: string;
  readonly recursive: boolean;
  readonly limit: number;
  /** What is still to be told of the first pass. */
  readonly rest: readonly string[];
  /** Changes up to here are in it. */
  readonly seen: number;
}

/** Cursors by tree: opaque text to the client. Emptied: they have expired, `reset`. */
const cursors = new WeakMap<Tree, Map<string, Cursor>>();
let serial = 0;

export function expireCursors(tree: Tree): void {
  cursors.set(tree, new Map());
}

function keep(tree: Tree, cursor: Cursor): string {
  const all = cursors.get(tree) ?? new Map<string, Cursor>();
  cursors.set(tree, all);
  serial += 1;
  const name = `cursor-${serial}`;
  all.set(name, cursor);
  return name;
}

export function listFolder({ account, args }: Asked): Json {
  const { tree } = account;
  const path = args["path"] as string;
  const recursive = args["recursive"] === true;
  mustRead(path, "path");
  if (path !== "" && lookUp(tree, path, "path").kind === "file") throw refused("path/not_folder");
  const at = fold(path);
  // A recursive listing begins with the folder itself. In what order the rest comes nobody promises; children stand before their parents here.
  const keys = recursive ? [...(at === "" ? [] : [at]), ...tree.below(at).toReversed()] : tree.childrenOf(at);
  return page(tree, { at, recursive, limit: (args["limit"] as number | undefined) ?? 500, rest: keys, seen: tree.journal.length });
}

export function listContinue({ account, args, route }: Asked): Json {
  const { tree } = account;
  const name = args["cursor"] as string;
  if (!name.startsWith("cursor-")) throw badCall(route, "request body: cursor: Invalid cursor");
  const cursor = cursors.get(tree)?.get(name);
  if (cursor === undefined) throw refused("reset");
  // ListFolderContinueError.path: the folder of this cursor is no more.
  if (cursor.at !== "" && tree.nodes.get(cursor.at)?.kind !== "folder") throw refused("path/not_found");
  return page(tree, cursor);
}

function page(tree: Tree, cursor: Cursor): Json {
  const now = cursor.rest.slice(0, cursor.limit);
  const rest = cursor.rest.slice(cursor.limit);
  const entries: Json[] = [];
  for (const key of now) {
    const node = tree.nodes.get(key);
    if (node !== undefined) entries.push(tagged(node));
  }
  let seen = cursor.seen;
  if (cursor.rest.length === 0) {
    entries.push(...changes(tree, cursor));
    seen = tree.journal.length;
  }
  // Changes during the listing are told by one more page.
  const has_more = rest.length > 0 || seen < tree.journal.length;
  return { entries, cursor: keep(tree, { ...cursor, rest, seen }), has_more };
}

function changes(tree: Tree, { at, recursive, seen }: Cursor): Json[] {
  const changed = new Map<string, string>();
  for (const { key, display } of tree.journal.slice(seen))
    if (recursive ? key.startsWith(`${at}/`) : parentKey(key) === at) {
      changed.delete(key);
      changed.set(key, display);
    }
  return [...changed].map(([key, display]) => {
    const node = tree.nodes.get(key);
    return node === undefined ? deleted(key, display) : tagged(node);
  });
}
