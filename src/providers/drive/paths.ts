/**
 * Paths of folders and the ids behind them: a tree, so that what lies below a moved or deleted folder is forgotten with it.
 *
 * Ids are the truth and this is a memory of them: believed for a short time, dropped when the service says otherwise.
 */
import type { Clock, StorePath } from "../../store/index.ts";

/** A directory: the folders of this path, the oldest first (several where others made one of the same name), and all folders passed on the way to it. */
export interface Place {
  readonly ids: readonly string[];
  readonly chain: readonly string[];
}

interface Node {
  place: Place | undefined;
  untilMs: number;
  readonly children: Map<string, Node>;
}

/** So many folders are remembered; then the memory begins anew. */
const MOST = 20_000;

export class Paths {
  readonly #clock: Clock;
  readonly #ttlMs: number;
  #root: Node = rootNode();
  #size = 0;

  constructor(clock: Clock, ttlMs: number) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  get(path: StorePath): Place | undefined {
    const found = this.#find(path);
    return found?.place !== undefined && found.untilMs > this.#clock.monotonic() ? found.place : undefined;
  }

  /** It was remembered, and for too long. */
  isOutdated(path: StorePath): boolean {
    const found = this.#find(path);
    return found?.place !== undefined && found.untilMs <= this.#clock.monotonic();
  }

  /** Not for longer than the folder above it is believed, or each folder on the way would make what is below it later still. */
  set(path: StorePath, place: Place): void {
    if (this.#ttlMs === 0) return;
    if (this.#size >= MOST) this.clear();
    let at = this.#root;
    let untilMs = this.#clock.monotonic() + this.#ttlMs;
    for (const name of segments(path)) {
      untilMs = Math.min(untilMs, at.untilMs);
      let next = at.children.get(name);
      if (next === undefined) {
        next = node();
        at.children.set(name, next);
        this.#size++;
      }
      at = next;
    }
    at.place = place;
    at.untilMs = untilMs;
  }

  /** This path and everything below it. */
  drop(path: StorePath): void {
    const names = segments(path);
    const last = names.pop();
    if (last === undefined) return this.clear();
    let at: Node | undefined = this.#root;
    for (const name of names) at = at?.children.get(name);
    at?.children.delete(last);
  }

  clear(): void {
    this.#root = rootNode();
    this.#size = 0;
  }

  #find(path: StorePath): Node | undefined {
    let at: Node | undefined = this.#root;
    for (const name of segments(path)) at = at?.children.get(name);
    return at;
  }
}

function node(): Node {
  return { place: undefined, untilMs: -Infinity, children: new Map() };
}

/** Whether it still holds is known elsewhere. */
function rootNode(): Node {
  return { ...node(), untilMs: Infinity };
}

function segments(path: StorePath): string[] {
  return path.split("/").filter((name) => name !== "");
}
