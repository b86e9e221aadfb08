/** The bytes: rows and files, how often they are named, who reads them, and when they go. */
import { rmSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Hashes } from "../../store/index.ts";
import type { Journal } from "./journal.ts";
import { countOf, sessionOf } from "./numbers.ts";
import type { Numbers } from "./numbers.ts";
import type { ContentRow } from "./rows.ts";
import type { Rules } from "./rules.ts";
import type { Spooled } from "./spool.ts";

/** A directory holds fewer than so many files. */
const FILES_PER_DIRECTORY = 4096;

export function blockOf(id: number): string {
  return `${sessionOf(id)}-${Math.floor(countOf(id) / FILES_PER_DIRECTORY)}`;
}

export class Content {
  readonly directory: string;
  readonly #journal: Journal;
  readonly #rules: Rules;
  readonly #pins = new Map<number, number>();
  /** No row names them any more; they go after the next flush, and after their last reader. */
  readonly #freed = new Set<number>();
  /** Reads since the last note of them: id and seconds. */
  readonly #read = new Map<number, number>();
  /** All content, and that which cannot leave because it is pending or proves an outcome. */
  bytes = 0;
  pendingBytes = 0;
  files = 0;
  /** What has stopped being pending since the opening. */
  settledBytes = 0;

  constructor(directory: string, journal: Journal, rules: Rules) {
    this.directory = join(directory, "content");
    this.#journal = journal;
    this.#rules = rules;
    this.recount();
  }

  /** From the tables: at the opening, and after a transaction was rolled back. */
  recount(): void {
    const { bytes, files } = this.#journal.get<{ bytes: number; files: number }>("select coalesce(sum(size), 0) as bytes, count(*) as files from content") as {
      bytes: number;
      files: number;
    };
    const pending = this.#journal.get<{ bytes: number }>("select coalesce(sum(size), 0) as bytes from content where used is null") as { bytes: number };
    this.bytes = bytes;
    this.files = files;
    this.pendingBytes = pending.bytes;
  }

  /** The name of new content, never used again: a reader may have the old one of that name open. */
  newId(numbers: Numbers): number {
    if (this.#rules.contentNamesAreUnique) return numbers.next();
    return (this.#journal.get<{ id: number }>("select coalesce(max(id), 0) + 1 as id from content") as { id: number }).id;
  }

  path(id: number): string {
    return join(this.directory, blockOf(id), String(countOf(id)));
  }

  row(id: number): ContentRow | undefined {
    return this.#journal.get<ContentRow>("select * from content where id = ?", id);
  }

  /** All but the bytes. */
  facts(id: number): Omit<ContentRow, "data"> | undefined {
    return this.#journal.get<Omit<ContentRow, "data">>("select id, refs, size, crc, hashes, used from content where id = ?", id);
  }

  /** `used`: null while it is pending. */
  add({ id, size, crc, hashes, data }: Spooled, used: number | null): void {
    this.#journal.run(
      "insert into content(id, refs, size, crc, hashes, used, data) values(?, 1, ?, ?, ?, ?, ?)",
      id,
      size,
      crc,
      JSON.stringify(hashes),
      used,
      data,
    );
    this.bytes += size;
    this.files++;
    if (used === null) this.pendingBytes += size;
  }

  ref(id: number | null): void {
    if (id !== null) this.#journal.run("update content set refs = refs + 1 where id = ?", id);
  }

  /** The row goes with its last name, its file later. */
  unref(id: number | null): void {
    if (id === null) return;
    const left = this.#journal.get<{ refs: number; size: number; used: number | null; file: number }>(
      "update content set refs = refs - 1 where id = ? returning refs, size, used, data is null as file",
      id,
    );
    if (left === undefined || left.refs > 0) return;
    this.#journal.run("delete from content where id = ?", id);
    this.bytes -= left.size;
    this.files--;
    if (left.used === null) {
      this.pendingBytes -= left.size;
      this.settledBytes += left.size;
    }
    this.#read.delete(id);
    if (left.file === 0) return;
    if (this.#rules.unlinksAfterFlush) this.#journal.after(() => this.#freed.add(id));
    else rmSync(this.path(id), { force: true });
  }

  /** After a row became clean or a request ended: may this content leave from now on, or must it stay? */
  settle(id: number | null, nowMs: number): void {
    if (id === null) return;
    const row = this.#journal.get<{ size: number; used: number | null; needed: number }>(
      "select size, used, exists(select 1 from node where content = content.id and dirty = 1) or exists(select 1 from flight where content = content.id) as needed from content where id = ?",
      id,
    );
    if (row === undefined || (row.needed === 1) === (row.used === null)) return;
    const used = row.needed === 1 ? null : Math.floor(nowMs / 1000);
    this.#journal.run("update content set used = ? where id = ?", used, id);
    if (used === null) this.pendingBytes += row.size;
    else {
      this.pendingBytes -= row.size;
      this.settledBytes += row.size;
    }
  }

  hashesOf(row: Pick<ContentRow, "hashes">): Hashes {
    return JSON.parse(row.hashes) as Hashes;
  }

  pin(id: number): void {
    this.#pins.set(id, (this.#pins.get(id) ?? 0) + 1);
  }

  async unpin(id: number): Promise<void> {
    const left = (this.#pins.get(id) ?? 1) - 1;
    if (left > 0) this.#pins.set(id, left);
    else {
      this.#pins.delete(id);
      if (this.#unpinnedFreed.delete(id)) await this.#remove(id);
    }
  }

  isPinned(id: number): boolean {
    return this.#pins.has(id);
  }

  /** Freed and flushed, but somebody still reads it. */
  readonly #unpinnedFreed = new Set<number>();

  get hasFreed(): boolean {
    return this.#freed.size > 0;
  }

  /** What was freed before a flush began. */
  takeFreed(): readonly number[] {
    const freed = [...this.#freed];
    this.#freed.clear();
    return freed;
  }

  async unlink(ids: readonly number[]): Promise<void> {
    for (const id of ids) {
      if (this.#pins.has(id)) this.#unpinnedFreed.add(id);
      else await this.#remove(id);
    }
  }

  async #remove(id: number): Promise<void> {
    // What cannot be removed now is found by the sweep of the next opening.
    await unlink(this.path(id)).catch(() => {});
  }

  noteRead(id: number, nowMs: number): void {
    this.#read.set(id, Math.floor(nowMs / 1000));
  }

  /** Writes down when what was read, for the order in which content leaves. */
  flushReads(): void {
    if (this.#read.size === 0) return;
    for (const [id, seconds] of this.#read)
      this.#journal.run("update content set used = ? where id = ? and used is not null and used < ?", seconds, id, seconds);
    this.#read.clear();
  }

  get unnotedReads(): number {
    return this.#read.size;
  }
}

export function crcOf(bytes: Uint8Array, before = 0): number {
  return crc32(bytes, before);
}
