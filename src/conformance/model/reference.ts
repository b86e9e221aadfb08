/**
 * The reference store: the contract over two maps, in the shape that its capabilities describe. What checks are tried on, one-bug stores are bent from,
 * and strange but legal stores are made of.
 *
 *   const store = referenceStore();                                                 // everything native
 *   const flat = referenceStore({ capabilities: { directories: "implied", strictHierarchy: false } });
 *   const state = new ModelState();                                                 // two connections to one service
 *   const [one, other] = [referenceStore({ state }), referenceStore({ state })];
 *
 * Capabilities are the parameters: a verb declared native is a method, one that is not is left to the adaptor; `caseSensitive: false` folds keys,
 * `consistency.list: "eventual"` lists what was there a while ago, within `settleMs`, and so on.
 */
import { StoreError, createStore, entry, parentOf, parsePath, root, systemClock } from "../../store/index.ts";
import type { Capabilities, Clock, Entry, Hashes, Page, Provider, ProviderRead, Store, StorePath } from "../../store/index.ts";
import { hashOf } from "../hash-of.ts";
import { byCodePoint } from "../names.ts";
import { ModelState } from "./state.ts";
import type { ModelDirectory, ModelFile, Tree } from "./state.ts";

export { ModelState } from "./state.ts";

export interface ReferenceOptions {
  /** The service. Default: one of its own, empty. */
  readonly state?: ModelState | undefined;
  /** Default "reference". */
  readonly name?: string | undefined;
  /** What differs from `everything`, or from `little`. */
  readonly capabilities?: Partial<Capabilities> | undefined;
  /** "little": five verbs, and only what `capabilities` says is declared to `createStore`. Default "everything". */
  readonly declare?: "everything" | "little" | undefined;
  /** Entries per page. Default 1,000. */
  readonly pageSize?: number | undefined;
  /** An empty page with a cursor before every page. Default false. */
  readonly emptyPages?: boolean | undefined;
  /** Answers to write, copy, move and mkdir tell kind, size and etag only. Default false. */
  readonly sparse?: boolean | undefined;
  /** Equal bytes have equal etags, as with S3: a file that is written again with other metadata keeps its etag. Default false. */
  readonly contentEtags?: boolean | undefined;
  /** Bytes per piece of a body that is read, for the first 10,000 pieces. Default: in one piece. */
  readonly chunkBytes?: number | undefined;
  /** Before every operation. Default 0. */
  readonly latencyMs?: number | undefined;
  /** All files together; more is `no-space`. Default Infinity. */
  readonly capacityBytes?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** All that a service can have. */
export const everything: Capabilities = Object.freeze<Capabilities>({
  read: "native",
  write: "native",
  list: "native",
  delete: "native",
  mkdir: "native",
  copy: "native",
  move: "native",
  space: "native",
  account: "native",
  readRange: "native",
  readSuffix: "native",
  readIfMatch: "native",
  readIfNoneMatch: "native",
  writeIfAbsent: "native",
  writeIfMatch: "native",
  writeUnknownSize: "native",
  writeModified: "native",
  writeContentType: "native",
  writeMetadata: "native",
  listRecursive: "native",
  listIfNoneMatch: "native",
  deleteRecursive: "native",
  deleteIfMatch: "native",
  copyTree: "native",
  copyIfAbsent: "native",
  moveTree: "native",
  moveIfAbsent: "native",
  etag: true,
  hashes: ["md5", "sha256"],
  writeExpect: ["sha256"],
  listComplete: true,
  listSorted: true,
  modifiedPrecisionMs: 1,
  caseSensitive: true,
  normalisation: "kept",
  forbidden: "",
  maxNameBytes: Infinity,
  maxPathBytes: Infinity,
  maxFileBytes: Infinity,
  maxMetadataBytes: 2048,
  sizeSteps: [],
  strictHierarchy: true,
  directories: "real",
  filesAtRoot: true,
  atomicWrites: "native",
  emptyOnlyDelete: "native",
  exclusiveMkdir: true,
  maxConditionalBytes: Infinity,
  maxUnknownBytes: Infinity,
  undelete: false,
  consistency: { read: "strong", list: "strong", settleMs: 0 },
  afterlifeMs: 0,
  concurrency: 64,
});
/** How a service behaves of which nothing is declared: the defaults written on Provider. */
const little: Partial<Capabilities> = {
  mkdir: false,
  copy: "emulated",
  move: "emulated",
  space: false,
  account: false,
  readRange: "emulated",
  readSuffix: "emulated",
  readIfMatch: false,
  readIfNoneMatch: false,
  writeIfAbsent: false,
  writeIfMatch: false,
  writeModified: false,
  writeContentType: false,
  writeMetadata: false,
  listRecursive: "emulated",
  listIfNoneMatch: false,
  deleteRecursive: "emulated",
  deleteIfMatch: false,
  copyTree: false,
  copyIfAbsent: false,
  moveTree: false,
  moveIfAbsent: false,
  etag: false,
  hashes: [],
  writeExpect: [],
  listComplete: false,
  listSorted: false,
  modifiedPrecisionMs: null,
  maxMetadataBytes: 0,
  directories: "implied",
  atomicWrites: false,
  exclusiveMkdir: false,
  emptyOnlyDelete: "emulated",
};

export function referenceStore(options: ReferenceOptions = {}): Store {
  return createStore(referenceProvider(options), { name: options.name ?? "reference" });
}

type Found = { readonly kind: "file"; readonly file: ModelFile } | { readonly kind: "directory"; readonly directory: ModelDirectory | undefined };
interface Listed {
  readonly order: string;
  /** UTF-8, whose order is that of the code points. */
  readonly bytes: Buffer;
  readonly found: () => Entry;
}
interface Cursor {
  readonly after: string;
  readonly emptied: boolean;
}

/** The provider under `referenceStore`: a plain object, so that a test spreads it and replaces one method. */
export function referenceProvider(options: ReferenceOptions = {}): Provider & { readonly kind: "reference" } {
  const {
    state = new ModelState(),
    pageSize = 1000,
    emptyPages = false,
    sparse = false,
    contentEtags = false,
    chunkBytes,
    latencyMs = 0,
    capacityBytes = Infinity,
    clock = systemClock,
  } = options;
  const has: Capabilities = { ...everything, ...(options.declare === "little" ? little : {}), ...options.capabilities };
  const { strictHierarchy: strict, modifiedPrecisionMs: precision, consistency } = has;
  // Within what is declared, with something left for clocks that are read at different moments.
  const lagMs = Math.floor(consistency.settleMs * 0.6);
  if (lagMs > 0) state.remember(lagMs);

  const key = (path: string): string => {
    const form = has.normalisation === "kept" ? path : path.normalize(has.normalisation.toUpperCase());
    return has.caseSensitive ? form : form.toLowerCase();
  };
  const time = (ms: number): number => (precision === null ? ms : Math.floor(ms / precision) * precision);
  const etagOf = (file: ModelFile): string => (contentEtags ? hashOf("md5", file.bytes) : `v${file.version}`);

  /* ---- looking */

  const directoryAt = (tree: Tree, path: string): boolean => {
    if (path === root || tree.directories.has(key(path))) return true;
    if (has.directories === "real") return false;
    const below = `${key(path)}/`;
    for (const map of [tree.files, tree.directories]) for (const other of map.keys()) if (other.startsWith(below)) return true;
    return false;
  };
  /** The file, where a loose hierarchy has both. */
  const find = (tree: Tree, path: string): Found | undefined => {
    const file = tree.files.get(key(path));
    if (file !== undefined) return { kind: "file", file };
    return directoryAt(tree, path) ? { kind: "directory", directory: tree.directories.get(key(path)) } : undefined;
  };
  const under = (other: string, dir: string): boolean => other.startsWith(dir === root ? root : `${key(dir)}/`);
  const emptyAt = (tree: Tree, path: string): boolean => {
    for (const map of [tree.files, tree.directories]) for (const other of map.keys()) if (under(other, path)) return false;
    return true;
  };
  const seenByReaders = (): Tree => state.before(clock.now(), consistency.read === "eventual" ? lagMs : 0).tree;

  /* ---- entries */

  const hashesOf = (file: ModelFile): Hashes => Object.fromEntries(has.hashes.map((name) => [name, hashOf(name, file.bytes)]));
  const fileEntry = (path: StorePath, file: ModelFile, detail: "complete" | "listed" | "sparse" = "complete"): Entry =>
    entry({
      path,
      kind: "file",
      size: file.bytes.length,
      etag: has.etag ? etagOf(file) : null,
      modifiedMs: detail === "sparse" || precision === null ? null : file.modifiedMs,
      ...(detail === "complete" ? { contentType: file.contentType, metadata: file.metadata, hashes: hashesOf(file) } : { complete: false }),
    });
  const directoryEntry = (path: StorePath, directory: ModelDirectory | undefined, detail?: "sparse"): Entry =>
    detail === "sparse"
      ? entry({ path, kind: "directory", complete: false })
      : entry({ path, kind: "directory", modifiedMs: precision === null ? null : directory?.modifiedMs, metadata: Object.freeze({}) });
  const foundEntry = (path: StorePath, found: Found, detail?: "sparse"): Entry =>
    found.kind === "file" ? fileEntry(path, found.file, detail) : directoryEntry(path, found.directory, detail);
  const entryNow = (path: StorePath): Entry => foundEntry(path, find(state.tree, path) as Found, sparse ? "sparse" : undefined);

  /* ---- rules */

  const refuse = (code: ConstructorParameters<typeof StoreError>[0], reason: string, now?: Entry): never => {
    throw new StoreError(code, reason, now === undefined ? {} : { entry: now });
  };
  const begin = async (signal: AbortSignal | undefined): Promise<void> => {
    signal?.throwIfAborted();
    if (latencyMs > 0) await clock.sleep(latencyMs, signal);
  };
  const mayHold = (path: StorePath): void => {
    for (const name of path.split("/")) {
      if (Buffer.byteLength(name) > has.maxNameBytes) refuse("invalid-path", "a name is too long");
      for (const character of has.forbidden) if (name.includes(character)) refuse("invalid-path", "a name holds a forbidden character");
    }
    if (Buffer.byteLength(path) > has.maxPathBytes) refuse("invalid-path", "the path is too long");
    if (strict)
      for (let dir = parentOf(path); dir !== root; dir = parentOf(dir)) if (state.tree.files.has(key(dir))) refuse("not-a-directory", "a parent is a file");
  };
  const fileMayStandAt = (path: StorePath): void => {
    mayHold(path);
    if (!has.filesAtRoot && parentOf(path) === root) refuse("invalid-path", "files cannot lie in the root");
    if (strict && directoryAt(state.tree, path)) refuse("is-a-directory", "a directory is there");
  };
  const matches = (path: StorePath, ifMatch: string | undefined): void => {
    if (ifMatch === undefined) return;
    const file = state.tree.files.get(key(path));
    if (file === undefined) refuse("precondition-failed", "nothing is there");
    else if (etagOf(file) !== ifMatch) refuse("precondition-failed", "the file has changed", fileEntry(path, file));
  };
  const room = (more: number): void => {
    let used = more;
    if (capacityBytes < Infinity) for (const file of state.tree.files.values()) used += file.bytes.length;
    if (used > capacityBytes) refuse("no-space", "the service is full");
  };

  /* ---- changing */

  /** The stored spelling of the nearest directory above, then the path as given. */
  const spelling = (path: StorePath): string => {
    for (let dir = parentOf(path); dir !== root; dir = parentOf(dir)) {
      const known = state.tree.directories.get(key(dir));
      if (known !== undefined) return known.path + path.slice(dir.length);
    }
    return path;
  };
  const makeParents = (directories: Map<string, ModelDirectory>, path: string, nowMs: number): void => {
    if (has.directories === "implied") return;
    for (let dir = path.slice(0, path.lastIndexOf("/")); dir !== ""; dir = dir.slice(0, dir.lastIndexOf("/"))) {
      if (!directories.has(key(dir))) directories.set(key(dir), { path: dir, modifiedMs: nowMs });
    }
  };

  /** Copy and move, by the rules of rename(2). */
  const transfer = async (
    call: { readonly path: StorePath; readonly to: StorePath; readonly ifAbsent: boolean; readonly signal: AbortSignal | undefined },
    move: boolean,
  ): Promise<Entry> => {
    const { path, to } = call;
    await begin(call.signal);
    const source = find(state.tree, path);
    if (source === undefined) return refuse("not-found", "nothing is there");
    if (under(key(to), path) && key(to) !== key(path)) refuse("invalid-path", "the target is inside the source");
    const same = key(path) === key(to);
    if (same && !move) return entryNow(to);
    const target = find(state.tree, to);
    if (!same) {
      if (call.ifAbsent && target !== undefined) refuse("already-exists", "the target exists");
      if (source.kind === "directory") {
        if (!has[move ? "moveTree" : "copyTree"]) refuse("is-a-directory", "the source is a directory");
        mayHold(to);
        if (strict && target?.kind === "file") refuse("not-a-directory", "the target is a file");
        if (!emptyAt(state.tree, to)) refuse("not-empty", "the target is a directory that is not empty");
      } else fileMayStandAt(to);
    }
    const nowMs = time(clock.now());
    const stored = spelling(to);
    // By segments, for folded spellings differ in length.
    const depth = path.split("/").length;
    const rebased = (old: string): string => [stored, ...old.split("/").slice(depth)].join("/");
    if (!move)
      room(
        [...state.tree.files].reduce(
          (bytes, [other, file]) => (other === key(path) || (source.kind === "directory" && under(other, path)) ? bytes + file.bytes.length : bytes),
          0,
        ),
      );
    state.change(clock.now(), (files, directories, version) => {
      const moved = [...files].filter(([other]) => (source.kind === "file" ? other === key(path) : under(other, path)));
      const made = [...directories].filter(([other]) => source.kind === "directory" && (other === key(path) || under(other, path)));
      if (move) {
        for (const [other] of moved) files.delete(other);
        for (const [other] of made) directories.delete(other);
      }
      makeParents(directories, stored, nowMs);
      for (const [, file] of moved) {
        const there = rebased(file.path);
        files.set(key(there), move ? { ...file, path: there } : { ...file, path: there, version, modifiedMs: nowMs });
      }
      for (const [, directory] of made)
        directories.set(key(rebased(directory.path)), { path: rebased(directory.path), modifiedMs: move ? directory.modifiedMs : nowMs });
    });
    return entryNow(to);
  };

  const provider: Provider & { readonly kind: "reference" } = {
    kind: "reference",
    capabilities: options.declare === "little" ? (options.capabilities ?? {}) : has,
    describe: () => "",

    async stat({ path, signal }) {
      await begin(signal);
      return foundEntry(path, find(seenByReaders(), path) ?? refuse("not-found", "nothing is there"));
    },

    async read({ path, range, ifMatch, ifNoneMatch, signal }): Promise<ProviderRead> {
      await begin(signal);
      const found = find(seenByReaders(), path) ?? refuse("not-found", "nothing is there");
      if (found.kind === "directory") return refuse("is-a-directory", "a directory has no bytes");
      const now = fileEntry(path, found.file);
      if (has.readIfMatch === "native" && ifMatch !== undefined && ifMatch !== now.etag) refuse("precondition-failed", "the file has changed", now);
      if (has.readIfNoneMatch === "native" && ifNoneMatch !== undefined && ifNoneMatch === now.etag) refuse("not-modified", "the file is the same", now);
      const { bytes } = found.file;
      const ranged = range !== undefined && has.readRange === "native" && (range.offset >= 0 || has.readSuffix === "native");
      const offset = !ranged ? 0 : range.offset < 0 ? Math.max(0, bytes.length + range.offset) : range.offset;
      if (offset > 0 && offset >= bytes.length) refuse("bad-range", "the range starts past the end", now);
      const end = ranged && range.length !== undefined ? offset + range.length : bytes.length;
      // Copies: what the reader does to its bytes must not reach the service.
      return { entry: now, offset, body: chunkBytes === undefined ? bytes.slice(offset, end) : inPieces(bytes.slice(offset, end), chunkBytes) };
    },

    async write({ path, body, ifAbsent, ifMatch, modifiedMs, contentType, metadata, signal }) {
      await begin(signal);
      const rules = (): void => {
        fileMayStandAt(path);
        if (ifAbsent && (state.tree.files.has(key(path)) || (strict && directoryAt(state.tree, path)))) refuse("already-exists", "something is there");
        matches(path, ifMatch);
      };
      rules(); // before the body is read, which may be long
      await using stream = body.open();
      const bytes = (await stream.all()).slice();
      signal?.throwIfAborted();
      rules(); // and now that it is there: what follows is one step
      room(bytes.length - (state.tree.files.get(key(path))?.bytes.length ?? 0));
      if (bytes.length > has.maxFileBytes) refuse("too-large", "the file is too large");
      const stored = spelling(path);
      const nowMs = time(clock.now());
      state.change(clock.now(), (files, directories, version) => {
        makeParents(directories, stored, nowMs);
        files.set(key(path), {
          path: stored,
          bytes,
          version,
          modifiedMs: modifiedMs === undefined ? nowMs : time(modifiedMs),
          contentType: contentType ?? null,
          metadata: Object.freeze({ ...metadata }),
        });
      });
      return entryNow(path);
    },

    async list({ path, recursive, cursor, ifNoneMatch, signal }): Promise<Page> {
      await begin(signal);
      const { tree, revision } = state.before(clock.now(), consistency.list === "eventual" ? lagMs : 0);
      if (!directoryAt(tree, path))
        return tree.files.has(key(path)) ? refuse("not-a-directory", "a file has no children") : refuse("not-found", "nothing is there");
      const etag = has.listIfNoneMatch === "native" ? `r${revision}` : null;
      if (etag !== null && ifNoneMatch === etag) refuse("not-modified", "the listing is the same");
      const { after, emptied } = (cursor ?? { after: "", emptied: false }) as Cursor;
      if (emptyPages && !emptied) return { entries: [], cursor: { after, emptied: true }, etag };
      const entries = inOrder(tree, revision, path, recursive);
      const from = after === "" ? 0 : entries.findIndex(({ order }) => byCodePoint(order, after) > 0);
      const page = from === -1 ? [] : entries.slice(from, from + pageSize);
      const more = from !== -1 && entries.length > from + pageSize;
      return { entries: page.map(({ found }) => found()), cursor: more ? { after: page.at(-1)?.order ?? after, emptied: false } : undefined, etag };
    },

    async delete({ path, recursive, ifMatch, signal }) {
      await begin(signal);
      const found = find(state.tree, path);
      if (found === undefined) return;
      if (ifMatch !== undefined && found.kind === "directory") refuse("is-a-directory", "a directory has no etag");
      matches(path, ifMatch);
      const tree = recursive && has.deleteRecursive === "native";
      if (found.kind === "directory" && !tree && !emptyAt(state.tree, path)) refuse("not-empty", "the directory is not empty");
      state.change(clock.now(), (files, directories) => {
        if (found.kind === "file" || tree) files.delete(key(path));
        if (found.kind === "directory" || tree) directories.delete(key(path));
        if (!tree) return;
        for (const map of [files, directories]) for (const other of map.keys()) if (under(other, path)) map.delete(other);
      });
    },
  };

  /** Kept until something changes: pages of one entry would otherwise sort everything once per entry. */
  let sorted: { readonly revision: number; readonly of: string; readonly entries: readonly Listed[] } | undefined;
  function inOrder(tree: Tree, revision: number, dir: StorePath, recursive: boolean): readonly Listed[] {
    const of = `${recursive} ${dir}`;
    if (sorted?.revision !== revision || sorted.of !== of)
      sorted = { revision, of, entries: entriesBelow(tree, dir, recursive).sort((left, right) => Buffer.compare(left.bytes, right.bytes)) };
    return sorted.entries;
  }

  /** Every child with what it is sorted by; a file and a directory of one name are two. Made lazily, since a page needs few. */
  function entriesBelow(tree: Tree, dir: StorePath, recursive: boolean): Listed[] {
    const depth = dir === root ? 1 : dir.split("/").length;
    const result: Listed[] = [];
    const add = (order: string, found: () => Entry): void => void result.push({ order, bytes: Buffer.from(order), found });
    const directories = new Map<string, { readonly path: string; readonly directory: ModelDirectory | undefined }>();
    const shown = (stored: string): StorePath => parsePath(`${dir === root ? "" : dir}/${stored.split("/").slice(depth).join("/")}`);
    for (const [other, directory] of tree.directories) if (under(other, dir)) directories.set(other, { path: directory.path, directory });
    for (const [other, file] of tree.files) {
      if (!under(other, dir)) continue;
      if (recursive || file.path.split("/").length === depth + 1)
        add(shown(file.path), () => fileEntry(shown(file.path), file, has.listComplete ? "complete" : "listed"));
    }
    // Directories that nobody made are implied by what lies below them.
    if (has.directories === "implied") {
      for (const { path } of [...tree.files.values(), ...tree.directories.values()]) {
        if (!under(key(path), dir)) continue;
        for (let above = path.slice(0, path.lastIndexOf("/")); under(key(above), dir); above = above.slice(0, above.lastIndexOf("/"))) {
          if (!directories.has(key(above))) directories.set(key(above), { path: above, directory: undefined });
        }
      }
    }
    // U+0000 is in no name: the directory comes right behind a file of its name, and before everything below it.
    for (const { path, directory } of directories.values()) {
      if (recursive || path.split("/").length === depth + 1) add(strict ? shown(path) : `${shown(path)}\0`, () => directoryEntry(shown(path), directory));
    }
    return result;
  }

  const optional: Partial<Provider> = {
    async mkdir({ path, existOk, signal }) {
      await begin(signal);
      mayHold(path);
      const file = strict && state.tree.files.has(key(path));
      if (file || (directoryAt(state.tree, path) && !existOk)) refuse("already-exists", "something is there");
      const stored = spelling(path);
      const nowMs = time(clock.now());
      if (!state.tree.directories.has(key(path))) {
        state.change(clock.now(), (_files, directories) => {
          makeParents(directories, stored, nowMs);
          directories.set(key(path), { path: stored, modifiedMs: nowMs });
        });
      }
      return directoryEntry(path, state.tree.directories.get(key(path)), sparse ? "sparse" : undefined);
    },
    copy: (call) => transfer(call, false),
    move: (call) => transfer(call, true),
    async space({ signal }) {
      await begin(signal);
      let used = 0;
      for (const file of state.tree.files.values()) used += file.bytes.length;
      return { used, free: capacityBytes - used, total: capacityBytes };
    },
    async account({ signal }) {
      await begin(signal);
      return { provider: "reference", user: null, text: "reference: in this process" };
    },
  };
  return Object.assign(provider, Object.fromEntries(Object.entries(optional).filter(([verb]) => has[verb as keyof Capabilities] === "native")));
}

/** Small pieces to begin with; what is far beyond comes faster, for millions of pieces show nothing that thousands do not. */
async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const slow = Math.min(bytes.length, 10_000 * size);
  for (let at = 0; at < slow; at += size) yield bytes.slice(at, Math.min(slow, at + size));
  for (let at = slow; at < bytes.length; at += 65_536) yield bytes.slice(at, at + 65_536);
}
