/**
 * The reference: a service whose whole state is one map, with every state it ever had. Small enough to be seen right, and able to be as awkward as real ones are:
 * listings that come late, tell little, or come in pages; replies that tell less than a stat; directories that change their time with their children, or exist only while something is in them.
 */
import { StoreError, byteStream, createStore, entry, isInside, parentOf, rebase, root } from "../../../src/store/index.ts";
import type { Capabilities, Clock, Entry, Page, Provider, Store, StorePath } from "../../../src/store/index.ts";

export interface ServiceOptions {
  readonly clock: Clock;
  /** Listings (with "reads" stats too) show the state of `lagMs` ago. */
  readonly late?: "listings" | "reads";
  /** Listings tell size, time and etag only, as S3's do. */
  readonly shortListings?: boolean;
  /** Replies of changes tell no time. */
  readonly shortReplies?: boolean;
  /** A directory has another time after a child came or went. */
  readonly directoryTimes?: boolean;
  readonly implied?: boolean;
  /** A file and a directory of one name stand side by side. */
  readonly loose?: boolean;
  readonly pageSize?: number;
  readonly identity?: string;
  readonly capabilities?: Partial<Capabilities>;
}
interface Node {
  readonly kind: "file" | "directory";
  /** Never used twice. For files it is the etag. */
  readonly version: number;
  readonly changed: number;
  readonly bytes: string;
  /** Made by mkdir: stays when it is empty. */
  readonly made: boolean;
}
/** By path; where files and directories stand side by side, directories end in "/". */
export type State = ReadonlyMap<string, Node>;
/** What a path is, as far as any answer could tell: null, "directory 7", "file 12". */
export type Value = string | null;

export class Service {
  readonly store: Store;
  /** Every state there was, and from when. */
  readonly states: { readonly state: State; readonly atMs: number }[];
  /** How old a late listing is, at the most. */
  lagMs = 0;
  #version = 1;
  readonly #options: ServiceOptions;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.states = [{ state: new Map([[this.#slot(root, "directory"), this.#node("directory", "", true)]]), atMs: options.clock.now() }];
    this.store = createStore(this.#provider());
  }

