/** What this layer's own changes made in the last moments, for services whose answers come late: kept beside the tree, because it outlives what the tree forgets. */
import { isInside, parentOf, root } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import type { Fact } from "./fact.ts";

export interface OwnResult {
  readonly path: StorePath;
  /** As the change told it; an absent one says the same of everything below. Null: in doubt, its outcome is unknown; a listing is not believed in this name. */
  readonly fact: Fact | null;
  /** A directory that was deleted here, by itself or with one around it, shortly before it was made again: what was in it before is gone. */
  readonly emptied: boolean;
  readonly until: number;
}

export class OwnResults {
  /** In the order in which they end. */
  readonly #all = new Map<StorePath, OwnResult>();
  readonly #byDirectory = new Map<StorePath, Map<StorePath, OwnResult>>();

  /** Trees that came here as a whole a moment ago, or are in doubt, and until when. */
  readonly #trees = new Map<StorePath, number>();
  /** When the listings were asked for that are under way. */
  readonly #reading = new Set<{ readonly at: number }>();

  /** Does this directory lie in such a tree? Then a late listing of it may be of before, and is no knowledge. */
  inTree(directory: StorePath, now: number): boolean {
    for (const [path, until] of this.#trees) if (until > now && isInside(directory, path)) return true;
    return false;
  }

  /** What is remembered at this moment stays until the listing that is asked for now is answered: it may be as late as one that is answered at once. */
  reading(at: number): Disposable {
    const one = { at };
    this.#reading.add(one);
    return { [Symbol.dispose]: () => void this.#reading.delete(one) };
  }

  get size(): number {
    return this.#all.size;
  }

  /** With `tree`: so was everything below it, which the change did not tell one by one. */
  add(path: StorePath, fact: Fact, tree: boolean, until: number, now: number): void {
    this.#expire(now);
    if (tree) this.#trees.set(path, until);
    const emptied = fact.isDirectory && !tree && this.#wasEmptied(path, now);
    // A deleted tree is gone with all that was made in it.
    if (fact.isAbsent) this.#forget(path);
    this.#put({ path, fact, emptied, until }, now);
  }

  #wasEmptied(path: StorePath, now: number): boolean {
    const before = this.#all.get(path);
    return (before !== undefined && before.until > now && before.emptied) || this.deleted(path, now);
  }

  /**
   * Nobody knows whether this path is there. tree: nor what is below it. came: another tree may have come here.
   * What was in a directory before it was deleted comes back with none but the last.
   */
  doubt(path: StorePath, reach: "self" | "tree" | "came", until: number, now: number): void {
    this.#expire(now);
    const emptied = (at: StorePath): boolean => reach !== "came" && this.#wasEmptied(at, now);
    const inside = reach === "self" ? [] : [...this.#all.values()].filter((one) => one.path !== path && isInside(one.path, path));
    // Above all else: what is inside is judged by what stands around it.
    const doubtful = inside.map((one) => ({ ...one, fact: null, emptied: emptied(one.path) }));
    if (path !== root) doubtful.push({ path, fact: null, emptied: emptied(path), until });
    if (reach !== "self") this.#trees.set(path, until);
    for (const one of doubtful) this.#put(one, now);
  }

  /** Undefined: nothing was changed here, null: it is in doubt. */
  get(path: StorePath, now: number): Fact | null | undefined {
    const found = this.#all.get(path);
    return found !== undefined && found.until > now ? found.fact : undefined;
  }

  /** Was this path, or a tree around it, deleted here, and nothing made at it since? */
  deleted(path: StorePath, now: number): boolean {
    if (this.#all.size === 0) return false;
    for (let at = path; ; at = parentOf(at)) {
      const found = this.#all.get(at);
      if (found !== undefined && found.until > now) {
        return found.fact?.isAbsent === true || (at !== path && found.emptied);
      }
      if (at === root) return false;
    }
  }

  /** What was made here below this directory, or may have been: its children, or with `deep` all of it. */
  made(directory: StorePath, deep: boolean, now: number): OwnResult[] {
    const found: OwnResult[] = [];
    const take = (results: Iterable<OwnResult>): void => {
      for (const one of results) if (one.until > now && one.fact?.isAbsent !== true) found.push(one);
    };
    if (!deep) take(this.#byDirectory.get(directory)?.values() ?? []);
    else for (const [parent, results] of this.#byDirectory) if (isInside(parent, directory)) take(results.values());
    return found;
  }

  #put(result: OwnResult, now: number): void {
    this.#delete(result.path);
    if (!(result.until > this.#wanted(now))) return;
    this.#all.set(result.path, result);
    const parent = parentOf(result.path);
    let siblings = this.#byDirectory.get(parent);
    if (siblings === undefined) this.#byDirectory.set(parent, (siblings = new Map()));
    siblings.set(result.path, result);
  }

  #forget(path: StorePath): void {
    this.#delete(path);
    for (const [directory, results] of this.#byDirectory) if (isInside(directory, path)) for (const below of results.keys()) this.#delete(below);
  }

  /** From when on somebody may still ask what was remembered. */
  #wanted(now: number): number {
    let since = now;
    for (const { at } of this.#reading) since = Math.min(since, at);
    return since;
  }

  #expire(now: number): void {
    for (const [path, until] of this.#trees) if (!(until > now)) this.#trees.delete(path);
    const wanted = this.#wanted(now);
    for (const { path, until } of this.#all.values()) {
      if (until > wanted) return;
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
