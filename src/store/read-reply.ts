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
  /** Bytes after clamping, where the size is known; null: to the end of a file of unknown size. */
  readonly length: number | null;
}

/** Clamps a range to a file. Throws `bad-range` for one that starts at or past the end, except at offset 0. */
export function clamp(range: ByteRange | undefined, entry: Entry): Asked {
  const { size } = entry;
  if (range === undefined) return { offset: 0, length: size };
  if (size === null) {
    if (range.offset < 0) throw new StoreError("unsupported", "the size of this file is not known, so it has no last bytes");
    return { offset: range.offset, length: range.length ?? null };
  }
  const offset = range.offset < 0 ? Math.max(0, size + range.offset) : range.offset;
  if (offset >= size && offset > 0) throw new StoreError("bad-range", `the range starts at ${offset}, the file has ${size} bytes`, { entry });
  const left = size - offset;
  return { offset, length: range.length === undefined ? left : Math.min(range.length, left) };
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
    if (entry.kind === "directory") throw new StoreError("is-a-directory", "a directory has no bytes");
    checkConditions(call, entry);
    const { offset, length } = clamp(call.range, entry);
    if (start > offset) throw new StoreError("unavailable", "the service sent another part of the file than was asked");
    if (body instanceof Uint8Array) return { entry, offset, body: inMemory(body, start, offset, length, came) };
    const skip = offset - start;
    // Asked to the end of the file, so that the end must come where the size says; else it stops early by itself.
    const toEnd = length === null || (entry.size !== null && offset + length === entry.size);
    return { entry, offset, body: streamed(bytesFrom(body, { signal: call.signal }), skip, length, toEnd, failed) };
  } catch (error) {
    if (!(body instanceof Uint8Array))
      await bytesFrom(body)
        .close()
        .catch(() => {});
    throw error;
  }
}

function inMemory(bytes: Uint8Array, start: number, offset: number, length: number | null, { entry, handedOver = false }: ProviderRead): ByteStream {
  const skip = offset - start;
  const part = bytes.subarray(skip, length === null ? undefined : skip + length);
  if (length !== null && part.byteLength !== length) throw new StoreError("unavailable", "the service sent fewer bytes than announced");
  if (entry.size !== null && start + bytes.byteLength > entry.size)
    throw new StoreError("integrity", "the service sent more bytes than announced", { transient: true });
  return part.byteLength === bytes.byteLength ? bytesInMemory(bytes, handedOver) : bytesInMemory(part);
}

function streamed(raw: ByteStream, skip: number, length: number | null, toEnd: boolean, failed: (error: unknown) => StoreError): ByteStream {
  let drop = skip;
  let left = length ?? Infinity;
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
          if (toEnd && (await pull()) !== undefined) throw new StoreError("integrity", "the service sent more bytes than announced", { transient: true });
          await raw.close();
          return undefined;
        }
        const chunk = await pull();
        if (chunk === undefined) {
          if (length === null) return undefined;
          throw new StoreError("unavailable", "the body broke off");
        }
        if (chunk.byteLength <= drop) {
          drop -= chunk.byteLength;
          continue;
        }
        if (toEnd && chunk.byteLength - drop > left) throw new StoreError("integrity", "the service sent more bytes than announced", { transient: true });
        const part = drop === 0 && chunk.byteLength <= left ? chunk : chunk.subarray(drop, drop + Math.min(left, chunk.byteLength - drop));
        drop = 0;
        left -= part.byteLength;
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
