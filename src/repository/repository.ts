/** The repository: what its users hold. */
import type { Readable } from "node:stream";
import { StoreError, abortError, hasCode } from "../store/index.ts";
import type { Body } from "../store/index.ts";
import * as adding from "./add.ts";
import type { AddLocalOptions, AddOptions } from "./add.ts";
import * as collecting from "./collect.ts";
import type { CollectReport, DatabaseReport } from "./collect.ts";
import { writeContent } from "./content.ts";
import type { Core } from "./core.ts";
import * as creating from "./create.ts";
import * as fetching from "./fetch.ts";
import * as finding from "./find.ts";
import type { FindQuery, TagQuery } from "./find.ts";
import * as machines from "./hosts.ts";
import type { HostInfo } from "./hosts.ts";
import * as locking from "./locks.ts";
import type { FileLock, LockMode } from "./locks.ts";
import { maintainHost, trim } from "./maintain.ts";
import type { HostReport } from "./maintain.ts";
import type { BackupInfo, BackupReport, WithProgress } from "../catalogue/index.ts";
import * as saving from "./backup.ts";
import * as strangers from "./unknown.ts";
import type { RemoveUnknownReport, UnknownObject } from "./unknown.ts";
import { openCore } from "./open.ts";
import type { OpenReport } from "./open.ts";
import { checkOptions } from "./options.ts";
import type { RepositoryOptions, Settings } from "./options.ts";
import { fullRow, infoOf, unknown } from "./rows.ts";
import type { FileInfo } from "./rows.ts";
import { upload } from "./send.ts";
import * as states from "./states.ts";
import type { PurgeReport } from "./states.ts";
import { status } from "./status.ts";
import type { RepositoryStatus } from "./status.ts";
import * as tagging from "./tags.ts";
import type { DateGranularity } from "./tags.ts";
import { RepositoryTransaction } from "./transaction.ts";
import * as verifying from "./verify.ts";
import type { RepairReport, VerifyReport } from "./verify.ts";

export interface RepositoryCallOptions {
  readonly signal?: AbortSignal | undefined;
}
/** Of long work. */
export interface RepositoryWorkOptions extends RepositoryCallOptions, WithProgress {}
/** A file by its id, or by what a search gave. */
export type FileRef = number | Pick<FileInfo, "id">;

const idOf = (file: FileRef): number => {
  const id = typeof file === "number" ? file : file.id;
  if (!Number.isSafeInteger(id) || id < 1) throw new TypeError("a file is given by its id, or by its FileInfo");
  return id;
};

/**
 * Files with states, versions and tags, in an SQL catalogue; their bytes in stores, and on the disks of the hosts that use them. What is acknowledged survives a kill at any moment.
 * Errors: RepositoryError for files of the repository, StoreError for stores, disk and catalogue; `closed` after `close`. A change that fails changed nothing, unless its `applied` says otherwise.
 */
export class Repository implements AsyncDisposable {
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

