/** Several changes that happen together or not at all. */
import { randomBytes } from "node:crypto";
import type { Transaction } from "../catalogue/index.ts";
import { StoreError } from "../store/index.ts";
import type { Body } from "../store/index.ts";
import { addFile, addLocalFile } from "./add.ts";
import type { AddLocalOptions, AddOptions } from "./add.ts";
import { writeContent } from "./content.ts";
import { finishLeaving } from "./copies.ts";
import type { Core } from "./core.ts";
import { deleteObjects } from "./delete.ts";
import { RepositoryError } from "./errors.ts";
import { expireIn, prepare, publishIn, purgeIn } from "./states.ts";
import { forget } from "./sweep.ts";
import { dateTags, tagFileIn, tagPathIn, untagFileIn, untagPathIn } from "./tags.ts";
import type { DateGranularity } from "./tags.ts";

type Step = (tx: Transaction, objects: number[]) => Promise<void>;

/**
 * Files that it adds are written, and sent once they are published, at once, and nobody else sees them before the commit. All other changes are made by the commit, in one transaction of
 * the catalogue, which looks at every state then. Rolled back, it leaves neither row nor object nor local file; so does a process that dies, once another repository is opened.
 */
export class RepositoryTransaction implements AsyncDisposable {
  readonly #core: Core;
  readonly #signal: AbortSignal;
  readonly #token = randomBytes(16).toString("hex");
  readonly #added = new Set<number>();
  readonly #published = new Set<number>();
  readonly #steps: Step[] = [];
  readonly #afterwards: (() => Promise<void>)[] = [];
  #over = false;

  /** By `Repository.begin`. */
  constructor(core: Core, signal: AbortSignal) {
    this.#core = core;
    this.#signal = signal;
  }

  #pendingOf(id: number): string | null {
    return this.#added.has(id) ? this.#token : null;
  }
  #live(): void {
    if (this.#over) throw new TypeError("this transaction has ended");
  }
  #step(step: Step): void {
    this.#live();
    this.#steps.push(step);
  }

  /** As `Repository.addFile`. */
  async addFile(path: string, options: AddOptions = {}): Promise<number> {
    this.#live();
    const id = await addFile(this.#core, path, options, this.#token);
    this.#added.add(id);
    return id;
  }
  /** As `Repository.addLocalFile`; a source that is moved goes with the commit. */
  async addLocalFile(path: string, source: string, options: AddLocalOptions = {}): Promise<number> {
    this.#live();
    const later = (remove: () => Promise<void>): void => void this.#afterwards.push(remove);
    const id = await addLocalFile(this.#core, path, source, { ...options, signal: options.signal ?? this.#signal }, this.#token, later);
    this.#added.add(id);
    return id;
  }
  /** Of files that this transaction added. @throws RepositoryError `read-only` of any other */
  async write(id: number, body: Body): Promise<void> {
    await this.#write(id, body, false);
  }
  async append(id: number, body: Body): Promise<void> {
    await this.#write(id, body, true);
  }
  async #write(id: number, body: Body, append: boolean): Promise<void> {
    this.#live();
    if (!this.#added.has(id))
      throw new RepositoryError("read-only", "a transaction writes to files that it added: what was there before could not be put back", { file: id });
    await writeContent(this.#core, id, body, append, { signal: this.#signal }, this.#token);
  }
  /** Sends the bytes now, where no store has them; they are published by the commit. */
  async publish(id: number): Promise<void> {
    this.#live();
    await prepare(this.#core, id, this.#signal, this.#pendingOf(id));
    this.#published.add(id);
    this.#step(async (tx) => {
      if (!(await publishIn(this.#core, tx, id, null))) throw new StoreError("conflict", "a file was written again while it was published", { applied: false });
    });
  }
  expire(id: number): void {
    this.#step((tx) => expireIn(this.#core, tx, id, null));
  }
  purge(id: number): void {
    this.#step(async (tx, objects) => {
      const object = await purgeIn(this.#core, tx, id, null);
      if (object !== undefined) objects.push(object);
    });
  }
  tagFile(id: number, ...tags: readonly string[]): void {
    this.#step((tx) => tagFileIn(this.#core, tx, id, tags, null));
  }
  untagFile(id: number, ...tags: readonly string[]): void {
    this.#step((tx) => untagFileIn(this.#core, tx, id, tags, null));
  }
  tagPath(path: string, ...tags: readonly string[]): void {
    this.#step((tx) => tagPathIn(this.#core, tx, path, tags));
  }
  untagPath(path: string, ...tags: readonly string[]): void {
    this.#step((tx) => untagPathIn(tx, path, tags));
  }
  tagDate(id: number, when: Date | number, granularity: DateGranularity = "hour"): void {
    this.tagFile(id, ...dateTags(when, granularity));
  }

  /** All of it or, with the error that one of the steps had, nothing: then it is rolled back. Where the connection broke during the commit, `applied` is "unknown" and the catalogue knows. */
  async commit(): Promise<void> {
    this.#live();
    const core = this.#core;
    const objects: number[] = [];
    try {
      for (const id of this.#published) await prepare(core, id, this.#signal, this.#pendingOf(id));
      this.#over = true;
      await core.db.transaction(async (tx) => {
        objects.length = 0;
        core.checkHold();
        const freed = await tx.run("update repo_file set pending = null where pending = ?", this.#token);
        if (freed !== this.#added.size) throw new StoreError("conflict", "another host took this one for dead while its transaction ran", { applied: false });
        for (const step of this.#steps) await step(tx, objects);
      });
    } catch (error) {
      this.#over = true;
      if (!(StoreError.is(error) && error.applied === "unknown")) await this.#undo();
      throw error;
    }
    for (const work of this.#afterwards) await work();
    await finishLeaving(core);
    // What cannot be deleted now waits for a collection.
    for (const object of objects) await deleteObjects(core, this.#signal, object);
  }

  /** Nothing happened. A second call, or one after a commit, does nothing. */
  async rollback(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    await this.#undo();
  }

  async #undo(): Promise<void> {
    const core = this.#core;
    const objects: number[] = [];
    await core.db.transaction(async (tx) => {
      objects.length = 0;
      for (const { id } of await tx.query<{ readonly id: number }>("select id from repo_file where pending = ? {for update}", this.#token)) {
        const object = await forget(core, tx, id, null);
        if (object !== undefined) objects.push(object);
      }
    });
    await finishLeaving(core);
    for (const object of objects) await deleteObjects(core, undefined, object);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.rollback();
  }
}
