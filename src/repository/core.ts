/** What every part of an open repository needs. */
import type { Hold, Transaction } from "../catalogue/index.ts";
import { Pins } from "../local-files/index.ts";
import { StoreError, Turns } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import type { Disk } from "./disk.ts";
import { RepositoryError } from "./errors.ts";
import { LocalBytes } from "./local-bytes.ts";
import type { RepositoryProblem, Settings } from "./options.ts";
import { unknown } from "./rows.ts";
import type { FileRow } from "./rows.ts";

export class Core {
  readonly settings: Settings;
  readonly disk: Disk;
  /** Who this directory is in the catalogue. */
  readonly host: number;
  readonly #hold: Hold;
  /** One at a time for each file in this process: what is written, sent, fetched, let go. */
  readonly turns: Turns = new Turns();
  /** Files that this repository has locked. */
  readonly locks: Map<number, Hold> = new Map();
  readonly localBytes: LocalBytes = new LocalBytes();
  readonly #pins = new Pins();

  constructor(settings: Settings, disk: Disk, host: number, hold: Hold) {
    this.settings = settings;
    this.disk = disk;
    this.host = host;
    this.#hold = hold;
  }

  get db(): Settings["catalogue"] {
    return this.settings.catalogue;
  }

  now(): number {
    return this.settings.clock.now();
  }

  /** @throws StoreError `conflict` once the database let go of this directory, since another process may have it now */
  checkHold(): void {
    if (this.#hold.lost)
      throw new StoreError("conflict", "the connection that held this directory broke: open the repository anew", { transient: false, applied: false });
  }

  async release(): Promise<void> {
    for (const lock of this.locks.values()) await lock[Symbol.asyncDispose]();
    this.locks.clear();
    await this.#hold[Symbol.asyncDispose]();
  }

  turn<T>(file: number, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    return this.turns.take(String(file), signal, work);
  }

  /** @throws RepositoryError `unknown-bucket` */
  storeOf(bucket: string, file?: number): Store {
    const store = this.settings.buckets.get(bucket);
    if (store === undefined) throw new RepositoryError("unknown-bucket", `no bucket ${bucket} was given to this repository`, { file });
    return store;
  }

  /** While it is pinned a file does not leave to make room. */
  pin(file: number): Disposable {
    return this.#pins.add(file);
  }

  isPinned(file: number): boolean {
    return this.#pins.has(file);
  }

  report(kind: RepositoryProblem["kind"], file: number, path: string): void {
    this.settings.onProblem({ kind, file, path });
  }

  /** The row of a file, for a change of it: nobody else changes it until the transaction ends. @throws RepositoryError `unknown-file`, `locked`; StoreError `conflict` where a lock of ours was lost */
  async locked(tx: Transaction, id: number, pending: string | null = null): Promise<FileRow> {
    this.checkHold();
    const [row] = await tx.query<FileRow>("select * from repo_file where id = ? {for update}", id);
    if (row === undefined || (row.pending !== null && row.pending !== pending)) throw unknown(id);
    const mine = this.locks.get(id);
    if (mine === undefined && !(await tx.free(lockKey(id)))) throw lockedByOther(id);
    if (mine?.lost === true) throw new StoreError("conflict", "the lock of this file was lost with its connection", { transient: false, applied: false });
    return row;
  }

  /** Where somebody else has locked it, or it is gone: undefined. For maintenance, which comes again. */
  async lockedOrSkipped(tx: Transaction, id: number): Promise<FileRow | undefined> {
    this.checkHold();
    if (this.locks.has(id)) return undefined;
    const [row] = await tx.query<FileRow>("select * from repo_file where id = ? and pending is null {for update skip locked}", id);
    return row !== undefined && (await tx.free(lockKey(id))) ? row : undefined;
  }
}

export const lockKey = (id: number): string => `repo file ${id}`;
/** Locked while hosts come, go, or are looked after. */
export const HOSTS = "repo hosts";
export const hostKey = (id: number): string => `repo host ${id}`;

export function lockedByOther(id: number): RepositoryError {
  return new RepositoryError("locked", "somebody else has locked it", { file: id });
}
