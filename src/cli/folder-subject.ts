/**
 * A subject from a function that makes the user's own store: every place is a new folder of the suite's in it, reached through `prefix`, so that
 * nothing outside of that folder can be named, let alone changed.
 */
import { HarnessError, isPlaceId, runName } from "../conformance/index.ts";
import type { Place, Subject } from "../conformance/index.ts";
import { borrow, exists, layer, stack } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { prefix } from "../wrappers/prefix.ts";

export async function folderSubject(name: string, make: () => Promise<Store>): Promise<Subject> {
  const shared = await isShared(make);
  const open = shared ? make : oneForAll(make);
  return {
    name,
    reopens: shared,
    async open(place): Promise<Store> {
      // Under a name of its own: the user's stack may have a prefix already.
      return stack(await open(place), prefix(folderOf(place)).as("folder of the suite"));
    },
    async remove(place): Promise<void> {
      await using store = await open(place);
      // Only if it is empty: everything in it was the suite's and is gone.
      if (store.capabilities.delete !== false) await store.delete(folderOf(place));
    },
  };
}

function folderOf(place: Place): string {
  if (!isPlaceId(place.id)) throw new HarnessError(`${place.id} is no name of a place`);
  return `/${place.id}`;
}

/** Do two stores see the same files? One that lives in the process does not. */
async function isShared(make: () => Promise<Store>): Promise<boolean> {
  await using one = await make();
  const { capabilities } = one;
  if (capabilities.write === false || capabilities.delete === false || capabilities.consistency.read === "eventual") return true;
  const folder = `/${runName()}`;
  await one.write(`${folder}/probe.txt`, "Two connections of a conformance run look for this file. It may be deleted.");
  try {
    await using two = await make();
    return await exists(two, `${folder}/probe.txt`);
  } finally {
    await one.delete(`${folder}/probe.txt`);
    await one.delete(folder);
  }
}

/** One store for all connections of a place, closed with the last of them. */
function oneForAll(make: () => Promise<Store>): (place: Place) => Promise<Store> {
  const places = new Map<string, { readonly store: Promise<Store>; users: number }>();
  return async (place) => {
    const found = places.get(place.id) ?? { store: make(), users: 0 };
    places.set(place.id, found);
    found.users += 1;
    const store = await found.store;
    return layer("shared", (inner) => ({
      backend: inner,
      async close(): Promise<void> {
        found.users -= 1;
        if (found.users > 0) return;
        places.delete(place.id);
        await store.close();
      },
    }))(borrow(store));
  };
}
