/** A body cut into pieces of one size, each with its hash; the last one is known to be the last, because the body has ended by itself before it is given. */
import { createHash } from "node:crypto";
import type { ByteStream } from "../../store/index.ts";
import { BLOCK_BYTES } from "./options.ts";

export interface Piece {
  /** Borrowed: good until as many more pieces were asked for as there are buffers. */
  readonly bytes: Uint8Array;
  /** Where it begins in the file. */
  readonly offset: number;
  readonly hash: string;
  /** The body ended after it. */
  readonly last: boolean;
}
/** Memory that a piece of a body of unknown size begins with. */
const FIRST_BYTES = 64 << 10;

export class Pieces {
  readonly #stream: ByteStream;
  readonly #pieceBytes: number;
  #offset = 0;
  #whole: Uint8Array | undefined;
  #buffer: Uint8Array<ArrayBuffer>;
  /** Those that wait for their next turn. */
  readonly #others: Uint8Array<ArrayBuffer>[] = [];
  /** What was pulled and belongs to the next piece; borrowed until the next pull. */
  #over: Uint8Array | undefined;
  readonly #digests: Buffer[] = [];

  constructor(stream: ByteStream, pieceBytes: number) {
    this.#stream = stream;
    this.#pieceBytes = pieceBytes;
    this.#buffer = new Uint8Array(stream.inMemory ? 0 : Math.min(pieceBytes, stream.length ?? FIRST_BYTES));
  }

  /** From now on a piece stays good while `count - 1` more are asked for. */
  keep(count: number): void {
    if (!this.#stream.inMemory) while (this.#others.length < count - 1) this.#others.push(new Uint8Array(this.#pieceBytes));
  }

  async next(): Promise<Piece> {
    const other = this.#others.shift();
    if (other !== undefined) {
      this.#others.push(this.#buffer);
      this.#buffer = other;
    }
    const { bytes, last } = this.#stream.inMemory ? await this.#cut() : await this.#fill();
    const digests: Buffer[] = [];
    for (let at = 0; at < bytes.byteLength; at += BLOCK_BYTES)
      digests.push(
        createHash("sha256")
          .update(bytes.subarray(at, at + BLOCK_BYTES))
          .digest(),
      );
    // All pieces but the last are whole blocks, so the hash of the file is made of the same digests.
    this.#digests.push(...digests);
    const offset = this.#offset;
    this.#offset += bytes.byteLength;
    return { bytes, offset, last, hash: ofDigests(digests) };
  }

  /** The content hash of all that was given. */
  hash(): string {
    return ofDigests(this.#digests);
  }

  async #cut(): Promise<Pick<Piece, "bytes" | "last">> {
    this.#whole ??= await this.#stream.all();
    const end = this.#offset + this.#pieceBytes;
    return { bytes: this.#whole.subarray(this.#offset, end), last: end >= this.#whole.byteLength };
  }

  async #fill(): Promise<Pick<Piece, "bytes" | "last">> {
    let filled = 0;
    for (;;) {
      const chunk = this.#over ?? (await this.#stream.pull());
      this.#over = undefined;
      if (chunk === undefined) return { bytes: this.#buffer.subarray(0, filled), last: true };
      const room = this.#pieceBytes - filled;
      // Full, and there is more: the piece before was not the last.
      if (room === 0) {
        this.#over = chunk;
        return { bytes: this.#buffer.subarray(0, filled), last: false };
      }
      const part = chunk.subarray(0, room);
      this.#grow(filled, filled + part.byteLength);
      this.#buffer.set(part, filled);
      filled += part.byteLength;
      if (part.byteLength < chunk.byteLength) {
        this.#over = chunk.subarray(room);
        return { bytes: this.#buffer.subarray(0, filled), last: false };
      }
    }
  }

  #grow(filled: number, needed: number): void {
    if (needed <= this.#buffer.byteLength) return;
    const larger = new Uint8Array(Math.min(this.#pieceBytes, Math.max(needed, this.#buffer.byteLength * 2)));
    larger.set(this.#buffer.subarray(0, filled));
    this.#buffer = larger;
  }
}

const ofDigests = (digests: readonly Buffer[]): string => createHash("sha256").update(Buffer.concat(digests)).digest("hex");
