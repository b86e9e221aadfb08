/** The bytes of one version of a file: read from one open file, which is asked at the end whether it is still what it was. */
import { StoreError, byteStream } from "../../store/index.ts";
import type { ByteRange, RawBody, StorePath } from "../../store/index.ts";
import { disk, opensOnlyItself, unless } from "./disk.ts";
import type { Stat } from "./disk.ts";
import { notOurs } from "./errors.ts";
import type { Root } from "./root.ts";

/** Up to this size a file is read in one piece and closed at once. Measured: 256 KiB pieces read large files at the speed of the disk. */
const PIECE_BYTES = 256 << 10;

export interface OpenFile {
  readonly fd: number;
  readonly stat: Stat;
}

/** The file itself, or the one that a link in the store leads to. */
export async function openFile(root: Root, path: StorePath): Promise<OpenFile> {
  let fd: number | undefined;
  if (opensOnlyItself) fd = await unless(disk.openRead((await root.place(path)).full), "ELOOP", "ENXIO");
  if (fd === undefined) {
    const found = await root.find(path);
    if (found.kind === "other") throw notOurs();
    fd = await disk.openRead(found.real);
  }
  try {
    const stat = await disk.fstat(fd);
    if (stat.isDirectory()) throw new StoreError("is-a-directory", "a directory has no bytes");
    if (!stat.isFile()) throw notOurs();
    return { fd, stat };
  } catch (error) {
    await disk.close(fd);
    throw error;
  }
}

/** Takes over the open file. The range is inside the file, and not from its end. */
export async function bytesOf(file: OpenFile, offset: number, length: number, signal: AbortSignal | undefined): Promise<RawBody> {
  if (length > PIECE_BYTES) return streamOf(file, offset, length, signal);
  try {
    const piece = await pieceOf(file, offset, length);
    await verify(file);
    return piece;
  } finally {
    await disk.close(file.fd);
  }
}

function streamOf(file: OpenFile, start: number, length: number, signal: AbortSignal | undefined): RawBody {
  const end = start + length;
  let at = start;
  return byteStream({
    length,
    async pull() {
      if (at === end) return undefined;
      signal?.throwIfAborted();
      const piece = await pieceOf(file, at, Math.min(PIECE_BYTES, end - at));
      at += piece.byteLength;
      // Before the last piece is handed out: whoever counts bytes must not take the file for whole.
      if (at === end) await verify(file);
      return piece;
    },
    close: () => disk.close(file.fd),
  });
}

/** Memory of its own, never of a pool: whoever gets it may keep it. */
async function pieceOf({ fd }: OpenFile, offset: number, length: number): Promise<Uint8Array> {
  const piece = Buffer.allocUnsafeSlow(length);
  for (let at = 0; at < length;) {
    const { bytesRead } = await disk.read(fd, piece, at, length - at, offset + at);
    if (bytesRead === 0) throw changed();
    at += bytesRead;
  }
  return piece;
}

/** Our own writes never touch an open file; other programs do. */
async function verify({ fd, stat }: OpenFile): Promise<void> {
  const now = await disk.fstat(fd);
  if (now.size !== stat.size || now.mtimeNs !== stat.mtimeNs) throw changed();
}

function changed(): StoreError {
  return new StoreError("conflict", "another program changed the file while it was read");
}

/** A range from the end, or beyond it, as a range of a file of this size; the adaptor refuses what starts past the end. */
export function clampTo(size: number, range: ByteRange | undefined): { readonly offset: number; readonly length: number } {
  if (range === undefined) return { offset: 0, length: size };
  const offset = Math.min(size, range.offset < 0 ? Math.max(0, size + range.offset) : range.offset);
  return { offset, length: Math.min(size - offset, range.length ?? Infinity) };
}
