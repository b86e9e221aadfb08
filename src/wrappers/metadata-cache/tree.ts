/** The memory: a tree of directories, so that a directory costs its children and a subtree goes at once. No paths are kept in it. */
import { byCodePoint, nameOf, parentOf, root } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import { absent, bytesOf, ownText } from "./fact.ts";
import type { Fact } from "./fact.ts";
import { Recency } from "./recency.ts";

export class Directory {
  readonly parent: Directory | undefined;
  /** Its key in the parent. */
  readonly name: string;
  readonly kids: Map<string, Fact> = new Map();
  children: Map<string, Directory> | undefined = undefined;
  /** Every name is known, as of `at`. */
  complete = false;
  at: number = -Infinity;
  /** Of the listing that is remembered: null after anything in it changed here. */
  pageEtag: string | null = null;
  /** The kids are in the order that the service promises. */
  sorted = false;
  /** Not to be prefetched again before this time. */
  prefetchFrom: number = -Infinity;
  /** How the service writes its path, where that may differ from how it is asked. */
  shown: StorePath | null = null;
  /** Estimated, of its own kids. */
  bytes = 0;
  /** For the order of use; undefined: remembers nothing. */
  older: Directory | undefined = undefined;
  newer: Directory | undefined = undefined;
  used = -1;

  constructor(parent: Directory | undefined, name: string) {
    this.parent = parent;
    this.name = name;
  }

  get path(): StorePath {
    if (this.parent === undefined) return root;
    const above = this.parent.path;
    return (above === root ? `/${this.name}` : `${above}/${this.name}`) as StorePath;
  }
}

export interface TreeOptions {
  /** False: a file and a directory of one name stand side by side. */
  readonly strict: boolean;
  /** Facts count one, directories two. */
  maxEntries(): number;
  /** Is this fact, told at `at`, still to be believed? The path only where it decides: of a change under way. */
  alive(fact: Fact, path: StorePath, now: number): boolean;
  /** Is a directory whose names were all known at `at` still complete? */
  whole(directory: Directory, now: number): boolean;
  /** May this directory be forgotten to make room? */
  mayEvict(directory: Directory): boolean;
  /** What becomes of a directory that makes room. */
  evicted(directory: Directory): void;
  /** Where changes are written down for a file. */
  readonly journal?: TreeJournal | undefined;
}
export interface TreeJournal {
  /** One name of the directory has changed. */
  name(directory: Directory, key: string): void;
  /** The directory has changed as a whole. */
  directory(directory: Directory): void;
  /** A directory and all below it are forgotten. */
  dropped(directory: Directory): void;
}

/** A known fact, a known absence (null), or nothing known (undefined). */
export type Known = Fact | null | undefined;

const COST_OF_DIRECTORY = 2;
/** Measured: the object, its map, its place in the parent. */
const DIRECTORY_BYTES = 400;

export class Tree {
  readonly #options: TreeOptions;
  #top: Directory = new Directory(undefined, "");
  #rootFact: Fact | undefined;
  /** Where the last look ended. */
  #seen: Directory | undefined;
  readonly #recency = new Recency();
  facts = 0;
  directories = 1;
  bytes = 0;
  evictions = 0;

  constructor(options: TreeOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.facts + COST_OF_DIRECTORY * this.directories;
  }
  get top(): Directory {
    return this.#top;
  }

  /** Where a fact of this kind is kept under its name. "/" is in no name. */
  key(name: string, kind: "file" | "directory"): string {
    return kind === "file" || this.#options.strict ? name : `${name}/`;
  }

  get strict(): boolean {
    return this.#options.strict;
  }

  /** The name behind a key. */
  nameOf(key: string): string {
    return key.endsWith("/") ? key.slice(0, -1) : key;
  }

