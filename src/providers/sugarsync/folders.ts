/**
 * What is known of folders: their children by name, keyed by the id of the folder. A path is looked up by walking from the root through these, so a renamed
 * or deleted folder needs no other entry to be touched: what was below it is not reached by the old path any more, and is by the new one (CF87).
 */
import type { Settings } from "./options.ts";
import { fold } from "./names.ts";
import type { Item } from "./resources.ts";

export interface Known {
  readonly item: Item;
  /** When it was last seen to be so, by the monotonic clock. */
  readonly seenAt: number;
  /** Made here: until then a listing without it may be late, and proves nothing. */
  readonly oursUntil: number;
}
interface Folder {
  /** By folded name. Several where the service holds several. */
  readonly names: Map<string, Known[]>;
  /** When all children were listed; -Infinity: never. */
  listedAt: number;
  /** Folded name by id. */
  readonly refs: Map<string, string>;
}

/** So many children are remembered in all; beyond that the folders that were listed first are forgotten. */
const REMEMBERED = 100_000;

export class Index {
  readonly #folders = new Map<string, Folder>();
  /** Taken away here: until then a listing that still shows them is late. */
  readonly #gone = new Map<string, number>();
  readonly #settings: Settings;
  #count = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get now(): number {
    return this.#settings.clock.monotonic();
  }

  /** Folders first, and the newest file first: of several files of one name that one is the file. */
  find(parent: string, native: string): readonly Known[] {
    return this.#folders.get(parent)?.names.get(fold(native)) ?? [];
  }

  listedAt(parent: string): number {
    return this.#folders.get(parent)?.listedAt ?? -Infinity;
  }

  /** All children, as listed just now. */
  listed(parent: string, items: readonly Item[]): void {
    const now = this.now;
    const before = this.#folders.get(parent);
    this.#forget(parent);
    const folder: Folder = { names: new Map(), listedAt: now, refs: new Map() };
    const there = new Set<string>();
    for (const item of items) {
      if ((this.#gone.get(`${parent} ${item.ref}`) ?? -Infinity) > now) continue;
      there.add(item.ref);
      this.#add(folder, { item, seenAt: now, oursUntil: -Infinity });
    }
    if (before !== undefined)
      for (const known of before.names.values()) for (const one of known) if (one.oursUntil > now && !there.has(one.item.ref)) this.#add(folder, one);
    this.#folders.set(parent, folder);
    this.#bound(parent);
  }

  /** Seen just now by itself. */
  seen(parent: string, item: Item): void {
    this.#put(parent, item, -Infinity);
  }
  /** Made or put there just now by this store. */
  made(parent: string, item: Item): void {
    this.#gone.delete(`${parent} ${item.ref}`);
    this.#put(parent, item, this.now + this.#settings.settleMs);
  }
  /** Taken away by this store, or seen to be elsewhere. */
  drop(parent: string, ref: string, ours: boolean): void {
    if (ours) {
      if (this.#gone.size > REMEMBERED) this.#gone.clear();
      this.#gone.set(`${parent} ${ref}`, this.now + this.#settings.settleMs);
    } else {
      // Somebody else changes this folder: what was listed says nothing any more.
      const folder = this.#folders.get(parent);
      if (folder !== undefined) folder.listedAt = -Infinity;
    }
    this.#remove(parent, ref);
  }

  #put(parent: string, item: Item, oursUntil: number): void {
    const kept = this.#remove(parent, item.ref);
    let folder = this.#folders.get(parent);
    if (folder === undefined) this.#folders.set(parent, (folder = { names: new Map(), listedAt: -Infinity, refs: new Map() }));
    this.#add(folder, { item, seenAt: this.now, oursUntil: Math.max(oursUntil, kept?.oursUntil ?? -Infinity) });
    this.#bound(parent);
  }

  #add(folder: Folder, known: Known): void {
    const key = fold(known.item.name);
    const all = [...(folder.names.get(key) ?? []), known];
    folder.names.set(key, all.length === 1 ? all : all.sort(order));
    folder.refs.set(known.item.ref, key);
    this.#count++;
  }

  #remove(parent: string, ref: string): Known | undefined {
    const folder = this.#folders.get(parent);
    const key = folder?.refs.get(ref);
    if (folder === undefined || key === undefined) return undefined;
    const all = folder.names.get(key) ?? [];
    const left = all.filter(({ item }) => item.ref !== ref);
    if (left.length === 0) folder.names.delete(key);
    else folder.names.set(key, left);
    folder.refs.delete(ref);
    this.#count--;
    return all.find(({ item }) => item.ref === ref);
  }

  #forget(parent: string): void {
    this.#count -= this.#folders.get(parent)?.refs.size ?? 0;
    this.#folders.delete(parent);
  }

  #bound(keep: string): void {
    for (const parent of this.#folders.keys()) {
      if (this.#count <= REMEMBERED) return;
      if (parent !== keep) this.#forget(parent);
    }
  }
}

function order({ item: a }: Known, { item: b }: Known): number {
  if (a.kind !== b.kind) return a.kind === "directory" ? -1 : 1;
  return (b.modifiedMs ?? 0) - (a.modifiedMs ?? 0) || (a.ref < b.ref ? 1 : -1);
}
