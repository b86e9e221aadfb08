/** Bodies of writes as callers give them, made into the Source that travels below the front. */
import { Readable } from "node:stream";
import { isByteStream } from "./byte-stream.ts";
import { isAsyncIterable, rawSource } from "./raw-source.ts";
import type { Raw } from "./raw-source.ts";
import type { ReadResult } from "./options.ts";
import { BytesSource, StreamSource } from "./source.ts";
import type { BodyRules, OwnedSource, Source } from "./source.ts";

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

/** Makes the body ours: attaches to a stream at once, before anything else can go wrong. Throws TypeError for what is no body. */
export function toSource(body: Body, rules: BodyRules = {}): OwnedSource {
  if (typeof body === "string" && !body.isWellFormed()) throw new TypeError("text with a lone surrogate has no UTF-8 to be stored as");
  if (typeof body === "string") return new BytesSource(new TextEncoder().encode(body), rules);
  if (body instanceof Uint8Array) return new BytesSource(body, rules);
  if (body instanceof Blob)
    return new StreamSource(body.size, true, (range) => (range === undefined ? body : sliceOf(body, range)).stream() as ReadableStream<Uint8Array>, rules);
  if (isReopenable(body)) return new StreamSource(sizeOf(body), true, (range) => (range === undefined ? body.open() : body.open(range)), rules);
  const raw = notSpent(rawSource(body), body);
  return new StreamSource(lengthOf(body), false, () => raw, rules);
}

/** A Source of a layer, or of somebody else's making, with what the front adds. */
export function withRules(source: Source, rules: BodyRules): OwnedSource {
  return new StreamSource(source.size, source.replayable, (range) => (range === undefined ? source.open() : source.open(range)), rules, true);
}

function sizeOf({ size = null }: Reopenable): number | null {
  if (size !== null && (!Number.isSafeInteger(size) || size < 0)) throw new TypeError("the size of a body is a whole number of bytes, not negative, or null");
  return size;
}

/** A stream that somebody else has read to its end looks like an empty one: it must not become an empty file. */
function notSpent(raw: Raw, body: object): Raw {
  if (!(body instanceof ReadableStream || typeof (body as { readonly pipe?: unknown }).pipe === "function") || !Readable.isDisturbed(body as Readable))
    return raw;
  let empty = true;
  return {
    async pull() {
      const chunk = await raw.pull();
      if (chunk === undefined && empty) throw new TypeError("this stream was read to its end before it was given to write");
      empty = false;
      return chunk;
    },
    close: () => raw.close(),
  };
}

/** A ReadResult, also one of a second installed copy of this package, knows its length, and so does a ByteStream. */
function lengthOf(body: object): number | null {
  if (isByteStream(body)) return body.length;
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

/** A body that is refused before it became a Source: destroyed all the same. */
export async function discardBody(body: Body): Promise<void> {
  if (typeof body !== "object" || body === null || body instanceof Uint8Array || body instanceof Blob || isReopenable(body)) return;
  if (body instanceof ReadableStream || isAsyncIterable(body)) await toSource(body).discard();
}
