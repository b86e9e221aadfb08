/** The bytes of one revision: pieces as they came, so that a large file is held once, and the checksums that Drive tells of it. */
import { createHash } from "node:crypto";
import { LARGE, bytesOf, spill } from "../spill.ts";
import type { Chunk } from "../spill.ts";

export interface Content {
  readonly pieces: readonly Chunk[];
  readonly size: number;
  readonly md5Checksum: string;
  readonly sha1Checksum: string;
  readonly sha256Checksum: string;
}

export class Gathering {
  #pieces: Chunk[] = [];
  readonly #hashes = ["md5", "sha1", "sha256"].map((name) => createHash(name));
  size = 0;

  add(piece: Uint8Array): void {
    if (piece.byteLength === 0) return;
    if (this.size < LARGE && this.size + piece.byteLength >= LARGE) this.#pieces = this.#pieces.map(spill);
    this.size += piece.byteLength;
    this.#pieces.push(this.size < LARGE ? piece : spill(piece));
    for (const hash of this.#hashes) hash.update(piece);
  }

  content(): Content {
    const [md5Checksum, sha1Checksum, sha256Checksum] = this.#hashes.map((hash) => hash.digest("hex")) as [string, string, string];
    return { pieces: this.#pieces, size: this.size, md5Checksum, sha1Checksum, sha256Checksum };
  }
}

export function contentOf(bytes: Uint8Array): Content {
  const gathering = new Gathering();
  gathering.add(bytes);
  return gathering.content();
}

/** The bytes from `first` to `last`, both included. */
export function* part({ pieces }: Content, first: number, last: number): Generator<Uint8Array> {
  let at = 0;
  for (const piece of pieces) {
    const end = at + piece.byteLength;
    if (end > first && at <= last) yield bytesOf(piece).subarray(Math.max(0, first - at), Math.min(piece.byteLength, last + 1 - at));
    at = end;
  }
}
