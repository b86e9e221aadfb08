/**
 * Writing: one PUT while the body fits into a part, parts beyond. The service makes an object visible whole or not at all, and only a body
 * that ended by itself is ever completed.
 */
import { byteStream, copyChunks, entry, StoreError, type ByteStream, type Entry, type WriteCall } from "../../store/index.ts";
import type { Context } from "./context.ts";
import { isFailure, type S3Failure } from "./failure.ts";
import { hashesOf, headOrNothing } from "./look.ts";
import { multipart } from "./multipart.ts";
import { putBytes } from "./put.ts";
import { isEtag } from "./read.ts";
import type { ObjectFacts, Properties, PutBody, PutConditions, Stored } from "./wire.ts";

export async function write(context: Context, call: WriteCall): Promise<Entry> {
  const { path, body, ifAbsent, ifMatch, signal } = call;
  const { settings, vendor } = context;
  const key = context.keys.file(path);
  const properties: Properties = { contentType: checkedType(call.contentType), metadata: call.metadata };
  if (ifMatch !== undefined && !isEtag(ifMatch)) throw new StoreError("precondition-failed", "the file has another etag");
  const conditions: PutConditions = { ifAbsent, ifMatch };
  const onePut = (ifAbsent || ifMatch !== undefined) && !vendor.completeConditions;
  const put = (bytes: PutBody): Promise<Stored> => putOnce(context, call, key, bytes, properties, conditions);

  const streamed = onePut && body.size !== null && body.size > settings.partBytes;
  // Everything else has its own copy of a chunk before it asks for the next; a request that streams may still hold it.
  await using stream = (streamed ? copyChunks(body) : body).open();
  let stored: Stored;
  let size = body.size;
  if (size !== null && size <= settings.partBytes) stored = await put(await stream.all());
  else if (streamed && size !== null) {
    if (size > vendor.maxPutBytes)
      throw new StoreError("too-large", `a write with a condition has at most ${vendor.maxPutBytes} bytes here`, { applied: false });
    stored = await put({ stream, size });
  } else if (size !== null) stored = await multipart(context, key, stream, size, properties, conditions, signal);
  else {
    const first = await upTo(stream, settings.partBytes);
    let count = first.bytes;
    if (first.ended) stored = await put(Buffer.concat(first.chunks));
    else {
      const rest = chained(first.chunks, stream, (bytes) => (count += bytes));
      stored = await multipart(context, key, rest, null, properties, conditions, signal);
    }
    size = count;
  }
  return entry({
    path,
    kind: "file",
    size,
    etag: stored.etag,
    modifiedMs: stored.modifiedMs,
    contentType: call.contentType,
    metadata: call.metadata ?? {},
    hashes: hashesOf(context, stored.etag, stored.encrypted),
    complete: false,
  });
}

async function putOnce(
  context: Context,
  { signal, expect, ifMatch }: WriteCall,
  key: string,
  body: PutBody,
  properties: Properties,
  conditions: PutConditions,
): Promise<Stored> {
  const { wire } = context;
  const size = body instanceof Uint8Array ? body.byteLength : body.size;
  if (size === 0 && key.endsWith("/"))
    throw new StoreError("invalid-path", "a file without a name cannot be empty: the service takes it for a directory", { applied: false });
  try {
    if (body instanceof Uint8Array) return await putBytes(context, key, body, properties, conditions, expect?.md5, signal);
    return await wire.put(key, body, properties, conditions, expect?.md5, signal);
  } catch (error) {
    // AWS says that there is nothing to match; the contract calls that a lost condition.
    if (ifMatch !== undefined && isFailure(error, 404) && error.code !== "NoSuchBucket")
      throw new StoreError("precondition-failed", "there is no file to replace", { cause: error, status: 404 });
    if ((conditions.ifAbsent || ifMatch !== undefined) && isFailure(error) && error.status >= 500 && error.status !== 501 && error.status !== 503)
      await settle(context, key, ifMatch, error, signal);
    throw error;
  }
}

/**
 * A condition that was answered with a failure of the service: of racing writers Ceph gives some 500 instead of 412. One look tells whether
 * the condition is lost by now; whether this very request had a part in that it cannot tell. Where the look fails too, the first error stands.
 */
async function settle(context: Context, key: string, ifMatch: string | undefined, cause: S3Failure, signal: AbortSignal | undefined): Promise<void> {
  let found: ObjectFacts | undefined;
  try {
    found = await headOrNothing(context, key, signal);
  } catch {
    return;
  }
  if (ifMatch !== undefined && found?.etag !== ifMatch)
    throw new StoreError("precondition-failed", "the file is another one by now", { cause, status: cause.status, applied: "unknown" });
  if (ifMatch === undefined && found !== undefined)
    throw new StoreError("already-exists", "something is there by now", { cause, status: cause.status, applied: "unknown" });
}

/** Reads until more than `most` bytes are here, or the end. */
async function upTo(stream: ByteStream, most: number): Promise<{ readonly chunks: readonly Uint8Array[]; readonly bytes: number; readonly ended: boolean }> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  while (bytes <= most) {
    const chunk = await stream.pull();
    if (chunk === undefined) return { chunks, bytes, ended: true };
    // A copy: a source may fill one buffer again and again. Not by slice(), which is a view where the chunk is a Buffer.
    chunks.push(new Uint8Array(chunk));
    bytes += chunk.byteLength;
  }
  return { chunks, bytes, ended: false };
}

function chained(first: readonly Uint8Array[], rest: ByteStream, count: (bytes: number) => void): ByteStream {
  const waiting = [...first];
  return byteStream({
    length: null,
    async pull() {
      const held = waiting.shift();
      if (held !== undefined) return held;
      const chunk = await rest.pull();
      if (chunk !== undefined) count(chunk.byteLength);
      return chunk;
    },
    close: () => rest.close(),
  });
}

/** A header holds printable ASCII and nothing at its ends; anything else would come back changed, or change the request. */
export function checkedType(contentType: string | undefined): string | undefined {
  if (contentType === undefined || /^[!-~]+(?: +[!-~]+)*$/.test(contentType)) return contentType;
  throw new StoreError("unsupported", "the service keeps content types of printable ASCII only", { applied: false });
}
