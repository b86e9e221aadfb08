/** A caching store over memory as a subject: all connections to a place share one cache, as the users of one process do. */
import { rm } from "node:fs/promises";
import { memory } from "../../../src/providers/memory/index.ts";
import { borrow, layer, stack } from "../../../src/store/index.ts";
import type { Place, Subject } from "../../../src/conformance/index.ts";
import type { Store } from "../../../src/store/index.ts";
import { caching } from "../../../src/wrappers/index.ts";
import type { CachingOptions } from "../../../src/wrappers/index.ts";
import { cacheDirectory } from "./cache-directory.ts";

export function cachingSubject(
  name: string,
  options: Partial<CachingOptions>,
  more: Partial<Subject> = {},
  remote: (place: Place) => Store | Promise<Store> = () => memory(),
): Subject {
  const places = new Map<string, { readonly store: Store; readonly directory: string; users: number }>();
  const made = async (place: Place): Promise<{ readonly store: Store; readonly directory: string; users: number }> => {
    const directory = cacheDirectory();
    return { store: stack(await remote(place), caching({ directory, ...options })), directory, users: 0 };
  };
  return {
    name,
    reopens: false,
    async open(place): Promise<Store> {
      const shared = places.get(place.id) ?? (await made(place));
      places.set(place.id, shared);
      shared.users += 1;
      const share = layer("share", (inner) => ({
        backend: inner,
        async close(): Promise<void> {
          shared.users -= 1;
          if (shared.users > 0) return;
          places.delete(place.id);
          await shared.store.close();
          // Thousands of checks with a reserve of megabytes each.
          await rm(shared.directory, { recursive: true });
        },
      }));
      return share(borrow(shared.store));
    },
    ...more,
  };
}
