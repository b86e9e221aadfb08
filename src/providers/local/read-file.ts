/** The bytes of one version of a file: read from one open file, which is asked at the end whether it is still what it was. */
import { StoreError, byteStream } from "../../store/index.ts";
import type { ByteRange, RawBody } from "../../store/index.ts";
import { disk } from "./disk.ts";
import type { Stat } from "./disk.ts";

/** Up to this size a file is read in one piece and closed at once. Measured: 256 KiB pieces read large files at the speed of the disk. */
const PIECE_BYTES = 256 << 10;

export interface OpenFile {
  readonly fd: number;
  readonly stat: Stat;
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
  for (let at = 0; at < length; ) {
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
