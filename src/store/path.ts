/** Paths: checked once at the edge, trusted below it. */
import { StoreError } from "./errors.ts";

declare const checked: unique symbol;
/**
 * A checked path: absolute, "/"-separated, no trailing "/" (the root is "/"), no empty, "." or ".." segment, no NUL, no lone
 * surrogate, at most 65,536 UTF-8 bytes. Names are never altered: no case folding, no Unicode normalisation, no decoding. What a service cannot hold the
 * provider encodes reversibly or refuses with `invalid-path`. Only the functions below make a StorePath, so who receives one need not look again.
 */
export type StorePath = string & { readonly [checked]: true };

export const root: StorePath = "/" as StorePath;

/** UTF-8 bytes of the longest path that any store takes. */
const MAX_PATH_BYTES = 65_536;

/** Why `text` is no path, or undefined. Searches for single characters, which the engine does many at a time, and looks closer only at a hit. */
function fault(text: string): string | undefined {
  if (text.charCodeAt(0) !== 47) return text === "" ? "a path is not empty" : 'a path starts with "/"';
  if (text.length === 1) return undefined;
  if (text.charCodeAt(text.length - 1) === 47) return 'a path does not end with "/"';
  if (text.includes("//")) return "a path has no empty segment";
  if (text.includes("/.") && /\/\.{1,2}(?:\/|$)/.test(text)) return 'a path has no "." or ".." segment';
  if (text.includes("\0")) return "a path has no NUL";
  if (!text.isWellFormed()) return "a path has no lone surrogate";
  if (text.length * 3 > MAX_PATH_BYTES && Buffer.byteLength(text) > MAX_PATH_BYTES) return "a path has at most 65,536 bytes";
  return undefined;
}

/** @throws StoreError `invalid-path` */
export function parsePath(text: string): StorePath {
  if (typeof text !== "string") throw new TypeError("a path is a string");
  const reason = fault(text);
  if (reason !== undefined) throw new StoreError("invalid-path", reason, { path: text as StorePath });
  return text as StorePath;
}

/** One segment further down. A name that a service made up and that is no legal segment is `invalid-path`: encode it or leave it out. */
export function join(dir: StorePath, name: string): StorePath {
  if (name === "" || name.includes("/")) throw new StoreError("invalid-path", "a name is one segment", { path: dir });
  return parsePath(dir === root ? `/${name}` : `${dir}/${name}`);
}

/** The root is its own parent. */
export function parentOf(path: StorePath): StorePath {
  const end = path.lastIndexOf("/");
  return end <= 0 ? root : (path.slice(0, end) as StorePath);
}

/** The last segment; "" for the root. */
export function nameOf(path: StorePath): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** True for the directory itself and for everything below it; "/ab" is not inside "/a". */
export function isInside(path: StorePath, dir: StorePath): boolean {
  if (dir === root || path === dir) return true;
  return path.length > dir.length && path.charCodeAt(dir.length) === 47 && path.startsWith(dir);
}

/** Moves `path`, which is inside `from`, to the same place below `to`. */
export function rebase(path: StorePath, from: StorePath, to: StorePath): StorePath {
  if (from === to) return path;
  const rest = from === root ? (path === root ? "" : path) : path.slice(from.length);
  if (rest === "") return to;
  return (to === root ? rest : to + rest) as StorePath;
}
