/** What a folder full of archives shows (docs/formats/archive.md and the rule of the join): read without an index, a clock or a layer. */
import type { Claim, DirectoryRecord, FileRecord, ReferenceRecord, Stamp, Tombstone } from "./manifest.ts";
import { stampOrder } from "./manifest.ts";
import { ARCHIVE_NAME, readArchive } from "./read.ts";
import type { Opened } from "./read.ts";

export type Placed = (FileRecord | ReferenceRecord | DirectoryRecord) & { readonly archive: string };

export interface FolderView {
  readonly archives: ReadonlyMap<string, Opened>;
  /** Live records by path, hidden ones included. */
  readonly live: ReadonlyMap<string, Placed>;
  readonly floors: ReadonlyMap<string, Stamp>;
  readonly tombstones: readonly (Tombstone & { readonly archive: string })[];
  readonly claims: readonly (Claim & { readonly archive: string })[];
  /** All records, dead ones included. */
  readonly records: readonly Placed[];
}

/** `objects`: name in the folder and bytes. Every name of an archive must be a right one. @throws Error */
export function readFolder(objects: Iterable<readonly [string, Uint8Array]>): FolderView {
  const archives = new Map<string, Opened>();
  for (const [name, bytes] of objects) {
    if (!ARCHIVE_NAME.test(name) || name.endsWith(".tails.tar")) continue;
    const opened = readArchive(name, bytes);
    if (archives.has(opened.head.id)) throw new Error(`two archives ${opened.head.id}`);
    archives.set(opened.head.id, opened);
  }
  return joined(archives);
}

export function joined(archives: ReadonlyMap<string, Opened>): FolderView {
  const top = new Map<string, Placed>();
  const floors = new Map<string, Stamp>();
  const tombstones: (Tombstone & { archive: string })[] = [];
  const claims: (Claim & { archive: string })[] = [];
  const records: Placed[] = [];
  for (const [archive, { lines }] of archives) {
    for (const line of lines) {
      if (line.kind === "o") claims.push({ ...line, archive });
      else if (line.kind === "t") {
        tombstones.push({ ...line, archive });
        const floor = floors.get(line.path);
        if (floor === undefined || stampOrder(line.stamp, floor) > 0) floors.set(line.path, line.stamp);
      } else {
        const placed = { ...line, archive };
        records.push(placed);
        const before = top.get(line.path);
        const order = before === undefined ? 1 : stampOrder(line.stamp, before.stamp);
        // Of two copies of one record the one with its bytes at hand: what it says is the same.
        if (order > 0 || (order === 0 && before?.kind === "r" && line.kind === "f")) top.set(line.path, placed);
      }
    }
  }
  const live = new Map(
    [...top].filter(([path, record]) => {
      const floor = floors.get(path);
      return floor === undefined || stampOrder(record.stamp, floor) > 0;
    }),
  );
  return { archives, live, floors, tombstones, claims, records };
}

/** What is shown: directories (also the implied ones) and files that no directory hides. */
export function shown(view: FolderView): Map<string, "file" | "directory"> {
  const out = new Map<string, "file" | "directory">();
  for (const [path, record] of view.live) if (record.kind === "d") out.set(path, "directory");
  for (const path of view.live.keys()) {
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) out.set(path.slice(0, slash), "directory");
  }
  for (const [path, record] of view.live) if (record.kind !== "d" && !out.has(path)) out.set(path, "file");
  return out;
}

/** The bytes of a live file, from whichever archive has them. @throws Error where they are not there, or are not what the record says */
export function bytesOf(view: FolderView, record: Placed): Buffer {
  if (record.kind === "d") throw new Error(`${record.path} is a directory`);
  const same = (other: Placed): boolean => other.path === record.path && stampOrder(other.stamp, record.stamp) === 0;
  for (const copy of [record, ...view.records.filter(same)]) {
    if (copy.kind === "d") continue;
    const archive = view.archives.get(copy.kind === "f" ? copy.archive : copy.id);
    const member = archive?.lines.find(
      (line): line is FileRecord => line.kind === "f" && line.offset === copy.offset && line.size === copy.size && line.sha256 === copy.sha256,
    );
    if (archive !== undefined && (member !== undefined || copy.size === 0)) return archive.bytes.subarray(copy.offset, copy.offset + copy.size);
  }
  throw new Error(`the bytes of ${record.path} are in no archive`);
}
