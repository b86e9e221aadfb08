/** Bodies of writes: what callers give (Body), and what travels below the front (Source). */
import { open as openFile } from "node:fs/promises";
import { abortable, byteStream, bytesInMemory, isAsyncIterable, rawSource } from "./byte-stream.ts";
import type { ByteObserver, ByteStream, RawBody } from "./byte-stream.ts";
import type { Hashes, HashName } from "./entry.ts";
import { StoreError, abortError } from "./errors.ts";
import type { ErrorCode } from "./errors.ts";
import { hasher } from "./hash.ts";
import type { Hasher } from "./hash.ts";
import type { ReadResult } from "./options.ts";

/**
 * What `write` accepts. A string is stored as UTF-8; it is never a file name. Chunks must be bytes.
 * A ReadResult of another store is a body of known size. Bytes are borrowed until the promise settles, then they are the caller's again.
 * `write` owns a stream from the moment it is called: whatever happens, also an invalid path, it is read to its end or destroyed, and an
 * error that it emits before anybody reads it ends the call instead of the process.
 */
export type Body = string | Uint8Array | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | Reopenable;
/** A body that can be read more than once, so that a retry or a digest challenge need not spool it. `fromFile` makes one. */
export interface Reopenable {
  readonly size?: number | null | undefined;
  /** From the start, or exactly this part (its offset is not negative). Called again only after the previous one ended or was closed, or for another part. */
  open(range?: ByteRange): AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;
}
/** Bytes from `offset` on; a negative offset counts from the end and takes no length. No length: to the end. */
export interface ByteRange {
  readonly offset: number;
  readonly length?: number | undefined;
}

/** The body of a write below the front. */
export interface Source {
  /** Exact where known; the stream of `open` fails with `bad-body` when the count differs, so a commit after a clean end is a right commit. */
  readonly size: number | null;
  /** `open` may be called again, and with a range. */
  readonly replayable: boolean;
  /** `open` has been called. A source that is neither replayable nor unopened cannot be sent again. */
  readonly opened: boolean;
  /** The whole body is in memory: `await open().all()` costs nothing, and an SDK that is given bytes can send them again by itself. */
  readonly inMemory: boolean;
  open(range?: ByteRange): ByteStream;
}

/** What the front adds to a body. */
export interface BodyRules {
  readonly size?: number | undefined;
  readonly expect?: Hashes | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly bytes: number; readonly total: number | null }) => void) | undefined;
}
/** A Source that must be told when nobody is going to read it any more. */
export interface OwnedSource extends Source {
  /** Lets go of everything: closes what is open, and destroys a one-shot body that was never opened. */
  discard(): Promise<void>;
}

/** Makes the body ours: attaches to a stream at once, before anything else can go wrong. Throws TypeError for what is no body. */
export function toSource(body: Body, rules: BodyRules = {}): OwnedSource {
  if (typeof body === "string") return new BytesSource(new TextEncoder().encode(body), rules);
  if (body instanceof Uint8Array) return new BytesSource(body, rules);
  if (body instanceof Blob)
    return new StreamSource(body.size, true, (range) => (range === undefined ? body : sliceOf(body, range)).stream() as ReadableStream<Uint8Array>, rules);
  if (isReopenable(body)) return new StreamSource(body.size ?? null, true, (range) => (range === undefined ? body.open() : body.open(range)), rules);
  const raw = rawSource(body);
  return new StreamSource(lengthOf(body), false, () => raw, rules);
}

/** A ReadResult, also one of a second installed copy of this package, knows its length. */
function lengthOf(body: object): number | null {
  const { entry, offset, length } = body as Partial<ReadResult>;
  return typeof entry === "object" && typeof offset === "number" && typeof length === "number" ? length : null;
}

function isReopenable(body: Body): body is Reopenable {
  return (
    typeof body === "object" &&
    body !== null &&
    typeof (body as Partial<Reopenable>).open === "function" &&
    !isAsyncIterable(body) &&
    !(body instanceof ReadableStream)
  );
}

function sliceOf(blob: Blob, { offset, length }: ByteRange): Blob {
  return blob.slice(offset, length === undefined ? undefined : offset + length);
}

class BytesSource implements OwnedSource {
  readonly size: number;
  readonly replayable = true;
  readonly inMemory = true;
  opened = false;
  readonly #bytes: Uint8Array;
  readonly #rules: BodyRules;

  constructor(bytes: Uint8Array, rules: BodyRules) {
    this.#bytes = bytes;
    this.#rules = rules;
    this.size = bytes.byteLength;
    if (rules.size !== undefined && rules.size !== this.size) throw wrongSize(rules.size, this.size);
    if (rules.expect !== undefined) {
      const check = new HashCheck(rules.expect);
      check.update(bytes);
      check.verify();
    }
  }

