/** Calls that go to the remote by themselves hold their paths meanwhile: nobody may change the view below their hands. */
import type { StorePath } from "../../store/index.ts";
import { orGone } from "./gave-up.ts";
import { related } from "./tree.ts";

export class Locks {
  readonly #held = new Set<readonly StorePath[]>();
  #released: Promise<void> | undefined;
  #release: (() => void) | undefined;

  isHeld(paths: readonly StorePath[]): boolean {
    for (const held of this.#held) for (const a of held) for (const b of paths) if (related(a, b)) return true;
    return false;
  }

  async free(paths: readonly StorePath[], signal: AbortSignal | undefined): Promise<void> {
    while (this.isHeld(paths)) await orGone((this.#released ??= new Promise((done) => (this.#release = done))), signal);
  }

  /** The caller has seen that it is free. Gives the function that lets go. */
  hold(paths: readonly StorePath[]): () => void {
    const own = [...paths];
    this.#held.add(own);
    return () => {
      if (!this.#held.delete(own)) return;
      const release = this.#release;
      this.#release = undefined;
      this.#released = undefined;
      release?.();
    };
  }
}
