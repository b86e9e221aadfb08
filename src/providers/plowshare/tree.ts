/** The tree of paths in the index. Every verb is one transaction in which nothing waits: atomic, and every condition holds against everybody. */
import { StoreError, byCodePoint, entry, nameOf, parentOf, root } from "../../store/index.ts";
import type { Clock, Entry, Metadata, StorePath } from "../../store/index.ts";
import type { Contents } from "./contents.ts";
import { transaction } from "./sqlite.ts";
import type { Sqlite, Statement } from "./sqlite.ts";

const FILE = 1;
const DIRECTORY = 2;
const NO_METADATA: Metadata = Object.freeze({});
/** Of no bytes. Hosts refuse empty files, so those are rows alone. */
export const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

export interface Node {
  readonly id: number;
  readonly parent: number;
  readonly name: string;
  readonly kind: number;
  /** Null for directories and for empty files. */
  readonly content: number | null;
  readonly modified: number;
  readonly type: string | null;
  readonly metadata: string | null;
  readonly gen: number;
  readonly size: number | null;
  readonly sha256: string | null;
}
export interface FileFacts {
  readonly content: number | null;
  readonly modifiedMs: number;
  readonly contentType: string | undefined;
  readonly metadata: Metadata | undefined;
}

const SELECT = "select node.*, content.size, content.sha256 from node left join content on content.id = node.content";

export class Tree {
  readonly #db: Sqlite;
  readonly #contents: Contents;
  readonly #clock: Clock;
  readonly #child: Statement;
  readonly #children: Statement;
  readonly #page: Statement;
  readonly #insert: Statement;
  readonly #gen: Statement;

  constructor(db: Sqlite, contents: Contents, clock: Clock) {
    this.#db = db;
    this.#contents = contents;
    this.#clock = clock;
    this.#child = db.prepare(`${SELECT} where parent = ? and name = ?`);
    this.#children = db.prepare(`${SELECT} where parent = ?`);
    this.#page = db.prepare(`${SELECT} where parent = ? and name > ? order by name limit ?`);
    this.#insert = db.prepare("insert into node(parent, name, kind, content, modified, type, metadata, gen) values(?, ?, ?, ?, ?, ?, ?, ?)");
    this.#gen = db.prepare("update meta set value = value + 1 where key = 'gen' returning value");
  }

  find(path: StorePath): Node | undefined {
    let node = this.#child.get(0, "") as Node;
    if (path === root) return node;
    for (const name of path.slice(1).split("/")) {
      if (node.kind !== DIRECTORY) return undefined;
      const next = this.#child.get(node.id, name) as Node | undefined;
      if (next === undefined) return undefined;
      node = next;
    }
    return node;
  }
  get(path: StorePath): Node {
    const node = this.find(path);
    if (node === undefined) throw new StoreError("not-found", "nothing is there");
    return node;
  }
  stat(path: StorePath): Entry {
    return entryOf(path, this.get(path));
  }

  /** The file that a write replaces, or the reason why it may not. */
  mayWrite(path: StorePath, ifAbsent: boolean, ifMatch: string | undefined): Node | undefined {
    const old = this.find(path);
    const was = old === undefined ? undefined : entryOf(path, old);
    if (ifAbsent && was !== undefined) throw new StoreError("already-exists", "something of this name is there", { entry: was });
    if (was?.kind === "directory") throw new StoreError("is-a-directory", "there is a directory of this name");
    if (ifMatch !== undefined && was?.etag !== ifMatch) throw new StoreError("precondition-failed", "the file has another etag, or is gone", { entry: was });
    if (old === undefined) this.#nearest(parentOf(path));
    return old;
  }

  /** A file with these bytes at this path. The content must be in the index already; in the same transaction as its links. */
  put(path: StorePath, { content, modifiedMs, contentType, metadata }: FileFacts, ifAbsent: boolean, ifMatch: string | undefined): Entry {
    return transaction(this.#db, () => {
      const old = this.mayWrite(path, ifAbsent, ifMatch);
      if (content !== null) this.#contents.retain(content);
      const kept = metadata === undefined ? null : JSON.stringify(metadata);
      if (old === undefined)
        this.#insert.run(this.#directory(parentOf(path)), nameOf(path), FILE, content, modifiedMs, contentType ?? null, kept, this.#next());
      else {
        this.#db
          .prepare("update node set content = ?, modified = ?, type = ?, metadata = ?, gen = ? where id = ?")
          .run(content, modifiedMs, contentType ?? null, kept, this.#next(), old.id);
        this.#release(old);
      }
      return this.stat(path);
    });
  }

  list(path: StorePath, after: string, most: number): Entry[] {
    const dir = this.get(path);
    if (dir.kind !== DIRECTORY) throw new StoreError("not-a-directory", "a file has no children");
    return (this.#page.all(dir.id, after, most) as Node[]).map((node) => entryOf(child(path, node.name), node));
  }
  /** Everything below, in the order of the paths. */
  listAll(path: StorePath): Entry[] {
    const dir = this.get(path);
    if (dir.kind !== DIRECTORY) throw new StoreError("not-a-directory", "a file has no children");
    return this.#below(path, dir)
      .map(({ path: at, node }) => entryOf(at, node))
      .sort((a, b) => byCodePoint(a.path, b.path));
  }

  mkdir(path: StorePath, existOk: boolean): Entry {
    return transaction(this.#db, () => {
      const node = this.find(path);
      if (node !== undefined && (node.kind !== DIRECTORY || !existOk))
        throw new StoreError("already-exists", "something of this name is there", { entry: entryOf(path, node) });
      if (node === undefined) this.#directory(path);
      return this.stat(path);
    });
  }

