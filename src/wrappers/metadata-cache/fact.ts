/** What is remembered of one name: small objects of one shape, because there may be a million of them. */
import type { Capabilities, Entry, Hashes, Metadata, StorePath } from "../../store/index.ts";

/** What few answers have. Shared where all of it is empty. */
export interface Extra {
  readonly id: string | null;
  readonly contentType: string | null;
  readonly hashes: Hashes;
  readonly metadata: Metadata | null;
  /** The name as the service keeps it, where it folds names and this one differs from its key. */
  readonly spelling: string | null;
}

export type Kind = "absent" | "file" | "directory";

const ABSENT = 0;
const FILE = 1;
const DIRECTORY = 2;
const KINDS: readonly Kind[] = ["absent", "file", "directory"];
const COMPLETE = 4;
const THIN = 8;

/** Never changed: who knows better puts another one in its place. */
export class Fact {
  /** Kind and two flags in one small number. */
  readonly #bits: number;
  readonly size: number | null;
  readonly modifiedMs: number | null;
  readonly etag: string | null;
  readonly extra: Extra | null;
  /** When the question was asked that told it, in whole milliseconds of the monotonic clock: from here it grows old. */
  readonly at: number;

  constructor(bits: number, size: number | null, modifiedMs: number | null, etag: string | null, extra: Extra | null, at: number) {
    this.#bits = bits;
    this.size = size;
    this.modifiedMs = modifiedMs;
    this.etag = etag;
    this.extra = extra;
    this.at = at;
  }

