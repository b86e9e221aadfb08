/**
 * Deletions at hosts that run while something is uploaded. A host that keeps equal files once gives an upload the link that is deleted just then, and nobody can know
 * whether it saw the one or the other first: such a link is not believed.
 *
 *   using watch = deletions.watch();
 *   const { links } = await upload();
 *   if (await watch.meets(links)) // upload it again
 */
import type { HostLink } from "./links.ts";

type Target = Pick<HostLink, "url" | "remove">;
export interface Watch extends Disposable {
  /** Was one of these links deleted at any time since the watch began? Answers when no such deletion runs any more. */
  meets(links: readonly Target[]): Promise<boolean>;
}

export class Deletions {
  readonly #running = new Map<Target, Promise<unknown>>();
  /** For each upload under way what was deleted meanwhile. */
  readonly #watches = new Set<Set<Target>>();

  /** The deletion of this link. It counts before the command starts and until it has ended, however it ended. */
  async during<T>(target: Target, work: () => Promise<T>): Promise<T> {
    for (const seen of this.#watches) seen.add(target);
    const task = work();
    this.#running.set(target, task);
    try {
      return await task;
    } finally {
      this.#running.delete(target);
    }
  }

  watch(): Watch {
    const seen = new Set(this.#running.keys());
    this.#watches.add(seen);
    return {
      meets: async (links) => {
        const met = [...seen].filter((target) => links.some((link) => same(target, link)));
        await Promise.allSettled(met.flatMap((target) => this.#running.get(target) ?? []));
        return met.length > 0;
      },
      [Symbol.dispose]: () => void this.#watches.delete(seen),
    };
  }
}

/** As `Contents.isNeeded` sees it. */
function same(a: Target, b: Target): boolean {
  return a.url === b.url || (a.remove !== null && a.remove === b.remove);
}
