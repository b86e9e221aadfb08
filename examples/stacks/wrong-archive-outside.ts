/** Wrong: the archive above the cache. */
import { stack } from "stratus";
import type { Clock, Store } from "stratus";
import { archive, caching } from "stratus/wrappers";

export function archiveOutside(service: Store, disk: string, clock: Clock) {
  return stack(service, caching({ directory: `${disk}/cache`, clock }), archive({ directory: `${disk}/archive`, clock }));
}
