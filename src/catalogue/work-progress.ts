/** How far a long work is. */

export interface WorkProgress {
  /** Files that were looked after, well or not; of backup and restore rows of the catalogue. Never less than before. */
  readonly done: number;
  /** Null: nobody knows yet. More may come while it runs. */
  readonly total: number | null;
  /** Bytes of these files that moved or were looked at, parts of files too; 0 where none do. */
  readonly bytes: number;
  readonly totalBytes: number | null;
}
/** Undefined: nobody listens. */
export type OnProgress = ((progress: WorkProgress) => void) | undefined;
export interface WithProgress {
  /** Told after each file, and while large ones move. It must not throw, and nothing waits for it. */
  readonly onProgress?: OnProgress;
}

/** One of what is counted. */
export interface Item {
  /** So many of its bytes, since it began. */
  moved(bytes: number): void;
  end(): void;
}

export class Tally {
  readonly #tell: OnProgress;
  #done = 0;
  #total: number | null = null;
  #bytes = 0;
  #totalBytes: number | null = null;

  /** @throws TypeError where it is no function */
  constructor(tell: OnProgress) {
    if (tell !== undefined && typeof tell !== "function") throw new TypeError("onProgress is a function");
    this.#tell = tell;
  }

  /** False: nobody listens, so that nothing needs to be counted for it. */
  get heard(): boolean {
    return this.#tell !== undefined;
  }

  expect(total: number, totalBytes: number | null = null): void {
    this.#total = (this.#total ?? 0) + total;
    if (totalBytes !== null) this.#totalBytes = (this.#totalBytes ?? 0) + totalBytes;
    this.#say();
  }

  add(done: number, bytes = 0): void {
    this.#done += done;
    this.#bytes += bytes;
    this.#say();
  }

  /** Its bytes count as they move, and all of them at its end, whatever became of it. */
  begin(size: number): Item {
    let counted = 0;
    const upTo = (bytes: number): number => {
      const more = Math.max(0, Math.min(bytes, size) - counted);
      counted += more;
      return more;
    };
    return {
      moved: (bytes) => {
        const more = upTo(bytes);
        if (more > 0) this.add(0, more);
      },
      end: () => this.add(1, upTo(size)),
    };
  }

  #say(): void {
    this.#tell?.({ done: this.#done, total: this.#total, bytes: this.#bytes, totalBytes: this.#totalBytes });
  }
}