  delete(path: StorePath, recursive: boolean, ifMatch: string | undefined): void {
    transaction(this.#db, () => {
      const node = this.find(path);
      if (node === undefined) return;
      const was = entryOf(path, node);
      if (was.kind === "directory" && ifMatch !== undefined) throw new StoreError("is-a-directory", "a directory has no etag");
      if (ifMatch !== undefined && was.etag !== ifMatch) throw new StoreError("precondition-failed", "the file has another etag", { entry: was });
      if (!recursive && this.#hasChildren(node)) throw new StoreError("not-empty", "the directory has children");
      this.#remove(path, node);
    });
  }

  /** The same bytes under another path: no host is asked, the links are counted. */
  copy(from: StorePath, to: StorePath, ifAbsent: boolean): Entry {
    return transaction(this.#db, () => {
      const source = this.#mayReplace(from, to, ifAbsent);
      const parts = [{ path: from, node: source }, ...this.#below(from, source)];
      const ids = new Map<number, number>();
      const top = this.#directory(parentOf(to));
      for (const { node } of parts) {
        const parent = node === source ? top : (ids.get(node.parent) as number);
        const name = node === source ? nameOf(to) : node.name;
        if (node.content !== null) this.#contents.retain(node.content);
        ids.set(
          node.id,
          Number(this.#insert.run(parent, name, node.kind, node.content, node.modified, node.type, node.metadata, this.#next()).lastInsertRowid),
        );
      }
      return this.stat(to);
    });
  }

  move(from: StorePath, to: StorePath, ifAbsent: boolean): Entry {
    return transaction(this.#db, () => {
      const source = this.#mayReplace(from, to, ifAbsent);
      const parent = this.#directory(parentOf(to));
      this.#db.prepare("update node set parent = ?, name = ? where id = ?").run(parent, nameOf(to), source.id);
      return this.stat(to);
    });
  }

  /** The rules of rename(2); what may be replaced is gone afterwards. */
  #mayReplace(from: StorePath, to: StorePath, ifAbsent: boolean): Node {
    const source = this.get(from);
    const target = this.find(to);
    this.#nearest(parentOf(to));
    if (target === undefined) return source;
    if (ifAbsent) throw new StoreError("already-exists", "something is at the target", { entry: entryOf(to, target) });
    if (target.kind === DIRECTORY && source.kind !== DIRECTORY) throw new StoreError("is-a-directory", "the target is a directory");
    if (target.kind !== DIRECTORY && source.kind === DIRECTORY) throw new StoreError("not-a-directory", "the target is a file");
    if (this.#hasChildren(target)) throw new StoreError("not-empty", "the target has children");
    this.#remove(to, target);
    return source;
  }

  #hasChildren({ id, kind }: Node): boolean {
    return kind === DIRECTORY && this.#db.prepare("select 1 from node where parent = ? limit 1").get(id) !== undefined;
  }

  /** Where a file stands on the way there is nothing below it. One walk from the root: a path may have thirty thousand segments. */
  #nearest(path: StorePath): void {
    if (path === root) return;
    let node = this.#child.get(0, "") as Node;
    for (const name of path.slice(1).split("/")) {
      const next = this.#child.get(node.id, name) as Node | undefined;
      if (next === undefined) return;
      if (next.kind !== DIRECTORY) throw new StoreError("not-a-directory", "a parent of this path is a file");
      node = next;
    }
  }

  /** The id of this directory, made with its parents where it is missing. */
  #directory(path: StorePath): number {
    let node = this.#child.get(0, "") as Pick<Node, "id" | "kind">;
    if (path === root) return node.id;
    for (const name of path.slice(1).split("/")) {
      const next = this.#child.get(node.id, name) as Node | undefined;
      if (next !== undefined && next.kind !== DIRECTORY) throw new StoreError("not-a-directory", "a parent of this path is a file");
      node = next ?? {
        id: Number(this.#insert.run(node.id, name, DIRECTORY, null, this.#clock.now(), null, null, this.#next()).lastInsertRowid),
        kind: DIRECTORY,
      };
    }
    return node.id;
  }

  /** Everything below, each after its parent; nothing for a file. */
  #below(path: StorePath, top: Node): { readonly path: StorePath; readonly node: Node }[] {
    const found = [{ path, node: top }];
    // The list grows while it is read: its end is reached when the last directory has given its children.
    for (let i = 0; i < found.length; i++) {
      const { path: at, node } = found[i] as (typeof found)[number];
      if (node.kind === DIRECTORY) for (const one of this.#children.all(node.id) as Node[]) found.push({ path: child(at, one.name), node: one });
    }
    found.shift();
    return found;
  }

  #remove(path: StorePath, top: Node): void {
    const drop = this.#db.prepare("delete from node where id = ?");
    for (const { node } of [{ node: top }, ...this.#below(path, top)]) {
      drop.run(node.id);
      this.#release(node);
    }
  }
  #release({ content }: Node): void {
    if (content !== null) this.#contents.release(content, this.#clock.now());
  }
  #next(): number {
    return (this.#gen.get() as { readonly value: number }).value;
  }
}

function child(dir: StorePath, name: string): StorePath {
  return `${dir === root ? "" : dir}/${name}` as StorePath;
}

export function entryOf(path: StorePath, node: Node): Entry {
  const { kind, modified, type, metadata, gen } = node;
  if (kind === DIRECTORY) return entry({ path, kind: "directory", modifiedMs: modified });
  const sha256 = node.sha256 ?? EMPTY_SHA256;
  return entry({
    path,
    kind: "file",
    size: node.size ?? 0,
    modifiedMs: modified,
    etag: `${gen.toString(36)}-${sha256.slice(0, 16)}`,
    contentType: type,
    hashes: { sha256 },
    metadata: metadata === null ? NO_METADATA : (JSON.parse(metadata) as Metadata),
  });
}
