/** Bytes of large uploads lie in a file, so that checks of memory, which run in the same process, see what the store holds and not what its service does. */
import { mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Chunk = Uint8Array | Spilled;
export interface Spilled {
  readonly byteLength: number;
  readonly position: number;
}

/** Bytes from which on a body leaves the memory. */
export const LARGE: number = 1 << 20;
let file: number | undefined;
let end = 0;

/** A file without a name: it goes with the process. */
function opened(): number {
  const directory = mkdtempSync(join(tmpdir(), "emulator-"));
  const made = openSync(join(directory, "bytes"), "w+", 0o600);
  rmSync(directory, { recursive: true });
  return made;
}

export function spilled(chunks: readonly Chunk[]): readonly Chunk[] {
  return chunks.reduce((sum, { byteLength }) => sum + byteLength, 0) < LARGE ? chunks : chunks.map(spill);
}

export function spill(chunk: Chunk): Chunk {
  if (!(chunk instanceof Uint8Array)) return chunk;
  file ??= opened();
  const position = end;
  for (let at = 0; at < chunk.byteLength;) at += writeSync(file, chunk, at, chunk.byteLength - at, position + at);
  end += chunk.byteLength;
  return { position, byteLength: chunk.byteLength };
}

/** A body as it comes: what is large leaves the memory while it does. */
export async function collected(body: AsyncIterable<Uint8Array>): Promise<readonly Chunk[]> {
  let chunks: Chunk[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    const before = bytes;
    bytes += chunk.byteLength;
    if (before < LARGE && bytes >= LARGE) chunks = chunks.map(spill);
    chunks.push(bytes < LARGE ? chunk : spill(chunk));
  }
  return chunks;
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
