/** Entries as sorted names and paths, for comparing listings whose order is free. */
import type { Entry } from "../store/index.ts";

/** Names of the entries, sorted by code point: for comparing listings whose order is free. */
export function names(entries: readonly Entry[]): string[] {
  return entries.map((entry) => entry.path.slice(entry.path.lastIndexOf("/") + 1)).sort(byCodePoint);
}

/** Paths of the entries, sorted by code point. */
export function paths(entries: readonly Entry[]): string[] {
  return entries.map((entry) => String(entry.path)).sort(byCodePoint);
}

/** By Unicode code points, which is what `listSorted` promises; the default order of strings compares UTF-16 units and differs above U+FFFF. */
export function byCodePoint(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
