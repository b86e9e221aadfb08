/** Listings: answered from the tree, or asked page by page and remembered. */
import { StoreError, byCodePoint, hasCode, isInside, nameOf, parentOf, root } from "../../store/index.ts";
import type { Backend, Entry, ListCall, Page, StorePath } from "../../store/index.ts";
import { entryOf } from "./fact.ts";
import type { Fact } from "./fact.ts";
import { keyOf } from "./flights.ts";
import type { Asked, MetadataMemory } from "./memory.ts";
import { completed, upToDate, wasMade } from "./pages.ts";
import type { Place, Told } from "./pages.ts";
import type { Directory } from "./tree.ts";

export class Listings {
  readonly #inner: Backend;
  readonly #memory: MetadataMemory;
  /** Cursors that this layer gave. */
  readonly #places = new WeakSet<object>();

  constructor(inner: Backend, memory: MetadataMemory) {
    this.#inner = inner;
    this.#memory = memory;
  }

  async list(call: ListCall): Promise<Page> {
    const memory = this.#memory;
    const key = memory.naming.key(call.path);
    if (key === undefined) return this.#inner.list(call);
    const place = this.#placeOf(call.cursor);
    if (place === undefined && call.ifNoneMatch === undefined && memory.rules.fromMemory(call.fresh)) {
      const known = this.#fromMemory(key, call);
      if (known !== undefined) {
        memory.counts.hits++;
        return known;
      }
    }
    memory.counts.misses++;
    return this.page(call, key, place);
  }

  #placeOf(cursor: unknown): Place | undefined {
    if (cursor === undefined || cursor === null) return undefined;
    if (typeof cursor === "object" && this.#places.has(cursor)) return cursor as Place;
    throw new StoreError("config", "this cursor is not one of this layer's");
  }

  #fromMemory(key: StorePath, call: ListCall): Page | undefined {
    const memory = this.#memory;
    const known = memory.tree.lookDirectory(key, memory.now);
    if (known === null && memory.rules.answersAbsence() && memory.look(key) === null) {
      memory.counts.hits++;
      memory.counts.negativeHits++;
      throw new StoreError("not-found", "nothing is there");
    }
    if (known?.isFile === true && memory.tree.strict) {
      memory.counts.hits++;
      throw new StoreError("not-a-directory", "a file has no children");
    }
    const directory = memory.tree.find(key);
    if (directory === undefined) return undefined;
    const entries: Entry[] = [];
    if (call.recursive ? !this.#walk(directory, call.path, entries) : !this.#kids(directory, directory.shown ?? call.path, entries)) return undefined;
    if (call.recursive && memory.capabilities.listSorted) entries.sort((a, b) => byCodePoint(a.path, b.path));
    return { entries, etag: call.recursive ? null : directory.pageEtag };
  }

