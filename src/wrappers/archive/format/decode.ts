/**
 * Manifests from text that anybody may have written: every line is checked before anything of it is believed, and one bad line makes the
 * whole manifest damaged (`corrupt`). What a newer version says is `unsupported`.
 */
import { byCodePoint } from "../../../store/index.ts";
import { VERSION } from "./encode.ts";
import { damaged, newer } from "./faults.ts";
import { decodeClaim, decodeRecord, decodeTombstone } from "./lines.ts";
import type { LineRules } from "./lines.ts";
import { isId, isWriter, writerOf } from "./names.ts";
import type { ArchiveRecord, Claim, FileRecord, Manifest, Tombstone } from "./records.ts";
import { MAX_TIME_MS } from "./stamp.ts";

/** Longest line: a path of 65,536 bytes, each escaped, with its metadata. */
const MAX_LINE_BYTES = 512 * 1024;
const MAX_LINES = 4_000_000;

/**
 * `dataEnd`: members end at or before this offset of the object. @throws StoreError `corrupt`, `unsupported` (newer version)
 */
export function decodeManifest(bytes: Buffer, id: string, dataEnd: number, rules: LineRules): Manifest {
  const lines = new Lines(bytes);
  const head = readHead(lines.next(), id);
  const { timeMs, writer } = head;
  const records: ArchiveRecord[] = [];
  const tombstones: Tombstone[] = [];
  const claims: Claim[] = [];
  let last: { readonly path: string; readonly rank: number } | undefined;
  let count = 0;
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    if (++count > head.lines) throw damaged("the manifest has more lines than it says");
    if (!Array.isArray(line) || typeof line[0] !== "string") throw damaged("a line of the manifest is no record");
    if (line[0] === "o") {
      claims.push(decodeClaim(line));
      continue;
    }
    if (!KNOWN.has(line[0])) throw newer("the archive was written by a newer version");
    if (claims.length > 0) throw damaged("the lines of the manifest are not sorted");
    const found = line[0] === "t" ? decodeTombstone(line, rules) : decodeRecord(line, [timeMs, writer], rules);
    const rank = line[0] === "t" ? 1 : 0;
    // Strictly: two records of one path are as wrong as two in the wrong order.
    const order = last === undefined ? 1 : byCodePoint(found.path, last.path);
    if (order < 0 || (order === 0 && rank <= (last?.rank ?? 0))) throw damaged("the lines of the manifest are not sorted");
    last = { path: found.path, rank };
    if ("upTo" in found) tombstones.push(found);
    else records.push(found);
  }
  if (count !== head.lines) throw damaged("the manifest has fewer lines than it says");
  checkPlaces(records, id, dataEnd);
  return { id, writer, timeMs, records, tombstones, claims };
}

const KNOWN: ReadonlySet<string> = new Set(["f", "r", "d", "t"]);

function readHead(head: unknown, id: string): { readonly timeMs: number; readonly writer: string; readonly lines: number } {
  if (typeof head !== "object" || head === null || Array.isArray(head)) throw damaged("the manifest has no head");
  const { stratus, version, id: own, writer, time, lines } = head as Readonly<Record<string, unknown>>;
  if (stratus !== "archive") throw damaged("the manifest is not one of an archive");
  if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 1) throw damaged("the manifest has no version");
  if (version > VERSION) throw newer("the archive was written by a newer version");
  if (own !== id || !isId(own)) throw damaged("the manifest is that of another archive");
  if (!isWriter(writer) || writer !== writerOf(id)) throw damaged("the manifest is that of another writer");
  if (typeof time !== "number" || !Number.isSafeInteger(time) || time < 0 || time > MAX_TIME_MS) throw damaged("the time of the archive is out of bounds");
  if (typeof lines !== "number" || !Number.isSafeInteger(lines) || lines < 0 || lines > MAX_LINES) throw damaged("the number of lines is out of bounds");
  return { timeMs: time, writer, lines };
}

/** Members lie inside the data part and do not overlap; a reference into its own archive is inside as well. */
function checkPlaces(records: readonly ArchiveRecord[], id: string, dataEnd: number): void {
  const members: FileRecord[] = [];
  for (const record of records) {
    if (record.kind === "directory") continue;
    if (record.kind === "reference" && record.at !== id) continue;
    if (record.offset + record.size > dataEnd) throw damaged("a member lies outside of the data");
    if (record.kind === "file" && record.size > 0) members.push(record);
  }
  members.sort((a, b) => a.offset - b.offset);
  let end = 0;
  for (const { offset, size } of members) {
    if (offset < end) throw damaged("members overlap");
    end = offset + size;
  }
}

/** Lines of JSON, each checked for its length before it is parsed. */
class Lines {
  readonly #bytes: Buffer;
  readonly #text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  next(): unknown {
    if (this.#at === this.#bytes.length) return undefined;
    const end = this.#bytes.indexOf(10, this.#at);
    if (end < 0) throw damaged("the last line of the manifest has no end");
    if (end - this.#at > MAX_LINE_BYTES) throw damaged("a line of the manifest is too long");
    const line = this.#bytes.subarray(this.#at, end);
    this.#at = end + 1;
    let value: unknown;
    try {
      value = JSON.parse(this.#text.decode(line));
    } catch {
      throw damaged("a line of the manifest is no JSON");
    }
    return value ?? null;
  }
}
