/** Options of callers, checked once: an unknown option or a value that the types forbid is a TypeError, never ignored. */
import { hashDigits } from "./hash.ts";
import type { ByteRange } from "./body.ts";
import type { Hashes, HashName, Metadata } from "./entry.ts";

export function knownOptions(options: object, known: ReadonlySet<string>, verb: string): void {
  for (const key in options) if (!known.has(key)) throw new TypeError(`${verb} has no option "${key}"`);
}

export function checkSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError("signal is an AbortSignal");
  return signal;
}

export function checkFlag(value: boolean | undefined, name: string): boolean {
  if (value !== undefined && typeof value !== "boolean") throw new TypeError(`${name} is true or false`);
  return value === true;
}

export function checkText(value: string | undefined, name: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string" || !value.isWellFormed()) throw new TypeError(`${name} is well-formed text`);
  return value;
}

export function checkSize(size: number | undefined): number | undefined {
  if (size !== undefined && (!Number.isSafeInteger(size) || size < 0)) throw new TypeError("size is a whole number of bytes, not negative");
  return size;
}

/** The latest time of a Date. */
const LATEST_MS = 8.64e15;

/** Fractions, as `fs.stat` gives them, are cut. Times before 1970 are negative. */
export function checkTime(modifiedMs: number | undefined): number | undefined {
  if (modifiedMs === undefined) return undefined;
  if (typeof modifiedMs !== "number" || !(Math.abs(modifiedMs) <= LATEST_MS))
    throw new TypeError("modifiedMs is a number of milliseconds since 1970, as a Date holds");
  return Math.floor(modifiedMs);
}

export function checkRange(range: ByteRange | undefined): ByteRange | undefined {
  if (range === undefined) return undefined;
  if (typeof range !== "object" || range === null) throw new TypeError("range is { offset, length }");
  const { offset, length } = range;
  if (!Number.isSafeInteger(offset)) throw new TypeError("range.offset is a whole number of bytes");
  if (length !== undefined && (!Number.isSafeInteger(length) || length < 0)) throw new TypeError("range.length is a whole number of bytes, not negative");
  if (offset < 0 && length !== undefined) throw new TypeError("a range from the end takes no length");
  for (const key in range) if (key !== "offset" && key !== "length") throw new TypeError(`a range has no member "${key}"`);
  if (offset === 0 && length === undefined) return undefined;
  // A minus zero is a zero, and what no file can be as long as is its end.
  return { offset: offset + 0, length: length !== undefined && length > Number.MAX_SAFE_INTEGER - offset ? undefined : length };
}

/** A copy, so that the caller may change its own; frozen, because stores keep it and show it to others. */
export function checkMetadata(metadata: Metadata | undefined): Metadata | undefined {
  if (metadata === undefined) return undefined;
  // A Map, a list or Headers have no members of their own: nothing would be kept of them.
  if (typeof metadata !== "object" || metadata === null || Symbol.iterator in metadata) throw new TypeError("metadata is an object of strings");
  for (const [key, value] of Object.entries(metadata)) {
    if (key === "" || !key.isWellFormed()) throw new TypeError("a metadata key is well-formed text, not empty");
    if (typeof value !== "string" || !value.isWellFormed()) throw new TypeError("a metadata value is well-formed text");
  }
  return Object.freeze({ ...metadata });
}

export function checkHashes(expect: Hashes | undefined): Hashes | undefined {
  if (expect === undefined) return undefined;
  if (typeof expect !== "object" || expect === null) throw new TypeError("expect is an object of hashes");
  const checked: Partial<Record<HashName, string>> = {};
  for (const [name, value] of Object.entries(expect)) {
    if (value === undefined) continue;
    const digits = Object.hasOwn(hashDigits, name) ? hashDigits[name as HashName] : undefined;
    if (digits === undefined) throw new TypeError(`expect has no hash "${name}"`);
    if (typeof value !== "string" || value.length !== digits || !/^[0-9a-f]*$/i.test(value))
      throw new TypeError(`expect.${name} is ${digits} hexadecimal digits`);
    checked[name as HashName] = value.toLowerCase();
  }
  return checked;
}
