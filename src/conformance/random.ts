/** Seeded randomness: the same seed and label give the same numbers on every machine, so that a check can be replayed. */
import { randomInt } from "node:crypto";

/** sfc32 over four hashes of the text: small, fast, and no short cycles for neighbouring seeds. Numbers in [0, 1). */
export function seeded(text: string): () => number {
  let [a, b, c, d] = [hash(text, 1), hash(text, 2), hash(text, 3), 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  for (let i = 0; i < 12; i += 1) next();
  return next;
}

/** A seed for a run that was given none. */
export function freshSeed(): number {
  return randomInt(1, 2 ** 31);
}

/** Lower-case letters and digits: safe in bucket names, folders and key prefixes alike. Not seeded: two runs with one seed must not meet at the service. */
export function freshName(length: number): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join("");
}

function hash(text: string, salt: number): number {
  let value = 0x811c9dc5 ^ Math.imul(salt, 0x9e3779b9);
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value ^= value >>> 16;
  value = Math.imul(value, 0x85ebca6b);
  return (value ^ (value >>> 13)) | 0;
}