  /** False: not all of them are known well enough. */
  #kids(directory: Directory, path: StorePath, entries: Entry[]): boolean {
    const { tree, now, rules } = this.#memory;
    if (!this.#memory.isWhole(directory, now)) return false;
    if (this.#memory.capabilities.listSorted) tree.sort(directory);
    tree.use(directory, true);
    const above = path === root ? "/" : `${path}/`;
    for (const [name, fact] of directory.kids) {
      if (!this.#memory.isAlive(fact, now)) return false;
      if (fact.isAbsent) continue;
      if (!rules.suffices(fact, "basic")) return false;
      entries.push(entryOf(fact, (above + (fact.extra?.spelling ?? tree.nameOf(name))) as StorePath));
    }
    return true;
  }

  #walk(top: Directory, path: StorePath, entries: Entry[]): boolean {
    // A service that folds names has its own way to write each directory.
    if (!this.#memory.naming.exact) return false;
    const left: [Directory, StorePath][] = [[top, path]];
    for (let one = left.pop(); one !== undefined; one = left.pop()) {
      const [directory, at] = one;
      const from = entries.length;
      if (!this.#kids(directory, at, entries)) return false;
      for (let i = from; i < entries.length; i++) {
        const { kind, path: below } = entries[i] as Entry;
        if (kind !== "directory") continue;
        const child = directory.children?.get(nameOf(below));
        if (child === undefined) return false;
        left.push([child, below]);
      }
    }
    return true;
  }

  /** One page of the service, shared by all who ask for it at the same time. */
  page(call: ListCall, key: StorePath, place?: Place): Promise<Page> {
    const memory = this.#memory;
    // Who brings a condition or asks freshly has a question of his own.
    if (call.fresh || call.ifNoneMatch !== undefined) return this.#ask(call, key, place);
    const what = call.recursive ? "list recursive" : "list";
    const flight = place ?? keyOf(what, key);
    const joined = memory.flights.join<Page>(flight, (asked) => memory.mayJoin(asked, key, what), call.signal);
    if (joined !== undefined) return joined;
    return memory.flights.start(
      flight,
      memory.asked(),
      (shared) => this.#revalidated({ ...call, signal: memory.rules.signalOf(shared, call.signal) }, key, place),
      call.signal,
    );
  }

  /** Of a listing that has grown old it is enough to hear that it is still the same. */
  async #revalidated(call: ListCall, key: StorePath, place: Place | undefined): Promise<Page> {
    const memory = this.#memory;
    const old = place === undefined && !call.recursive ? memory.tree.find(key) : undefined;
    const etag = old?.complete === true && memory.capabilities.listIfNoneMatch !== false ? old.pageEtag : null;
    if (old === undefined || etag === null) return this.#ask(call, key, place);
    const asked = memory.asked();
    try {
      return await this.#ask({ ...call, ifNoneMatch: etag }, key, place);
    } catch (error) {
      if (!hasCode(error, "not-modified")) throw error;
      const same = memory.tree.find(key) === old && old.complete && old.pageEtag === etag && memory.mayRememberListing(key, asked.since);
      if (same && memory.disturbed(key, false, asked.since).size === 0) this.#renew(old, asked.at);
      return this.#fromMemory(key, call) ?? this.#ask(call, key, place);
    }
  }

  /** All that a listing tells is as it was: what single questions told since agrees with it, or its etag would have been given up. */
  #renew(directory: Directory, at: number): void {
    const { capabilities, tree } = this.#memory;
    tree.renew(directory, at, (fact) => (capabilities.listComplete ? fact.again(at) : fact.basic(at)));
  }

  async #ask(call: ListCall, key: StorePath, place: Place | undefined): Promise<Page> {
    const memory = this.#memory;
    const asked = memory.asked();
    using _reading = memory.own?.reading(asked.at);
    let page: Page;
    try {
      page = await this.#inner.list({ ...call, cursor: place?.inner });
    } catch (error) {
      if (place !== undefined || !memory.rules.saysAbsent(error)) throw error;
      if (!(await wasMade(memory, this.#inner, call, key, asked))) {
        if (memory.tree.strict && memory.rules.absentByListing(memory.capabilities)) memory.learnAbsent(key, asked);
        throw error;
      }
      page = { entries: [] };
    }
    return await this.#answer(call, key, place, page, asked);
  }

  /** Remembers a page, and gives it as the caller is to see it. */
  async #answer(call: ListCall, key: StorePath, place: Place | undefined, page: Page, asked: Asked): Promise<Page> {
    const memory = this.#memory;
    const isLast = memory.rules.endsListing(page);
    const came = { call, key, place, asked, isLast, entries: page.entries };
    const entries = await completed(memory, this.#inner, { ...came, entries: upToDate(memory, came) });
    const told: Told[] = [];
    let gap = place?.gap ?? false;
    for (const entry of entries) {
      const at = memory.naming.key(entry.path);
      if (at === undefined || !isInside(at, key)) gap = true;
      else told.push({ key: at, fact: memory.fact(entry, asked.at) });
    }
    const count = (place?.count ?? 0) + told.length;
    // One directory does not throw everything else out.
    const tooMany = count > memory.settings.maxEntries / 2;
    const here: Place = {
      inner: page.cursor,
      before: place,
      first: place?.first ?? asked,
      facts: tooMany ? [] : told,
      count,
      gap: gap || tooMany,
      last: entries.at(-1)?.path ?? place?.last,
      etag: place === undefined ? (page.etag ?? null) : place.etag,
      shown: place?.shown ?? (entries[0] === undefined ? undefined : parentOf(entries[0].path)),
    };
    if (!tooMany && memory.mayRememberListing(key, asked.since)) this.#remember(key, call.recursive, told, asked);
    if (isLast && !here.gap) this.#complete(key, call.recursive, here);
    const more = page.cursor !== undefined && page.cursor !== null;
    if (more) this.#places.add(here);
    return { entries, cursor: more ? here : undefined, etag: entries === page.entries ? page.etag : null };
  }

  /** What is there is there, whether or not the listing comes to its end. */
  #remember(key: StorePath, deep: boolean, told: readonly Told[], asked: Asked): void {
    const memory = this.#memory;
    const touched = memory.disturbed(key, deep, asked.since);
    let directory: Directory | undefined;
    let path: StorePath | undefined;
    for (const { key: at, fact } of told) {
      if (isBelow(at, key, touched)) continue;
      const parent = parentOf(at);
      if (parent !== path) {
        directory = memory.mayRememberListing(parent, asked.since) ? memory.tree.open(parent, true) : undefined;
        path = parent;
      }
      if (directory !== undefined) this.#put(directory, nameOf(at), fact);
    }
    if (directory === undefined) return;
    memory.tree.use(directory, true);
    memory.tree.makeRoom(directory);
  }

  #put(directory: Directory, name: string, fact: Fact): void {
    const { tree, rules } = this.#memory;
    const key = tree.key(name, fact.isFile ? "file" : "directory");
    const known = directory.kids.get(key);
    if (known !== undefined && rules.isNewer(known, fact.at)) return;
    tree.put(directory, key, fact);
    if (fact.isFile && tree.strict) tree.dropChild(directory, name);
  }