  open(range?: ByteRange): ByteStream {
    this.opened = true;
    const stream = bytesInMemory(
      range === undefined ? this.#bytes : this.#bytes.subarray(range.offset, range.length === undefined ? undefined : range.offset + range.length),
    );
    if (this.#rules.onProgress !== undefined) stream.observe(progress(this.#rules.onProgress, this.size));
    return stream;
  }

  async discard(): Promise<void> {}
}

type Raw = ReturnType<typeof rawSource>;

class StreamSource implements OwnedSource {
  readonly size: number | null;
  readonly replayable: boolean;
  readonly inMemory = false;
  opened = false;
  readonly #start: (range: ByteRange | undefined) => RawBody | Raw;
  readonly #rules: BodyRules;
  readonly #open = new Set<ByteStream>();

  constructor(known: number | null, replayable: boolean, start: (range: ByteRange | undefined) => RawBody | Raw, rules: BodyRules) {
    this.#start = start;
    this.#rules = rules;
    this.replayable = replayable;
    this.size = known ?? rules.size ?? null;
    if (known !== null && rules.size !== undefined && rules.size !== known) {
      void this.discard();
      throw wrongSize(rules.size, known);
    }
  }

  open(range?: ByteRange): ByteStream {
    if (this.opened && !this.replayable) throw new Error("this body can be read only once");
    if (range !== undefined && !this.replayable) throw new Error("this body has no parts");
    this.opened = true;
    const { expect, signal, onProgress } = this.#rules;
    const length = range === undefined ? this.size : (range.length ?? (this.size === null ? null : this.size - range.offset));
    const raw = guarded(() => this.#start(range), this.replayable, signal);
    const stream = byteStream({ length, wrongLength: "bad-body", ...heldBack(raw, length, range === undefined ? expect : undefined) });
    if (onProgress !== undefined) stream.observe(progress(onProgress, this.size));
    this.#open.add(stream);
    stream.observe({ end: () => this.#open.delete(stream) });
    return stream;
  }

  async discard(): Promise<void> {
    for (const stream of this.#open) await stream.close();
    if (this.opened || this.replayable) return;
    this.opened = true;
    await (this.#start(undefined) as Raw).close().catch(() => {});
  }
}

/** A body that is refused before it became a Source: destroyed all the same. */
export async function discardBody(body: Body): Promise<void> {
  if (typeof body !== "object" || body === null || body instanceof Uint8Array || body instanceof Blob || isReopenable(body)) return;
  if (body instanceof ReadableStream || isAsyncIterable(body)) await toSource(body).discard();
}

/** Whatever the caller's body throws is `bad-body`, and the caller's own signal ends it. */
function guarded(start: () => RawBody | Raw, replayable: boolean, signal: AbortSignal | undefined): Raw {
  let raw: Raw | undefined;
  const begin = (): Raw => {
    const begun = start();
    const plain = "pull" in begun && "close" in begun && !isAsyncIterable(begun) ? begun : rawSource(begun);
    return signal === undefined ? plain : abortable(plain, signal);
  };
  return {
    async pull() {
      try {
        raw ??= begin();
        const chunk: unknown = await raw.pull();
        if (chunk !== undefined && !(chunk instanceof Uint8Array)) throw new TypeError(`a body yields bytes (Uint8Array), not ${typeof chunk}`);
        return chunk;
      } catch (error) {
        if (signal?.aborted === true && error === signal.reason) throw abortError(signal, { applied: false });
        throw new StoreError("bad-body", "the body given to write failed", { cause: error });
      }
    },
    async close() {
      // A body that can be opened again holds nothing before it is opened; a stream of the caller's is ours to destroy.
      if (!replayable) raw ??= begin();
      await raw?.close().catch(() => {});
    },
  };
}

/**
 * Holds back the last chunk until the source has ended and length and hashes are right: whoever counts bytes instead of waiting for the
 * end must not get the last one of a wrong body.
 */
function heldBack(raw: Raw, length: number | null, expect: Hashes | undefined): Raw {
  if (length === null && expect === undefined) return raw;
  const check = expect === undefined ? undefined : new HashCheck(expect);
  let held: Uint8Array | undefined;
  let count = 0;
  let ended = false;
  const next = async (): Promise<Uint8Array | undefined> => {
    for (;;) {
      const chunk = await raw.pull();
      if (chunk === undefined) {
        ended = true;
        if (length !== null && count !== length) throw new StoreError("bad-body", `the body ended after ${count} of ${length} bytes`);
        check?.verify();
        return undefined;
      }
      if (chunk.byteLength === 0) continue;
      count += chunk.byteLength;
      if (length !== null && count > length) throw new StoreError("bad-body", `the body is longer than ${length} bytes`);
      check?.update(chunk);
      return chunk;
    }
  };
  return {
    async pull() {
      if (ended) return undefined;
      // Only a chunk that may be the last is worth holding back: with a known length that is the one that reaches it.
      // It is copied, because the source may use its buffer again for what it is asked next.
      if (length !== null && check === undefined) {
        const chunk = await next();
        if (chunk === undefined || count < length) return chunk;
        const last = new Uint8Array(chunk);
        await next();
        return last;
      }
      held ??= await next();
      const out = held;
      if (out === undefined) return undefined;
      const kept = new Uint8Array(out);
      held = await next();
      return kept;
    },
    close: () => raw.close(),
  };
}

class HashCheck {
  readonly #checks: readonly { readonly name: HashName; readonly expected: string; readonly hasher: Hasher }[];
  constructor(expect: Hashes) {
    this.#checks = (Object.entries(expect) as [HashName, string | undefined][]).flatMap(([name, expected]) =>
      expected === undefined ? [] : [{ name, expected, hasher: hasher(name) }],
    );
  }
  update(bytes: Uint8Array): void {
    for (const check of this.#checks) check.hasher.update(bytes);
  }
  verify(): void {
    for (const { name, expected, hasher: sum } of this.#checks) {
      const actual = sum.hex();
      if (actual !== expected) throw new StoreError("integrity", `the body hashes to another ${name} than expected`, { applied: false });
    }
  }
}

function wrongSize(expected: number, actual: number): StoreError {
  return new StoreError("bad-body", `the body has ${actual} bytes, not ${expected}`, { applied: false });
}

function progress(tell: (progress: { readonly bytes: number; readonly total: number | null }) => void, total: number | null): ByteObserver {
  let bytes = 0;
  return {
    chunk(chunk) {
      bytes += chunk.byteLength;
      tell({ bytes, total });
    },
  };
}

/** The same source with an observer of its own on each stream: a view, so that what one attempt sees is not counted on in the next. */
export function watchSource(source: Source, observer: (range: ByteRange | undefined) => ByteObserver): Source {
  return {
    get size() {
      return source.size;
    },
    get replayable() {
      return source.replayable;
    },
    get opened() {
      return source.opened;
    },
    get inMemory() {
      return source.inMemory;
    },
    open(range) {
      const stream = range === undefined ? source.open() : source.open(range);
      stream.observe(observer(range));
      return stream;
    },
  };
}

/** The same source with its bytes changed on the way: encrypted, compressed, counted. As replayable as the original; a range of it is found by skipping. */
export function mapSource(source: Source, size: number | null, map: (stream: ByteStream) => ByteStream): Source {
  return {
    size,
    get replayable() {
      return source.replayable;
    },
    get opened() {
      return source.opened;
    },
    inMemory: false,
    open(range) {
      const stream = map(source.open());
      const whole = byteStream({ length: size, wrongLength: "bad-body", pull: () => stream.pull(), close: () => stream.close() });
      return range === undefined ? whole : partOf(whole, range, "bad-body");
    },
  };
}

/** Exactly this part of a stream, found by skipping; closes the stream as soon as the part is out. */
export function partOf(stream: ByteStream, { offset, length }: ByteRange, wrongLength?: ErrorCode): ByteStream {
  const end = length === undefined ? Infinity : offset + length;
  let at = 0;
  return byteStream({
    length: length ?? (stream.length === null ? null : Math.max(0, stream.length - offset)),
    wrongLength,
    async pull() {
      while (at < end) {
        const chunk = await stream.pull();
        if (chunk === undefined) return undefined;
        const from = Math.max(0, offset - at);
        const to = Math.min(chunk.byteLength, end - at);
        at += chunk.byteLength;
        if (from < to) return from === 0 && to === chunk.byteLength ? chunk : chunk.subarray(from, to);
      }
      await stream.close();
      return undefined;
    },
    close: () => stream.close(),
  });
}

const READ_PIECE = 256 << 10;

/** A local file as a body: its size is taken now, it can be reopened, it is read in large pieces. `bad-body` if its length changes meanwhile. */
export async function fromFile(localPath: string): Promise<Reopenable> {
  const first = await openFile(localPath, "r");
  let size: number;
  try {
    const stat = await first.stat();
    if (!stat.isFile()) throw new StoreError("bad-body", "only a regular file can be a body");
    size = stat.size;
  } finally {
    await first.close();
  }
  return {
    size,
    open(range = { offset: 0 }) {
      const end = range.length === undefined ? size : range.offset + range.length;
      let at = range.offset;
      let file: Awaited<ReturnType<typeof openFile>> | undefined;
      return byteStream({
        length: end - range.offset,
        wrongLength: "bad-body",
        async pull() {
          if (file === undefined) {
            file = await openFile(localPath, "r");
            if ((await file.stat()).size !== size) throw new StoreError("bad-body", "the file changed its length");
          }
          const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(Math.min(READ_PIECE, Math.max(1, end - at))), 0, undefined, at);
          // At the end of the file one more byte is asked for: one that grew is as wrong as one that shrank.
          if (at >= end) {
            if (bytesRead > 0 && end === size) throw new StoreError("bad-body", "the file grew while it was read");
            return undefined;
          }
          at += bytesRead;
          return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
        },
        async close() {
          await file?.close();
          file = undefined;
        },
      });
    },
  };
}