  get kind(): Kind {
    return KINDS[this.#bits & 3] as Kind;
  }
  get isAbsent(): boolean {
    return (this.#bits & 3) === ABSENT;
  }
  get isFile(): boolean {
    return (this.#bits & 3) === FILE;
  }
  get isDirectory(): boolean {
    return (this.#bits & 3) === DIRECTORY;
  }
  /** A `stat` would say no more. */
  get complete(): boolean {
    return (this.#bits & COMPLETE) !== 0;
  }
  /** Only that it is there, and which kind: too little for any entry. */
  get thin(): boolean {
    return (this.#bits & THIN) !== 0;
  }

  /** The same without what a change below a directory may have changed: its time. */
  thinned(): Fact {
    return new Fact((this.#bits & 3) | THIN, this.size, null, null, null, this.at);
  }
  /** The same, told again by an answer that was asked for at `at`. */
  again(at: number): Fact {
    return new Fact(this.#bits, this.size, this.modifiedMs, this.etag, this.extra, at);
  }
  /** What a listing tells of it, told at `at`. */
  basic(at: number): Fact {
    return new Fact(this.#bits & ~COMPLETE, this.size, this.modifiedMs, this.etag, this.complete ? null : this.extra, at);
  }
  /** The bits as they are stored in a file. */
  get stored(): number {
    return this.#bits;
  }
}

export function absent(at: number): Fact {
  return new Fact(ABSENT, null, null, null, null, at);
}

/** A directory of which nothing else is known. */
export function someDirectory(at: number, spelling: string | null = null): Fact {
  return new Fact(DIRECTORY | THIN, 0, null, null, spelling === null ? null : { ...NOTHING_MORE, metadata: null, spelling }, at);
}

const NO_HASHES: Hashes = Object.freeze({});
const NO_METADATA: Metadata = Object.freeze({});
/** Of most services every file has these. */
const NOTHING_MORE: Extra = Object.freeze({ id: null, contentType: null, hashes: NO_HASHES, metadata: NO_METADATA, spelling: null });

/**
 * A reply to a change may lack what every listing carries (S3 tells no time after a PUT). Such a one says that the name is there, and answers nothing: an entry
 * of a listing always has size, time and etag where the service has them.
 */
export function isThin(entry: Entry, { modifiedPrecisionMs, etag }: Capabilities): boolean {
  if (entry.complete) return false;
  if (entry.kind === "directory") return entry.modifiedMs === null && modifiedPrecisionMs !== null;
  return (entry.modifiedMs === null && modifiedPrecisionMs !== null) || (entry.etag === null && etag) || entry.size === null;
}

export function factOf(entry: Entry, capabilities: Capabilities, at: number, spelling: string | null = null): Fact {
  const bits = (entry.kind === "file" ? FILE : DIRECTORY) | (entry.complete ? COMPLETE : 0) | (isThin(entry, capabilities) ? THIN : 0);
  return new Fact(bits, entry.size, entry.modifiedMs, entry.etag === null ? null : ownText(entry.etag), extraOf(entry, spelling), at);
}

function extraOf({ id, contentType, hashes, metadata }: Entry, spelling: string | null): Extra | null {
  const hashed = Object.keys(hashes).length > 0;
  if (id === null && contentType === null && !hashed && spelling === null) {
    if (metadata === null) return null;
    if (Object.keys(metadata).length === 0) return NOTHING_MORE;
  }
  return {
    id: id === null ? null : ownText(id),
    contentType,
    // Copies: what a caller does with his entry is no knowledge of ours.
    hashes: hashed ? Object.freeze({ ...hashes }) : NO_HASHES,
    metadata: metadata === null ? null : Object.freeze({ ...metadata }),
    spelling,
  };
}

/** The entry, made anew for each answer: nothing remembered holds a path. */
export function entryOf(fact: Fact, path: StorePath): Entry {
  const { extra } = fact;
  return {
    path,
    kind: fact.isFile ? "file" : "directory",
    size: fact.size,
    modifiedMs: fact.modifiedMs,
    etag: fact.etag,
    id: extra === null ? null : extra.id,
    contentType: extra === null ? null : extra.contentType,
    hashes: extra === null ? NO_HASHES : extra.hashes,
    metadata: extra === null ? null : extra.metadata,
    complete: fact.complete,
  };
}

/** Does a poorer answer say nothing but what a richer one has said already? Then the richer one stays. */
export function addsNothing(poorer: Fact, known: Fact): boolean {
  if (poorer.complete || !known.complete || poorer.kind !== known.kind) return false;
  if (poorer.thin) return poorer.isDirectory || same(poorer.etag, known.etag);
  return poorer.size === known.size && poorer.modifiedMs === known.modifiedMs && poorer.etag === known.etag;
}

function same(told: string | null, known: string | null): boolean {
  return told !== null && told === known;
}

/** The four that every listing tells. */
export function sameBasics(a: Fact, b: Fact): boolean {
  return a.kind === b.kind && a.size === b.size && a.modifiedMs === b.modifiedMs && a.etag === b.etag;
}

/**
 * A string of its own. One that was cut out of a page keeps the whole page in memory: a thousand names from fifty pages kept 12.6 MB alive. Shorter ones are
 * always copied by the engine itself.
 */
export function ownText(text: string): string {
  return text.length < 13 || !text.isWellFormed() ? text : Buffer.from(text).toString();
}

/** About how many bytes a fact under this name takes. */
export function bytesOf(name: string, fact: Fact): number {
  const { extra, etag } = fact;
  const more =
    extra === null || extra === NOTHING_MORE
      ? 0
      : 120 + (extra.id?.length ?? 0) + (extra.contentType?.length ?? 0) + weight(extra.hashes) + (extra.metadata === null ? 0 : weight(extra.metadata));
  return FACT_BYTES + name.length + (etag === null ? 0 : TEXT_BYTES + etag.length) + more;
}

function weight(record: Readonly<Record<string, string | undefined>>): number {
  let bytes = 0;
  for (const [key, value] of Object.entries(record)) bytes += 80 + key.length + (value?.length ?? 0);
  return bytes;
}

/** Measured with a million entries: the object, its place in the map, the head of its name, a number for its time. */
const FACT_BYTES = 170;
const TEXT_BYTES = 20;
