/**
 * A stack with a write-back cache as a subject: all connections to a place share one stack, as the users of one process do. What one has written the
 * others see at once, whether or not it has been sent; another process would see it after the upload.
 */
import { join } from "node:path";
import type { Place, Subject } from "../../../src/conformance/index.ts";
import { borrow, find, layer, stack } from "../../../src/store/index.ts";
import type { Layer, Store } from "../../../src/store/index.ts";
import { Caching } from "../../../src/wrappers/index.ts";
import type { CacheControl } from "../../../src/wrappers/index.ts";

export function shared(subject: Subject, name: string, layers: (place: Place) => readonly Layer[], more: Partial<Subject> = {}): Subject {
  const places = new Map<string, { readonly store: Promise<Store>; users: number }>();
  // One directory for all connections of a place, beside their own.
  const open = async (place: Place): Promise<Store> => stack(await subject.open(place), ...layers({ ...place, scratch: join(place.scratch, "..", "shared") }));
  return {
    // Neither second channel nor wire: they would see what has been sent, not what was written.
    name: `${name} over ${subject.name}`,
    reopens: false,
    async leftovers(place) {
      // Sent, not closed: a check may look for left-overs before it goes on.
      const one = await places.get(place.id)?.store;
      if (one !== undefined) await (find(one, Caching) as CacheControl).flush();
      return (await subject.leftovers?.(place)) ?? [];
    },
    async open(place): Promise<Store> {
      const one = places.get(place.id) ?? { store: open(place), users: 0 };
      places.set(place.id, one);
      one.users += 1;
      const share = layer("share", (inner) => ({
        backend: inner,
        async close(): Promise<void> {
          one.users -= 1;
          if (one.users > 0) return;
          places.delete(place.id);
          await (await one.store).close();
        },
      }));
      return share(borrow(await one.store));
    },
    ...more,
  };
}
