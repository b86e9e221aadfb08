/** The Provider: a tree of entries and bytes. */
import { StoreError, byCodePoint, entry, parentOf, rebase, root } from "../../store/index.ts";
import type {
  Account,
  ByteStream,
  Capabilities,
  Clock,
  CopyCall,
  DeleteCall,
  Entry,
  ListCall,
  Metadata,
  MkdirCall,
  MoveCall,
  Page,
  Provider,
  ProviderRead,
  ReadCall,
  Space,
  StatCall,
  StorePath,
  WriteCall,
} from "../../store/index.ts";
import { Copies } from "./copies.ts";

const NO_METADATA: Metadata = Object.freeze({});

/** Neither is ever changed once it is in the map, but for the children of a directory; so copies share the bytes of a file. */
type Node = File | Directory;
interface File {
  readonly entry: Entry;
  readonly bytes: Uint8Array;
}
interface Directory {
  readonly entry: Entry;
  readonly bytes: null;
  readonly children: Set<StorePath>;
  /** The children in order; undefined after one came or went. */
  sorted: readonly StorePath[] | undefined;
}

/** Every verb changes the tree in one step in which nothing waits, so each is atomic and every condition holds against everybody. */
export class Memory implements Provider {
  readonly kind = "memory";
  readonly keepsChunks = false;
  readonly capabilities: Partial<Capabilities>;
  readonly #nodes = new Map<StorePath, Node>();
  readonly #clock: Clock;
  readonly #capacityBytes: number;
  readonly #copies = new Copies();
  #usedBytes = 0;
  /** Counts changes: the etag of a file is the change that made it, that of a listing the last change anywhere. */
  #changes = 0;

  constructor(clock: Clock, capacityBytes: number, maxFileBytes: number) {
    this.#clock = clock;
    this.#capacityBytes = capacityBytes;
    this.#nodes.set(root, this.#newDirectory(root));
    this.capabilities = {
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
      listComplete: true,
      listSorted: true,
      modifiedPrecisionMs: 1,
      maxPathBytes: 65_536,
      maxFileBytes,
      maxMetadataBytes: Infinity,
      directories: "real",
      atomicWrites: "native",
      emptyOnlyDelete: "native",
      exclusiveMkdir: true,
      afterlifeMs: 0,
      concurrency: 16,
    };
  }

  async stat({ path }: StatCall): Promise<Entry> {
    return this.#get(path).entry;
  }

  async read({ path, range, ifMatch, ifNoneMatch }: ReadCall): Promise<ProviderRead> {
    const { entry, bytes } = this.#get(path);
    if (bytes === null) throw new StoreError("is-a-directory", "a directory has no bytes");
    if (ifMatch !== undefined && ifMatch !== entry.etag) throw new StoreError("precondition-failed", "the file has another etag", { entry });
    if (ifNoneMatch !== undefined && ifNoneMatch === entry.etag) throw new StoreError("not-modified", "the file still has this etag", { entry });
    if (range === undefined) return { entry, body: new Uint8Array(bytes), handedOver: true };
    const size = bytes.byteLength;
    if (range.offset > 0 && range.offset >= size) throw new StoreError("bad-range", "the range starts past the end", { entry });
    const offset = range.offset < 0 ? Math.max(0, size + range.offset) : range.offset;
    return { entry, offset, body: new Uint8Array(bytes.subarray(offset, range.length === undefined ? size : offset + range.length)), handedOver: true };
  }

