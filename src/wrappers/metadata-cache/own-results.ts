/** What this layer's own changes made in the last moments, for services whose answers come late: kept beside the tree, because it outlives what the tree forgets. */
import { isInside, parentOf, root } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import type { Fact } from "./fact.ts";

export interface OwnResult {
  readonly path: StorePath;
  /** As the change told it; an absent one says the same of everything below. */
  readonly fact: Fact;
  /** A directory that was deleted here shortly before it was made again: what was in it before is gone. */
  readonly emptied: boolean;
  readonly until: number;
}

export class OwnResults {
  /** In the order in which they end. */
  readonly #all = new Map<StorePath, OwnResult>();
  readonly #byDirectory = new Map<StorePath, Map<StorePath, OwnResult>>();

  get size(): number {
    return this.#all.size;
  }

  add(path: StorePath, fact: Fact, until: number, now: number): void {
    this.#expire(now);
    if (!(until > now)) return;
    const before = this.#all.get(path);
    const emptied = fact.isDirectory && before !== undefined && before.until > now && (before.fact.isAbsent || before.emptied);
    // A deleted tree is gone with all that was made in it.
    if (fact.isAbsent) this.forget(path);
    else this.#delete(path);
    const made = { path, fact, emptied, until };
    this.#all.set(path, made);
    const parent = parentOf(path);
    let siblings = this.#byDirectory.get(parent);
    if (siblings === undefined) this.#byDirectory.set(parent, (siblings = new Map()));
    siblings.set(path, made);
  }

  /** Nobody knows any more what became of this path and all below it. */
  forget(path: StorePath): void {
    this.#delete(path);
    if (this.#byDirectory.size === 0) return;
    for (const [directory, results] of this.#byDirectory) if (isInside(directory, path)) for (const below of results.keys()) this.#delete(below);
  }

  get(path: StorePath, now: number): Fact | undefined {
    const found = this.#all.get(path);
    return found !== undefined && found.until > now ? found.fact : undefined;
  }

  /** Was this path, or a tree around it, deleted here, and nothing made at it since? */
  deleted(path: StorePath, now: number): boolean {
    if (this.#all.size === 0) return false;
    for (let at = path; ; at = parentOf(at)) {
      const found = this.#all.get(at);
      if (found !== undefined && found.until > now) return found.fact.isAbsent || (at !== path && found.emptied);
      if (at === root) return false;
    }
  }

  /** What was made here below this directory: its children, or with `deep` all of it. */
  made(directory: StorePath, deep: boolean, now: number): OwnResult[] {
    const found: OwnResult[] = [];
    const take = (results: Iterable<OwnResult>): void => {
      for (const one of results) if (one.until > now && !one.fact.isAbsent) found.push(one);
    };
    if (!deep) take(this.#byDirectory.get(directory)?.values() ?? []);
    else for (const [parent, results] of this.#byDirectory) if (isInside(parent, directory)) take(results.values());
    return found;
  }

  clear(): void {
    this.#all.clear();
    this.#byDirectory.clear();
  }

  #expire(now: number): void {
    for (const { path, until } of this.#all.values()) {
      if (until > now) return;
      this.#delete(path);
    }
  }

  #delete(path: StorePath): void {
    if (!this.#all.delete(path)) return;
    const parent = parentOf(path);
    const siblings = this.#byDirectory.get(parent);
    siblings?.delete(path);
    if (siblings?.size === 0) this.#byDirectory.delete(parent);
  }
}