  /** Makes a repository in this catalogue and opens it. @throws RepositoryError `repository-exists`; else as `open` */
  static create(options: RepositoryOptions): Promise<Repository> {
    return Repository.#opened(options, creating.createIn);
  }
  /** Opens the catalogue and the local directory, and ends what a crash left half done. If it fails, catalogue and stores are closed. @throws RepositoryError `no-repository`; StoreError `config`, `conflict`, those of the catalogue */
  static open(options: RepositoryOptions): Promise<Repository> {
    return Repository.#opened(options, async () => {});
  }
  /**
   * Puts the catalogue back from the backup store into one without a repository, and opens it. Without `name` from the newest. As `restoreRepository` otherwise.
   * @throws BackupError `no-backup`, `not-empty`, `bad-backup`, `unknown-version`; else as `open`
   */
  static restore(
    options: RepositoryOptions,
    { name, signal, onProgress }: RepositoryWorkOptions & { readonly name?: string | undefined } = {},
  ): Promise<Repository> {
    return Repository.#opened(options, async ({ catalogue, backupStore, clock }) => {
      if (backupStore === undefined) throw new StoreError("config", "a restore needs a backupStore", { applied: false });
      await saving.restoreRepository({ catalogue, backupStore, name, clock, signal, onProgress });
    });
  }
  static async #opened(options: RepositoryOptions, first: (settings: Settings) => Promise<void>): Promise<Repository> {
    try {
      const settings = checkOptions(options);
      await first(settings);
      const { core, report } = await openCore(settings);
      return new Repository(core, report);
    } catch (error) {
      const { catalogue, store, buckets = {}, backupStore } = options;
      await Promise.allSettled([catalogue, store, ...Object.values(buckets), ...(backupStore === undefined ? [] : [backupStore])].map((each) => each.close()));
      throw error;
    }
  }

  async #do<T>(signal: AbortSignal | undefined, work: (core: Core, signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new StoreError("closed", "the repository is closed", { applied: false });
    const ended = this.#ending.signal;
    const both = signal === undefined ? ended : AbortSignal.any([signal, ended]);
    const running = work(this.#core, both);
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      const known = both.aborted && error === both.reason ? abortError(both, { applied: false }) : error;
      throw ended.aborted && hasCode(known, "aborted") ? known.with({ code: "closed", reason: "the repository was closed meanwhile" }) : known;
    } finally {
      this.#running.delete(running);
    }
  }

  /** An unpublished file without bytes, at a logical path ("/…"); its id. @throws RepositoryError `file-exists`, `unknown-bucket` */
  addFile(path: string, options: AddOptions = {}): Promise<number> {
    return this.#do(undefined, (core) => adding.addFile(core, path, options, null));
  }
  /** An unpublished file with the bytes of a local one as they are, flushed on this disk when it resolves; its id. @throws also RepositoryError `bad-source` */
  addLocalFile(path: string, source: string, options: AddLocalOptions = {}): Promise<number> {
    return this.#do(options.signal, (core, signal) => adding.addLocalFile(core, path, source, { ...options, signal }, null));
  }
  /** Replaces the bytes of an unpublished file, whole or not at all; compressed where the path ends in .gz. @throws RepositoryError `read-only`, `not-origin`, `locked` */
  write(file: FileRef, body: Body, options: RepositoryCallOptions = {}): Promise<void> {
    return this.#do(options.signal, (core, signal) => writeContent(core, idOf(file), body, false, { signal }, null));
  }
  /** Adds to the bytes of an unpublished file; else as `write`. Costs copying what is there. */
  append(file: FileRef, body: Body, options: RepositoryCallOptions = {}): Promise<void> {
    return this.#do(options.signal, (core, signal) => writeContent(core, idOf(file), body, true, { signal }, null));
  }
  /**
   * The bytes, decompressed where the path ends in .gz, unless `raw`. From this disk, where their hash was checked just now; else fetched first. Read it to its end or destroy it.
   * @throws RepositoryError `unknown-file`, `no-content`, `not-local`, `offline`, `object-missing`, `object-wrong`, `damaged`
   */
  async read(file: FileRef, { raw = false, signal }: RepositoryCallOptions & { readonly raw?: boolean | undefined } = {}): Promise<Readable> {
    return await this.#cached(idOf(file), signal, (cached) => fetching.reading(cached, raw));
  }
  /** All of it as UTF-8. */
  async text(file: FileRef, options: RepositoryCallOptions = {}): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of (await this.read(file, options)) as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  }
  /** Where the stored bytes are on this disk, fetched and checked. They may leave when room is needed: read at once, never write there. Errors as of `read`. */
  async localPath(file: FileRef, { signal }: RepositoryCallOptions = {}): Promise<string> {
    return await this.#cached(idOf(file), signal, (cached) => {
      cached[Symbol.dispose]();
      return cached.path;
    });
  }
  /** A copy of the stored bytes at `target`, whole, flushed and of the right hash; what was there is replaced. Errors as of `read`; then the target is as it was. */
  download(file: FileRef, target: string, { signal }: RepositoryCallOptions = {}): Promise<void> {
    return this.#do(signal, async (core, signal) => {
      await fetching.downloadTo(core, idOf(file), target, signal);
      await trim(core, signal);
    });
  }
  #cached<T>(id: number, signal: AbortSignal | undefined, use: (cached: fetching.Cached) => T): Promise<T> {
    return this.#do(signal, async (core, signal) => {
      const cached = await fetching.cache(core, id, signal);
      try {
        await trim(core, signal);
        return use(cached);
      } catch (error) {
        cached[Symbol.dispose]();
        throw error;
      }
    });
  }

  /** Into the store, with MD5 and SHA-256 for it to check, unless it is there already. @throws RepositoryError `no-content`, `not-local`, `damaged`, `offline`; StoreErrors of the store */
  upload(file: FileRef, { signal }: RepositoryCallOptions = {}): Promise<void> {
    return this.#do(signal, (core, signal) => upload(core, idOf(file), signal));
  }
  /** From unpublished or expired; of a published one nothing changes. Uploads first, unless it was done; offline that waits for `maintainHost`. @throws RepositoryError `illegal-transition`, `locked`; else as `upload` */
  publish(file: FileRef, { signal }: RepositoryCallOptions = {}): Promise<void> {
    return this.#do(signal, (core, signal) => states.publish(core, idOf(file), signal));
  }
  /** From unpublished or published; of an expired one nothing changes. @throws RepositoryError `illegal-transition`, `locked` */
  expire(file: FileRef): Promise<void> {
    return this.#do(undefined, (core) => core.db.transaction((tx) => states.expireIn(core, tx, idOf(file), null)));
  }
  /** From unpublished or expired: the local copy goes, and the object as soon as the backups that are wanted know of it. @throws RepositoryError `purging-published`, `illegal-transition`, `locked` */
  purge(file: FileRef, { signal }: RepositoryCallOptions = {}): Promise<PurgeReport> {
    return this.#do(signal, (core, signal) => states.purge(core, idOf(file), signal));
  }
  /** The local copy goes; row and object stay. Nothing happens where there is none. @throws RepositoryError `not-uploaded`, `locked` */
  unlink(file: FileRef, { signal }: RepositoryCallOptions = {}): Promise<void> {
    return this.#do(signal, (core, signal) => states.unlink(core, idOf(file), signal));
  }

  /** The current version: of the published ones the one that was published last. */
  get(path: string): Promise<FileInfo | null> {
    return this.#do(undefined, (core) => finding.current(core, path));
  }
  /** @throws RepositoryError `unknown-file` */
  info(file: FileRef): Promise<FileInfo> {
    return this.#do(undefined, async (core) => {
      const row = await fullRow(core.db, core.host, idOf(file));
      if (row.pending !== null) throw unknown(row.id);
      return infoOf(row);
    });
  }
  /** All of a path, the current one first. */
  versions(path: string): Promise<readonly FileInfo[]> {
    return this.#do(undefined, (core) => finding.versions(core, path));
  }
  /** By values of columns; by id. @throws RepositoryError `bad-query` */
  find(query: FindQuery = {}): Promise<readonly FileInfo[]> {
    return this.#do(undefined, (core) => finding.find(core, query));
  }
  /** By tags; by id. @throws RepositoryError `bad-query` */
  findTagged(query: TagQuery): Promise<readonly FileInfo[]> {
    return this.#do(undefined, (core) => finding.findTagged(core, query));
  }
  /**
   * Keeps every other repository from changing this file until it is disposed, closed, or this process dies; this one goes on as before. "nowait" fails with `locked`, "skip" gives null.
   * It is no answer to "is it locked": a change that somebody makes at this moment is in the way too.
   */
  lock(file: FileRef, options: RepositoryCallOptions & { readonly mode: "skip" }): Promise<FileLock | null>;
  lock(file: FileRef, options?: RepositoryCallOptions & { readonly mode?: "wait" | "nowait" | undefined }): Promise<FileLock>;
  lock(file: FileRef, { mode = "wait", signal }: RepositoryCallOptions & { readonly mode?: LockMode | undefined } = {}): Promise<FileLock | null> {
    return this.#do(signal, (core, signal) => locking.lock(core, idOf(file), mode, signal));
  }
  /** Locks what a search finds, as it is found then; with "skip" without what others have. Fails with none of them locked. */
  findLocked(query: FindQuery, { mode = "skip", signal }: RepositoryCallOptions & { readonly mode?: LockMode | undefined } = {}): Promise<readonly FileLock[]> {
    return this.#do(signal, (core, signal) => locking.findLocked(core, query, mode, signal));
  }

  tagFile(file: FileRef, ...tags: readonly string[]): Promise<void> {
    return this.#do(undefined, (core) => core.db.transaction((tx) => tagging.tagFileIn(core, tx, idOf(file), tags, null)));
  }
  untagFile(file: FileRef, ...tags: readonly string[]): Promise<void> {
    return this.#do(undefined, (core) => core.db.transaction((tx) => tagging.untagFileIn(core, tx, idOf(file), tags, null)));
  }
  /** A tag of all versions of this path, those to come too. */
  tagPath(path: string, ...tags: readonly string[]): Promise<void> {
    return this.#do(undefined, (core) => core.db.transaction((tx) => tagging.tagPathIn(core, tx, path, tags)));
  }
  untagPath(path: string, ...tags: readonly string[]): Promise<void> {
    return this.#do(undefined, (core) => core.db.transaction((tx) => tagging.untagPathIn(tx, path, tags)));
  }
  /** Tags of a date (UTC): `hour` gives hour, day, week and month, `day` gives day, week and month; week and month only themselves. Gives the tags. */
  async tagDate(file: FileRef, when: Date | number, granularity: DateGranularity = "hour"): Promise<readonly string[]> {
    const tags = tagging.dateTags(when, granularity);
    await this.tagFile(file, ...tags);
    return tags;
  }
  /** Its own and those of its path, in order. */
  tags(file: FileRef): Promise<readonly string[]> {
    return this.#do(undefined, (core) => tagging.tagsOf(core, idOf(file)));
  }

  /** Changes that happen together: `await using t = repo.begin(); … await t.commit();`. Without a commit it is rolled back. */
  begin({ signal }: RepositoryCallOptions = {}): RepositoryTransaction {
    if (this.#closing !== undefined) throw new StoreError("closed", "the repository is closed", { applied: false });
    const ended = this.#ending.signal;
    return new RepositoryTransaction(this.#core, signal === undefined ? ended : AbortSignal.any([signal, ended]));
  }
  /** Commits when the work resolves, rolls back when it rejects. */
  transaction<T>(work: (transaction: RepositoryTransaction) => Promise<T>, options: RepositoryCallOptions = {}): Promise<T> {
    return this.#do(options.signal, async (_, signal) => {
      await using transaction = this.begin({ signal });
      const result = await work(transaction);
      await transaction.commit();
      return result;
    });
  }

  /** Asks the stores for every object, by place, size and what hashes they tell, or with `deep` by all bytes. What is missing or wrong is written down for `repair`. */
  verify({ deep = false, signal, onProgress }: RepositoryWorkOptions & { readonly deep?: boolean | undefined } = {}): Promise<VerifyReport> {
    return this.#do(signal, (core, signal) => verifying.verify(core, deep, signal, onProgress));
  }
  /** Sends again what was found missing or wrong and this host has. */
  repair({ signal, onProgress }: RepositoryWorkOptions = {}): Promise<RepairReport> {
    return this.#do(signal, (core, signal) => verifying.repair(core, signal, onProgress));
  }
  /** Of this host: sends what was published offline, purges its stale unpublished files, lets go of stale copies, then of the least recently used ones until the rest is within the limit. */
  maintainHost({ signal }: RepositoryCallOptions = {}): Promise<HostReport> {
    return this.#do(signal, maintainHost);
  }
  /** Of all: superseded versions expire; then `collect`. Any number of hosts may do it at once. */
  maintainDatabase({ signal, graceMs, onProgress }: RepositoryWorkOptions & { readonly graceMs?: number | undefined } = {}): Promise<DatabaseReport> {
    return this.#do(signal, (core, signal) => collecting.maintainDatabase(core, graceMs ?? core.settings.graceMs, signal, onProgress));
  }
  /** Files that nothing wants are marked, and after the grace forgotten; then objects that no file names are deleted, as far as they are backed up. */
  collect({ signal, graceMs, onProgress }: RepositoryWorkOptions & { readonly graceMs?: number | undefined } = {}): Promise<CollectReport> {
    return this.#do(signal, (core, signal) => collecting.collect(core, graceMs ?? core.settings.graceMs, signal, onProgress));
  }
  status(): Promise<RepositoryStatus> {
    return this.#do(undefined, status);
  }
  hosts(): Promise<readonly HostInfo[]> {
    return this.#do(undefined, machines.hosts);
  }
  /** Takes another host, which is not at work, out of service: its copies and its name are free. @throws RepositoryError `unknown-host`, `in-use`, `host-in-use` unless `abandon` */
  decommission(host: string, { abandon = false }: { readonly abandon?: boolean | undefined } = {}): Promise<void> {
    return this.#do(undefined, (core) => machines.decommission(core, host, abandon));
  }
  /**
   * The catalogue as one compressed file into the backup store, written down here as one more backup. Of the older ones so many stay that there are `keep`, 1 or more (default: all); they go only
   * once this one was read back whole. @throws StoreError `config` without a `backupStore`, `conflict` while another runs, `integrity`, those of the store; RepositoryError `offline`
   */
  backup({ keep, signal, onProgress }: RepositoryWorkOptions & { readonly keep?: number | undefined } = {}): Promise<BackupReport> {
    return this.#do(signal, (core, signal) => saving.backup(core, keep, signal, onProgress));
  }
  /** In the backup store, newest first. @throws StoreError `config` without a `backupStore`, those of the store; RepositoryError `offline` */
  backups({ signal }: RepositoryCallOptions = {}): Promise<readonly BackupInfo[]> {
    return this.#do(signal, saving.backups);
  }
  /** What lies in the buckets and no row names: after a restore, what was added since the backup. Nothing is changed. By bucket and path. @throws RepositoryError `offline`; StoreErrors of the stores */
  unknownObjects({ signal }: RepositoryCallOptions = {}): Promise<readonly UnknownObject[]> {
    return this.#do(signal, strangers.unknownObjects);
  }
  /** Deletes these, each only if still no row names it. What they hold may be the only bytes of a file that was added after the backup. */
  removeUnknownObjects(objects: readonly Pick<UnknownObject, "bucket" | "path">[], { signal }: RepositoryCallOptions = {}): Promise<RemoveUnknownReport> {
    return this.#do(signal, (core, signal) => strangers.removeUnknownObjects(core, objects, signal));
  }
  /** All files, paths and tags go; hosts and backups stay. @throws RepositoryError `in-use` where another host is at work */
  flush(): Promise<void> {
    return this.#do(undefined, creating.flush);
  }

  /** Ends transfers and transactions, lets go of locks, closes catalogue and stores. Nothing acknowledged is lost. A second close waits for the first. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#ending.abort(new StoreError("closed", "the repository was closed", { applied: false }));
      await Promise.allSettled(this.#running);
      const { catalogue, buckets, backupStore } = this.#core.settings;
      const ended = await Promise.allSettled([
        this.#core.release().then(() => catalogue.close()),
        ...Array.from(buckets.values(), (store) => store.close()),
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
