/** Bytes made of a number: the same in the process that was killed and in the one that looks. */

/** Bytes. The size of a body is part of its number, so that nothing else has to be remembered. */
const SIZES = [0, 1, 300, 4096, 20_000, 65_537, 150_000, 400_000] as const;

/** The number of a body: `serial` is used once, `size` counts in the list of sizes, from 0 to 7. */
export function bodyNumber(serial: number, size: number): number {
  return serial * SIZES.length + (size % SIZES.length);
}

/** Different for different numbers in every part, unless it is empty: a mix of two is neither. */
export function bodyOf(number: number): Buffer {
  const bytes = Buffer.allocUnsafe(SIZES[number % SIZES.length] as number);
  let state = Math.imul(number + 1, 2_654_435_761) >>> 0 || 1;
  for (let at = 0; at < bytes.length; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    for (let i = 0; i < 4 && at + i < bytes.length; i++) bytes[at + i] = (state >>> (8 * i)) & 255;
  }
  return bytes;
}

export function isBody(number: number, bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, bodyOf(number)) === 0;
}

export function typeOf(number: number): string | undefined {
  return number % 3 === 0 ? undefined : `text/x-${number}`;
}
