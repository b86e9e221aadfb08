/** How many bytes the local copies of this host have, those that are leaving included. Counted once, then kept: a sum over all rows would cost more with each file. */
export class LocalBytes {
  #bytes: number | undefined;
  #running = 0;
  #begun = 0;

  /** Around each change of these rows: `work` gives its result and the bytes that came or went. Where it fails nobody knows, and they are counted anew. */
  async change<T>(work: () => Promise<readonly [result: T, bytes: number]>): Promise<T> {
    this.#running += 1;
    this.#begun += 1;
    try {
      const [result, bytes] = await work();
      if (this.#bytes !== undefined) this.#bytes += bytes;
      return result;
    } catch (error) {
      this.#bytes = undefined;
      throw error;
    } finally {
      this.#running -= 1;
    }
  }

  /** `count` asks the catalogue. A sum that a change ran beside is given, and not kept. */
  async get(count: () => Promise<number>): Promise<number> {
    if (this.#bytes !== undefined) return this.#bytes;
    const before = this.#running === 0 ? this.#begun : undefined;
    const bytes = await count();
    if (before === this.#begun) this.#bytes = bytes;
    return bytes;
  }
}
