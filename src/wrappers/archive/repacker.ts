/**
 * Repacking: live records of own archives, written again into new ones with the stamps that they have. The sources are not touched: what nothing needs any more
 * the collector deletes, by its one rule. Mistakes here can waste space and lose nothing.
 */
import { StoreError, hasCode } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import { Candidates } from "./candidates.ts";
import { nowOf } from "./core.ts";
import type { Core } from "./core.ts";
import type { NewRecord } from "./format/build.ts";
import { FILE, extraOf, stampOfRow } from "./index/index.ts";
import type { ArchiveRow, RecordRow, ShownRow } from "./index/index.ts";
import type { Needs } from "./needs.ts";
import type { Repacked } from "./options.ts";
import type { Reads } from "./reads.ts";
import { sendArchive } from "./send-archive.ts";
import type { Uploads } from "./uploads.ts";

/** Rows that share their bytes, with the bytes once they are read. */
interface Shared {
  readonly rows: { readonly path: StorePath; readonly row: RecordRow }[];
  readonly size: number;
  /** In a source: they are written again. Else they are referred to. */
  readonly moves: boolean;
}

export class Repacker {
  readonly #core: Core;
  readonly #needs: Needs;
  readonly #uploads: Uploads;
  readonly #reads: Reads;
  readonly #slot: () => Promise<() => void>;
  readonly #candidates: Candidates;
  #running: Promise<unknown> | undefined;

  constructor(core: Core, needs: Needs, uploads: Uploads, reads: Reads, slot: () => Promise<() => void>) {
    this.#core = core;
    this.#needs = needs;
    this.#uploads = uploads;
    this.#reads = reads;
    this.#slot = slot;
    this.#candidates = new Candidates(core, needs);
  }

  /** One at a time. */
  async repack(options: { readonly minLiveRatio: number; readonly all: boolean }): Promise<Repacked> {
    while (this.#running !== undefined) await this.#running.catch(() => {});
    const work = this.#repack(this.#candidates.choose(options)).finally(() => (this.#running = undefined));
    this.#running = work;
    return work;
  }

  /** A given set of archives, by their ids: for the proofs. */
  async repackThese(ids: ReadonlySet<string>): Promise<Repacked> {
    return this.#repack(this.#needs.own().filter((row) => ids.has(row.name) && this.#candidates.mayPack(row)));
  }

  async #repack(sources: readonly ArchiveRow[]): Promise<Repacked> {
    const result = { archives: sources.length, bytesRead: 0, bytesWritten: 0 };
    if (sources.length === 0) return result;
    const ids = new Set(sources.map(({ id }) => id));
    const { maxBytes, maxMembers } = this.#core.settings;
    let batch: Shared[] = [];
    let bytes = 0;
    let members = 0;
    let first = true;
    const send = async (): Promise<void> => {
      // What was deleted, and who was taken over, goes with the first.
      const { read, written } = await this.#send(batch, ids, first ? sources : []);
      result.bytesRead += read;
      result.bytesWritten += written;
      first = false;
      batch = [];
      bytes = members = 0;
    };
    for (const shared of this.#shared(ids)) {
      const size = shared.moves ? shared.size : 0;
      if (batch.length > 0 && (bytes + size > maxBytes || members + shared.rows.length > maxMembers)) await send();
      batch.push(shared);
      bytes += size + 1024 * shared.rows.length;
      members += shared.rows.length;
    }
    if (batch.length > 0 || first) await send();
    this.#core.emit({ type: "repacked", ...result });
    return result;
  }

