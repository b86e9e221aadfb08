/** A body in pieces of one size: each is known to be the last, or not, when it is given. */
import type { Source } from "../../store/index.ts";

export interface Piece {
  /** Borrowed until the next one is asked for. */
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly isLast: boolean;
}

export class Gatherer implements AsyncDisposable {
  readonly #stream: ReturnType<Source["open"]>;
  /** What came of the stream and is in no piece yet. */
  #rest: Uint8Array | undefined;
  #ended = false;
  #offset = 0;
  #buffer: Buffer | undefined;
  #whole: Uint8Array | undefined;

  private constructor(stream: ReturnType<Source["open"]>) {
    this.#stream = stream;
  }

  static async of(body: Source): Promise<Gatherer> {
    const gatherer = new Gatherer(body.open());
    if (gatherer.#stream.inMemory) {
      gatherer.#whole = await gatherer.#stream.all();
      gatherer.#ended = true;
    }
    return gatherer;
  }

  /** The next piece of `size` bytes, or fewer where it is the last. `kept` bytes of the piece before, given back, come first in it. */
  async next(size: number, kept = 0): Promise<Piece> {
    const offset = this.#offset - kept;
    if (this.#whole !== undefined) {
      const bytes = this.#whole.subarray(offset, offset + size);
      this.#offset = offset + bytes.byteLength;
      return { bytes, offset, isLast: this.#offset === this.#whole.byteLength };
    }
    const buffer = this.#room(size, kept);
    let filled = kept;
    while (filled < size) {
      const chunk = await this.#more();
      if (chunk === undefined) break;
      const part = chunk.subarray(0, size - filled);
      buffer.set(part, filled);
      filled += part.byteLength;
      this.#rest = part.byteLength === chunk.byteLength ? undefined : chunk.subarray(part.byteLength);
    }
    this.#offset = offset + filled;
    // Whether it was the last is known when there is something after it, or nothing.
    if (filled === size && !this.#ended) this.#rest = await this.#more();
    return { bytes: buffer.subarray(0, filled), offset, isLast: this.#ended && this.#rest === undefined };
  }

  async #more(): Promise<Uint8Array | undefined> {
    if (this.#rest !== undefined) return this.#rest;
    for (; !this.#ended;) {
      const chunk = await this.#stream.pull();
      if (chunk === undefined) this.#ended = true;
      // A source may fill its buffer again at the next pull, which comes only when this chunk is used up.
      else if (chunk.byteLength > 0) return chunk;
    }
    return undefined;
  }

  /** One buffer for all pieces: a piece has been sent when the next is asked for. */
  #room(size: number, kept: number): Buffer {
    const old = this.#buffer;
    if (old !== undefined && old.byteLength >= size) return old;
    const buffer = Buffer.allocUnsafe(size);
    if (old !== undefined && kept > 0) old.copy(buffer, 0, 0, kept);
    this.#buffer = buffer;
    return buffer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream.close();
  }
}
