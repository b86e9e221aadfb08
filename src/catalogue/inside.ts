/** Whether this code runs inside a transaction: to use the catalogue there would wait for itself on SQLite, and see other rows on PostgreSQL. */
import { AsyncLocalStorage } from "node:async_hooks";

export class Inside {
  readonly #current = new AsyncLocalStorage<boolean>();

  /** @throws TypeError inside a transaction of this catalogue */
  refuse(): void {
    if (this.#current.getStore() === true) throw new TypeError("inside a transaction only its own queries may run");
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    return this.#current.run(true, work);
  }
}
