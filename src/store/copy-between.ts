/** A file or a tree from one store to another, streaming. */
import type { Reopenable } from "./body.ts";
import { checkFlag, checkSignal, knownOptions } from "./check-options.ts";
import type { Entry, HashName } from "./entry.ts";
import { StoreError, hasCode } from "./errors.ts";
import { Front } from "./front.ts";
import { hasher } from "./hash.ts";
import type { CallOptions, ReadOptions, ReadResult, WriteOptions } from "./options.ts";
import { isInside, parsePath, rebase } from "./path.ts";
import type { StorePath } from "./path.ts";
import type { Store } from "./store.ts";
import { forEach } from "./tree.ts";

export interface CopyBetweenOptions extends CallOptions {
  /** Hash while streaming and compare with what the target has: its own hash, else by reading it back. Default false. */
  readonly verify?: boolean | undefined;
  readonly ifAbsent?: boolean | undefined;
  /** Properties that the target cannot keep are left out instead of refused. Default true. */
  readonly lenient?: boolean | undefined;
  /** Files at once, for trees. Default: the `concurrency` of the target, at most 1,000, with at most that of the source being read at once. */
  readonly concurrency?: number | undefined;
  readonly onProgress?: ((progress: { readonly files: number; readonly bytes: number; readonly path: string }) => void) | undefined;
}

/**
 * A file or a tree from one store to another, streaming. Directories are made, empty ones included where both stores have them; what is at the target and not in
 * the source stays. The first failure ends it: what was copied by then is there, whole files each.
 */
export async function copyBetween(
  from: Store,
  fromPath: string,
  to: Store,
  toPath: string,
  options: CopyBetweenOptions = {},
): Promise<{ readonly files: number; readonly bytes: number }> {
  const { signal } = options;
  checkOptions(options);
  const source = parsePath(fromPath);
  const target = parsePath(toPath);
  if (sameStore(from, to) && isInside(target, source))
    throw new StoreError("invalid-path", "a tree cannot be copied into itself", { store: to.name, operation: "copy", path: source, to: target });
  const top = await from.stat(source, { signal });
  let files = 0;
  let bytes = 0;
  const one = async (entry: Entry): Promise<void> => {
    const path = rebase(entry.path, source, target);
    const copied = await copyOne(from, entry, to, path, options);
    // Not in one line: the sum would be read before the wait, and what others added meanwhile would be lost.
    bytes += copied;
    files++;
    options.onProgress?.({ files, bytes, path });
  };
  if (top.kind === "file") {
    await one(top);
    return { files, bytes };
  }
  const width = Math.min(1000, options.concurrency ?? to.capabilities.concurrency);
  const reading = permits(from.capabilities.concurrency);
  if (to.capabilities.mkdir !== false && target !== "/") await to.mkdir(target, { existOk: true, signal });
  async function* wanted(): AsyncGenerator<Entry, void, undefined> {
    for await (const page of from.list(source, { recursive: true, signal }).pages()) {
      if (to.capabilities.mkdir !== false)
        for (const level of levels(page))
          await forEach(level, width, async ({ path }) => void (await to.mkdir(rebase(path, source, target), { existOk: true, signal })));
      for (const entry of page) if (entry.kind === "file") yield entry;
    }
  }
  await forEach(wanted(), width, (entry) => reading(() => one(entry)));
  return { files, bytes };
}

/** The directories of a page, parents first: those of one depth do not depend on each other. */
function levels(page: readonly Entry[]): readonly (readonly Entry[])[] {
  const found: Entry[][] = [];
  for (const entry of page) if (entry.kind === "directory") (found[entry.path.split("/").length] ??= []).push(entry);
  return found.filter((level) => level !== undefined);
}

const KNOWN: ReadonlySet<string> = new Set(["signal", "verify", "ifAbsent", "lenient", "concurrency", "onProgress"]);

function checkOptions(options: CopyBetweenOptions): void {
  knownOptions(options, KNOWN, "copyBetween");
  const { signal, concurrency = 1, onProgress } = options;
  checkSignal(signal);
  for (const name of ["verify", "ifAbsent", "lenient"] as const) checkFlag(options[name], name);
  if (typeof concurrency !== "number" || !(concurrency >= 1)) throw new TypeError("concurrency is a number of files, at least 1");
  if (onProgress !== undefined && typeof onProgress !== "function") throw new TypeError("onProgress is a function");
}

/** The same one, also through what `borrow` gives: a tree that is copied into itself would be listed for ever. */
function sameStore(one: Store, other: Store): boolean {
  return one === other || Front.partsOf(one)?.backend === Front.partsOf(other)?.backend;
}

async function copyOne(from: Store, listed: Entry, to: Store, path: StorePath, options: CopyBetweenOptions): Promise<number> {
  const { signal, ifAbsent, verify = false } = options;
  await using first = await from.read(listed.path, { signal });
  const entry = await factsOf(from, listed, first, to, signal);
  const source = new SourceFile(from, first, verify ? (to.capabilities.hashes[0] ?? "sha256") : undefined, signal);
  let written: Entry;
  try {
    written = await to.write(path, source.body, { ...propertiesFor(to, entry, options), size: first.length ?? undefined, ifAbsent, signal });
  } catch (error) {
    // The source failed, not the caller's body: its own error says more.
    throw hasCode(error, "bad-body") && StoreError.is(error.cause) ? error.cause : error;
  }
  if (verify) await source.compare(to, path, written);
  return source.bytes;
}

