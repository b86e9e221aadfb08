/** Group commit: the changes that wait at one moment share one transaction and one flush, and are answered only after it. */
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { StoreError, hasCode, syncDirectory } from "../../store/index.ts";
import type { Content } from "./content.ts";
import { diskError } from "./disk.ts";
import { codeOf } from "./error-code.ts";
import type { Journal } from "./journal.ts";
import type { Rules } from "./rules.ts";
import type { StepName } from "./steps.ts";

const MOST_AT_ONCE = 1000;
const MOST_INLINE_BYTES = 16 << 20;

interface Waiting {
  readonly run: () => unknown;
  readonly bytes: number;
  readonly directories: readonly string[];
  readonly room: boolean;
  readonly flush: boolean;
  done(result: unknown): void;
  fail(error: unknown): void;
}

export interface GroupOptions {
  readonly journal: Journal;
  readonly content: Content;
  readonly rules: Rules;
  readonly step: (name: StepName) => void;
  readonly durable: boolean;
  /** Directories of content whose own name is flushed already. */
  readonly durableBlocks: Set<string>;
  /** The log of the journal: what is flushed. */
  readonly wal: FileHandle;
  /** The database is full: make room, and say whether there was any. */
  readonly makeRoom: () => Promise<boolean>;
  /** While there is no reserve, what needs room is refused. */
  readonly hasReserve: () => boolean;
  /** A transaction was taken back: what is kept in memory beside the tables is to be read anew. */
  readonly rolledBack: () => void;
  readonly poisoned: () => void;
}

export interface AddOptions {
  /** Of content inside of the database. */
  readonly bytes?: number | undefined;
  /** Flushed before the commit. */
  readonly directories?: readonly string[] | undefined;
  /** It makes the database grow. Default true. */
  readonly room?: boolean | undefined;
  /** Flushes also where nothing was written. */
  readonly flush?: boolean | undefined;
}

export class Group {
  readonly #options: GroupOptions;
  #queue: Waiting[] = [];
  readonly #soon: Pick<Waiting, "run" | "done" | "fail">[] = [];
  #busy: Promise<void> | undefined;
  #poison: unknown;
  #ended = false;

  constructor(options: GroupOptions) {
    this.#options = options;
  }

  /** The journal could not be flushed once: nothing is acknowledged any more. */
  get poisoned(): boolean {
    return this.#poison !== undefined && this.#options.rules.poisonStops;
  }

