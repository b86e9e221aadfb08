/** What a manifest says, with nothing left out: every record has its stamp, every reference its archive. */
import type { Metadata, StorePath } from "../../../store/index.ts";
import type { Stamp } from "./stamp.ts";

export interface Extra {
  readonly type?: string | undefined;
  readonly meta?: Metadata | undefined;
}

interface FileFacts {
  readonly path: StorePath;
  readonly stamp: Stamp;
  readonly modifiedMs: number;
  /** Where the bytes stand in the object of archive `at`. */
  readonly offset: number;
  readonly size: number;
  /** Of those bytes; base64url, 43 characters. */
  readonly sha256: string;
  readonly extra: Extra | undefined;
}

/** A file whose bytes are a member of this archive. */
export interface FileRecord extends FileFacts {
  readonly kind: "file";
}
/** A file whose bytes are a member of archive `at`, which may be this one. */
export interface ReferenceRecord extends FileFacts {
  readonly kind: "reference";
  readonly at: string;
}
export interface DirectoryRecord {
  readonly kind: "directory";
  readonly path: StorePath;
  readonly stamp: Stamp;
  readonly modifiedMs: number;
}
export type ArchiveRecord = FileRecord | ReferenceRecord | DirectoryRecord;

/** Every record of `path` with a stamp at or below this one is deleted. */
export interface Tombstone {
  readonly path: StorePath;
  readonly upTo: Stamp;
  /** By the clock of the writer that made it, and compared with no other. */
  readonly bornMs: number;
}
/** Writer `by` takes over the archives of `writer`. */
export interface Claim {
  readonly writer: string;
  readonly stamp: Stamp;
  readonly bornMs: number;
}
export interface Manifest {
  readonly id: string;
  readonly writer: string;
  readonly timeMs: number;
  readonly records: readonly ArchiveRecord[];
  readonly tombstones: readonly Tombstone[];
  readonly claims: readonly Claim[];
}

/** The stamp of the archive itself: that of every record which does not keep an older one. */
export function stampOf({ timeMs, writer }: Pick<Manifest, "timeMs" | "writer">): Stamp {
  return [timeMs, writer];
}

/** What a record adds to the data of its archive: its member with one header. Used only to compare what is live with all there is. */
export function payloadOf(record: ArchiveRecord): number {
  return record.kind === "reference" ? 0 : HEADER_BYTES + (record.kind === "file" ? record.size : 0);
}
const HEADER_BYTES = 512;
