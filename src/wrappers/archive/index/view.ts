/** The view: rows of `entry`, and what is shown of them. */
import { StoreError, entry, parentOf, nameOf, root } from "../../../store/index.ts";
import type { Entry, Metadata, StorePath } from "../../../store/index.ts";
import type { Extra } from "../format/records.ts";
import { etagOf } from "../format/stamp.ts";
import type { Stamp } from "../format/stamp.ts";
import type { IndexDatabase } from "./database.ts";

export const FILE = 1;
export const DIRECTORY = 2;
export const IMPLIED = 3;

/** A row of `entry` or `shadow`. */
export interface RecordRow {
  readonly dir: number;
  readonly name: string;
  readonly kind: number;
  readonly t: number;
  readonly w: string;
  readonly home: number;
  readonly at: number | null;
  readonly ref: string | null;
  readonly off: number | null;
  readonly size: number;
  readonly modified: number | null;
  readonly hash: string | null;
  readonly extra: string | null;
}
/** A row that is shown. `children`: of the directory of this path; a file that has some is hidden behind them. */
export interface ShownRow extends RecordRow {
  readonly children: number;
}

const ROOT_ID = 1;
const SHOWN = "select e.*, coalesce((select d.children from dir d where d.parent = e.dir and d.name = e.name), 0) as children from entry e";

export class View {
  readonly #db: IndexDatabase;
  /** Numbers of directories by path: most paths of a burst lie in a few. */
  readonly #ids = new Map<StorePath, number>();

  constructor(db: IndexDatabase) {
    this.#db = db;
  }

  /** After a draft was taken back, or directories went. */
  forgetNumbers(): void {
    this.#ids.clear();
  }

  dirOf(path: StorePath): number | undefined {
    return this.#dir(path, false);
  }

  madeDir(path: StorePath): number {
    return this.#dir(path, true) as number;
  }

  /** A loop: a path may have thousands of segments. */
  #dir(path: StorePath, make: boolean): number | undefined {
    if (path === root) return ROOT_ID;
    const known = this.#ids.get(path);
    if (known !== undefined) return known;
    let start = parentOf(path);
    let id: number | undefined;
    while (start !== root && (id = this.#ids.get(start)) === undefined) start = parentOf(start);
    id ??= ROOT_ID;
    for (const name of path.slice(start === root ? 1 : start.length + 1).split("/")) {
      const found: number | undefined = this.#db.get<{ readonly id: number }>("select id from dir where parent = ? and name = ?", id, name)?.id;
      if (found === undefined && !make) return undefined;
      id = found ?? this.#db.insert("insert into dir(parent, name) values(?, ?)", id, name);
    }
    if (this.#ids.size >= 10_000) this.#ids.clear();
    this.#ids.set(path, id);
    return id;
  }

  /** What is shown at a path other than the root. */
  row(path: StorePath): ShownRow | undefined {
    const dir = this.dirOf(parentOf(path));
    return dir === undefined ? undefined : this.#db.get<ShownRow>(`${SHOWN} where e.dir = ? and e.name = ?`, dir, nameOf(path));
  }

  /** `not-found` where nothing is shown. */
  stat(path: StorePath): Entry {
    if (path === root) return entry({ path, kind: "directory", metadata: NO_METADATA });
    const row = this.row(path);
    if (row === undefined) throw new StoreError("not-found", "nothing is there");
    return entryOf(path, row);
  }

  /** At most `limit` rows of a directory, in order, those after `after`. */
  children(dir: number, after: string | undefined, limit: number): ShownRow[] {
    return after === undefined
      ? this.#db.all<ShownRow>(`${SHOWN} where e.dir = ? order by e.name limit ?`, dir, limit)
      : this.#db.all<ShownRow>(`${SHOWN} where e.dir = ? and e.name > ? order by e.name limit ?`, dir, after, limit);
  }

  /** Everything below a directory, each after its parent; hidden files too. */
  *below(path: StorePath): Generator<{ readonly path: StorePath; readonly row: ShownRow }, void, undefined> {
    const waiting: StorePath[] = [path];
    for (let dir = waiting.pop(); dir !== undefined; dir = waiting.pop()) {
      const id = this.dirOf(dir);
      if (id === undefined) continue;
      for (const row of this.children(id, undefined, -1)) {
        const child = (dir === root ? `/${row.name}` : `${dir}/${row.name}`) as StorePath;
        yield { path: child, row };
        if (row.children > 0) waiting.push(child);
      }
    }
  }

  pathOfDir(id: number): StorePath {
    const names: string[] = [];
    for (let at = id; at !== ROOT_ID;) {
      const row = this.#db.get<{ readonly parent: number; readonly name: string }>("select parent, name from dir where id = ?", at);
      if (row === undefined) throw new StoreError("corrupt", "the local index has lost a directory");
      names.push(row.name);
      at = row.parent;
    }
    return `/${names.reverse().join("/")}` as StorePath;
  }

  pathOf(row: Pick<RecordRow, "dir" | "name">): StorePath {
    const dir = this.pathOfDir(row.dir);
    return (dir === root ? `/${row.name}` : `${dir}/${row.name}`) as StorePath;
  }
}

const NO_METADATA: Metadata = Object.freeze({});

export function isDirectory(row: ShownRow): boolean {
  return row.kind !== FILE || row.children > 0;
}

export function stampOfRow(row: RecordRow): Stamp {
  return [row.t, row.w];
}

export function extraOf(row: RecordRow): Extra | undefined {
  return row.extra === null ? undefined : (JSON.parse(row.extra) as Extra);
}

export function entryOf(path: StorePath, row: ShownRow): Entry {
  // Implied, or the directory that hides a file: nobody said when it was made.
  if (isDirectory(row)) return entry({ path, kind: "directory", modifiedMs: row.kind === DIRECTORY ? row.modified : null, metadata: NO_METADATA });
  const extra = extraOf(row);
  return entry({
    path,
    kind: "file",
    size: row.size,
    modifiedMs: row.modified,
    etag: etagOf(stampOfRow(row)),
    contentType: extra?.type,
    hashes: Object.freeze({ sha256: Buffer.from(row.hash as string, "base64url").toString("hex") }),
    metadata: extra?.meta === undefined ? NO_METADATA : Object.freeze(extra.meta),
  });
}
