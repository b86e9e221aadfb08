/** Who this installation is: a writer id that no other index has had, and a counter that is never used twice. */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { archiveId, drawWriter, isWriter } from "./format/names.ts";
import { localTrouble } from "./index/database.ts";
import type { Index } from "./index/index.ts";
import type { Rules } from "./rules.ts";
import type { StepHook } from "./steps.ts";

/** Before the id of a writer that somebody else uses too: it is not dead, and nobody here claims it. */
const ABANDONED = "-";

export class Identity {
  readonly #file: string;
  readonly #index: Index;
  readonly #random: () => number;
  readonly #step: StepHook;
  readonly #countPersistedFirst: boolean;
  #unkept = 0;
  #writer: string;
  /** All that this directory has had, with those it gave up. */
  readonly #earlier: Set<string>;

  constructor(directory: string, index: Index, rules: Rules, random: () => number, step: StepHook) {
    this.#file = join(directory, "writers");
    this.#index = index;
    this.#random = random;
    this.#step = step;
    this.#countPersistedFirst = rules.countPersistedFirst;
    const lines = this.#lines();
    const abandoned = new Set(lines.filter((line) => line.startsWith(ABANDONED)).map((line) => line.slice(1)));
    const had = lines.filter(isWriter);
    this.#earlier = new Set(had.filter((writer) => !abandoned.has(writer)));
    const kept = index.meta("writer");
    const last = had.at(-1);
    if (isWriter(kept)) this.#writer = kept;
    else if (!rules.lostIndexChangesWriter && last !== undefined) this.#writer = last;
    else this.#writer = this.#draw(() => false);
    this.#earlier.delete(this.#writer);
    if (!isWriter(kept)) this.#keep();
    // Somebody took the file away, or put an older one there.
    else if (!had.includes(this.#writer)) this.#append(this.#writer);
  }

  get writer(): string {
    return this.#writer;
  }
  get nextCount(): number {
    return this.#index.number("nextCount");
  }
  /** Writers whose index was lost in this directory: dead for certain, since it has one owner at a time. */
  get earlier(): ReadonlySet<string> {
    return this.#earlier;
  }

  /** An id that nobody has had, persisted with its count before it is used. Within a transaction of the caller's. */
  nextId(nowMs: number): string {
    const count = Math.max(this.nextCount, this.#unkept);
    if (this.#countPersistedFirst) this.#index.setMeta("nextCount", count + 1);
    else this.#unkept = count + 1;
    return archiveId(nowMs, this.#writer, count);
  }

  /** A new identity. `abandon`: the old one belongs to somebody else, or has been claimed. */
  renew(occurs: (writer: string) => boolean): void {
    this.#append(ABANDONED + this.#writer);
    this.#writer = this.#draw(occurs);
    this.#keep();
  }

  #draw(occurs: (writer: string) => boolean): string {
    for (;;) {
      const writer = drawWriter(this.#random);
      if (occurs(writer) || this.#lines().some((line) => line === writer || line === ABANDONED + writer)) continue;
      this.#step("id drawn");
      this.#append(writer);
      this.#step("id synced");
      return writer;
    }
  }

  #keep(): void {
    this.#index.transaction(() => {
      this.#index.setMeta("writer", this.#writer);
      this.#index.setMeta("nextCount", 1);
    });
  }

  #lines(): string[] {
    try {
      return existsSync(this.#file) ? readFileSync(this.#file, "utf8").split("\n") : [];
    } catch (error) {
      throw localTrouble(error);
    }
  }

  /** On the disk before it is used. The break comes first: the last line may have been cut by a crash. */
  #append(line: string): void {
    try {
      const file = openSync(this.#file, "a", 0o600);
      try {
        writeSync(file, `\n${line}\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      throw localTrouble(error);
    }
  }
}
