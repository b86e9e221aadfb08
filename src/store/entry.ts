/** Entries: what is known about one path. */
import type { StorePath } from "./path.ts";

export type HashName = "md5" | "sha1" | "sha256" | "sha512" | "crc32c" | "dropbox";
/** Lower-case hexadecimal. */
export type Hashes = Readonly<Partial<Record<HashName, string>>>;
export type Metadata = Readonly<Record<string, string>>;

/**
 * What is known about one path. Plain, immutable data that any two callers may share: no Date, no optional member.
 * Every member is always present; null says "not known from this answer". Whatever is not null equals what `stat` would say now
 * (one exception: a file that a write-back cache accepted has an etag of the cache's own until the cache lets go of the file).
 */
export interface Entry {
  /** As the caller wrote it; in listings as the service keeps it (they differ where it folds case). */
  readonly path: StorePath;
  readonly kind: "file" | "directory";
  /** Bytes. 0 for directories. Null where the service has no size (a Google Doc). */
  readonly size: number | null;
  /** Milliseconds since 1970, at the precision of the service. Null where it keeps none (an S3 prefix, a link host). */
  readonly modifiedMs: number | null;
  /** Opaque, without HTTP quotes. Strong: equal etags of one path mean equal bytes. A provider drops weak ones. */
  readonly etag: string | null;
  /** The service's own identity of the object (Drive id, link of a file host). Survives a move where the service says so. */
  readonly id: string | null;
  readonly contentType: string | null;
  /** Empty where the service has none. */
  readonly hashes: Hashes;
  /** Null: not told by this answer. {}: none. */
  readonly metadata: Metadata | null;
  /**
   * True: `stat` would say no more than this. False: the answer came from a cheaper source (a listing of S3, the reply to a PUT).
   * Entries of `stat` with detail "full" are always complete; entries of `list` always carry kind, size, modifiedMs and etag as the service has them.
   */
  readonly complete: boolean;
}

/** What an author has to say about an entry; the rest becomes null, {} or `complete: true`. Accepts undefined, as SDKs and headers give it. */
export interface EntryFields {
  readonly path: StorePath;
  readonly kind: "file" | "directory";
  readonly size?: number | null | undefined;
  readonly modifiedMs?: number | null | undefined;
  readonly etag?: string | null | undefined;
  readonly id?: string | null | undefined;
  readonly contentType?: string | null | undefined;
  readonly hashes?: Hashes | undefined;
  readonly metadata?: Metadata | null | undefined;
  readonly complete?: boolean | undefined;
}

const NO_HASHES: Hashes = Object.freeze({});

/** The one maker of entries: same shape every time, `size` 0 for directories, a modifiedMs that is not a number is null. */
export function entry(fields: EntryFields): Entry {
  const { path, kind, size, modifiedMs } = fields;
  return {
    path,
    kind,
    size: kind === "directory" ? 0 : size === undefined || size === null || Number.isNaN(size) ? null : size,
    modifiedMs: modifiedMs === undefined || modifiedMs === null || !Number.isFinite(modifiedMs) ? null : modifiedMs,
    etag: fields.etag ?? null,
    id: fields.id ?? null,
    contentType: fields.contentType ?? null,
    hashes: fields.hashes ?? NO_HASHES,
    metadata: fields.metadata ?? null,
    complete: fields.complete ?? true,
  };
}
