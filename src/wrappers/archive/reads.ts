/** Reads: small members whole and verified, from spans; large ones streamed. An archive that is gone was packed again: looked up once more, then read there. */
import { createHash } from "node:crypto";
import { StoreError, bytesFrom, continued, hasCode, root } from "../../store/index.ts";
import type { ByteStream, Entry, ReadCall, ReadReply, StorePath } from "../../store/index.ts";
import { nowOf } from "./core.ts";
import type { Core } from "./core.ts";
import { compareStamps } from "./format/stamp.ts";
import { entryOf, isDirectory, stampOfRow } from "./index/index.ts";
import type { ArchiveRow, ShownRow } from "./index/index.ts";
import type { Refresher } from "./refresher.ts";
import { Spans } from "./spans.ts";

/** Up to here the whole member is fetched and verified, whatever part is asked for. */
const VERIFIED_BYTES = 64 * 1024;
/** Up to here members come from spans; larger ones stream, and are not kept. */
const KEPT_BYTES = 256 * 1024;
const MOST_ROUNDS = 3;

interface Asked {
  readonly offset: number;
  readonly length: number;
}
/** Where the bytes of a version stand. */
interface Place {
  readonly archive: ArchiveRow;
  readonly off: number;
}

export class Reads {
  readonly #core: Core;
  readonly #refresher: Refresher;
  readonly spans: Spans;

  constructor(core: Core, refresher: Refresher) {
    this.#core = core;
    this.#refresher = refresher;
    this.spans = new Spans(core);
  }

  async read(call: ReadCall): Promise<ReadReply> {
    for (let round = 1; ; round++) {
      const { row, entry } = this.#found(call.path);
      check(call, entry);
      const asked = clamp(call, entry);
      if (asked.length === 0) return { entry, offset: asked.offset, body: bytesFrom(new Uint8Array(0)) };
      try {
        const place = this.#place(row);
        return { entry, offset: asked.offset, body: await this.#body(call, row, place, asked) };
      } catch (error) {
        if (!hasCode(error, "not-found")) throw error;
        if (!this.#core.rules.readsLookAgain) throw error;
        if (round >= MOST_ROUNDS) throw new StoreError("unavailable", "the archive of this file cannot be found", { cause: error });
        await this.#refresher.fresh(call.signal);
        const again = this.#core.index.view.row(call.path);
        if (again !== undefined && same(again, row) && again.at === row.at)
          throw new StoreError("unavailable", "the archive of this file is listed and cannot be read", { cause: error });
      }
    }
  }

  #found(path: StorePath): { readonly row: ShownRow; readonly entry: Entry } {
    if (path === root) throw new StoreError("is-a-directory", "a directory has no bytes");
    const row = this.#core.index.view.row(path);
    if (row === undefined) throw new StoreError("not-found", "nothing is there");
    if (isDirectory(row)) throw new StoreError("is-a-directory", "a directory has no bytes");
    return { row, entry: entryOf(path, row) };
  }

  #place(row: ShownRow): Place {
    const { index, settings } = this.#core;
    const archive = row.at === null ? undefined : index.archives.byId(row.at);
    if (archive !== undefined) {
      const off = row.off as number;
      if (off + row.size > archive.data) throw new StoreError("corrupt", "the record of this file points outside of its archive");
      return { archive, off };
    }
    // It may still be on its way, or be one that cannot be read.
    const damaged = index.archives.unread().some(({ name, newer }) => name === row.ref && newer === 0);
    const home = index.archives.byId(row.home);
    const late = home === undefined || nowOf(this.#core) - home.learned > settings.settleMs + settings.lateMs;
    throw new StoreError(damaged || late ? "corrupt" : "unavailable", "the archive that holds the bytes of this file is not known or damaged");
  }

  async #body(call: ReadCall, row: ShownRow, place: Place, asked: Asked): Promise<ByteStream> {
    if (row.size <= VERIFIED_BYTES) return bytesFrom(slice(await this.#whole(row, place), asked));
    const whole = asked.length === row.size;
    if (row.size <= KEPT_BYTES)
      return bytesFrom(whole ? await this.#whole(row, place) : await this.spans.get(place.archive, place.off + asked.offset, asked.length));
    return this.#stream(call, row, place, asked);
  }

  /** The bytes of a small file, verified. */
  async member(row: ShownRow): Promise<Uint8Array> {
    return row.size === 0 ? new Uint8Array(0) : this.#whole(row, this.#place(row));
  }

  /** Where the bytes of a file stand, for whoever streams them. */
  placeOf(row: ShownRow): { readonly object: string; readonly offset: number } {
    const { archive, off } = this.#place(row);
    return { object: archive.object, offset: off };
  }

  /** A member that is not what its record says is asked for once more, past what is cached. */
  async #whole({ size, hash }: ShownRow, { archive, off }: Place): Promise<Uint8Array> {
    for (let again = false; ; again = true) {
      const bytes = await this.spans.get(archive, off, size);
      if (createHash("sha256").update(bytes).digest("base64url") === hash) return bytes;
      this.spans.drop(archive.name);
      if (again) throw changed();
    }
  }

  async #stream(call: ReadCall, row: ShownRow, place: Place, asked: Asked): Promise<ByteStream> {
    const { remote } = this.#core;
    const { signal } = call;
    const open = (at: Place, got: number): Promise<ByteStream> => remote.openPart(at.archive.object, at.off + asked.offset + got, asked.length - got, signal);
    const hash = asked.length === row.size ? createHash("sha256") : undefined;
    let moved = false;
    return continued({
      length: asked.length,
      first: await open(place, 0),
      /** The archive went away in the middle: the same bytes may stand in another one by now. */
      again: async (error, got) => {
        if (moved || !hasCode(error, "not-found")) throw error;
        moved = true;
        await this.#refresher.fresh(signal);
        const again = this.#core.index.view.row(call.path);
        if (again === undefined || isDirectory(again) || !same(again, row))
          throw new StoreError("conflict", "the file changed while it was read", { cause: error });
        return open(this.#place(again), got);
      },
      seen: (chunk, got) => {
        hash?.update(chunk);
        if (got === asked.length && hash !== undefined && hash.digest("base64url") !== row.hash) throw changed();
      },
    });
  }
}

function changed(): StoreError {
  return new StoreError("integrity", "the bytes of this file are not those that were written");
}

function same(one: ShownRow, other: ShownRow): boolean {
  return one.kind === other.kind && compareStamps(stampOfRow(one), stampOfRow(other)) === 0;
}

function slice(bytes: Uint8Array, { offset, length }: Asked): Uint8Array {
  return bytes.subarray(offset, offset + length);
}

function check({ ifMatch, ifNoneMatch }: ReadCall, entry: Entry): void {
  if (ifMatch !== undefined && entry.etag !== ifMatch) throw new StoreError("precondition-failed", "the file has another etag", { entry });
  if (ifNoneMatch !== undefined && entry.etag === ifNoneMatch) throw new StoreError("not-modified", "the file has this etag", { entry });
}

function clamp({ range }: ReadCall, entry: Entry): Asked {
  const size = entry.size ?? 0;
  if (range === undefined) return { offset: 0, length: size };
  const offset = range.offset < 0 ? Math.max(0, size + range.offset) : range.offset;
  if (offset >= size && offset > 0 && range.length !== 0)
    throw new StoreError("bad-range", `the range starts at ${offset}, at or past the end of the file`, { entry });
  return { offset, length: Math.max(0, Math.min(range.length ?? Infinity, size - offset)) };
}
