/** The pool: what its users hold. */
import { StoreError, abortError } from "../store/index.ts";
import type { Body } from "../store/index.ts";
import type { BackupInfo, BackupReport, WithProgress } from "../catalogue/index.ts";
import * as saving from "./backup.ts";
import * as care from "./care.ts";
import type { RepairReport, VerifyReport } from "./care.ts";
import type { Core } from "./core.ts";
import type { DumpVersion } from "./dump-format.ts";
import * as exchange from "./exchange.ts";
import type { LoadReport } from "./exchange.ts";
import * as fetching from "./fetch.ts";
import { retire, setState } from "./host-states.ts";
import { importCloudManager } from "./import-cloud-manager.ts";
import type { ImportReport } from "./import-cloud-manager.ts";
import { cachedName } from "./keep.ts";
import { openCore } from "./open.ts";
import type { OpenReport } from "./open.ts";
import { checkOptions } from "./options.ts";
import type { PoolOptions, Settings } from "./options.ts";
import * as removal from "./removal.ts";
import type { CollectReport } from "./removal.ts";
import { fileOf } from "./rows.ts";
import * as status from "./status.ts";
import type { FileInfo, HostInfo, Meters, Queues, SyncStatus } from "./status.ts";
import { sync } from "./sync.ts";
import type { SyncReport } from "./sync.ts";
import * as uploading from "./upload.ts";
import type { UploadOptions } from "./upload.ts";

export interface PoolCallOptions {
  readonly signal?: AbortSignal | undefined;
}
/** Of long work. */
export interface PoolWorkOptions extends PoolCallOptions, WithProgress {}
export interface DumpOptions {
  /** The most bytes of the JSON (UTF-8). Default: no limit. */
  readonly limitBytes?: number | undefined;
  /** "0.2" is what cloud-manager reads; "0.3" carries names, times and dead copies too. Default "0.2". */
  readonly version?: DumpVersion | undefined;
}

/**
 * Files by the SHA-256 of their bytes, each on several hosts, with a cache of bounded size in between. What is acknowledged survives a kill at any moment. Errors: PoolError for files of the
 * pool, StoreError for hosts, disk and catalogue; `closed` after `close`. Reports of long work name every failure; they throw only where the whole work could not go on.
 */
export class Pool implements AsyncDisposable {
  readonly #core: Core;
  readonly #running = new Set<Promise<unknown>>();
  readonly #ending = new AbortController();
  #closing: Promise<void> | undefined;
  /** What the opening found. */
  readonly opened: OpenReport;

  private constructor(core: Core, opened: OpenReport) {
    this.#core = core;
    this.opened = opened;
  }