  get state(): State {
    return (this.states.at(-1) as { readonly state: State }).state;
  }
  #ago(lagMs: number): State {
    const then = this.#options.clock.now() - lagMs;
    return (this.states.findLast(({ atMs }) => atMs <= then) ?? this.states[0])?.state ?? new Map<string, Node>();
  }

  #slot(path: string, kind: "file" | "directory"): string {
    return this.#options.loose === true && kind === "directory" && path !== root ? `${path}/` : path;
  }
  get(state: State, path: string): Node | undefined {
    return state.get(path) ?? state.get(this.#slot(path, "directory"));
  }
  directory(state: State, path: string): Node | undefined {
    const node = state.get(this.#slot(path, "directory"));
    return node?.kind === "directory" ? node : undefined;
  }
  value(path: string, state: State = this.state): Value {
    const node = this.get(state, path);
    return node === undefined ? null : this.valueOf(node);
  }
  valueOf({ kind, version, changed }: Pick<Node, "kind" | "version" | "changed">): string {
    return kind === "file" ? `file ${version}` : `directory ${this.#options.directoryTimes === true ? changed : ""}`;
  }
  /** The same of an entry that somebody was given. */
  told(found: Entry): string {
    return found.kind === "file" ? `file ${found.etag}` : `directory ${this.#options.directoryTimes === true ? found.modifiedMs : ""}`;
  }

  #node(kind: "file" | "directory", bytes: string, made: boolean): Node {
    const version = this.#version++;
    return { kind, version, changed: version, bytes, made };
  }

  /** One change, in one step: `work` makes the next state. */
  #change<T>(work: (state: Map<string, Node>) => T): T {
    const next = new Map(this.state);
    const result = work(next);
    this.states.push({ state: next, atMs: this.#options.clock.now() });
    return result;
  }

  #entry(path: StorePath, node: Node, tells: "all" | "listing" | "reply"): Entry {
    const { shortListings = false, shortReplies = false, directoryTimes = false } = this.#options;
    const short = (tells === "listing" && shortListings) || (tells === "reply" && shortReplies);
    const time = node.kind === "file" ? node.version * 1000 : directoryTimes ? node.changed : null;
    return entry({
      path,
      kind: node.kind,
      size: node.bytes.length,
      modifiedMs: tells === "reply" && shortReplies ? null : time,
      etag: node.kind === "file" ? String(node.version) : null,
      metadata: short ? null : { version: String(node.version) },
      complete: !short,
    });
  }

  #put(state: Map<string, Node>, path: StorePath, node: Node): void {
    this.#parents(state, path);
    state.set(this.#slot(path, node.kind), node);
    this.#age(state, parentOf(path));
  }
  #parents(state: Map<string, Node>, path: StorePath): void {
    const above = parentOf(path);
    if (above === root) return;
    const there = this.#options.loose === true ? this.directory(state, above) : this.get(state, above);
    if (there?.kind === "file") throw new StoreError("not-a-directory", "a parent is a file", { applied: false });
    if (there !== undefined) return;
    this.#parents(state, above);
    state.set(this.#slot(above, "directory"), this.#node("directory", "", false));
    this.#age(state, parentOf(above));
  }
  #age(state: Map<string, Node>, directory: StorePath): void {
    const node = this.directory(state, directory);
    if (node !== undefined) state.set(this.#slot(directory, "directory"), { ...node, changed: this.#version++ });
  }
  #remove(state: Map<string, Node>, slot: string, path: StorePath): void {
    for (const one of state.keys()) if (one === slot || (slot === this.#slot(path, "directory") && one.startsWith(`${path}/`))) state.delete(one);
    this.#age(state, parentOf(path));
    if (this.#options.implied !== true) return;
    for (let at = parentOf(path); at !== root; at = parentOf(at)) {
      const node = this.directory(state, at);
      if (node === undefined || node.made || [...state.keys()].some((one) => one !== `${at}/` && one.startsWith(`${at}/`))) return;
      state.delete(this.#slot(at, "directory"));
    }
  }

  children(state: State, path: StorePath, deep: boolean): readonly [StorePath, Node][] {
    const found: [StorePath, Node][] = [];
    for (const [slot, node] of state) {
      const at = (slot !== root && slot.endsWith("/") ? slot.slice(0, -1) : slot) as StorePath;
      if (at !== path && at !== root && (deep ? isInside(at, path) : parentOf(at) === path)) found.push([at, node]);
    }
    return found.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  #provider(): Provider & { readonly kind: "service" } {
    const { late, shortListings = false, loose = false, implied = false, pageSize = Infinity } = this.#options;
    const nothing = (): StoreError => new StoreError("not-found", "nothing is there", { applied: false });
    const seen = (): State => (late === "reads" ? this.#ago(this.lagMs) : this.state);
    const transfer = (from: StorePath, to: StorePath, ifAbsent: boolean, move: boolean): Entry =>
      this.#change((state) => {
        const source = this.get(state, from);
        if (source === undefined) throw nothing();
        const target = loose ? state.get(this.#slot(to, source.kind)) : this.get(state, to);
        if (target !== undefined && ifAbsent) throw new StoreError("already-exists", "something is there", { applied: false });
        if (target !== undefined && target.kind !== source.kind)
          throw new StoreError(target.kind === "file" ? "not-a-directory" : "is-a-directory", "another kind is there", { applied: false });
        if (target?.kind === "directory" && this.children(state, to, false).length > 0)
          throw new StoreError("not-empty", "it has children", { applied: false });
        const below = source.kind === "directory" ? this.children(state, from, true) : [];
        this.#put(state, to, move ? source : { ...source, version: this.#version++ });
        for (const [path, node] of below) state.set(this.#slot(rebase(path, from, to), node.kind), move ? node : { ...node, version: this.#version++ });
        if (move) this.#remove(state, this.#slot(from, source.kind), from);
        return this.#entry(to, state.get(this.#slot(to, source.kind)) as Node, "reply");
      });
    return {
      kind: "service",
      identity: () => this.#options.identity ?? "service",
      capabilities: {
        mkdir: "native",
        copy: "native",
        move: "native",
        copyTree: "native",
        moveTree: "native",
        copyIfAbsent: "native",
        moveIfAbsent: "native",
        space: "native",
        account: "native",
        readRange: "native",
        writeIfAbsent: "native",
        writeIfMatch: "native",
        writeUnknownSize: "native",
        deleteRecursive: "native",
        listRecursive: "native",
        listIfNoneMatch: late === undefined ? "native" : false,
        etag: true,
        listComplete: !shortListings,
        listSorted: true,
        modifiedPrecisionMs: 1,
        maxMetadataBytes: Infinity,
        writeMetadata: "native",
        directories: implied ? "implied" : "real",
        strictHierarchy: !loose,
        consistency: {
          read: late === "reads" ? "eventual" : "strong",
          list: late === undefined ? "strong" : "eventual",
          settleMs: late === undefined ? 0 : 1000,
        },
        afterlifeMs: 0,
        ...this.#options.capabilities,
      },
      stat: async ({ path }) => {
        const node = this.get(seen(), path);
        if (node === undefined) throw nothing();
        return this.#entry(path, node, "all");
      },
      read: async ({ path, range }) => {
        const node = this.get(this.state, path);
        if (node === undefined) throw nothing();
        if (node.kind === "directory") throw new StoreError("is-a-directory", "a directory");
        const offset = range?.offset ?? 0;
        const bytes = Buffer.from(node.bytes).subarray(offset, range?.length === undefined ? undefined : offset + range.length);
        let given = false;
        const body = byteStream({ length: bytes.byteLength, pull: async () => (given ? undefined : ((given = true), bytes)) });
        return { entry: this.#entry(path, node, "all"), offset, body };
      },
      write: async ({ path, body, ifAbsent, ifMatch }) => {
        const bytes = Buffer.from(await body.open().all()).toString();
        return this.#change((state) => {
          const there = loose ? state.get(path) : this.get(state, path);
          if (ifAbsent && there !== undefined) throw new StoreError("already-exists", "something is there", { applied: false });
          if (ifMatch !== undefined && String(there?.version) !== ifMatch) throw new StoreError("precondition-failed", "another version", { applied: false });
          if (there?.kind === "directory") throw new StoreError("is-a-directory", "a directory is there", { applied: false });
          const node = this.#node("file", bytes, true);
          this.#put(state, path, node);
          return this.#entry(path, node, "reply");
        });
      },
      list: async ({ path, recursive, cursor, ifNoneMatch }): Promise<Page> => {
        const state = late === undefined ? this.state : this.#ago(this.lagMs);
        const node = this.directory(state, path);
        if (node === undefined) throw this.get(state, path) === undefined || loose ? nothing() : new StoreError("not-a-directory", "a file");
        const etag = JSON.stringify(this.children(state, path, recursive).map(([at, { version, changed }]) => [at, version, changed]));
        if (ifNoneMatch === etag) throw new StoreError("not-modified", "the same");
        // A cursor is a name, as with most services: what comes between two pages may be seen or not.
        const left = this.children(state, path, recursive).filter(([at]) => cursor === undefined || at > (cursor as string));
        const entries = left.slice(0, pageSize).map(([at, one]) => this.#entry(at, one, "listing"));
        return { entries, cursor: left.length > pageSize ? entries.at(-1)?.path : undefined, etag };
      },
      delete: async ({ path, recursive }) =>
        this.#change((state) => {
          const node = this.get(state, path);
          if (node === undefined) return;
          if (node.kind === "directory" && !recursive && this.children(state, path, false).length > 0)
            throw new StoreError("not-empty", "it has children", { applied: false });
          this.#remove(state, this.#slot(path, node.kind), path);
          if (loose && recursive) this.#remove(state, this.#slot(path, "directory"), path);
        }),
      mkdir: async ({ path, existOk }) =>
        this.#change((state) => {
          const there = loose ? this.directory(state, path) : this.get(state, path);
          if (there !== undefined && !(existOk && there.kind === "directory")) throw new StoreError("already-exists", "something is there", { applied: false });
          if (there === undefined) this.#put(state, path, this.#node("directory", "", true));
          return this.#entry(path, this.directory(state, path) as Node, "reply");
        }),
      copy: async ({ path, to, ifAbsent }) => transfer(path, to, ifAbsent, false),
      move: async ({ path, to, ifAbsent }) => transfer(path, to, ifAbsent, true),
      space: async () => ({ used: [...this.state.values()].reduce((sum, { bytes }) => sum + bytes.length, 0), free: null, total: null }),
      account: async () => ({ provider: "service", user: null, text: "service" }),
    };
  }
}
