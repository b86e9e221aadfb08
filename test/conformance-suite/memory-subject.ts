/** The memory provider as a subject: all connections to a place share one store, which ends with the last of them. */
import type { Subject } from "../../src/conformance/index.ts";
import { memory } from "../../src/providers/memory/index.ts";
import { borrow, layer } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";

/** `wrap` puts a bug on top of each connection. */
export function memorySubject(more: Partial<Subject> = {}, wrap: (store: Store) => Store = (store) => store): Subject {
  const places = new Map<string, { readonly store: Store; users: number }>();
  return {
    name: "memory",
    reopens: false,
    open(place): Store {
      const shared = places.get(place.id) ?? { store: memory(), users: 0 };
      places.set(place.id, shared);
      shared.users += 1;
      const share = layer("share", (inner) => ({
        backend: inner,
        async close(): Promise<void> {
          shared.users -= 1;
          if (shared.users > 0) return;
          places.delete(place.id);
          await shared.store.close();
        },
      }));
      return wrap(share(borrow(shared.store)));
    },
    ...more,
  };
}
