/** Space of the remote, less what is on its way there. */
import { calls } from "../../store/index.ts";
import type { Space } from "../../store/index.ts";
import type { Core } from "./core.ts";
import { orGone } from "./gave-up.ts";

export class SpaceMemory {
  readonly #core: Core;
  #known: { readonly space: Space; readonly atMs: number; readonly arrived: number } | undefined;
  #asking: Promise<Space> | undefined;

  constructor(core: Core) {
    this.#core = core;
  }

  /** From memory as long as it is right: nothing of ours has arrived since, and it is not too old. An old answer is renewed in the background. */
  async get(signal: AbortSignal | undefined): Promise<Space> {
    const { counts, clock, settings, tree } = this.#core;
    let known = this.#known;
    if (known === undefined || known.arrived !== counts.arrived) {
      await orGone(this.#ask(), signal);
      known = this.#known as NonNullable<typeof known>;
    } else if (clock.monotonic() - known.atMs >= settings().spaceMs) this.#core.background(async () => void (await this.#ask()));
    const { used, free, total } = known.space;
    return {
      used: used === null ? null : used + tree.dirtyBytes,
      free: free === null ? null : Math.max(0, free - tree.dirtyBytes),
      total,
    };
  }

  #ask(): Promise<Space> {
    return (this.#asking ??= (async () => {
      const { counts, clock, inner, ended } = this.#core;
      const { arrived } = counts;
      const space = await inner.space(calls.space({ signal: ended }));
      this.#known = { space, atMs: clock.monotonic(), arrived };
      return space;
    })().finally(() => (this.#asking = undefined)));
  }
}
