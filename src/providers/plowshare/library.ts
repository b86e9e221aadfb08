/** One opened index, shared by the stores of this process that name its directory. */
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { StoreError, makeDirectories } from "../../store/index.ts";
import { Contents } from "./contents.ts";
import { Deletions } from "./deletions.ts";
import { checkDirectory, openDatabase } from "./format.ts";
import { Hosts } from "./hosts.ts";
import type { StoreSettings } from "./options.ts";
import { Owner, keyOf } from "./owner.ts";
import { Slots } from "./slots.ts";
import type { Sqlite } from "./sqlite.ts";
import { Tree } from "./tree.ts";

const opened = new Map<string, Library>();
/** One opening or closing at a time: they look at the disk in between. */
let turn: Promise<unknown> = Promise.resolve();

export class Library {
  readonly db: Sqlite;
  readonly contents: Contents;
  readonly hosts: Hosts;
  readonly tree: Tree;
  readonly slots: Slots = new Slots();
  readonly deletions: Deletions = new Deletions();
  /** Links in use by downloads: what is to be removed waits for them. */
  readonly inUse: Map<string, number> = new Map<string, number>();
  /** Ids of removals under way. */
  readonly removing: Set<number> = new Set<number>();
  /** Told of new removals: one per store. */
  readonly listeners: Set<() => void> = new Set<() => void>();
  readonly directory: string;
  readonly #key: string;
  readonly #owner: Owner;
  #users = 0;
  #runs = 0;

  private constructor(settings: StoreSettings, key: string, owner: Owner, db: Sqlite) {
    this.directory = settings.directory;
    this.#key = key;
    this.#owner = owner;
    this.db = db;
    this.contents = new Contents(db);
    this.hosts = new Hosts(db);
    this.tree = new Tree(db, this.contents, settings.clock);
    this.contents.onRemoval = () => {
      for (const told of this.listeners) told();
    };
  }

  /** @throws StoreError `config` for a missing, foreign or newer directory, `conflict` where another process has it, `corrupt` for a damaged index */
  static open(settings: StoreSettings): Promise<Library> {
    return inTurn(() => Library.#open(settings));
  }

  static async #open(settings: StoreSettings): Promise<Library> {
    const { directory, createRoot, clock, flush } = settings;
    checkDirectory(directory, { createRoot, flush });
    if (!existsSync(directory)) await makeDirectories(directory, 0o700);
    const key = keyOf(directory);
    const there = opened.get(key);
    if (there !== undefined) {
      there.#users += 1;
      return there;
    }
    const owner = Owner.take(directory, clock.now());
    try {
      const db = openDatabase(directory, { createRoot, flush });
      try {
        const library = new Library(settings, key, owner, db);
        library.contents.recover(clock.now());
        // Places of runs that ended badly. Nobody else runs here: the lock is ours.
        await rm(join(directory, "run"), { recursive: true, force: true });
        opened.set(key, library);
        library.#users = 1;
        return library;
      } catch (error) {
        db.close();
        throw error;
      }
    } catch (error) {
      owner.release();
      throw error;
    }
  }

  /** A directory for one store's commands and temporary files. */
  newRun(): string {
    return join(this.directory, "run", String((this.#runs += 1)));
  }

  /** A link that a download needs now. */
  use(url: string): Disposable {
    this.inUse.set(url, (this.inUse.get(url) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.inUse.get(url) ?? 1) - 1;
        if (left > 0) this.inUse.set(url, left);
        else {
          this.inUse.delete(url);
          for (const told of this.listeners) told();
        }
      },
    };
  }

  close(): Promise<void> {
    return inTurn(async () => {
      this.#users -= 1;
      if (this.#users > 0) return;
      opened.delete(this.#key);
      try {
        const run = join(this.directory, "run");
        if (existsSync(run) && (await readdir(run)).length === 0) await rm(run, { recursive: true, force: true });
        this.db.close();
      } finally {
        this.#owner.release();
      }
    });
  }
}

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = turn.then(work);
  turn = mine.catch(() => {});
  return mine;
}

export function closed(): StoreError {
  return new StoreError("closed", "the store is closed", { applied: false });
}
