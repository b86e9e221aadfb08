/** What killed sessions left is swept in the background, and a store that is closed at once leaves the rest to the next one: who looks for left-overs waits. */
import type { Store } from "../../../../src/store/index.ts";

const sweeping = new WeakMap<Store, Promise<void>>();

/** `make` gives the hook to its caching layer. */
export function watchingSweep<S extends Store>(make: (swept: () => void) => S): S {
  const { promise, resolve } = Promise.withResolvers<void>();
  const store = make(resolve);
  sweeping.set(store, promise);
  return store;
}

/** Of a store that is open. */
export async function swept(store: Store): Promise<void> {
  await sweeping.get(store);
}