  /** The listing is whole: what it does not name is not there. */
  #complete(key: StorePath, deep: boolean, end: Place): void {
    const directories = new Map<StorePath, Told[]>([[key, []]]);
    for (let one: Place | undefined = end; one !== undefined; one = one.before)
      for (const told of one.facts) {
        const siblings = directories.get(parentOf(told.key));
        if (siblings === undefined) directories.set(parentOf(told.key), [told]);
        else siblings.push(told);
        if (deep && told.fact.isDirectory && !directories.has(told.key)) directories.set(told.key, []);
      }
    for (const [directory, told] of directories) this.#settle(directory, told, end, deep);
  }

  #settle(path: StorePath, told: readonly Told[], end: Place, deep: boolean): void {
    const memory = this.#memory;
    const { tree, rules } = memory;
    if (!memory.mayRememberListing(path, end.first.since)) return;
    const directory = tree.open(path, true);
    const open = new Set<string>();
    for (const at of memory.disturbed(path, false, end.first.since)) open.add(nameOf(at));
    const named = new Set<string>();
    for (const { key, fact } of told) {
      if (open.has(nameOf(key))) continue;
      const kid = tree.key(nameOf(key), fact.isFile ? "file" : "directory");
      named.add(kid);
      // Forgotten between two pages, to make room.
      if (!directory.kids.has(kid)) this.#put(directory, nameOf(key), fact);
    }
    for (const [kid, fact] of directory.kids) {
      const name = tree.nameOf(kid);
      if (named.has(kid) || open.has(name) || (!fact.isAbsent && rules.isNewer(fact, end.first.at))) continue;
      tree.remove(directory, kid);
      if (!fact.isAbsent && (tree.strict || fact.isDirectory)) tree.dropChild(directory, name);
    }
    let complete = true;
    for (const name of open) if (!tree.knowsName(directory, name)) complete = false;
    if (!memory.naming.exact && !deep) directory.shown = end.shown ?? null;
    tree.settle(directory, complete, end.first.at, open.size === 0 && !deep ? end.etag : null);
  }
}

/** Is the path, or one above it in the listing, among these? */
function isBelow(path: StorePath, top: StorePath, among: ReadonlySet<StorePath>): boolean {
  if (among.size === 0) return false;
  for (let at = path; at !== top && at !== root; at = parentOf(at)) if (among.has(at)) return true;
  return false;
}
