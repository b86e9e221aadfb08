/** Which paths the ends of own changes touched, and in which order: what an answer that was asked for earlier may no longer say. */
import { isInside, parentOf, root } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";

/** self: the path came, went or was replaced. tree: and everything below it. entry: only what its own entry says (the time of a directory whose child changed). */
export type Reach = "self" | "tree" | "entry";

interface Touch {
  readonly seq: number;
  readonly path: StorePath;
  readonly reach: Reach;
}

/** Touches kept. A question that is older than the oldest of them learns nothing: so a request that hangs for an hour costs no memory. */
const KEPT = 4096;

export class Touches {
  readonly #log: Touch[] = [];
  #seq = 0;
  /** Touches up to this one are forgotten. */
  #floor = 0;

  /** What a question notes when it is asked. */
  get now(): number {
    return this.#seq;
  }
  get kept(): number {
    return this.#log.length;
  }

  add(path: StorePath, reach: Reach): void {
    this.#log.push({ seq: ++this.#seq, path, reach });
    if (path !== root) this.#log.push({ seq: this.#seq, path: parentOf(path), reach: "entry" });
    if (this.#log.length > 2 * KEPT) this.#floor = (this.#log.splice(0, KEPT).at(-1) as Touch).seq;
  }

  /** Was what is said of this path touched since? */
  touched(since: number, path: StorePath): boolean {
    if (since < this.#floor) return true;
    for (let i = this.#log.length - 1; i >= 0; i--) {
      const touch = this.#log[i] as Touch;
      if (touch.seq <= since) return false;
      if (touch.path === path || (touch.reach === "tree" && isInside(path, touch.path))) return true;
    }
    return false;
  }

  /** Did the directory itself come, go or move since, so that a listing of it may be of another one? */
  replaced(since: number, directory: StorePath): boolean {
    if (since < this.#floor) return true;
    for (let i = this.#log.length - 1; i >= 0; i--) {
      const { seq, path, reach } = this.#log[i] as Touch;
      if (seq <= since) return false;
      if (reach !== "entry" && (path === directory || (reach === "tree" && isInside(directory, path)))) return true;
    }
    return false;
  }

  /** Paths below the directory that were touched since: its children, or with `deep` all of them. Ask `replaced` first. */
  below(since: number, directory: StorePath, deep: boolean): Set<StorePath> {
    const found = new Set<StorePath>();
    for (let i = this.#log.length - 1; i >= 0; i--) {
      const { seq, path } = this.#log[i] as Touch;
      if (seq <= since) break;
      if (path !== directory && (deep ? isInside(path, directory) : parentOf(path) === directory)) found.add(path);
    }
    return found;
  }

  /** Was anything at all changed since? */
  any(since: number): boolean {
    return this.#seq > since;
  }
}
