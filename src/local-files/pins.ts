/** Files that are in use, and how often. */
export class Pins {
  readonly #pins = new Map<number, number>();

  add(file: number): Disposable {
    this.#pins.set(file, (this.#pins.get(file) ?? 0) + 1);
    let mine = true;
    return {
      [Symbol.dispose]: () => {
        if (!mine) return;
        mine = false;
        const left = (this.#pins.get(file) ?? 1) - 1;
        if (left === 0) this.#pins.delete(file);
        else this.#pins.set(file, left);
      },
    };
  }

  has(file: number): boolean {
    return this.#pins.has(file);
  }

  keys(): Iterable<number> {
    return this.#pins.keys();
  }
}