/** What is known of the version whose bytes come: asked for where the target keeps what the listing did not tell. */
async function factsOf(from: Store, listed: Entry, { entry }: ReadResult, to: Store, signal: AbortSignal | undefined): Promise<Entry> {
  if (entry.complete) return entry;
  const sameVersion = entry.etag === null || listed.etag === null || entry.etag === listed.etag;
  const enough = listed.complete || (to.capabilities.writeMetadata === false && to.capabilities.writeContentType === false);
  if (enough && sameVersion) return listed;
  const now = await from.stat(listed.path, { signal });
  if (entry.etag !== null && now.etag !== null && entry.etag !== now.etag) throw changed(from, listed.path);
  return now;
}

function changed(from: Store, path: StorePath, cause?: unknown): StoreError {
  return new StoreError("conflict", "the source changed while it was copied", { store: from.name, operation: "read", path, cause });
}

/** A file of one store as a body for another: read again where a layer sends it again, and then only the same version. */
class SourceFile {
  readonly #from: Store;
  readonly #first: ReadResult;
  readonly #hash: HashName | undefined;
  readonly #signal: AbortSignal | undefined;
  #taken = false;
  /** Of the bytes as they were sent, when they were sent from start to end. */
  #sum: string | undefined;
  bytes = 0;

  constructor(from: Store, first: ReadResult, hash: HashName | undefined, signal: AbortSignal | undefined) {
    this.#from = from;
    this.#first = first;
    this.#hash = hash;
    this.#signal = signal;
  }

  get body(): Reopenable | AsyncIterable<Uint8Array> {
    const { entry, length } = this.#first;
    const again = length !== null && entry.etag !== null && this.#from.capabilities.readIfMatch !== false && this.#from.capabilities.readRange !== false;
    if (!again) return this.#whole();
    return { size: length, open: (range) => (range === undefined ? this.#whole() : this.#read(range)) };
  }

  async *#whole(): AsyncGenerator<Uint8Array, void, undefined> {
    const sum = this.#hash === undefined ? undefined : hasher(this.#hash);
    let bytes = 0;
    const chunks = this.#taken ? this.#read(undefined) : this.#first;
    this.#taken = true;
    for await (const chunk of chunks) {
      bytes += chunk.byteLength;
      sum?.update(chunk);
      yield chunk;
    }
    this.bytes = bytes;
    this.#sum = sum?.hex();
  }

  async *#read(range: ReadOptions["range"]): AsyncGenerator<Uint8Array, void, undefined> {
    const { entry } = this.#first;
    let result: ReadResult;
    try {
      result = await this.#from.read(entry.path, { range, ifMatch: entry.etag ?? undefined, signal: this.#signal });
    } catch (error) {
      throw hasCode(error, "precondition-failed", "not-found", "bad-range") ? changed(this.#from, entry.path, error) : error;
    }
    if (range !== undefined) this.bytes = entry.size ?? 0;
    yield* result;
  }

  /** With what the target says of it, else with what it gives back. */
  async compare(to: Store, path: StorePath, written: Entry): Promise<void> {
    const hash = this.#hash as HashName;
    const { entry } = this.#first;
    const expected = this.#sum ?? (await hashOf(this.#from, entry.path, hash, { signal: this.#signal, ifMatch: entry.etag ?? undefined }));
    const told =
      written.hashes[hash] ?? (to.capabilities.hashes.includes(hash) ? (await to.stat(path, { signal: this.#signal, fresh: true })).hashes[hash] : undefined);
    const actual = told ?? (await hashOf(to, path, hash, { signal: this.#signal, fresh: true }));
    if (actual !== expected)
      throw new StoreError("integrity", `the copy hashes to another ${hash} than the source`, { store: to.name, operation: "write", path, applied: true });
  }
}

function propertiesFor(to: Store, entry: Entry, { lenient = true }: CopyBetweenOptions): WriteOptions {
  const { writeModified, writeContentType, writeMetadata, maxMetadataBytes } = to.capabilities;
  const metadata = entry.metadata !== null && Object.keys(entry.metadata).length > 0 ? entry.metadata : undefined;
  const metadataBytes =
    metadata === undefined ? 0 : Object.entries(metadata).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  return {
    modifiedMs: !lenient || writeModified !== false ? (entry.modifiedMs ?? undefined) : undefined,
    contentType: !lenient || writeContentType !== false ? (entry.contentType ?? undefined) : undefined,
    metadata: !lenient || (writeMetadata !== false && metadataBytes <= maxMetadataBytes) ? metadata : undefined,
  };
}

async function hashOf(store: Store, path: StorePath, name: HashName, options: ReadOptions): Promise<string> {
  const sum = hasher(name);
  await using body = await store.read(path, options);
  for await (const chunk of body) sum.update(chunk);
  return sum.hex();
}

/** At most `width` at once; the others wait in line. */
function permits(width: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = Math.max(1, width);
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((go) => waiting.push(go));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