  /** Live records of the sources, and live records elsewhere in own archives whose bytes are in the sources; those that share bytes together. */
  #shared(sources: ReadonlySet<number>): Shared[] {
    const { db, view } = this.#core.index;
    const own = new Set(this.#needs.own().map(({ id }) => id));
    const found = new Map<string, Shared>();
    const add = (row: RecordRow): void => {
      const moves = row.at !== null && sources.has(row.at);
      const key = row.kind === FILE && row.size > 0 ? `${row.at} ${row.ref} ${row.off} ${row.size}` : `${row.dir} ${row.name}`;
      const shared = found.get(key) ?? { rows: [], size: row.size, moves };
      shared.rows.push({ path: view.pathOf(row), row });
      found.set(key, shared);
    };
    for (const id of sources) {
      for (const row of db.all<RecordRow>("select * from entry where home = ?", id)) add(row);
      for (const row of db.all<RecordRow>("select * from entry where at = ? and at <> home", id)) if (!sources.has(row.home) && own.has(row.home)) add(row);
      if (this.#core.rules.repacksDeadRecords) for (const row of db.all<RecordRow>("select * from shadow where home = ?", id)) add(row);
    }
    return [...found.values()];
  }

  async #send(
    batch: readonly Shared[],
    sources: ReadonlySet<number>,
    whole: readonly ArchiveRow[],
  ): Promise<{ readonly read: number; readonly written: number }> {
    const { identity, index, step } = this.#core;
    const bytes = await this.#bytes(batch);
    step("repack read");
    const release = await this.#slot();
    try {
      const sealed = this.#seal(batch, bytes, sources, whole);
      if (sealed === undefined) return { read: 0, written: 0 };
      const written = await sendArchive(this.#core, this.#uploads, "repack", { ...sealed, writer: identity.writer });
      for (const { id: source } of whole) if (index.archives.byId(source)?.liveRecords === 0) this.#reads.spans.drop(index.archives.byId(source)?.name ?? "");
      return { read: [...bytes.values()].reduce((sum, one) => sum + one.byteLength, 0), written };
    } finally {
      release();
    }
  }

  async #bytes(batch: readonly Shared[]): Promise<Map<Shared, Uint8Array>> {
    const bytes = new Map<Shared, Uint8Array>();
    for (const shared of batch) {
      const [one] = shared.rows;
      if (!shared.moves || one === undefined || one.row.kind !== FILE) continue;
      try {
        bytes.set(shared, new Uint8Array(await this.#reads.member({ ...one.row, children: 0 } satisfies ShownRow)));
      } catch (error) {
        if (!hasCode(error, "integrity", "corrupt")) throw error;
        // It stays where it is, and keeps its archive needed.
        const archive = this.#core.index.archives.byId(one.row.at ?? 0)?.name ?? "";
        this.#core.emit({ type: "damaged", archive, reason: `a member cannot be read: ${error.reason}` });
      }
    }
    return bytes;
  }

  /** In one step: which records are live is looked at again, and what is referred to is needed from now on. */
  #seal(batch: readonly Shared[], bytes: ReadonlyMap<Shared, Uint8Array>, sources: ReadonlySet<number>, whole: readonly ArchiveRow[]): Sealed | undefined {
    const { hybrid, identity, index, rules } = this.#core;
    const records: NewRecord[] = [];
    const referred = new Set<number>();
    for (const shared of batch)
      for (const { path, row } of shared.rows) {
        const now = index.db.get<RecordRow>("select * from entry where dir = ? and name = ?", row.dir, row.name);
        const same = now !== undefined && now.t === row.t && now.w === row.w && now.home === row.home && now.at === row.at && now.off === row.off;
        if (!same && !rules.repacksDeadRecords) continue;
        const record = this.#record(path, row, bytes.get(shared), sources);
        if (record === undefined) continue;
        records.push(record);
        if (record.kind === "reference" && row.at !== null) referred.add(row.at);
      }
    const { tombstones, claims } = this.#needs.kept(whole);
    if (records.length + tombstones.length + claims.length === 0) return undefined;
    for (const one of referred)
      if (index.archives.byId(one)?.sent !== 0) throw new StoreError("unknown", "a repack refers into an archive whose deletion was sent");
    const timeMs = hybrid.tick();
    const id = index.transaction(() => {
      index.setMeta("last", timeMs);
      if (rules.sealClearsUnneeded) for (const one of referred) index.archives.setUnneeded(one, null);
      return identity.nextId(nowOf(this.#core));
    });
    this.#uploads.begin(id, "repack", new Set(records.map(({ path }) => path)));
    return { id, timeMs, records, tombstones, claims };
  }

  #record(path: StorePath, row: RecordRow, bytes: Uint8Array | undefined, sources: ReadonlySet<number>): NewRecord | undefined {
    const { archives } = this.#core.index;
    const base = { path, stamp: stampOfRow(row), modifiedMs: row.modified ?? 0 };
    if (row.kind !== FILE) return { kind: "directory", ...base };
    const facts = { ...base, sha256: row.hash ?? "", extra: extraOf(row) };
    if (row.at !== null && sources.has(row.at)) return bytes === undefined ? undefined : { kind: "new", ...facts, bytes };
    const target = row.at === null ? undefined : archives.byId(row.at);
    // Perhaps it is gone: the record stays where it is.
    if (target !== undefined && target.missing !== null && !this.#core.rules.missingIsUsed) return undefined;
    const at = target?.name ?? row.ref;
    return at === null ? undefined : { kind: "reference", ...facts, at, offset: row.off ?? 0, size: row.size };
  }
}

interface Sealed {
  readonly id: string;
  readonly timeMs: number;
  readonly records: readonly NewRecord[];
  readonly tombstones: ReturnType<Needs["kept"]>["tombstones"];
  readonly claims: ReturnType<Needs["kept"]>["claims"];
}
