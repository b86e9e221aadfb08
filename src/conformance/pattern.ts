/**
 * Content that says what it is: every 16 bytes carry a label and their offset, so shifted, swapped, cut and foreign bytes are seen at a glance.
 *
 *   pattern(48, "a.txt")   // "a.txt...00000000a.txt...00000010a.txt...00000020"
 */
import { CheckFailure } from "./failure.ts";

const block = 16;

/** Eight bytes of label (longer ones are folded, so that different labels stay different), then the offset as eight hexadecimal digits. */
export function pattern(length: number, label: string = "pattern"): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  fill(bytes, 0, tag(label));
  return bytes;
}

/** All 256 byte values, and no valid UTF-8 anywhere near: what passes through a text decoder comes out changed. */
export function binary(length: number, label: string = "binary"): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = 0x9e3779b9 ^ fold(label);
  for (let i = 0; i < length; i += 1) {
    // The first 256 bytes are every value once; afterwards xorshift, so that no window repeats.
    if (i < 256) {
      bytes[i] = (255 - i) & 0xff;
      continue;
    }
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state & 0xff;
  }
  return bytes;
}

/** The same bytes as `pattern`, made while they are read: for bodies that must not be in memory. */
export async function* patternStream(
  length: number,
  label: string = "pattern",
  chunkBytes: number = 64 * 1024,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const text = tag(label);
  for (let at = 0; at < length; at += chunkBytes) {
    const chunk = new Uint8Array(Math.min(chunkBytes, length - at));
    fill(chunk, at, text);
    yield chunk;
  }
}

/** Reads a stream and compares it with the pattern, from `offset` of it on, without keeping it. Gives the number of bytes. */
export async function verifyPattern(stream: AsyncIterable<Uint8Array>, length: number, label: string = "pattern", offset: number = 0): Promise<number> {
  const text = tag(label);
  let seen = 0;
  for await (const chunk of stream) {
    const expected = new Uint8Array(chunk.length);
    fill(expected, offset + seen, text);
    if (Buffer.compare(chunk, expected) !== 0) {
      let at = 0;
      while (chunk[at] === expected[at]) at += 1;
      throw new CheckFailure(`the bytes are the pattern "${label}"`, `"${ascii(expected, at)}" at byte ${offset + seen + at}`, `"${ascii(chunk, at)}"`);
    }
    seen += chunk.length;
  }
  if (seen !== length) throw new CheckFailure(`the stream of pattern "${label}" is whole`, `${length} bytes`, `${seen} bytes`);
  return seen;
}

function fill(target: Uint8Array, offset: number, text: Uint8Array): void {
  const end = offset + target.length;
  for (let at = Math.floor(offset / block) * block; at < end; at += block) {
    // The eight last hexadecimal digits, by hand: text for each block took a tenth of the whole suite.
    const low = at >>> 0;
    if (at >= offset && at + block <= end) {
      target.set(text, at - offset);
      for (let i = 0; i < 8; i += 1) target[at - offset + 8 + i] = digit(low >>> (28 - 4 * i));
    } else {
      for (let i = Math.max(0, offset - at); i < Math.min(block, end - at); i += 1)
        target[at + i - offset] = i < 8 ? (text[i] as number) : digit(low >>> (28 - 4 * (i - 8)));
    }
  }
}

function digit(value: number): number {
  const low = value & 15;
  return low < 10 ? 0x30 + low : 0x57 + low;
}

function tag(label: string): Uint8Array {
  const plain = /^[\x21-\x7e]{1,8}$/.test(label) ? label.padEnd(8, ".") : `#${fold(label).toString(36).padStart(7, "0").slice(-7)}`;
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

/** FNV-1a over UTF-16 units. */
function fold(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

function ascii(bytes: Uint8Array, at: number): string {
  return Array.from(bytes.subarray(at, at + 16), (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
}
