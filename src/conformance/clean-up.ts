/**
 * Empties a place at a live service after a check, by `list` and `delete` of a store that sees nothing but that place. What lies elsewhere cannot be
 * named by it, so it cannot be touched.
 */
import type { Entry, Store } from "../store/index.ts";
import { isPlaceId } from "./place.ts";
import type { Site } from "./place.ts";
import type { Subject } from "./subject.ts";

/** Gives what went wrong, or undefined. The check is not failed by a wrong place: the run proved before its first check that places are separate. */
export async function emptyPlace(open: () => Promise<Store>, subject: Subject, site: Site): Promise<string | undefined> {
  if (!isPlaceId(site.id)) return `${site.id} is no name that this suite makes: nothing was deleted`;
  try {
    const store = await open();
    if (store.capabilities.list !== false && store.capabilities.delete !== false) {
      await removeChildren(store);
      const left = await remaining(store);
      if (left.length > 0)
        return `still at ${site.id} after clean-up: ${left
          .map((entry) => entry.path)
          .slice(0, 5)
          .join(", ")}`;
    }
    await subject.remove?.(await site.place(0));
    return undefined;
  } catch (error) {
    return `clean-up of ${site.id} failed: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Everything below the root of this store. */
export async function removeChildren(store: Store, dir: string = "/"): Promise<void> {
  for (const entry of await store.list(dir).toArray()) {
    if (entry.kind === "directory" && store.capabilities.deleteRecursive === false) await removeChildren(store, entry.path);
    await store.delete(entry.path, entry.kind === "directory" && store.capabilities.deleteRecursive !== false ? { recursive: true } : {});
  }
}

/** An eventual listing may show what is gone; it has its declared time. */
async function remaining(store: Store): Promise<readonly Entry[]> {
  const { list, settleMs } = store.capabilities.consistency;
  const end = performance.now() + (list === "strong" ? 0 : settleMs);
  for (;;) {
    const left = await store.list("/").toArray();
    if (left.length === 0 || performance.now() > end) return left;
    await new Promise((next) => setTimeout(next, 250));
  }
}
