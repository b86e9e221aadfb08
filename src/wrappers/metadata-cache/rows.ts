/** The rows of the file: a directory each, with all its facts and a checksum over them. docs/formats/metadata-cache.md */
import { crc32 } from "node:zlib";
import type { StorePath } from "../../store/index.ts";
import { Fact } from "./fact.ts";
import type { Extra } from "./fact.ts";
import type { MetadataMemory } from "./memory.ts";
import type { Directory } from "./tree.ts";

/** "STMC", and the version of the format. */
export const APPLICATION_ID = 0x53544d43;
export const VERSION = 1;

export interface Row {
  readonly path: string;
  /** Milliseconds since 1970; null: older than anything. */
  readonly at: number | null;
  readonly complete: number;
  readonly etag: string | null;
  /** JSON. */
  readonly facts: string;
  readonly crc: number;
}
/** A fact as it is stored: its key, its bits, size, modifiedMs, etag, at (as that of the directory), extra. */
type Stored = readonly [string, number, number | null, number | null, string | null, number | null, Extra | null];

/** A page of SQLite has no checksum of its own: one wrong byte in it would be a wrong size of a file. */
export function sum({ path, at, complete, etag, facts }: Omit<Row, "crc">): number {
  return crc32(JSON.stringify([path, at, complete, etag, facts]));
}

export function encode(path: StorePath, directory: Directory, now: { readonly wall: number; readonly monotonic: number }): Row {
  const wall = (at: number): number | null => (Number.isFinite(at) ? Math.floor(now.wall + at - now.monotonic) : null);
  const facts = Array.from(directory.kids, ([key, fact]): Stored => [key, fact.stored, fact.size, fact.modifiedMs, fact.etag, wall(fact.at), fact.extra]);
  const row = { path, at: wall(directory.at), complete: directory.complete ? 1 : 0, etag: directory.pageEtag, facts: JSON.stringify(facts) };
  return { ...row, crc: sum(row) };
}

export interface LoadTimes {
  readonly wall: number;
  readonly monotonic: number;
  readonly ttlMs: number;
  readonly maxStaleMs: number;
}

/**
 * Puts a row into the tree. What it says is too old to answer, but for those facts that are younger than `maxStaleMs`; a complete listing with an etag can be
 * compared with the service's. A directory with neither is left out.
 */
export function decode(row: Row, memory: MetadataMemory, { wall, monotonic, ttlMs, maxStaleMs }: LoadTimes): void {
  /** On our clock, so that it grows too old when it is `maxStaleMs` old. Older than any answer of now; and a time to come is none. */
  const at = (then: number | null): number => {
    if (then === null || then > wall || wall - then >= maxStaleMs) return -Infinity;
    return Math.min(monotonic - 1, ttlMs === Infinity ? Infinity : Math.floor(monotonic + then + maxStaleMs - wall - ttlMs));
  };
  const stored = JSON.parse(row.facts) as readonly Stored[];
  const isComparable = row.complete === 1 && row.etag !== null && memory.capabilities.listIfNoneMatch !== false;
  const isYoung = at(row.at) > -Infinity || stored.some(([, , , , , then]) => at(then) > -Infinity);
  if (!isComparable && !isYoung) return;
  const { tree } = memory;
  const directory = tree.open(row.path as StorePath, false);
  for (const [key, bits, size, modifiedMs, etag, then, extra] of stored) tree.put(directory, key, new Fact(bits, size, modifiedMs, etag, extra, at(then)));
  tree.settle(directory, row.complete === 1, at(row.at), row.etag);
}
