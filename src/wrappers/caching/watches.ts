/** Who asked the remote, or downloads, hears here that the path was changed meanwhile, so that the answer is not used. */
import { isInside } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";

export interface Watch {
  readonly path: StorePath;
  /** Something at, above or below the path was changed since. */
  touched: boolean;
  /** Something at or above it was. */
  touchedHere: boolean;
}

export class Watches {
  readonly #open = new Set<Watch>();

  watch(path: StorePath): Watch {
    const watch = { path, touched: false, touchedHere: false };
    this.#open.add(watch);
    return watch;
  }

  end(watch: Watch): void {
    this.#open.delete(watch);
  }

  touch(path: string): void {
    for (const watch of this.#open) {
      if (isInside(watch.path, path as StorePath)) watch.touched = watch.touchedHere = true;
      else if (isInside(path as StorePath, watch.path)) watch.touched = true;
    }
  }
}
