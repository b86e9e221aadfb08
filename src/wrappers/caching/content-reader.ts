/** Reading content: a descriptor that shows one version to its end, and bytes that are never wrong. */
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { StoreError, byteStream, bytesInMemory } from "../../store/index.ts";
import type { ByteRange, ByteStream, Entry } from "../../store/index.ts";
import { crcOf } from "./content.ts";
import type { Core } from "./core.ts";
import { codeOf } from "./error-code.ts";
import { sessionOf } from "./numbers.ts";
import type { ContentRow } from "./rows.ts";

/** The bytes here are not those that were acknowledged: missing, cut, or damaged. */
export class Torn extends Error {
  readonly content: number;
  constructor(content: number, cause?: unknown) {
    super("the bytes of a file in the cache are damaged", { cause });
    this.content = content;
  }
}

export interface Part {
  readonly offset: number;
  readonly length: number;
}

/** Clamped as the contract says. @throws StoreError `bad-range` */
export function partOf(size: number, range: ByteRange | undefined, entry: Entry): Part {
  if (range === undefined) return { offset: 0, length: size };
  if (range.offset > 0 && range.offset >= size) throw new StoreError("bad-range", "the range starts past the end", { entry });
  const offset = range.offset < 0 ? Math.max(0, size + range.offset) : range.offset;
  return { offset, length: Math.min(size - offset, range.length ?? Infinity) };
}

/** Read at once and held in memory; larger parts are streamed. */
const AT_ONCE_BYTES = 1 << 20;
const PIECE_BYTES = 256 << 10;

/** @throws Torn */
export async function openContent(core: Core, id: number, part: Part): Promise<ByteStream> {
  const row = core.content.row(id);
  if (row === undefined) throw new Torn(id);
  if (row.data !== null) {
    if (row.data.byteLength !== row.size || (mustVerify(core, id) && crcOf(row.data) !== row.crc)) throw new Torn(id);
    core.verified.add(id);
    const { offset, length } = part;
    return bytesInMemory(length === row.size ? row.data : row.data.subarray(offset, offset + length), true);
  }
  core.content.pin(id);
  let file: FileHandle | undefined;
  let kept = false;
  try {
    file = await openFile(core, row);
    if (mustVerify(core, id)) await verify(core, row, file);
    if (part.length <= AT_ONCE_BYTES) {
      const bytes = Buffer.allocUnsafeSlow(part.length);
      if ((await readFully(file, bytes, part.offset)) !== part.length) throw new Torn(id);
      return bytesInMemory(bytes, true);
    }
    kept = true;
    return streamOf(core, id, file, part);
  } finally {
    if (!kept) {
      await file?.close();
      await core.content.unpin(id);
    }
  }
}

async function openFile(core: Core, { id, size }: ContentRow): Promise<FileHandle> {
  let file: FileHandle | undefined;
  try {
    file = await open(core.content.path(id), "r");
    const stat = await file.stat();
    if (!stat.isFile() || stat.size !== size) throw new Torn(id);
    return file;
  } catch (error) {
    await file?.close();
    if (error instanceof Torn) throw error;
    const code = codeOf(error);
    if (code === "EMFILE" || code === "ENFILE") throw new StoreError("unavailable", "too many files are open", { cause: error });
    throw new Torn(id, error);
  }
}

/** What was not flushed may be torn after a power loss; once a session is enough. */
function mustVerify(core: Core, id: number): boolean {
  if (core.settings().verifyReads) return true;
  return core.rules.verifiesAfterReboot && core.rebooted && sessionOf(id) < core.numbers.session && !core.verified.has(id);
}

async function verify(core: Core, { id, size, crc }: ContentRow, file: FileHandle): Promise<void> {
  const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  let found = 0;
  for (let at = 0; at < size; at += piece.byteLength) {
    const want = Math.min(piece.byteLength, size - at);
    if ((await readFully(file, piece.subarray(0, want), at)) !== want) throw new Torn(id);
    found = crcOf(piece.subarray(0, want), found);
  }
  if (found !== crc) throw new Torn(id);
  core.verified.add(id);
}

async function readFully(file: FileHandle, into: Buffer, position: number): Promise<number> {
  let got = 0;
  try {
    while (got < into.byteLength) {
      const { bytesRead } = await file.read(into, got, into.byteLength - got, position + got);
      if (bytesRead === 0) break;
      got += bytesRead;
    }
  } catch {
    // EIO is met as what it is: bytes that are not there.
    return -1;
  }
  return got;
}

function streamOf(core: Core, id: number, file: FileHandle, { offset, length }: Part): ByteStream {
  let at = offset;
  const end = offset + length;
  return byteStream({
    length,
    wrongLength: "corrupt",
    async pull() {
      if (at >= end) return undefined;
      const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, end - at));
      if ((await readFully(file, piece, at)) !== piece.byteLength) throw new StoreError("corrupt", "the bytes of a file in the cache cannot be read");
      at += piece.byteLength;
      return piece;
    },
    async close() {
      await file.close();
      await core.content.unpin(id);
    },
  });
}

/** A content file that no row names yet. */
export async function* spooledBytes(core: Core, id: number, size: number, range: ByteRange | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  const offset = range?.offset ?? 0;
  const end = range?.length === undefined ? size : offset + range.length;
  const file = await open(core.content.path(id), "r");
  try {
    for (let at = offset; at < end; at += PIECE_BYTES) {
      const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, end - at));
      if ((await readFully(file, piece, at)) !== piece.byteLength) throw new StoreError("corrupt", "the bytes of a file in the cache cannot be read");
      yield piece;
    }
  } finally {
    await file.close();
  }
}
