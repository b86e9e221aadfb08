/** The reply to a read, made of what a service really sent: cut where it sent more than was asked, refused where it sent less. */
import type { ByteRange } from "./body.ts";
import { byteStream, bytesFrom, bytesInMemory } from "./byte-stream.ts";
import type { ByteStream } from "./byte-stream.ts";
import type { Entry } from "./entry.ts";
import { StoreError } from "./errors.ts";
import type { ReadCall, ReadReply } from "./operations.ts";
import type { ProviderRead } from "./provider.ts";

export interface Asked {
  readonly offset: number;
  /** Bytes after clamping; null for a file of unknown size, whose end is where its bytes end. */
  readonly length: number | null;
  /** More than this was not asked for. */
  readonly most: number;
}

/** Clamps a range to a file. Throws `bad-range` for one that starts at or past the end, except at offset 0. */
export function clamp(range: ByteRange | undefined, entry: Entry): Asked {
  const { size } = entry;
  if (range === undefined) return { offset: 0, length: size, most: size ?? Infinity };
  if (size === null) {
    if (range.offset < 0) throw new StoreError("unsupported", "the size of this file is not known, so it has no last bytes");
    return { offset: range.offset, length: null, most: range.length ?? Infinity };
  }
  const offset = range.offset < 0 ? Math.max(0, size + range.offset) : range.offset;
  if (offset >= size && offset > 0) throw pastTheEnd(offset, entry);
  const length = Math.min(range.length ?? Infinity, size - offset);
  return { offset, length, most: length };
}

function pastTheEnd(offset: number, entry: Entry): StoreError {
  return new StoreError("bad-range", `the range starts at ${offset}, at or past the end of the file`, { entry });
}

/** Exact: the etag compared is that of the version whose bytes came. */
export function checkConditions(call: ReadCall, entry: Entry): void {
  if (call.ifMatch !== undefined && entry.etag !== call.ifMatch) throw new StoreError("precondition-failed", "the file has another etag", { entry });
  if (call.ifNoneMatch !== undefined && entry.etag === call.ifNoneMatch) throw new StoreError("not-modified", "the file has this etag", { entry });
}

/** `failed` says in our words what a body of the service threw in the middle. */
export async function replyOf(call: ReadCall, came: ProviderRead, failed: (error: unknown) => StoreError): Promise<ReadReply> {
  const { entry, body, offset: start = 0 } = came;
  try {
    const asked = checked(call, entry, start);
    return { entry, offset: asked.offset, body: streamed(bytesFrom(body, { signal: call.signal }), start, asked, entry, failed) };
  } catch (error) {
    await bytesFrom(body)
      .close()
      .catch(() => {});
    throw error;
  }
}

/** The same for bytes that are there already: nothing to wait for, nothing to close. */
export function replyFromMemory(call: ReadCall, came: ProviderRead, body: Uint8Array): ReadReply {
  const { entry, offset: start = 0 } = came;
  const asked = checked(call, entry, start);
  return { entry, offset: asked.offset, body: inMemory(body, start, asked, came) };
}

/** What was asked for, in numbers of this file; throws where the answer does not hold it. */
function checked(call: ReadCall, entry: Entry, start: number): Asked {
  if (entry.kind === "directory") throw new StoreError("is-a-directory", "a directory has no bytes");
  checkConditions(call, entry);
  const asked = clamp(call.range, entry);
  // A service that does not say where its bytes begin may have sent any.
  if (!Number.isSafeInteger(start) || start < 0) throw new StoreError("unavailable", "the service did not say which part of the file it sent");
  if (start > asked.offset) throw new StoreError("unavailable", "the service sent another part of the file than was asked");
  return asked;
}

function inMemory(bytes: Uint8Array, start: number, { offset, length, most }: Asked, { entry, handedOver = false }: ProviderRead): ByteStream {
  const skip = offset - start;
  if (entry.size !== null && start + bytes.byteLength > entry.size) throw tooMany();
  if (length === null && offset > 0 && skip >= bytes.byteLength) throw pastTheEnd(offset, entry);
  const part = skip === 0 && bytes.byteLength <= most ? bytes : bytes.subarray(skip, skip + most);
  if (length !== null && part.byteLength !== length) throw tooFew(part.byteLength, { offset, length, most });
  return bytesInMemory(part, handedOver && part === bytes);
}

/** In numbers: a part that is taken for another one, as where `offset` is not told, shows in them. */
function tooFew(came: number, { offset, length }: Asked): StoreError {
  return new StoreError("unavailable", `the body broke off: of ${length} bytes from byte ${offset} the service sent ${came}`);
}

function tooMany(): StoreError {
  return new StoreError("integrity", "the service sent more bytes than announced", { transient: true });
}

function streamed(raw: ByteStream, start: number, asked: Asked, entry: Entry, failed: (error: unknown) => StoreError): ByteStream {
  const { offset, length, most } = asked;
  let drop = offset - start;
  let left = most;
  let some = false;
  // Asked to the end of the file, so that the end must come where the size says; else it stops early by itself.
  const toEnd = entry.size !== null && offset + most === entry.size;
  const pull = async (): Promise<Uint8Array | undefined> => {
    try {
      return await raw.pull();
    } catch (error) {
      throw failed(error);
    }
  };
  return byteStream({
    length,
    async pull() {
      for (;;) {
        if (left === 0) {
          if (toEnd && (await pull()) !== undefined) throw tooMany();
          await raw.close();
          return undefined;
        }
        const chunk = await pull();
        if (chunk === undefined) {
          if (length !== null) throw tooFew(most - left, asked);
          if (!some && offset > 0) throw pastTheEnd(offset, entry);
          return undefined;
        }
        if (chunk.byteLength <= drop) {
          drop -= chunk.byteLength;
          continue;
        }
        if (toEnd && chunk.byteLength - drop > left) throw tooMany();
        const part = drop === 0 && chunk.byteLength <= left ? chunk : chunk.subarray(drop, drop + Math.min(left, chunk.byteLength - drop));
        drop = 0;
        left -= part.byteLength;
        some = true;
        return part;
      }
    },
    close: () => raw.close(),
  });
}

/** The empty part of a file: nothing is asked of the service but what the file is. */
export function emptyReply(call: ReadCall, entry: Entry): ReadReply {
  if (entry.kind === "directory") throw new StoreError("is-a-directory", "a directory has no bytes");
  checkConditions(call, entry);
  const { offset } = clamp(call.range, entry);
  return { entry, offset, body: bytesInMemory(new Uint8Array(0)) };
}
