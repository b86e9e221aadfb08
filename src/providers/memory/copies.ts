/** Memory for the bytes of files. */

const SMALL_BYTES = 4096;
const PIECE_BYTES = 64 << 10;

/**
 * Copies of what callers give. Small ones share larger pieces of memory, because a piece for each costs several times the copying (measured: 4 KiB, 230
 * against 600 ns). The price: a small file that outlives all its neighbours keeps a piece of 64 KiB.
 */
export class Copies {
  #piece: ArrayBufferLike = new ArrayBuffer(0);
  #at = 0;

  of(bytes: Uint8Array): Uint8Array {
    const { byteLength } = bytes;
    if (byteLength > SMALL_BYTES) return new Uint8Array(bytes);
    if (this.#at + byteLength > this.#piece.byteLength) {
      // Not filled with zeros: of each part exactly what was written to it is ever read.
      this.#piece = Buffer.allocUnsafeSlow(PIECE_BYTES).buffer;
      this.#at = 0;
    }
    const copy = new Uint8Array(this.#piece, this.#at, byteLength);
    copy.set(bytes);
    this.#at += byteLength;
    return copy;
  }
}
