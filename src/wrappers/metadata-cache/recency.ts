/** Directories in the order of their use, as a linked list through themselves. */
import type { Directory } from "./tree.ts";

export class Recency {
  #oldest: Directory | undefined;
  #newest: Directory | undefined;
  #uses = 0;

  get oldest(): Directory | undefined {
    return this.#oldest;
  }

  /** Moves it to the front. With `always` false only where it is not among the first eighth of so many: then it is in no danger, and most look-ups cost nothing. */
  use(directory: Directory, always: boolean, directories: number): void {
    if (this.#newest === directory) return;
    if (directory.used >= 0) {
      if (!always && this.#uses - directory.used < directories >> 3) return;
      this.remove(directory);
    }
    directory.used = this.#uses++;
    directory.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = directory;
    else this.#newest.newer = directory;
    this.#newest = directory;
  }

  remove(directory: Directory): void {
    if (directory.used < 0) return;
    const { older, newer } = directory;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    directory.older = directory.newer = undefined;
    directory.used = -1;
  }

  clear(): void {
    this.#oldest = this.#newest = undefined;
  }
}
