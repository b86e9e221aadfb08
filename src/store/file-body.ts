/** A local file as a body. */
import { constants } from "node:fs";
import { open as openFile } from "node:fs/promises";
import type { ByteRange, Reopenable } from "./body.ts";
import { byteStream } from "./byte-stream.ts";
import type { ByteStream } from "./byte-stream.ts";
import { StoreError } from "./errors.ts";

type FileHandle = Awaited<ReturnType<typeof openFile>>;

const READ_PIECE = 256 << 10;

/** A local file as a body: its size is taken now, it can be reopened, it is read in large pieces. `bad-body` if it cannot be read or its length changes meanwhile. */
export async function fromFile(localPath: string): Promise<Reopenable> {
  const first = await opened(localPath);
  let size: number;
  try {
    size = await lengthOfFile(first);
  } finally {
    await first.close();
  }
  return { size, open: (range = { offset: 0 }) => piecesOf(localPath, size, range) };
}

function piecesOf(localPath: string, size: number, range: ByteRange): ByteStream {
  const end = range.length === undefined ? size : range.offset + range.length;
  let at = range.offset;
  let file: FileHandle | undefined;
  let done = false;
  return byteStream({
    length: end - range.offset,
    wrongLength: "bad-body",
    async pull() {
      if (file === undefined) {
        const handle = await opened(localPath);
        if (done) {
          // Closed while it was being opened.
          await handle.close();
          return undefined;
        }
        file = handle;
        if ((await lengthOfFile(handle)) !== size) throw new StoreError("bad-body", "the file changed its length");
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
      done = true;
      await file?.close();
    },
  });
}

/** Without waiting: to open a pipe that nobody writes to would last for ever. */
async function opened(localPath: string): Promise<FileHandle> {
  try {
    return await openFile(localPath, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw new StoreError("bad-body", "the local file cannot be read", { cause: error, applied: false });
  }
}

async function lengthOfFile(file: FileHandle): Promise<number> {
  const stat = await file.stat();
  if (!stat.isFile()) throw new StoreError("bad-body", "only a regular file can be a body", { applied: false });
  return stat.size;
}
