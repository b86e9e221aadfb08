/** `stat` and `read`: answered from the tree where it knows enough, else asked once for all who want to know. */
import { StoreError, calls, hasCode, parentOf, root } from "../../store/index.ts";
import type { Backend, Entry, Page, ReadCall, ReadReply, StatCall, StorePath } from "../../store/index.ts";
import { entryOf } from "./fact.ts";
import type { Fact } from "./fact.ts";
import { keyOf } from "./flights.ts";
import type { Listings } from "./listings.ts";
import type { Asked, MetadataMemory } from "./memory.ts";

export class Questions {
  readonly #inner: Backend;
  readonly #memory: MetadataMemory;
  readonly #listings: Listings;

  constructor(inner: Backend, memory: MetadataMemory, listings: Listings) {
    this.#inner = inner;
    this.#memory = memory;
    this.#listings = listings;
  }

  // Not async where the answer is in memory: a hit is one promise.
  stat(call: StatCall): Promise<Entry> {
    const memory = this.#memory;
    const key = memory.naming.key(call.path);
    if (key === undefined) return this.#inner.stat(call);
    if (memory.rules.fromMemory(call.fresh)) {
      const known = memory.look(key);
      if (known === null) {
        memory.counts.hits++;
        memory.counts.negativeHits++;
        return Promise.reject(nothing());
      }
      if (known !== undefined && memory.rules.suffices(known, call.detail)) {
        memory.counts.hits++;
        memory.tree.useSeen();
        return Promise.resolve(entryOf(known, call.path));
      }
    }
    memory.counts.misses++;
    return call.fresh ? this.#ask(call, key) : this.#shared(call, key);
  }

  async #shared(call: StatCall, key: StorePath): Promise<Entry> {
    const memory = this.#memory;
    const { signal, path } = call;
    const mayJoin = (asked: Asked): boolean => memory.mayJoin(asked, key, "stat");
    for (const detail of ["full", "basic"] as const) {
      if (detail === "basic" && call.detail === "full") break;
      const joined = memory.flights.join<Entry>(keyOf(`stat ${detail}`, key), mayJoin, signal);
      if (joined !== undefined) return named(await joined, path);
    }
    if (this.#mayPrefetch(call, key)) {
      const found = await this.#prefetched(call, key);
      if (found !== undefined) return named(found, path);
    }
    const kind = `stat ${call.detail}` as const;
    return named(
      await memory.flights.start(
        keyOf(kind, key),
        memory.asked(),
        (shared) => this.#ask({ ...call, signal: memory.rules.signalOf(shared, signal) }, key),
        signal,
      ),
      path,
    );
  }

  #mayPrefetch({ detail }: StatCall, key: StorePath): boolean {
    const { capabilities, settings, tree, now, naming } = this.#memory;
    if (!settings.prefetch || key === root || capabilities.list === false || !naming.exact || settings.ttlMs <= 0) return false;
    if (detail === "full" && !capabilities.listComplete) return false;
    const parent = tree.find(parentOf(key));
    // A directory that is complete and lacks only this one fact is not listed for it.
    return parent === undefined || (parent.prefetchFrom <= now && !this.#memory.isWhole(parent, now));
  }

  /** The entry, from one page of the listing of its directory. Undefined: that did not tell; then the path itself is asked for. */
  async #prefetched({ detail, signal, path }: StatCall, key: StorePath): Promise<Entry | undefined> {
    const memory = this.#memory;
    const directory = parentOf(key);
    const asked = memory.asked();
    let page: Page;
    try {
      memory.counts.prefetches++;
      page = await this.#listings.page(calls.list(directory, { signal }), directory);
    } catch (error) {
      if (signal?.aborted === true) throw error;
      if (memory.rules.saysAbsent(error) && memory.rules.absentByListing(memory.capabilities)) {
        memory.learnAbsent(key, asked);
        throw nothing();
      }
      // One who may not list may still ask for a name.
      this.#notAgain(directory);
      return undefined;
    }
    const isWhole = page.cursor === undefined;
    if (!isWhole || memory.tree.find(directory)?.complete !== true) this.#notAgain(directory);
    // Of two that stand side by side the file is meant.
    const found = page.entries.find((entry) => entry.path === path && entry.kind === "file") ?? page.entries.find((entry) => entry.path === path);
    if (found !== undefined && !memory.tree.strict && found.kind === "directory" && !isWhole) return undefined;
    if (found !== undefined) return memory.rules.suffices(memory.fact(found, asked.at), detail) ? found : undefined;
    if (!isWhole || !memory.rules.absentByListing(memory.capabilities)) return undefined;
    throw nothing();
  }

  #notAgain(directory: StorePath): void {
    const memory = this.#memory;
    memory.tree.open(directory, false).prefetchFrom = memory.now + memory.settings.ttlMs;
  }

  async #ask(call: StatCall, key: StorePath): Promise<Entry> {
    const memory = this.#memory;
    const asked = memory.asked();
    try {
      const entry = await this.#inner.stat(call);
      if (this.#ownSays(key)?.isAbsent === true) throw nothing();
      memory.learn(key, entry, asked);
      return entry;
    } catch (error) {
      if (!memory.rules.saysAbsent(error)) throw error;
      const own = this.#ownSays(key);
      if (own !== undefined && !own.isAbsent) return entryOf(own, call.path);
      memory.learnAbsent(key, asked);
      throw error;
    }
  }

  /** Where even single answers come late, what was changed here a moment ago is known better here. */
  #ownSays(key: StorePath): Fact | undefined {
    const { own, capabilities, now } = this.#memory;
    return capabilities.consistency.read === "eventual" ? (own?.get(key, now) ?? undefined) : undefined;
  }

  /** Never answered from memory; what it tells of the file is remembered, and that there is none too. */
  async read(call: ReadCall): Promise<ReadReply> {
    const memory = this.#memory;
    const key = memory.naming.key(call.path);
    if (key === undefined) return this.#inner.read(call);
    const asked = memory.asked();
    let reply: ReadReply;
    try {
      reply = await this.#inner.read(call);
    } catch (error) {
      if (memory.rules.saysAbsent(error)) {
        // Of two that stand side by side, a read means the file.
        if (memory.tree.strict) memory.learnAbsent(key, asked);
      } else if (hasCode(error, "conflict") && memory.mayRemember(key, asked.since)) memory.tree.forget(key);
      throw error;
    }
    if (this.#ownSays(key)?.isAbsent !== true) memory.learn(key, memory.rules.readEntry(reply), asked);
    return reply;
  }
}

function nothing(): StoreError {
  return new StoreError("not-found", "nothing is there");
}

/** A joined answer tells the path as each has asked for it. */
function named(entry: Entry, path: StorePath): Entry {
  return entry.path === path ? entry : { ...entry, path };
}
