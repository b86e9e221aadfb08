/** Takes over bytes of other installations: the same records, with their old stamps, in archives of this one. In the view nothing changes. */
import { StoreError, byteStream, hasCode } from "../../store/index.ts";
import type { ByteStream, Source, StorePath } from "../../store/index.ts";
import { mayRefer, nowOf } from "./core.ts";
import type { Core } from "./core.ts";
import type { NewFile } from "./format/build.ts";
import { FILE, extraOf, stampOfRow } from "./index/index.ts";
import type { ShownRow } from "./index/index.ts";
import type { Reads } from "./reads.ts";
import type { Solos } from "./solo.ts";
import { sendArchive } from "./send-archive.ts";
import type { Uploads } from "./uploads.ts";

export class Taker {
  readonly #core: Core;
  readonly #uploads: Uploads;
  readonly #reads: Reads;
  readonly #solos: Solos;
  readonly #slot: () => Promise<() => void>;

  constructor(core: Core, uploads: Uploads, reads: Reads, solos: Solos, slot: () => Promise<() => void>) {
    this.#core = core;
    this.#uploads = uploads;
    this.#reads = reads;
    this.#solos = solos;
    this.#slot = slot;
  }

  /** Resolves when all that is still foreign of these files is stored in own archives. */
  async take(paths: readonly StorePath[]): Promise<void> {
    const { smallBytes, maxBytes } = this.#core.settings;
    let batch: NewFile[] = [];
    let bytes = 0;
    for (const path of paths) {
      const row = this.#foreign(path);
      if (row === undefined) continue;
      if (row.size > smallBytes) {
        await this.#takeLarge(path, row);
        continue;
      }
      if (batch.length > 0 && bytes + row.size > maxBytes) {
        await this.#send(batch);
        batch = [];
        bytes = 0;
      }
      batch.push(this.#fileOf(path, row, await this.#member(row)));
      bytes += row.size;
    }
    if (batch.length > 0) await this.#send(batch);
  }

  /** The file is there: an archive that is not is no reason to say otherwise. It may have been packed again since the last look. */
  async #member(row: ShownRow): Promise<Uint8Array> {
    try {
      return await this.#reads.member(row);
    } catch (error) {
      if (!hasCode(error, "not-found")) throw error;
      throw new StoreError("unavailable", "the archive of this file cannot be found", { cause: error, applied: false });
    }
  }

  #foreign(path: StorePath): ShownRow | undefined {
    const { index } = this.#core;
    const row = index.view.row(path);
    if (row?.kind !== FILE || row.at === null) return undefined;
    const archive = index.archives.byId(row.at);
    return archive === undefined || mayRefer(this.#core, archive) ? undefined : row;
  }

  #fileOf(path: StorePath, row: ShownRow, bytes: Uint8Array): NewFile {
    // A copy: spans are shared.
    return {
      kind: "new",
      path,
      stamp: stampOfRow(row),
      modifiedMs: row.modified ?? 0,
      sha256: row.hash ?? "",
      extra: extraOf(row),
      bytes: new Uint8Array(bytes),
    };
  }

  async #send(files: readonly NewFile[]): Promise<void> {
    const { hybrid, identity, index, rules } = this.#core;
    const release = await this.#slot();
    try {
      const timeMs = hybrid.tick();
      const writer = identity.writer;
      const id = index.transaction(() => {
        index.setMeta("last", timeMs);
        return identity.nextId(nowOf(this.#core));
      });
      const records = files.map((file) => ({ ...file, stamp: rules.takenStamp({ old: file.stamp, own: [timeMs, writer] }) }));
      this.#uploads.begin(id, "take", new Set(files.map(({ path }) => path)));
      await sendArchive(this.#core, this.#uploads, "take", { id, writer, timeMs, records, tombstones: [], claims: [] });
    } finally {
      release();
    }
  }

  async #takeLarge(path: StorePath, row: ShownRow): Promise<void> {
    const { object, offset } = this.#reads.placeOf(row);
    const open = (): ByteStream => {
      let body: ByteStream | undefined;
      return byteStream({
        length: row.size,
        pull: async () => {
          body ??= await this.#core.remote.openPart(object, offset, row.size, this.#core.ended);
          return body.pull();
        },
        close: () => body?.close(),
      });
    };
    const source: Source = { size: row.size, replayable: true, opened: false, inMemory: false, open };
    const stamp = stampOfRow(row);
    await this.#solos.write({
      path,
      body: source,
      size: row.size,
      modifiedMs: row.modified ?? 0,
      extra: extraOf(row),
      signal: undefined,
      taken: { stamp, sha256: row.hash ?? "" },
    });
  }
}
