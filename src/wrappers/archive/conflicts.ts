/** Which paths are on their way: what touches one of them, or lies above or below, waits, so that no group depends on the outcome of another. */
import { parentOf, root } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";

export class Conflicts {
  readonly #paths = new Map<StorePath, number>();
  readonly #ancestors = new Map<StorePath, number>();

  add(path: StorePath): void {
    count(this.#paths, path, 1);
    for (let at = parentOf(path); at !== root; at = parentOf(at)) count(this.#ancestors, at, 1);
  }

  remove(path: StorePath): void {
    count(this.#paths, path, -1);
    for (let at = parentOf(path); at !== root; at = parentOf(at)) count(this.#ancestors, at, -1);
  }

  has(path: StorePath): boolean {
    if (this.#paths.size === 0) return false;
    if (this.#paths.has(path) || this.#ancestors.has(path)) return true;
    for (let at = parentOf(path); at !== root; at = parentOf(at)) if (this.#paths.has(at)) return true;
    return false;
  }
}

function count(map: Map<StorePath, number>, path: StorePath, by: 1 | -1): void {
  const now = (map.get(path) ?? 0) + by;
  if (now === 0) map.delete(path);
  else map.set(path, now);
}
