/** Listings from the index, a page at a time, in path order. The cursor is the last path: what comes and goes between pages is neither repeated nor skipped. */
import { StoreError, byCodePoint, root } from "../../store/index.ts";
import type { Entry, ListCall, Page, StorePath } from "../../store/index.ts";
import { entryOf, isDirectory } from "./index/index.ts";
import type { Index, ShownRow } from "./index/index.ts";

const PAGE = 1000;

export function listPage({ view }: Index, { path, recursive, cursor }: ListCall): Page {
  if (path !== root) {
    const row = view.row(path);
    if (row === undefined) throw new StoreError("not-found", "nothing is there");
    if (!isDirectory(row)) throw new StoreError("not-a-directory", "a file has no children");
  }
  const after = typeof cursor === "string" ? cursor : undefined;
  const entries: Entry[] = [];
  if (recursive) {
    for (const { path: at, row } of walk(view, path, after)) if (entries.push(entryOf(at, row)) === PAGE) break;
  } else {
    const dir = view.dirOf(path);
    for (const row of dir === undefined ? [] : view.children(dir, after, PAGE)) entries.push(entryOf(child(path, row.name), row));
  }
  const last = entries.at(-1);
  return last === undefined || entries.length < PAGE
    ? { entries }
    : { entries, cursor: recursive ? last.path : last.path.slice(path === root ? 1 : path.length + 1) };
}

function child(dir: StorePath, name: string): StorePath {
  return (dir === root ? `/${name}` : `${dir}/${name}`) as StorePath;
}

/** A subtree that is still to come, within its directory: it stands where its name with "/" stands among the names. */
interface Subtree {
  readonly name: string;
  /** Only what comes after this, relative to the subtree; undefined: all of it. */
  readonly after: string | undefined;
}
interface Frame {
  readonly path: StorePath;
  readonly dir: number;
  rows: ShownRow[];
  next: number;
  more: boolean;
  /** In order. */
  readonly subtrees: Subtree[];
}

const STEP = 256;

/**
 * Everything below `top` after the path `after`, in the order of the whole paths. A walk by names alone does not give that: "/a-b" comes between "/a" and "/a/x".
 */
function* walk(
  view: Index["view"],
  top: StorePath,
  after: string | undefined,
): Generator<{ readonly path: StorePath; readonly row: ShownRow }, void, undefined> {
  const frames: Frame[] = [];
  const enter = (path: StorePath, rest: string | undefined): void => {
    const dir = view.dirOf(path);
    if (dir !== undefined) frames.push(frameOf(view, path, dir, rest));
  };
  enter(top, after === undefined ? undefined : after.slice(top === root ? 1 : top.length + 1));
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    if (frame.next === frame.rows.length && frame.more) {
      frame.rows = view.children(frame.dir, frame.rows.at(-1)?.name, STEP);
      frame.next = 0;
      frame.more = frame.rows.length === STEP;
    }
    const row = frame.rows[frame.next];
    const [subtree] = frame.subtrees;
    if (subtree !== undefined && (row === undefined || byCodePoint(`${subtree.name}/`, row.name) < 0)) {
      frame.subtrees.shift();
      enter(child(frame.path, subtree.name), subtree.after);
    } else if (row === undefined) frames.pop();
    else {
      frame.next++;
      if (row.children > 0) insert(frame.subtrees, { name: row.name, after: undefined });
      yield { path: child(frame.path, row.name), row };
    }
  }
}

function insert(subtrees: Subtree[], one: Subtree): void {
  let at = subtrees.length;
  while (at > 0 && byCodePoint(`${(subtrees[at - 1] as Subtree).name}/`, `${one.name}/`) > 0) at--;
  subtrees.splice(at, 0, one);
}

/** A directory from its start, or from where the last page ended in it. */
function frameOf(view: Index["view"], path: StorePath, dir: number, after: string | undefined): Frame {
  const subtrees: Subtree[] = [];
  if (after === undefined) {
    const rows = view.children(dir, undefined, STEP);
    return { path, dir, rows, next: 0, more: rows.length === STEP, subtrees };
  }
  const cut = after.indexOf("/");
  const name = cut < 0 ? after : after.slice(0, cut);
  // Directories before this name whose subtrees come after it: their names are its beginnings.
  for (let end = 1; end < name.length; end++) {
    const before = name.slice(0, end);
    if (byCodePoint(`${before}/`, after) > 0 && before.isWellFormed() && hasChildren(view, path, before)) insert(subtrees, { name: before, after: undefined });
  }
  if (hasChildren(view, path, name)) insert(subtrees, { name, after: cut < 0 ? undefined : after.slice(cut + 1) });
  // Names hold no "/", so this leaves out those that stand before the rest of the subtree as well: "a-" is before "a/x".
  const rows = view.children(dir, after, STEP);
  return { path, dir, rows, next: 0, more: rows.length === STEP, subtrees };
}

function hasChildren(view: Index["view"], path: StorePath, name: string): boolean {
  return (view.row(child(path, name))?.children ?? 0) > 0;
}
