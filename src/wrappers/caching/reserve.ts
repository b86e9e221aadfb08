/** A few megabytes that are given up when the disk is full, so that deletes and the bookkeeping of uploads, which make room, still have some. */
import { existsSync, rmSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { freeBytes } from "./disk.ts";

export class Reserve {
  readonly #directory: string;
  readonly #path: string;
  readonly #bytes: number;
  #writing: Promise<void> | undefined;
  /** It was there and was given up: what makes the database grow is refused until it is back. */
  #given = false;

  constructor(directory: string, bytes: number) {
    this.#directory = directory;
    this.#path = join(directory, "reserve");
    this.#bytes = bytes;
  }

  get isGiven(): boolean {
    return this.#given;
  }

  /** False: there was none to give. */
  give(): boolean {
    if (!existsSync(this.#path)) return false;
    this.#given = true;
    rmSync(this.#path, { force: true });
    return true;
  }

  /** Written, not only announced: with bytes, and flushed. Where there is no room for twice its size it waits for the next time. */
  keep(): Promise<void> {
    return (this.#writing ??= this.#keep().finally(() => (this.#writing = undefined)));
  }

  async #keep(): Promise<void> {
    if (this.#bytes === 0 || existsSync(this.#path)) {
      this.#given = false;
      return;
    }
    try {
      if ((await freeBytes(this.#directory)) < 2 * this.#bytes) return;
      const file = await open(this.#path, "wx", 0o600);
      try {
        await file.appendFile(Buffer.alloc(this.#bytes, 0xa5));
        await file.datasync();
      } finally {
        await file.close();
      }
      this.#given = false;
    } catch {
      // No room after all, or no directory any more: half a reserve is none.
      await rm(this.#path, { force: true });
    }
  }
}
