/** Hashes: known values, and the same value however the bytes are cut. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { hasher } from "../../src/store/index.ts";
import type { HashName } from "../../src/store/index.ts";

const hex = (name: HashName, ...parts: readonly Uint8Array[]): string => {
  const sum = hasher(name);
  for (const part of parts) sum.update(part);
  return sum.hex();
};
const encode = (value: string): Uint8Array => new TextEncoder().encode(value);

test.each<[HashName, string, string]>([
  ["md5", "", "d41d8cd98f00b204e9800998ecf8427e"],
  ["md5", "abc", "900150983cd24fb0d6963f7d28e17f72"],
  ["sha1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"],
  ["sha256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ["sha512", "abc", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"],
  ["crc32c", "", "00000000"],
  ["crc32c", "123456789", "e3069283"],
  ["crc32c", "The quick brown fox jumps over the lazy dog", "22620404"],
  ["dropbox", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
])("%s of %j", (name, value, expected) => {
  expect(hex(name, encode(value))).toBe(expected);
});

// RFC 3720, appendix B.4
test.each([
  ["zeros", new Uint8Array(32), "8a9136aa"],
  ["ones", new Uint8Array(32).fill(255), "62a8ab43"],
  ["up", Uint8Array.from({ length: 32 }, (_, i) => i), "46dd794e"],
  ["down", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), "113fdb5c"],
])("crc32c of 32 bytes: %s", (_, bytes, expected) => {
  expect(hex("crc32c", bytes)).toBe(expected);
});

test("however the bytes are cut, the sum is the same", () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => (i * 37 + 11) & 255);
  for (const name of ["md5", "sha1", "sha256", "sha512", "crc32c", "dropbox"] as const) {
    const whole = hex(name, bytes);
    for (let cut = 0; cut <= 100; cut++) expect(hex(name, bytes.subarray(0, cut), new Uint8Array(0), bytes.subarray(cut))).toBe(whole);
    expect(hex(name, ...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toBe(whole);
  }
});

test("dropbox: the hash of the hashes of blocks of 4 MiB, with chunks that end before, at and after a border", () => {
  const MIB = 1 << 20;
  const sha = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();
  for (const size of [4 * MIB - 1, 4 * MIB, 4 * MIB + 1, 8 * MIB, 9 * MIB]) {
    const bytes = new Uint8Array(size).map((_, i) => i % 253);
    const blocks: Buffer[] = [];
    for (let at = 0; at < size; at += 4 * MIB) blocks.push(sha(bytes.subarray(at, at + 4 * MIB)));
    const expected = sha(Buffer.concat(blocks)).toString("hex");
    for (const step of [size, 4 * MIB, 3 * MIB + 1, 5 * MIB]) {
      const parts: Uint8Array[] = [];
      for (let at = 0; at < size; at += step) parts.push(bytes.subarray(at, at + step));
      expect(hex("dropbox", ...parts)).toBe(expected);
    }
  }
});
