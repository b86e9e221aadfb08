/** A whole archive: members sorted by path, manifest, footer. The bodies are not copied: the object is a list of chunks. */
import { encodeManifest } from "./encode.ts";
import { FOOTER_BYTES, encodeFooter, hexSha256 } from "./footer.ts";
import { pack } from "./gzip.ts";
import { objectName } from "./names.ts";
import { byCodePoint } from "../../../store/index.ts";
import type { ArchiveRecord, DirectoryRecord, FileRecord, Manifest, ReferenceRecord } from "./records.ts";
import { BLOCK, memberHeader, padded, paddingBytes, plainTime } from "./tar.ts";

/** A file of the archive to be: where its bytes stand is found here. */
export type NewFile = Omit<FileRecord, "kind" | "offset" | "size"> & { readonly kind: "new"; readonly bytes: Uint8Array };
export type NewRecord = NewFile | ReferenceRecord | DirectoryRecord;
export interface NewArchive extends Omit<Manifest, "records"> {
  readonly records: readonly NewRecord[];
}

export interface BuiltArchive {
  readonly object: string;
  readonly size: number;
  readonly blocks: number;
  readonly chunks: readonly Uint8Array[];
  readonly manifest: Manifest;
  readonly dataEnd: number;
}

/** Files that share their bytes (the same Uint8Array) share one member. */
export async function buildArchive(archive: NewArchive): Promise<BuiltArchive> {
  const { chunks, records, dataEnd } = members(archive);
  const manifest: Manifest = { ...archive, records };
  const text = encodeManifest(manifest);
  const tail = tailOf(manifest, dataEnd, text, await pack(text));
  return { ...tail, chunks: [...chunks, ...tail.chunks], manifest, dataEnd };
}

interface Laid {
  readonly chunks: Uint8Array[];
  readonly records: readonly ArchiveRecord[];
  readonly dataEnd: number;
}

function members({ id, records }: NewArchive): Laid {
  const chunks: Uint8Array[] = [];
  const laid: ArchiveRecord[] = [];
  const placed = new Map<Uint8Array, number>();
  let at = 0;
  const put = (bytes: Uint8Array): void => {
    if (bytes.byteLength === 0) return;
    chunks.push(bytes);
    at += bytes.byteLength;
  };
  for (const record of [...records].sort((a, b) => byCodePoint(a.path, b.path))) {
    if (record.kind === "reference") {
      laid.push(record);
      continue;
    }
    if (record.kind === "directory") {
      put(memberHeader({ name: record.path.slice(1), directory: true, size: 0, modifiedMs: record.modifiedMs }));
      laid.push(record);
      continue;
    }
    const { kind: _, bytes, ...facts } = record;
    const size = bytes.byteLength;
    const before = size === 0 ? undefined : placed.get(bytes);
    if (before !== undefined) {
      laid.push({ kind: "reference", at: id, ...facts, offset: before, size });
      continue;
    }
    put(memberHeader({ name: record.path.slice(1), directory: false, size, modifiedMs: record.modifiedMs }));
    placed.set(bytes, at);
    laid.push({ kind: "file", ...facts, offset: at, size });
    put(bytes);
    put(paddingBytes(size));
  }
  return { chunks, records: laid, dataEnd: at };
}

/** Manifest member and footer, for members that end at `dataEnd`. */
export function tailOf(
  manifest: Manifest,
  dataEnd: number,
  text: string,
  gzip: Buffer,
): { readonly object: string; readonly size: number; readonly blocks: number; readonly chunks: readonly Uint8Array[] } {
  const { id, timeMs } = manifest;
  const header = memberHeader({ name: `.stratus/${id}.jsonl.gz`, directory: false, size: gzip.length, modifiedMs: plainTime(timeMs) });
  const start = dataEnd + header.length;
  const tailBytes = header.length + padded(gzip.length) + FOOTER_BYTES;
  const size = dataEnd + tailBytes;
  const unpacked = Buffer.byteLength(text);
  const footer = encodeFooter(id, timeMs, { size, manifest: start, bytes: gzip.length, unpacked, sha256: hexSha256(gzip) });
  const blocks = tailBytes / BLOCK;
  return { object: objectName(id, blocks), size, blocks, chunks: [header, gzip, paddingBytes(gzip.length), footer] };
}
