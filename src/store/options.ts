/** What callers of a store give and get beside entries and bodies: options, listings, space and account. */
import type { Readable } from "node:stream";
import type { ByteRange } from "./body.ts";
import type { Entry, Hashes, Metadata } from "./entry.ts";

export interface CallOptions {
  /** Honoured until the last byte. An aborted write leaves the old version or nothing; if the service may have finished it all the same, `applied` is "unknown". */
  readonly signal?: AbortSignal | undefined;
}
/** For the three questions: stat, read, list. */
export interface QuestionOptions extends CallOptions {
  /** Asked of the service now: caches revalidate and remember the answer. What was written here and has not arrived there yet still wins. */
  readonly fresh?: boolean | undefined;
}
export interface StatOptions extends QuestionOptions {
  /** "basic": kind, size, modifiedMs and etag are enough, so an incomplete entry of a cached listing may answer. Default "full". */
  readonly detail?: "basic" | "full" | undefined;
}
export interface ReadOptions extends QuestionOptions {
  readonly range?: ByteRange | undefined;
  /** Else `precondition-failed`. */
  readonly ifMatch?: string | undefined;
  /** Else `not-modified`. */
  readonly ifNoneMatch?: string | undefined;
}
export interface WriteOptions extends CallOptions {
  /** Only if nothing is there, else `already-exists`. Of racing calls exactly one wins. Not together with ifMatch. */
  readonly ifAbsent?: boolean | undefined;
  /** Only if the file has this etag, else `precondition-failed` (also when it is missing). */
  readonly ifMatch?: string | undefined;
  /** Exact number of bytes, for bodies that do not know it. A body of another length is `bad-body`. */
  readonly size?: number | undefined;
  readonly modifiedMs?: number | undefined;
  readonly contentType?: string | undefined;
  readonly metadata?: Metadata | undefined;
  /** What the caller's bytes must hash to, else `integrity` and nothing is stored. Checked at the top, before any layer changes them, and again by a service that can. */
  readonly expect?: Hashes | undefined;
  /** Bytes taken from the body so far. Starts again at 0 when a layer sends it again. */
  readonly onProgress?: ((progress: { readonly bytes: number; readonly total: number | null }) => void) | undefined;
}
export interface ListOptions extends QuestionOptions {
  /** The whole subtree, directories included, the listed directory itself not. */
  readonly recursive?: boolean | undefined;
}
export interface DeleteOptions extends CallOptions {
  readonly recursive?: boolean | undefined;
  readonly ifMatch?: string | undefined;
}
export interface MkdirOptions extends CallOptions {
  /** An existing directory is success. */
  readonly existOk?: boolean | undefined;
}
export interface CopyOptions extends CallOptions {
  /** Only if nothing is at the target, else `already-exists`. Without it: as rename(2) does. */
  readonly ifAbsent?: boolean | undefined;
}

/**
 * The bytes of a read, once: iterate it, or call one of the methods. Until its end, its error or its disposal it holds a connection (and a
 * permit of a limit layer): hold it with `await using`. It is a Body: `to.write(path, await from.read(path))` streams.
 * One that is dropped unread is closed when it is garbage-collected, with one process warning that names its path.
 */
export interface ReadResult extends AsyncIterable<Uint8Array>, AsyncDisposable {
  /** As much as the service told with the bytes; `size` is that of the whole file. */
  readonly entry: Entry;
  /** What the bytes are, after clamping. */
  readonly offset: number;
  readonly length: number | null;
  /** Memory of the caller's own, with its own ArrayBuffer. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  /** UTF-8. A byte order mark is kept, so that what was written is what is read. */
  text(): Promise<string>;
  stream(): ReadableStream<Uint8Array<ArrayBuffer>>;
  nodeStream(): Readable;
}

/** A listing that runs when it is iterated; each iteration is a new one. `break` ends it. */
export interface Listing extends AsyncIterable<Entry> {
  /** As the service gives them: the cheap way through large directories. */
  pages(): AsyncIterable<readonly Entry[]>;
  toArray(): Promise<Entry[]>;
}
/** Bytes; null: unknown, Infinity: unlimited. */
export interface Space {
  readonly used: number | null;
  readonly free: number | null;
  readonly total: number | null;
}
/** `text` is one line for people and names the provider. */
export interface Account {
  readonly provider: string;
  readonly user: string | null;
  readonly text: string;
}
