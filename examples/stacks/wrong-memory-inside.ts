/** Wrong: the memory of metadata below the cache, where its answers are asked for freshly. */
import { stack } from "stratus";
import type { Store } from "stratus";
import { caching, metadataCache, stats } from "stratus/wrappers";

export function memoryInside(service: Store, disk: string) {
  return stack(service, stats().as("sent"), metadataCache(), caching({ directory: `${disk}/cache`, freshMs: 0 }));
}
export function memoryOutside(service: Store, disk: string) {
  return stack(service, stats().as("sent"), caching({ directory: `${disk}/cache`, freshMs: 0 }), metadataCache());
}
