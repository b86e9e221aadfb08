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

interface Shared {
  readonly store: Promise<Store>;
  users: number;
}

export function shared(subject: Subject, name: string, layers: (place: Place) => readonly Layer[], more: Partial<Subject> = {}): Subject {
  const places = new Map<string, Shared>();
  const end = async (id: string, { store }: Shared): Promise<void> => {
    places.delete(id);
    await (await store).close();
  };
  // One directory for all connections of a place, beside their own.
  const open = async (place: Place): Promise<Store> => stack(await subject.open(place), ...layers({ ...place, scratch: join(place.scratch, "..", "shared") }));
  return {
    // Neither second channel nor wire: they would see what has been sent, not what was written.
    name: `${name} over ${subject.name}`,
    reopens: false,
    async leftovers(place) {
      const one = places.get(place.id);
      // Sent, not closed: a check may look for left-overs before it goes on.
      if (one !== undefined) await (one.users > 0 ? (find(await one.store, Caching) as CacheControl).flush() : end(place.id, one));
      return (await subject.leftovers?.(place)) ?? [];
    },
    async open(place): Promise<Store> {
      const one = places.get(place.id) ?? { store: open(place), users: 0 };
      places.set(place.id, one);
      one.users += 1;
      const share = layer("share", (inner) => ({
        backend: inner,
        closing: () => void one.users--,
        // Not called where it was never opened: that is ended by whoever looks for left-overs.
        close: async () => (one.users > 0 ? undefined : end(place.id, one)),
      }));
      return share(borrow(await one.store));
    },
    ...more,
  };
}
