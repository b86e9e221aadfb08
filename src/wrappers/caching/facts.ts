/**
 * How a change is decided: from the tree, and from the remote where the tree does not know. `decide` reads and refuses, and gives what is to be done; it
 * runs inside of the transaction that does it. What it misses is asked outside, and does not count if its path was changed meanwhile.
 */
import { hasCode } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import type { Core } from "./core.ts";
import type { AddOptions } from "./flush-group.ts";
import { checkAbort, orGone } from "./gave-up.ts";
import { existsInView, isEmptyInView } from "./listing.ts";
import { deleteDirectory } from "./journal-changes.ts";
import { forget } from "./learn.ts";
import { statRemote } from "./stat-remote.ts";
import type { Watch } from "./watches.ts";

type What = "stat" | "stat-if-there" | "empty" | "exists";
class Missing {
  readonly what: What;
  readonly path: StorePath;
  constructor(what: What, path: StorePath) {
    this.what = what;
    this.path = path;
  }
}
const AGAIN = Symbol("again");

export class Facts {
  readonly #core: Core;
  readonly #paths: readonly StorePath[];
  readonly #fresh: boolean;
  #watches: readonly Watch[];
  #stats = new Map<StorePath, Entry | null>();
  #empty = new Map<StorePath, boolean>();
  #exists = new Map<StorePath, boolean>();
  readonly #away = new Set<StorePath>();
  /** Directories that went with their last child; what is left of them makes room before anything is changed. */
  readonly vanished: Set<StorePath> = new Set();
  /** Rows that the remote has proved wrong; forgotten before anything is changed. */
  readonly outdated: Set<number> = new Set();

  constructor(core: Core, paths: readonly StorePath[]) {
    this.#core = core;
    this.#paths = paths;
    // Without conditions the first look is all there is: it must be true now.
    this.#fresh = core.remoteCan.writeIfMatch === false || core.remoteCan.deleteIfMatch === false;
    this.#watches = paths.map((path) => core.watches.watch(path));
  }

  /** What the remote has where it keeps this path. Only asked where the tree does not know. */
  stat(path: StorePath): Entry | null {
    const known = this.#stats.get(path);
    if (known === undefined) throw new Missing("stat", path);
    return known;
  }

  /** As `stat`, for what is good to know: undefined while the remote is away. */
  statIfThere(path: StorePath): Entry | null | undefined {
    if (this.#away.has(path) || (this.#core.uploader.reason !== undefined && !this.#stats.has(path))) return undefined;
    if (!this.#stats.has(path)) throw new Missing("stat-if-there", path);
    return this.stat(path);
  }

  /** Has the directory no children in the view? */
  isEmpty(path: StorePath): boolean {
    const known = this.#empty.get(path);
    if (known === undefined) throw new Missing("empty", path);
    return known;
  }

  /** Is a directory that only its children kept still there? */
  exists(path: StorePath): boolean {
    const known = this.#exists.get(path);
    if (known === undefined) throw new Missing("exists", path);
    return known;
  }

  get stale(): boolean {
    return this.#watches.some(({ touched }) => touched);
  }

  async fetch(missing: Missing, signal: AbortSignal | undefined): Promise<void> {
    if (missing.what === "stat" || missing.what === "stat-if-there") {
      try {
        this.#stats.set(missing.path, await statRemote(this.#core, missing.path, { fresh: this.#fresh, signal }));
      } catch (error) {
        if (missing.what === "stat" || !hasCode(error, "unavailable", "timeout", "rate-limited")) throw error;
        this.#away.add(missing.path);
      }
    } else if (missing.what === "empty") this.#empty.set(missing.path, await isEmptyInView(this.#core, missing.path, signal));
    else this.#exists.set(missing.path, await existsInView(this.#core, missing.path, signal));
  }

  again(): void {
    this.end();
    this.#watches = this.#paths.map((path) => this.#core.watches.watch(path));
    this.#stats = new Map();
    this.#empty = new Map();
    this.#exists = new Map();
  }

  end(): void {
    for (const watch of this.#watches) this.#core.watches.end(watch);
  }
}

export interface ChangeOptions extends AddOptions {
  readonly signal: AbortSignal | undefined;
}

/** Decides and journals one change of these paths; resolves when it is safe. */
export async function change<T>(core: Core, paths: readonly StorePath[], decide: (facts: Facts) => () => T, options: ChangeOptions): Promise<T> {
  const { signal } = options;
  const facts = new Facts(core, paths);
  try {
    for (;;) {
      checkAbort(signal);
      core.checkDirectory();
      await core.locks.free(paths, signal);
      try {
        return await core.group.add(() => {
          if (facts.stale || core.locks.isHeld(paths)) throw AGAIN;
          facts.outdated.clear();
          facts.vanished.clear();
          const apply = decide(facts);
          for (const id of facts.outdated) {
            const node = core.tree.row(id);
            if (node !== undefined) forget(core, node);
          }
          for (const path of facts.vanished) deleteDirectory(core, path);
          const result = apply();
          for (const path of paths) core.watches.touch(path);
          return result;
        }, options);
      } catch (error) {
        if (error instanceof Missing) await orGone(facts.fetch(error, signal), signal);
        else if (error === AGAIN) facts.again();
        else throw error;
      }
    }
  } finally {
    facts.end();
  }
}
