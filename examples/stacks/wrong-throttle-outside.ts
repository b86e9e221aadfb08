/** Wrong: the throttle above the cache. It was the line to the service that was to be spared. */
import { stack } from "stratus";
import type { Clock, Store } from "stratus";
import { caching, throttle } from "stratus/wrappers";

export function throttleOutside(service: Store, disk: string, clock: Clock) {
  return stack(service, caching({ directory: `${disk}/cache` }), throttle({ upBytesPerSecond: 1000, clock }));
}
export function throttleInside(service: Store, disk: string, clock: Clock) {
  return stack(service, throttle({ upBytesPerSecond: 1000, clock }), caching({ directory: `${disk}/cache` }));
}