  /** What is known of this path, from its own fact or from those of the directories above it. */
  look(path: StorePath, now: number): Known {
    if (path === root) return this.#rootFact !== undefined && this.#options.alive(this.#rootFact, root, now) ? this.#rootFact : undefined;
    let directory = this.#top;
    for (let start = 1; ;) {
      const end = path.indexOf("/", start);
      if (end < 0) {
        this.#seen = directory;
        return this.#known(directory, path.slice(start), path, now);
      }
      const name = path.slice(start, end);
      const above = this.#slot(directory, this.key(name, "directory"), path, end, now);
      if (above === null || (above?.isFile === true && this.#options.strict)) return null;
      const next = directory.children?.get(name);
      if (next === undefined) return undefined;
      directory = next;
      start = end + 1;
    }
  }

  /** Of two that stand side by side under one name the file is meant. */
  #known(directory: Directory, name: string, path: StorePath, now: number): Known {
    if (this.#options.strict) return this.#slot(directory, name, path, path.length, now);
    const file = this.#slot(directory, name, path, path.length, now);
    return file === null ? this.#slot(directory, `${name}/`, path, path.length, now) : file;
  }

  #slot(directory: Directory, key: string, path: StorePath, end: number, now: number): Known {
    const fact = directory.kids.get(key);
    if (fact === undefined) return this.#options.whole(directory, now) ? null : undefined;
    const own = end === path.length ? path : (path.slice(0, end) as StorePath);
    if (!this.#options.alive(fact, own, now)) return undefined;
    return fact.isAbsent ? null : fact;
  }

  /** The directory of this path among two that stand side by side. */
  lookDirectory(path: StorePath, now: number): Known {
    if (path === root || this.#options.strict) return this.look(path, now);
    const found = this.look(path, now);
    if (found !== undefined && found !== null && found.isDirectory) return found;
    const parent = this.find(parentOf(path));
    return parent === undefined ? (found === null ? null : undefined) : this.#slot(parent, `${nameOf(path)}/`, path, path.length, now);
  }

  find(path: StorePath): Directory | undefined {
    let directory: Directory | undefined = this.#top;
    if (path === root) return directory;
    for (let start = 1; directory !== undefined;) {
      const end = path.indexOf("/", start);
      directory = directory.children?.get(end < 0 ? path.slice(start) : path.slice(start, end));
      if (end < 0) return directory;
      start = end + 1;
    }
    return undefined;
  }

  /** The directory, made in the tree where it is not there yet. With `exists`: something was just seen in it, so that whatever says otherwise of those above is wrong by now. */
  open(path: StorePath, exists: boolean): Directory {
    let directory = this.#top;
    if (path === root) return directory;
    for (let start = 1; ;) {
      const end = path.indexOf("/", start);
      const name = end < 0 ? path.slice(start) : path.slice(start, end);
      if (exists) this.#admit(directory, name);
      let next = directory.children?.get(name);
      if (next === undefined) {
        next = new Directory(directory, ownText(name));
        (directory.children ??= new Map()).set(next.name, next);
        this.directories++;
        this.bytes += DIRECTORY_BYTES;
      }
      directory = next;
      if (end < 0) return directory;
      start = end + 1;
    }
  }

  #admit(directory: Directory, name: string): void {
    const key = this.key(name, "directory");
    const fact = directory.kids.get(key);
    if (fact === undefined ? !directory.complete : fact.isDirectory) return;
    this.#remove(directory, key);
    this.#incomplete(directory);
  }

  set(path: StorePath, fact: Fact): void {
    if (path === root) {
      this.#rootFact = fact;
      return;
    }
    const directory = this.open(parentOf(path), !fact.isAbsent);
    const name = nameOf(path);
    if (fact.isAbsent) {
      this.#gone(directory, name, fact);
    } else {
      this.put(directory, this.key(name, fact.kind as "file" | "directory"), fact);
      if (this.#options.strict && fact.isFile) this.#detach(directory, name);
    }
    this.#touch(directory);
  }

  /** Nothing is at this name. In a complete directory that is what no fact means. */
  #gone(directory: Directory, name: string, fact: Fact): void {
    this.#detach(directory, name);
    for (const key of this.#options.strict ? [name] : [name, `${name}/`]) this.#absent(directory, key, fact);
  }

  #absent(directory: Directory, key: string, fact: Fact): void {
    if (directory.complete && this.#options.whole(directory, fact.at)) {
      if (this.#remove(directory, key)) directory.pageEtag = null;
    } else this.put(directory, key, fact);
  }

  /** Only the file, or only the directory, of two that may stand side by side. */
  setAbsent(path: StorePath, kind: "file" | "directory", at: number): void {
    const directory = this.open(parentOf(path), false);
    if (kind === "directory") this.#detach(directory, nameOf(path));
    this.#absent(directory, this.key(nameOf(path), kind), absent(at));
    this.#touch(directory);
  }

  put(directory: Directory, key: string, fact: Fact): void {
    const before = directory.kids.get(key);
    if (before === undefined) {
      this.facts++;
      directory.sorted = false;
      key = ownText(key);
    } else this.#weigh(directory, -bytesOf(key, before));
    directory.kids.set(key, fact);
    this.#weigh(directory, bytesOf(key, fact));
    if (before === undefined || before.size !== fact.size || before.modifiedMs !== fact.modifiedMs || before.etag !== fact.etag || before.kind !== fact.kind)
      directory.pageEtag = null;
    this.#options.journal?.name(directory, key);
  }

  #weigh(directory: Directory, bytes: number): void {
    directory.bytes += bytes;
    this.bytes += bytes;
  }

  #remove(directory: Directory, key: string): boolean {
    const fact = directory.kids.get(key);
    if (fact === undefined) return false;
    directory.kids.delete(key);
    this.facts--;
    this.#weigh(directory, -bytesOf(key, fact));
    this.#options.journal?.name(directory, key);
    return true;
  }

  /** One fact goes, and the directory's claim to know all names is the caller's to answer for. */
  remove(directory: Directory, key: string): void {
    this.#remove(directory, key);
  }
  dropChild(directory: Directory, name: string): void {
    this.#detach(directory, name);
  }

  /** Is it known whether this name is there, as what it may be there? */
  knowsName(directory: Directory, name: string): boolean {
    return directory.kids.has(name) && (this.#options.strict || directory.kids.has(`${name}/`));
  }

  /** A listing told all names of this directory, as of `at`; or all but a few, on which a change was under way. */
  settle(directory: Directory, complete: boolean, at: number, pageEtag: string | null): void {
    if (complete) for (const [key, fact] of directory.kids) if (fact.isAbsent) this.#remove(directory, key);
    directory.complete = complete;
    directory.at = at;
    directory.pageEtag = complete ? pageEtag : null;
    directory.sorted = false;
    this.#options.journal?.directory(directory);
    this.#recency.use(directory, true, this.directories);
    this.makeRoom(directory);
    if (!complete) this.#prune(directory);
  }

  /** Everything in this directory was told again. */
  renew(directory: Directory, at: number, told: (fact: Fact) => Fact): void {
    for (const [name, fact] of directory.kids) directory.kids.set(name, told(fact));
    directory.at = at;
    this.#options.journal?.directory(directory);
  }

  /** The kids in the order of their names. */
  sort(directory: Directory): void {
    if (directory.sorted) return;
    const all = [...directory.kids].sort(([a], [b]) => byCodePoint(a, b));
    directory.kids.clear();
    for (const [key, fact] of all) directory.kids.set(key, fact);
    directory.sorted = true;
  }

  #incomplete(directory: Directory): void {
    if (!directory.complete) return;
    directory.complete = false;
    directory.pageEtag = null;
    this.#options.journal?.directory(directory);
  }

  /** What is told of this path and of all below it; its name is open again. */
  forget(path: StorePath): void {
    if (path === root) {
      this.#rootFact = undefined;
      this.clear();
      return;
    }
    const directory = this.find(parentOf(path));
    if (directory === undefined) return;
    this.#forgetName(directory, nameOf(path));
  }

  #forgetName(directory: Directory, name: string): void {
    this.#remove(directory, name);
    if (!this.#options.strict) this.#remove(directory, `${name}/`);
    this.#detach(directory, name);
    this.#incomplete(directory);
    this.#prune(directory);
  }

  /** Its own fact only: what is known below it stays. */
  forgetEntry(path: StorePath): void {
    const directory = this.find(parentOf(path));
    if (path === root || directory === undefined) return;
    this.#remove(directory, this.key(nameOf(path), "directory"));
    this.#incomplete(directory);
    this.#prune(directory);
  }

  /** What is known below this path, and not what is known of it. */
  drop(path: StorePath): void {
    const directory = path === root ? undefined : this.find(parentOf(path));
    if (directory !== undefined) this.#detach(directory, nameOf(path));
  }

  /** The entry of a directory in which something changed: it may have another time. That it is there stays known. */
  thin(path: StorePath): void {
    if (path === root) {
      if (this.#rootFact?.modifiedMs !== null || this.#rootFact.etag !== null) this.#rootFact = undefined;
      return;
    }
    const directory = this.find(parentOf(path));
    const key = this.key(nameOf(path), "directory");
    const fact = directory?.kids.get(key);
    if (directory === undefined || fact === undefined || !fact.isDirectory || fact.thin || (fact.modifiedMs === null && fact.etag === null)) return;
    this.put(directory, key, fact.thinned());
  }

  clear(): void {
    this.#options.journal?.dropped(this.#top);
    this.#top = new Directory(undefined, "");
    this.#recency.clear();
    this.facts = 0;
    this.directories = 1;
    this.bytes = 0;
  }

  #detach(directory: Directory, name: string): void {
    const child = directory.children?.get(name);
    if (child === undefined) return;
    this.#options.journal?.dropped(child);
    directory.children?.delete(name);
    const left = [child];
    for (let one = left.pop(); one !== undefined; one = left.pop()) {
      this.#recency.remove(one);
      this.facts -= one.kids.size;
      this.directories--;
      this.bytes -= one.bytes + DIRECTORY_BYTES;
      for (const below of one.children?.values() ?? []) left.push(below);
    }
  }

  /** A directory of which nothing is left goes, and those above it that stood only for it. */
  #prune(directory: Directory): void {
    for (let one: Directory | undefined = directory; one?.parent !== undefined; one = one.parent) {
      if (one.kids.size > 0 || one.complete || (one.children?.size ?? 0) > 0) return;
      this.#recency.remove(one);
      one.parent.children?.delete(one.name);
      this.directories--;
      this.bytes -= one.bytes + DIRECTORY_BYTES;
    }
  }

