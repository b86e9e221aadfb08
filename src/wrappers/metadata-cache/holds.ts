/** Own changes under way. Two that overlap leave an order that only the service knows. */
import { isInside, parentOf } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import type { Touches } from "./touches.ts";

export interface Hold {
  readonly path: StorePath;
  /** self: this path. tree: all below it too. made: a directory that the change makes where it is missing, or that goes with its last child. */
  readonly reach: "self" | "tree" | "made";
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
    this.#touches.add(path, reach === "tree" ? "tree" : "self");
    return mine;
  }

  end(hold: Hold): void {
    this.#running.delete(hold);
    this.#touches.add(hold.path, hold.reach === "tree" ? "tree" : "self");
  }

  /** Is a change of this path, or of a tree around it, under way? */
  busy(path: StorePath): boolean {
    for (const hold of this.#running) if (hold.path === path || (hold.reach === "tree" && isInside(path, hold.path))) return true;
    return false;
  }

  /** Paths below the directory that are being changed: its children, or with `deep` all of them. */
  below(directory: StorePath, deep: boolean): StorePath[] {
    const found: StorePath[] = [];
    for (const { path } of this.#running)
      if (path !== directory && (deep ? isInside(path, directory) : parentOf(path) === directory)) found.push(path);
    return found;
  }
}

/** Two changes that only make one directory do the same, in whichever order. */
function overlap(a: Hold, b: Hold): boolean {
  if (a.path === b.path) return !(a.reach === "made" && b.reach === "made");
  return (a.reach === "tree" && isInside(b.path, a.path)) || (b.reach === "tree" && isInside(a.path, b.path));
}
