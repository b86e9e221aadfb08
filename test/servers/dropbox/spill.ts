/** Bytes of large uploads lie in a file, so that checks of memory, which run in the same process, see what the store holds and not what its service does. */
import { mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Chunk = Uint8Array | Spilled;
export interface Spilled {
  readonly byteLength: number;
  readonly position: number;
}

const LARGE = 1 << 20;
let file: number | undefined;
let end = 0;

/** A file without a name: it goes with the process. */
function opened(): number {
  const directory = mkdtempSync(join(tmpdir(), "dropbox-emulator-"));
  const made = openSync(join(directory, "bytes"), "w+", 0o600);
  rmSync(directory, { recursive: true });
  return made;
}

export function spilled(chunks: readonly Chunk[]): readonly Chunk[] {
  if (chunks.reduce((sum, { byteLength }) => sum + byteLength, 0) < LARGE) return chunks;
  file ??= opened();
  const to = file;
  return chunks.map((chunk) => {
    if (!(chunk instanceof Uint8Array)) return chunk;
    const position = end;
    for (let at = 0; at < chunk.byteLength;) at += writeSync(to, chunk, at, chunk.byteLength - at, position + at);
    end += chunk.byteLength;
    return { position, byteLength: chunk.byteLength };
  });
}

export function bytesOf(chunk: Chunk): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  const bytes = new Uint8Array(chunk.byteLength);
  for (let at = 0; at < bytes.byteLength;) {
    const read = readSync(file as number, bytes, at, bytes.byteLength - at, chunk.position + at);
    if (read === 0) throw new Error("the emulator's file is shorter than what was written to it");
    at += read;
  }
  return bytes;
}