  /** What was just looked at was an answer. */
  useSeen(): void {
    if (this.#seen !== undefined && this.#seen.used >= 0) this.#recency.use(this.#seen, false, this.directories);
  }

  /** The directory was used by a question: a listing always counts, a look-up only where it would matter soon. */
  use(directory: Directory, listed: boolean): void {
    this.#recency.use(directory, listed, this.directories);
  }

  #touch(directory: Directory): void {
    this.#recency.use(directory, false, this.directories);
    this.makeRoom(directory);
  }

  /** Forgets the directories that were not used for longest; that in hand only where it is too large for this memory altogether. */
  makeRoom(inHand: Directory): void {
    const max = this.#options.maxEntries();
    for (let one = this.#recency.oldest; one !== undefined && this.size > max;) {
      const next = one.newer;
      if (one !== inHand || one.kids.size > max / 2) this.giveUp(one);
      one = next;
    }
  }

  /** Forgets this directory to make room, unless changes under way need it. */
  giveUp(directory: Directory): void {
    if (!this.#options.mayEvict(directory)) return;
    this.evictions++;
    this.#options.evicted(directory);
  }

  /** Forgets what is in this directory, and that it was all. */
  evict(directory: Directory): void {
    this.facts -= directory.kids.size;
    this.#weigh(directory, -directory.bytes);
    directory.kids.clear();
    directory.complete = false;
    directory.pageEtag = null;
    this.#options.journal?.directory(directory);
    this.#recency.remove(directory);
    this.#prune(directory);
  }
}
