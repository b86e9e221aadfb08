/** What a caller sees: live records as a tree, with directories that exist only because something is below them, and files hidden behind such. */
import { ancestors, isBelow } from "./join.ts";
import type { Rec } from "./join.ts";

export class Tree {
  readonly records: Map<string, Rec>;

  constructor(live: Iterable<Rec>) {
    this.records = new Map();
    for (const record of live) this.records.set(record.path, record);
  }

  kind(path: string): "file" | "directory" | undefined {
    for (const other of this.records.keys()) if (isBelow(other, path)) return "directory";
    return this.records.get(path)?.kind;
  }

  /** Every record of a path and below it, hidden ones included. */
  inside(path: string): Rec[] {
    return [...this.records.values()].filter((record) => record.path === path || isBelow(record.path, path));
  }

  hasChildren(path: string): boolean {
    for (const other of this.records.keys()) if (isBelow(other, path)) return true;
    return false;
  }

  belowFile(path: string): boolean {
    return ancestors(path).some((dir) => this.kind(dir) === "file");
  }

  missingAncestors(path: string): string[] {
    return ancestors(path).filter((dir) => this.kind(dir) === undefined);
  }

  /** May `from` be put at `to`, by the rules of rename(2)? */
  accepts(from: string, to: string): boolean {
    const [source, target] = [this.kind(from), this.kind(to)];
    if (source === undefined || from === to || isBelow(to, from) || this.belowFile(to)) return false;
    if (source === "file") return target !== "directory";
    return target === undefined || (target === "directory" && !this.hasChildren(to) && !isBelow(from, to));
  }
}
