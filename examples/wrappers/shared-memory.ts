/** One store in memory for each place of the suite, so that a second connection sees what the first one wrote. */
import { borrow } from "stratus";
import type { Store } from "stratus";
import { memory as inMemory } from "stratus/memory";

const places = new Map<string, Store>();

export function memory(place: string): Store {
  const store = places.get(place) ?? inMemory();
  places.set(place, store);
  return store;
}

export { borrow };