  async write({ path, body, signal, ifAbsent, ifMatch, modifiedMs, contentType, metadata }: WriteCall): Promise<Entry> {
    // A first look, so that a long body is not taken in for nothing; the second, below, decides.
    if (!body.inMemory) this.#mayWrite(path, ifAbsent, ifMatch, body.size ?? 0);
    const stream = body.open();
    if (this.#capacityBytes !== Infinity) refuseBeyond(stream, this.#capacityBytes);
    const bytes = this.#copies.of(await stream.all());
    if (signal?.aborted === true) throw new StoreError("aborted", "the caller gave up", { applied: false, cause: signal.reason });
    const old = this.#mayWrite(path, ifAbsent, ifMatch, bytes.byteLength);
    const parent = old === undefined ? this.#directory(parentOf(path)) : undefined;
    const made = kept(
      entry({
        path,
        kind: "file",
        size: bytes.byteLength,
        modifiedMs: modifiedMs ?? this.#clock.now(),
        etag: this.#change(),
        contentType,
        metadata: metadata === undefined ? NO_METADATA : Object.freeze({ ...metadata }),
      }),
    );
    this.#nodes.set(path, { entry: made, bytes });
    if (parent !== undefined) adopt(parent, path);
    this.#usedBytes += bytes.byteLength - (old?.bytes.byteLength ?? 0);
    return made;
  }

  async list({ path, recursive, ifNoneMatch }: ListCall): Promise<Page> {
    const directory = this.#get(path);
    if (directory.bytes !== null) throw new StoreError("not-a-directory", "a file has no children");
    const etag = String(this.#changes);
    if (ifNoneMatch === etag) throw new StoreError("not-modified", "the listing is the same");
    const paths = recursive ? this.#below(path).sort(byCodePoint) : (directory.sorted ??= [...directory.children].sort(byCodePoint));
    return { entries: paths.map((child) => this.#get(child).entry), etag };
  }

  async delete({ path, recursive, ifMatch }: DeleteCall): Promise<void> {
    const node = this.#nodes.get(path);
    if (node === undefined) return;
    if (node.bytes === null && ifMatch !== undefined) throw new StoreError("is-a-directory", "a directory has no etag");
    if (ifMatch !== undefined && node.entry.etag !== ifMatch) throw new StoreError("precondition-failed", "the file has another etag", { entry: node.entry });
    if (node.bytes === null && node.children.size > 0 && !recursive) throw new StoreError("not-empty", "the directory has children");
    this.#remove(path);
    this.#change();
  }

  async mkdir({ path, existOk }: MkdirCall): Promise<Entry> {
    const node = this.#nodes.get(path);
    if (node !== undefined && (node.bytes !== null || !existOk))
      throw new StoreError("already-exists", "something of this name is there", { entry: node.entry });
    return this.#directory(path).entry;
  }

  async copy({ path, to, ifAbsent }: CopyCall): Promise<Entry> {
    this.#mayReplace(path, to, ifAbsent);
    const parts = [path, ...this.#below(path)];
    let bytes = 0;
    for (const part of parts) bytes += this.#get(part).bytes?.byteLength ?? 0;
    if (this.#usedBytes + bytes - (this.#nodes.get(to)?.bytes?.byteLength ?? 0) > this.#capacityBytes) throw full();
    const parent = this.#directory(parentOf(to));
    this.#remove(to);
    for (const part of parts) this.#put(rebase(part, path, to), this.#get(part), this.#change());
    this.#usedBytes += bytes;
    adopt(parent, to);
    return this.#get(to).entry;
  }

  async move({ path, to, ifAbsent }: MoveCall): Promise<Entry> {
    this.#mayReplace(path, to, ifAbsent);
    const parent = this.#directory(parentOf(to));
    this.#remove(to);
    for (const part of [path, ...this.#below(path)]) {
      const node = this.#get(part);
      this.#nodes.delete(part);
      this.#put(rebase(part, path, to), node, node.entry.etag);
    }
    disown(this.#directory(parentOf(path)), path);
    adopt(parent, to);
    this.#change();
    return this.#get(to).entry;
  }

  async space(): Promise<Space> {
    return { used: this.#usedBytes, free: this.#capacityBytes - this.#usedBytes, total: this.#capacityBytes };
  }

  async account(): Promise<Account> {
    return { provider: "memory", user: null, text: "memory of this process" };
  }

  #change(): string {
    return String(++this.#changes);
  }

  #get(path: StorePath): Node {
    const node = this.#nodes.get(path);
    if (node === undefined) throw new StoreError("not-found", "nothing is there");
    return node;
  }

  /** The file that a write of so many bytes replaces, or the reason why it may not. */
  #mayWrite(path: StorePath, ifAbsent: boolean, ifMatch: string | undefined, bytes: number): File | undefined {
    const old = this.#nodes.get(path);
    if (ifAbsent && old !== undefined) throw new StoreError("already-exists", "something of this name is there", { entry: old.entry });
    if (old !== undefined && old.bytes === null) throw new StoreError("is-a-directory", "there is a directory of this name");
    if (ifMatch !== undefined && old?.entry.etag !== ifMatch)
      throw new StoreError("precondition-failed", "the file has another etag, or is gone", { entry: old?.entry });
    if (this.#usedBytes - (old?.bytes.byteLength ?? 0) + bytes > this.#capacityBytes) throw full();
    if (old === undefined) this.#nearest(parentOf(path));
    return old;
  }

  /** The rules of rename(2). */
  #mayReplace(from: StorePath, to: StorePath, ifAbsent: boolean): void {
    const source = this.#get(from);
    const target = this.#nodes.get(to);
    this.#nearest(parentOf(to));
    if (target === undefined) return;
    if (ifAbsent) throw new StoreError("already-exists", "something is at the target", { entry: target.entry });
    if (target.bytes === null && source.bytes !== null) throw new StoreError("is-a-directory", "the target is a directory");
    if (target.bytes !== null && source.bytes === null) throw new StoreError("not-a-directory", "the target is a file");
    if (target.bytes === null && target.children.size > 0) throw new StoreError("not-empty", "the target has children");
  }

  /** This directory, or the nearest above it that exists; where that is a file there is nothing below it. */
  #nearest(path: StorePath): Directory {
    for (let at = path; ; at = parentOf(at)) {
      const node = this.#nodes.get(at);
      if (node === undefined) continue;
      if (node.bytes !== null) throw new StoreError("not-a-directory", "a parent of this path is a file");
      return node;
    }
  }

  /** The directory of this path, made with its parents where it is missing. A loop: a path may have thirty thousand segments. */
  #directory(path: StorePath): Directory {
    let parent = this.#nearest(path);
    const missing: StorePath[] = [];
    for (let at = path; at !== parent.entry.path; at = parentOf(at)) missing.push(at);
    for (const at of missing.reverse()) {
      const made = this.#newDirectory(at);
      this.#change();
      this.#nodes.set(at, made);
      adopt(parent, at);
      parent = made;
    }
    return parent;
  }

  #newDirectory(path: StorePath): Directory {
    return { entry: kept(entry({ path, kind: "directory", modifiedMs: this.#clock.now() })), bytes: null, children: new Set(), sorted: undefined };
  }

  /** Everything below a directory, each after its parent; nothing for a file. */
  #below(path: StorePath): StorePath[] {
    const found: StorePath[] = [path];
    // The list grows while it is read: its end is reached when the last directory has given its children.
    for (let i = 0; i < found.length; i++) {
      const node = this.#get(found[i] as StorePath);
      if (node.bytes === null) for (const child of node.children) found.push(child);
    }
    found.shift();
    return found;
  }

  /** The same file or directory under another path. Children come with it: they keep their names. */
  #put(path: StorePath, node: Node, etag: string | null): void {
    const moved = kept({ ...node.entry, path, etag: node.bytes === null ? null : etag });
    if (node.bytes !== null) this.#nodes.set(path, { entry: moved, bytes: node.bytes });
    else
      this.#nodes.set(path, {
        entry: moved,
        bytes: null,
        children: new Set([...node.children].map((child) => rebase(child, node.entry.path, path))),
        sorted: undefined,
      });
  }

  /** Forgets a path and all below it, if it is there. */
  #remove(path: StorePath): void {
    if (!this.#nodes.has(path)) return;
    for (const part of [path, ...this.#below(path)]) {
      this.#usedBytes -= this.#get(part).bytes?.byteLength ?? 0;
      this.#nodes.delete(part);
    }
    disown(this.#directory(parentOf(path)), path);
  }
}

/** The same entry goes to everybody who asks: one who changes it must not change what the others see. */
function kept(made: Entry): Entry {
  return Object.freeze(made);
}

function adopt(parent: Directory, child: StorePath): void {
  if (parent.children.has(child)) return;
  parent.children.add(child);
  parent.sorted = undefined;
}

function disown(parent: Directory, child: StorePath): void {
  if (parent.children.delete(child)) parent.sorted = undefined;
}

function full(): StoreError {
  return new StoreError("no-space", "the store is full");
}

/** A body that does not say its size is refused where it passes the capacity, not after it filled the memory of the process. */
function refuseBeyond(stream: ByteStream, bytes: number): void {
  let taken = 0;
  stream.observe({
    chunk(chunk) {
      taken += chunk.byteLength;
      if (taken > bytes) throw full();
    },
  });
}
