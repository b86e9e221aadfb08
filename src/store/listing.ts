/** A listing that runs when it is iterated; each iteration is a new one. */
import type { Entry } from "./entry.ts";
import type { Page } from "./operations.ts";
import type { Listing } from "./options.ts";

export class PagedListing implements Listing {
  readonly #page: (cursor: unknown) => Promise<Page>;
  constructor(page: (cursor: unknown) => Promise<Page>) {
    this.#page = page;
  }

  async *pages(): AsyncGenerator<readonly Entry[], void, undefined> {
    let cursor: unknown;
    do {
      const page = await this.#page(cursor);
      if (page.entries.length > 0) yield page.entries;
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Entry, void, undefined> {
    for await (const entries of this.pages()) yield* entries;
  }

  async toArray(): Promise<Entry[]> {
    const all: Entry[] = [];
    let cursor: unknown;
    do {
      const page = await this.#page(cursor);
      for (const entry of page.entries) all.push(entry);
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
    return all;
  }
}
