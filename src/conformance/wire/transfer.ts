/** Moves body bytes through the proxy, unchanged or broken in a given way, without keeping them. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Writable } from "node:stream";

type Chunks = AsyncIterable<Uint8Array>;

/** Writes all of `body`, at the speed of the slower side. @throws what the body throws, or an Error once the writer is gone */
export async function passOn(body: Chunks, to: Writable, count: (bytes: number) => void): Promise<void> {
  for await (const chunk of body) {
    if (to.destroyed) throw new Error("the other side is gone");
    count(chunk.length);
    if (!to.write(chunk)) await drained(to);
  }
}

async function drained(to: Writable): Promise<void> {
  const stop = new AbortController();
  try {
    await Promise.race([once(to, "drain", { signal: stop.signal }), once(to, "close", { signal: stop.signal })]);
  } finally {
    stop.abort();
  }
}

/** Where bodies of unknown length are cut if they are longer than twice this. */
const largestHalf = 512 * 1024;

export interface Cut {
  readonly body: Chunks;
  /** Exact where the answer told its length or was short enough to look. */
  readonly length: number;
}

/** The first `after` bytes of an answer, default half of it. The rest is thrown away, so that the connection to the service stays in step. */
export async function cutAfter(reply: IncomingMessage, after: number | undefined): Promise<Cut> {
  const announced = reply.headers["content-length"];
  if (announced !== undefined) {
    const length = Math.min(Number(announced), after ?? Math.floor(Number(announced) / 2));
    return { body: take(reply, length), length };
  }
  // The length is not announced, so that the half is only known from the bytes.
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const iterator = (reply as Chunks)[Symbol.asyncIterator]();
  while (bytes < 2 * largestHalf) {
    const next = await iterator.next();
    if (next.done === true) break;
    chunks.push(next.value);
    bytes += next.value.length;
  }
  const length = Math.min(bytes, after ?? Math.floor(bytes / 2));
  return {
    length,
    body: (async function* () {
      yield Buffer.concat(chunks).subarray(0, length);
      while ((await iterator.next()).done !== true);
    })(),
  };
}

async function* take(body: Chunks, length: number): AsyncGenerator<Uint8Array> {
  let left = length;
  for await (const chunk of body) {
    if (left > 0) yield chunk.subarray(0, left);
    left -= Math.min(left, chunk.length);
  }
}

interface Changed {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Chunks;
}
interface ContentRange {
  readonly first: number;
  readonly last: number;
  readonly total: number | null;
}

function contentRange(reply: IncomingMessage): ContentRange {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(reply.headers["content-range"] ?? "");
  if (match === null) throw new Error("the service answered 206 without a range that can be read");
  return { first: Number(match[1]), last: Number(match[2]), total: match[3] === "*" ? null : Number(match[3]) };
}

/** A 206 that begins later than asked, and says so: its first bytes are missing (one, or half of them where there are more). */
export function dropFirst(reply: IncomingMessage): Changed {
  const { first, last, total } = contentRange(reply);
  const drop = Math.ceil((last - first + 1) / 2);
  const begin = Math.min(first + drop, last);
  return {
    headers: {
      "content-range": `bytes ${begin}-${last}/${total ?? "*"}`,
      "content-length": reply.headers["content-length"] === undefined ? undefined : String(last - begin + 1),
    },
    body: skip(reply, begin - first),
  };
}

async function* skip(body: Chunks, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of body) {
    const from = Math.min(left, chunk.length);
    left -= from;
    if (from < chunk.length) yield chunk.subarray(from);
  }
}

/**
 * A 200 with all bytes in the place of a 206. The request itself cannot be changed, since its Range may be signed; so what was not asked for is
 * filled with zeros around what was. Who cuts the asked range out reads the right bytes; who takes the body for the range does not.
 */
export function wholeAround(reply: IncomingMessage): Changed {
  const { first, last, total } = contentRange(reply);
  const end = total ?? last + 1;
  return { headers: { "content-range": undefined, "content-length": String(end), "transfer-encoding": undefined }, body: padded(reply, first, end - last - 1) };
}

async function* padded(body: Chunks, before: number, after: number): AsyncGenerator<Uint8Array> {
  yield* zeros(before);
  yield* body;
  yield* zeros(after);
}

function* zeros(bytes: number): Generator<Uint8Array> {
  const block = new Uint8Array(64 * 1024);
  for (let left = bytes; left > 0; left -= block.length) yield block.subarray(0, Math.min(left, block.length));
}
