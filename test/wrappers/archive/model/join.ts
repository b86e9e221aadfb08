/** The join of the archive layer (reference/archive.md 3.3) over archives of a model: records, tombstones, claims, and nothing of their bytes. */

export type Stamp = readonly [time: number, writer: string];

export interface Rec {
  readonly path: string;
  readonly stamp: Stamp;
  readonly kind: "file" | "directory";
  /** Which bytes; unique for each body that was written. Empty for a directory. */
  readonly content: string;
  /** Archive that has the bytes, its own included. Empty for a directory. */
  readonly at: string;
}
export interface Tomb {
  readonly path: string;
  readonly upTo: Stamp;
  readonly born: number;
  /** It stands higher than what was shown, because of an upload in doubt. */
  readonly doubt: boolean;
}
export interface Claim {
  readonly of: string;
  readonly by: string;
  readonly stamp: Stamp;
  readonly born: number;
}
export interface Archive {
  readonly name: string;
  readonly stamp: Stamp;
  readonly writer: string;
  readonly kind: "group" | "solo" | "take" | "repack" | "claim";
  readonly records: readonly Rec[];
  readonly tombs: readonly Tomb[];
  readonly claims: readonly Claim[];
}

export function compare(a: Stamp, b: Stamp): number {
  return a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0);
}

export function above(a: Stamp | undefined, b: Stamp | undefined): boolean {
  return a !== undefined && (b === undefined || compare(a, b) > 0);
}

export function same(a: Rec, b: Rec): boolean {
  return a.path === b.path && a.stamp[0] === b.stamp[0] && a.stamp[1] === b.stamp[1];
}

/** What a set of archives shows. Grows by `add` in any order. */
export class Join {
  readonly top: Map<string, Rec> = new Map();
  readonly floor: Map<string, Stamp> = new Map();

  static of(archives: Iterable<Archive>): Join {
    const join = new Join();
    for (const archive of archives) join.add(archive);
    return join;
  }

  add({ records, tombs }: Archive): void {
    for (const record of records) if (above(record.stamp, this.top.get(record.path)?.stamp)) this.top.set(record.path, record);
    for (const { path, upTo } of tombs) if (above(upTo, this.floor.get(path))) this.floor.set(path, upTo);
  }

  /** The live record of a path. */
  at(path: string): Rec | undefined {
    const record = this.top.get(path);
    return record !== undefined && above(record.stamp, this.floor.get(path)) ? record : undefined;
  }

  *live(): Generator<Rec> {
    for (const [path, record] of this.top) if (above(record.stamp, this.floor.get(path))) yield record;
  }
}

export function isBelow(path: string, dir: string): boolean {
  return path.length > dir.length && path.startsWith(dir) && path[dir.length] === "/";
}

/** `/a/b/c`: `/a/b`, `/a`. */
export function ancestors(path: string): string[] {
  const out: string[] = [];
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) out.push(path.slice(0, slash));
  return out;
}
