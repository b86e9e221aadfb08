/**
 * A plain file system, as a user of a store believes in it: what every acknowledged call must have left. Trees are never changed: a call gives the tree
 * after it, so that two of them can be believed in at once (a call that a crash cut off happened wholly or not at all).
 */
import type { ErrorCode } from "../../store/index.ts";

/** A file is the number of the version that was written; a directory is null. The root is not in it. */
export type Tree = ReadonlyMap<string, number | null>;
export type Kind = "file" | "directory" | undefined;
/** The tree afterwards; or the codes of which one must be told, and then nothing has changed. */
export type After = { readonly tree: Tree } | { readonly codes: readonly ErrorCode[] };

export const parentOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf("/")));
export const isWithin = (path: string, directory: string): boolean => directory === "/" || path === directory || path.startsWith(`${directory}/`);
const refused = (...codes: ErrorCode[]): After => ({ codes });

export function kindOf(tree: Tree, path: string): Kind {
  if (path === "/") return "directory";
  const there = tree.get(path);
  return there === undefined ? undefined : there === null ? "directory" : "file";
}

/** Names of the direct children, a directory with "/" at its end. */
export function childrenOf(tree: Tree, path: string): string[] {
  const begin = path === "/" ? "/" : `${path}/`;
  const names: string[] = [];
  for (const [other, version] of tree)
    if (other.startsWith(begin) && !other.includes("/", begin.length)) names.push(other.slice(begin.length) + (version === null ? "/" : ""));
  return names.sort();
}

export function write(tree: Tree, path: string, version: number): After {
  if (belowFile(tree, path)) return refused("not-a-directory");
  if (kindOf(tree, path) === "directory") return refused("is-a-directory");
  const next = withParents(tree, path);
  next.set(path, version);
  return { tree: next };
}

export function mkdir(tree: Tree, path: string): After {
  if (kindOf(tree, path) !== undefined) return refused("already-exists");
  if (belowFile(tree, path)) return refused("not-a-directory");
  const next = withParents(tree, path);
  next.set(path, null);
  return { tree: next };
}

export function remove(tree: Tree, path: string, recursive: boolean): After {
  if (kindOf(tree, path) === "directory" && !recursive && childrenOf(tree, path).length > 0) return refused("not-empty");
  return { tree: new Map([...tree].filter(([other]) => !isWithin(other, path))) };
}

/** Copy and move by the rules of rename(2). Where several refusals hold, nobody promises which one is told. */
export function transfer(tree: Tree, from: string, to: string, move: boolean): After {
  const source = kindOf(tree, from);
  const target = kindOf(tree, to);
  if (to !== from && isWithin(to, from)) return refused("invalid-path");
  if (source === undefined) return refused("not-found");
  if (to === from) return { tree };
  if (belowFile(tree, to)) return refused("not-a-directory");
  const codes: ErrorCode[] = [];
  if (source === "file" && target === "directory") codes.push("is-a-directory");
  if (source === "directory" && target === "file") codes.push("not-a-directory");
  if (source === "directory" && target === "directory" && childrenOf(tree, to).length > 0) codes.push("not-empty");
  if (codes.length > 0) return { codes };
  const next = withParents(tree, to);
  for (const [path, version] of tree) {
    if (!isWithin(path, from)) continue;
    if (move) next.delete(path);
    next.set(to + path.slice(from.length), version);
  }
  return { tree: next };
}

export function sameTree(one: Tree, other: Tree): boolean {
  return one.size === other.size && [...one].every(([path, version]) => other.get(path) === version && other.has(path));
}

export function showTree(tree: Tree): string {
  return [...tree]
    .map(([path, version]) => (version === null ? `${path}/` : `${path}=v${version}`))
    .sort()
    .join(" ");
}

function belowFile(tree: Tree, path: string): boolean {
  for (let above = parentOf(path); above !== "/"; above = parentOf(above)) if (kindOf(tree, above) === "file") return true;
  return false;
}

/** What may be left of a change to this path where parents are made one after the other, before anything else: none of it, or some of them. */
export function parentsMade(tree: Tree, path: string): Tree[] {
  if (belowFile(tree, path)) return [];
  const next = new Map(tree);
  return missingParents(tree, path)
    .toReversed()
    .map((above) => new Map(next.set(above, null)));
}

/** Deepest first. */
function missingParents(tree: Tree, path: string): string[] {
  const missing: string[] = [];
  for (let above = parentOf(path); above !== "/"; above = parentOf(above)) if (!tree.has(above)) missing.push(above);
  return missing;
}

function withParents(tree: Tree, path: string): Map<string, number | null> {
  const next = new Map(tree);
  for (const above of missingParents(tree, path)) next.set(above, null);
  return next;
}