  /**
   * Runs the change with others in one transaction and resolves with its result after the flush. A change that throws is taken back alone.
   */
  add<T>(run: () => T, { bytes = 0, directories = [], room = true, flush = false }: AddOptions = {}): Promise<T> {
    return new Promise<T>((done, fail) => {
      if (this.#ended) return fail(new StoreError("closed", "the cache is closed", { applied: false }));
      if (this.poisoned) return fail(this.#stopped(false));
      this.#queue.push({ run, bytes, directories, room, flush, done, fail });
      if (this.#options.rules.acknowledgesAfter === "queue") done(undefined as T);
      this.#busy ??= Promise.resolve().then(() => this.#work());
    });
  }

  /** A flush of what was recorded without one. */
  flush(): Promise<void> {
    return this.add(() => {}, { room: false, flush: true });
  }

  /** A transaction at once, without a flush: what a power loss may take back, since it leaves a doubt and no more. */
  record<T>(run: () => T): T {
    if (this.#ended) throw new StoreError("closed", "the cache is closed", { applied: false });
    if (this.poisoned) throw this.#stopped(false);
    try {
      return this.#options.journal.transaction(run);
    } catch (error) {
      this.#options.rolledBack();
      throw error;
    } finally {
      if (this.#options.content.hasFreed && this.#busy === undefined && !this.#ended) void this.flush().catch(() => {});
    }
  }

  /** As `record`, in one transaction with all that come in the same turn: of one archive thousands of answers do. */
  recordSoon<T>(run: () => T): Promise<T> {
    return new Promise<T>((done, fail) => {
      this.#soon.push({ run, done, fail });
      if (this.#soon.length === 1) setImmediate(() => this.#recordAll());
    });
  }

  #recordAll(): void {
    const { journal, rolledBack } = this.#options;
    const batch = this.#soon.splice(0);
    let ends: readonly (() => void)[];
    try {
      ends = this.record(() =>
        batch.map(({ run, done, fail: refuse }) => {
          try {
            const result = journal.part(run);
            return () => done(result);
          } catch (error) {
            if (!journal.inTransaction || isDatabaseError(error)) throw error;
            rolledBack();
            return () => refuse(error);
          }
        }),
      );
    } catch (error) {
      ends = batch.map(
        ({ fail: refuse }) =>
          () =>
            refuse(error),
      );
    }
    for (const end of ends) end();
  }

  async idle(): Promise<void> {
    while (this.#busy !== undefined) await this.#busy;
  }

  /** Nothing is taken any more; what waits is told. */
  end(): void {
    this.#ended = true;
    for (const one of this.#queue.splice(0)) one.fail(new StoreError("closed", "the cache was closed", { applied: "unknown" }));
  }

  #stopped(applied: false | "unknown"): StoreError {
    return new StoreError("unavailable", "the journal of the cache could not be flushed: close it and open it anew", {
      cause: this.#poison,
      transient: false,
      applied,
    });
  }

  async #work(): Promise<void> {
    try {
      while (this.#queue.length > 0) await this.#one(this.#take());
    } finally {
      this.#busy = undefined;
    }
  }

  #take(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const one of this.#queue) {
      bytes += one.bytes;
      if (count === MOST_AT_ONCE || (count > 0 && bytes > MOST_INLINE_BYTES)) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #one(batch: readonly Waiting[]): Promise<void> {
    const { durable, durableBlocks, rules, step, content, wal } = this.#options;
    if (this.poisoned) return fail(batch, this.#stopped(false));
    if (durable && rules.flushesDirectories) {
      const directories = new Set(batch.flatMap((one) => one.directories));
      try {
        await Promise.all([...directories].map((one) => syncDirectory(one)));
        for (const one of directories) if (directories.has(dirname(one))) durableBlocks.add(one);
      } catch (error) {
        return this.#poisoned(batch, error, false);
      }
    }
    step("group.dirs");
    const { writes } = this.#options.journal;
    const taken = await this.#commit(batch);
    if (taken === undefined) return;
    // Only refusals: there is nothing to flush.
    if (this.#options.journal.writes === writes && !batch.some(({ flush }) => flush)) return answer(taken);
    step("group.committed");
    if (rules.acknowledgesAfter === "commit") answer(taken);
    const freed = content.takeFreed();
    if (durable && rules.flushesJournal) {
      try {
        if (this.#ended) throw new StoreError("closed", "the cache was closed");
        await wal.datasync();
      } catch (error) {
        if (this.#ended) return fail(batch, new StoreError("closed", "the cache was closed", { cause: error, applied: "unknown" }));
        return this.#poisoned(batch, error, "unknown");
      }
    }
    step("group.synced");
    answer(taken, () => step("group.acked"));
    if (freed.length === 0) return;
    await content.unlink(freed);
    step("group.unlinked");
  }

  /** One transaction, each change in a savepoint of its own. Undefined: it failed, and all are told. */
  async #commit(batch: readonly Waiting[]): Promise<readonly Answer[] | undefined> {
    const { journal, rolledBack, makeRoom, hasReserve } = this.#options;
    for (let tries = 0; ; tries++) {
      if (this.#ended) {
        fail(batch, new StoreError("closed", "the cache was closed", { applied: false }));
        return undefined;
      }
      try {
        return journal.transaction(() =>
          batch.map((one): Answer => {
            if (one.room && !hasReserve()) return { one, error: full(undefined) };
            const { writes } = journal;
            try {
              return { one, result: journal.part(one.run) };
            } catch (error) {
              // An error of the database is everybody's: it may have taken back more than this change.
              if (!journal.inTransaction || isDatabaseError(error)) throw error;
              if (journal.writes !== writes) rolledBack();
              return { one, error };
            }
          }),
        );
      } catch (error) {
        rolledBack();
        if (tries === 0 && hasCode(error, "no-space") && (await makeRoom())) continue;
        fail(batch, hasCode(error, "no-space") ? full(error) : StoreError.is(error) ? error : diskError(error));
        return undefined;
      }
    }
  }

  #poisoned(batch: readonly Waiting[], error: unknown, applied: false | "unknown"): void {
    this.#poison = error;
    if (!this.#options.rules.poisonStops) return answer(batch.map((one) => ({ one, result: undefined })));
    this.#options.poisoned();
    fail(batch, this.#stopped(applied));
  }
}

interface Answer {
  readonly one: Waiting;
  readonly result?: unknown;
  readonly error?: unknown;
}

function answer(taken: readonly Answer[], afterFirst?: () => void): void {
  for (const [i, { one, result, error }] of taken.entries()) {
    if (error === undefined) one.done(result);
    else one.fail(error);
    if (i === 0) afterFirst?.();
  }
}

function fail(batch: readonly Waiting[], error: StoreError): void {
  for (const one of batch) one.fail(error);
}

function isDatabaseError(error: unknown): boolean {
  return codeOf(error).startsWith("SQLITE_");
}

function full(cause: unknown): StoreError {
  return new StoreError("no-space", "the disk of the cache directory is full", { cause, applied: false });
}
