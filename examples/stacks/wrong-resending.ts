/** Wrong: a retry that sends changes of unknown outcome again, below a cache. */
import { stack } from "stratus";
import type { Store } from "stratus";
import { caching, retry } from "stratus/wrappers";

export function resending(service: Store, disk: string) {
  return stack(service, retry(), caching({ directory: `${disk}/cache` }));
}
