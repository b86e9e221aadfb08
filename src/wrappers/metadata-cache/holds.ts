/** Own changes under way. Two that overlap leave an order that only the service knows. */
import { isInside, parentOf } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import type { Touches } from "./touches.ts";

export interface Hold {
  readonly path: StorePath;
  /** self: this path. tree: all below it too. made: a directory that the change makes where it is missing. emptied: one that may go with its last child. */
  readonly reach: "self" | "tree" | "made" | "emptied";
  /** Another change that concerns the same path was under way at the same time. */
  overlapped: boolean;
}

export class Holds {
  readonly #running = new Set<Hold>();
  readonly #touches: Touches;

  constructor(touches: Touches) {
    this.#touches = touches;
  }

  get size(): number {
    return this.#running.size;
  }

  begin(path: StorePath, reach: Hold["reach"]): Hold {
    const mine: Hold = { path, reach, overlapped: false };
    for (const other of this.#running) if (overlap(mine, other)) mine.overlapped = other.overlapped = true;
    this.#running.add(mine);
    return mine;
  }

  /** From here on answers that were asked for earlier are not remembered for this path. */
  end(hold: Hold): void {
    this.#running.delete(hold);
    this.#touches.add(hold.path, hold.reach === "tree" ? "tree" : "self");
  }

  /** Is a change of this path, or of a tree around it, under way? */
  busy(path: StorePath): boolean {
    for (const hold of this.#running) if (hold.path === path || (hold.reach === "tree" && isInside(path, hold.path))) return true;
    return false;
  }

  /** Is something put at exactly this path? */
  isWritten(path: StorePath): boolean {
    for (const hold of this.#running) if (hold.path === path && hold.reach === "self") return true;
    return false;
  }

  /** Is a change of something directly in this directory under way? */
  busyIn(directory: StorePath): boolean {
    for (const { path } of this.#running) if (path !== directory && parentOf(path) === directory) return true;
    return false;
  }
}

/** Two changes that only make one directory do the same in whichever order, and two that may empty it too. */
function overlap(a: Hold, b: Hold): boolean {
  if (a.path === b.path) return a.reach !== b.reach || a.reach === "self" || a.reach === "tree";
  return (a.reach === "tree" && isInside(b.path, a.path)) || (b.reach === "tree" && isInside(a.path, b.path));
}
