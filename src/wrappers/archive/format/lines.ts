/** The single lines of a manifest, checked member by member. */
import { parsePath } from "../../../store/index.ts";
import type { Metadata, StorePath } from "../../../store/index.ts";
import { damaged } from "./faults.ts";
import { isId, isWriter } from "./names.ts";
import type { ArchiveRecord, Claim, Extra, Tombstone } from "./records.ts";
import { MAX_TIME_MS } from "./stamp.ts";
import type { Stamp } from "./stamp.ts";

/** What of a manifest is checked; everything, but for a variant that proves that it must be. */
export interface LineRules {
  readonly checksPaths: boolean;
}

type Line = readonly unknown[];

const HASH = /^[A-Za-z0-9_-]{43}$/;
/** Keys and values of the metadata, and the content type: more than any store of this layer takes. */
const MAX_META_BYTES = 8192;
export const MAX_TYPE_BYTES = 8192;

export function decodeRecord(line: Line, own: Stamp, rules: LineRules): ArchiveRecord {
  if (line[0] === "d") {
    bounded(line, 3, 4);
    return { kind: "directory", path: path(line[1], rules), modifiedMs: whole(line[2]), stamp: stamp(line[3], own) };
  }
  const reference = line[0] === "r";
  bounded(line, reference ? 7 : 6, reference ? 9 : 8);
  const rest = reference ? line.slice(3) : line.slice(2);
  const facts = {
    path: path(line[1], rules),
    offset: count(rest[0]),
    size: count(rest[1]),
    modifiedMs: whole(rest[2]),
    sha256: hash(rest[3]),
    stamp: stamp(rest[4], own),
    extra: extra(rest[5]),
  };
  if (!Number.isSafeInteger(facts.offset + facts.size)) throw damaged("a member lies beyond what can be counted");
  if (!reference) return { kind: "file", ...facts };
  if (!isId(line[2])) throw damaged("a reference names no archive");
  return { kind: "reference", at: line[2], ...facts };
}

export function decodeTombstone(line: Line, rules: LineRules): Tombstone {
  bounded(line, 5, 5);
  return { path: path(line[1], rules), upTo: stamp([line[2], line[3]], undefined), bornMs: time(line[4]) };
}

export function decodeClaim(line: Line): Claim {
  bounded(line, 5, 5);
  if (!isWriter(line[1])) throw damaged("a claim names no writer");
  return { writer: line[1], stamp: stamp([line[3], line[2]], undefined), bornMs: time(line[4]) };
}

function bounded(line: Line, least: number, most: number): void {
  if (line.length < least || line.length > most) throw damaged("a line of the manifest has a wrong number of members");
}

function path(value: unknown, rules: LineRules): StorePath {
  if (typeof value !== "string" || value === "/") throw damaged("a record has no path");
  if (!rules.checksPaths) return value as StorePath;
  try {
    return parsePath(value);
  } catch {
    throw damaged("the path of a record is not valid");
  }
}

function whole(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw damaged("a number of a record is not whole");
  return value + 0;
}

function count(value: unknown): number {
  const number = whole(value);
  if (number < 0) throw damaged("a place or size of a record is negative");
  return number;
}

/** A time of a stamp, or of a birth. */
function time(value: unknown): number {
  const number = whole(value);
  if (number < 0 || number > MAX_TIME_MS) throw damaged("a time is out of bounds");
  return number;
}

function hash(value: unknown): string {
  if (typeof value !== "string" || !HASH.test(value)) throw damaged("a record has no hash");
  return value;
}

/** Null or absent: that of the archive. */
function stamp(value: unknown, own: Stamp | undefined): Stamp {
  if ((value === undefined || value === null) && own !== undefined) return own;
  if (!Array.isArray(value) || value.length !== 2 || !isWriter(value[1])) throw damaged("a record has no stamp");
  return [time(value[0]), value[1]];
}

function extra(value: unknown): Extra | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value)) throw damaged("the properties of a record are no object");
  for (const key of Object.keys(value)) if (key !== "type" && key !== "meta") throw damaged("a record has a property that this version does not know");
  const { type, meta } = value as { readonly type?: unknown; readonly meta?: unknown };
  if (type !== undefined && (typeof type !== "string" || !type.isWellFormed() || Buffer.byteLength(type) > MAX_TYPE_BYTES))
    throw damaged("the content type of a record is no text");
  return { ...(type === undefined ? undefined : { type }), ...(meta === undefined ? undefined : { meta: metadata(meta) }) };
}

function metadata(value: unknown): Metadata {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw damaged("the metadata of a record is no object");
  // Without a prototype: a key named "__proto__" is a key like any other.
  const out = Object.create(null) as Record<string, string>;
  let bytes = 0;
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string" || !text.isWellFormed() || key === "" || !key.isWellFormed()) throw damaged("the metadata of a record is not text");
    bytes += Buffer.byteLength(key) + Buffer.byteLength(text);
    out[key] = text;
  }
  if (bytes > MAX_META_BYTES) throw damaged("the metadata of a record is too large");
  return Object.freeze(out);
}