  /** Opens the catalogue and the cache directory, and ends what a crash left half done. If it fails, catalogue, hosts and backup store are closed. @throws StoreError `config`, `conflict`, those of the catalogue */
  static open(options: PoolOptions): Promise<Pool> {
    return Pool.#opened(options, async () => {});
  }
  /**
   * Puts the catalogue back from the backup store into one without files, all or nothing, and opens the pool. Without `name` from the newest. What was put in since the backup and lies in this
   * cache is taken in; `verify` and `repair` look after the rest. @throws BackupError `no-backup`, `not-empty`, `bad-backup`, `unknown-version`; else as `open`
   */
  static restore(options: PoolOptions, { name, signal, onProgress }: PoolWorkOptions & { readonly name?: string | undefined } = {}): Promise<Pool> {
    return Pool.#opened(options, (settings) => saving.restore(settings, name, signal, onProgress));
  }
  static async #opened(options: PoolOptions, first: (settings: Settings) => Promise<void>): Promise<Pool> {
    try {
      const settings = checkOptions(options);
      await first(settings);
      const { core, report } = await openCore(settings);
      return new Pool(core, report);
    } catch (error) {
      const { catalogue, hosts, backupStore } = options;
      await Promise.allSettled([catalogue, ...Object.values(hosts), ...(backupStore === undefined ? [] : [backupStore])].map((each) => each.close()));
      throw error;
    }
  }

  #do<T>(signal: AbortSignal | undefined, work: (core: Core, signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(new StoreError("closed", "the pool is closed", { applied: false }));
    const ended = this.#ending.signal;
    const both = signal === undefined ? ended : AbortSignal.any([signal, ended]);
    const running = work(this.#core, both).catch((error: unknown): never => {
      throw both.aborted && error === both.reason ? abortError(both, { applied: false }) : error;
    });
    this.#running.add(running);
    const forget = (): void => void this.#running.delete(running);
    running.then(forget, forget);
    return running;
  }

  /**
   * Takes the bytes into the cache and gives their SHA-256, in lower-case hexadecimal; no host is asked. When it resolves they are on this disk, flushed. Known content is not kept twice: a
   * replayable body of a known size is only hashed. A string is text, never a file name. @throws PoolError `too-large`, `no-room`; StoreError `bad-body`, `no-space`. Then nothing was changed
   */
  upload(body: Body, options: UploadOptions = {}): Promise<string> {
    return this.#do(options.signal, (core, signal) => uploading.upload(core, body, { ...options, signal }));
  }
  /** The same of a local file, which stays where it is. */
  uploadFile(path: string, options: UploadOptions = {}): Promise<string> {
    return this.#do(options.signal, (core, signal) => uploading.uploadFile(core, path, { ...options, signal }));
  }
  /** Sends what waits in this cache, oldest first, to hosts with the fewest failures. What gets too few copies stays in the queue, and the report says why. */
  sync({ signal, onProgress }: PoolWorkOptions = {}): Promise<SyncReport> {
    return this.#do(signal, (core, signal) => sync(core, signal, onProgress));
  }
  /**
   * The file in the cache, fetched if need be; its hash was checked just now. It may leave the cache when room is needed: read it at once, or use `download`.
   * @throws PoolError `unknown-hash`, `not-uploaded`, `no-room`, `sources-failed`, `damaged`
   */
  warmUp(hash: string, { signal }: PoolCallOptions = {}): Promise<string> {
    return this.#do(signal, async (core, signal) => {
      using cached = await fetching.cache(core, hash, signal);
      return cached.path;
    });
  }
  /** A copy at `target`, whole, flushed and of the right hash; what was there is replaced. Errors as of `warmUp`; then the target is as it was. */
  download(hash: string, target: string, { signal }: PoolCallOptions = {}): Promise<void> {
    return this.#do(signal, (core, signal) => fetching.download(core, hash, target, signal));
  }
  /** The pool has a record of this hash, wherever its bytes are. */
  exists(hash: string): Promise<boolean> {
    return this.#do(undefined, async (core) => (await this.#find(core, hash)) !== undefined);
  }
  /** Known, and in the cache of this node. */
  onCache(hash: string): Promise<boolean> {
    return this.#do(undefined, async (core) => {
      const file = await this.#find(core, hash);
      const name = file === undefined ? undefined : await cachedName(core, file.id);
      return file !== undefined && name !== undefined && (await core.disk.size(name)) === file.size;
    });
  }
  async #find(core: Core, hash: string): Promise<Awaited<ReturnType<typeof fileOf>>> {
    const file = await fileOf(core.db, hash);
    return file?.marked_ms === null ? file : undefined;
  }
  /** Null: unknown. */
  info(hash: string): Promise<FileInfo | null> {
    return this.#do(undefined, (core) => status.info(core, hash));
  }
  /** Bytes. */
  get capacity(): number {
    return this.#core.room.capacity;
  }
  /** Bytes in the cache. Never above 90 % of the capacity. */
  get usedSpace(): number {
    return this.#core.room.used;
  }
  /** Used ÷ capacity, 0 to 1; 0 of a cache without capacity. */
  get usageRatio(): number {
    return this.capacity === 0 ? 0 : this.usedSpace / this.capacity;
  }
  queues(): Promise<Queues> {
    return this.#do(undefined, status.queues);
  }
  syncStatus(): Promise<SyncStatus> {
    return this.#do(undefined, status.syncStatus);
  }
  /** Bytes moved to and from hosts, by all nodes of the catalogue, failed transfers included. */
  meters(): Promise<Meters> {
    return this.#do(undefined, status.meters);
  }
  hosts(): Promise<readonly HostInfo[]> {
    return this.#do(undefined, status.hostInfos);
  }

  /** Asks for every copy whether it lives, by its size, or with `deep` by its bytes. What a cache still has and lacks copies waits for `sync` again. */
  verify({ deep = false, signal, onProgress }: PoolWorkOptions & { readonly deep?: boolean | undefined } = {}): Promise<VerifyReport> {
    return this.#do(signal, (core, signal) => care.verify(core, deep, signal, onProgress));
  }
  /** Brings every file back to its number of copies, from a living one. It goes by what `verify` found. */
  repair({ signal, onProgress }: PoolWorkOptions = {}): Promise<RepairReport> {
    return this.#do(signal, (core, signal) => care.repair(core, signal, onProgress));
  }
  /** No new copies go there, and those that are there do not count: `repair` makes others. Still read. @throws PoolError `unknown-host` */
  drain(host: string): Promise<void> {
    return this.#do(undefined, (core) => setState(core, host, "draining"));
  }
  /** Takes a drained or retired host back into service. @throws PoolError `unknown-host` */
  activate(host: string): Promise<void> {
    return this.#do(undefined, (core) => setState(core, host, "active"));
  }
  /** Forgets all copies there; they are deleted by the next `collect`, unless `abandon`: it is gone for good. @throws PoolError `host-in-use` where files need it, `unknown-host`; nothing was changed */
  retire(host: string, { abandon = false }: { readonly abandon?: boolean | undefined } = {}): Promise<number> {
    return this.#do(undefined, (core) => retire(core, host, abandon));
  }

  /** Unknown from now on; its bytes go with a `collect` after the grace. Whoever puts the same bytes in before takes it back. @throws PoolError `unknown-hash` */
  remove(hash: string): Promise<void> {
    return this.#do(undefined, (core) => removal.remove(core, hash));
  }
  /** Takes removed files whose grace is over for good, and deletes what no file needs at the hosts. */
  collect({ signal, graceMs, onProgress }: PoolWorkOptions & { readonly graceMs?: number | undefined } = {}): Promise<CollectReport> {
    return this.#do(signal, (core, signal) => removal.collect(core, graceMs ?? core.settings.graceMs, signal, onProgress));
  }

  /** Files with all their copies that nobody confirmed and that were not exported within the last hour, shortest first. Null: none. Nothing else tells a second caller of them for an hour. */
  dump({ limitBytes = Infinity, version = "0.2" }: DumpOptions = {}): Promise<string | null> {
    return this.#do(undefined, (core) => exchange.dump(core, limitBytes, version));
  }
  /** All or nothing. `confirmation` marks every file in it, new or known, so that it is not exported any more. @throws PoolError `bad-dump`, `unknown-version` */
  load(json: string, { confirmation }: { readonly confirmation?: string | undefined } = {}): Promise<LoadReport> {
    return this.#do(undefined, (core) => exchange.load(core, json, confirmation));
  }
  /** Marks files as confirmed by hash. Gives how many of them are known. */
  confirm(hashes: readonly string[], confirmation: string): Promise<number> {
    return this.#do(undefined, (core) => exchange.confirm(core, hashes, confirmation));
  }
  /** The height that was last visited of whatever dumps are published in; 0 at first. */
  visitedHeight(): Promise<number> {
    return this.#do(undefined, async (core) =>
      Number((await core.db.query<{ readonly value: string }>("select value from fact where key = 'height'"))[0]?.value ?? 0),
    );
  }
  visit(height: number): Promise<void> {
    return this.#do(undefined, async (core) => {
      if (!Number.isSafeInteger(height) || height < 0) throw new TypeError("a height is a whole number, not negative");
      await core.db.run("insert into fact(key, value) values('height', ?) on conflict(key) do update set value = excluded.value", String(height));
    });
  }
  /** Reads the SQLite database of an original cloud-manager. `storage`: its cache directory, for files that it had not uploaded. @throws PoolError `bad-database`; nothing was changed */
  importCloudManager(path: string, { storage }: { readonly storage?: string | undefined } = {}): Promise<ImportReport> {
    return this.#do(undefined, (core) => importCloudManager(core, path, storage));
  }

  /**
   * The catalogue as one compressed file into the backup store. Of the older ones so many stay that there are `keep`, 1 or more (default: all); they go only once this one was read back whole.
   * @throws StoreError `config` without a `backupStore`, `conflict` while another runs, `integrity`, those of the store
   */
  backup({ keep, signal, onProgress }: PoolWorkOptions & { readonly keep?: number | undefined } = {}): Promise<BackupReport> {
    return this.#do(signal, (core, signal) => saving.backup(core.settings, keep, signal, onProgress));
  }
  /** In the backup store, newest first. @throws StoreError `config` without a `backupStore`, those of the store */
  backups({ signal }: PoolCallOptions = {}): Promise<readonly BackupInfo[]> {
    return this.#do(signal, (core, signal) => saving.backups(core.settings, signal));
  }

  /** Ends transfers, which wait for the next time, and closes catalogue, hosts and backup store. Nothing acknowledged is lost. A second close waits for the first. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#ending.abort(new StoreError("closed", "the pool was closed", { applied: false }));
      await Promise.allSettled(this.#running);
      const { catalogue, hosts, backupStore } = this.#core.settings;
      const ended = await Promise.allSettled([
        this.#core.release().then(() => catalogue.close()),
        ...Array.from(hosts.values(), (host) => host.close()),
        ...(backupStore === undefined ? [] : [backupStore.close()]),
      ]);
      for (const each of ended) if (each.status === "rejected") throw each.reason;
    })();
    return this.#closing;
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
