/** Slow: the limit above the retry. A call that waits for its next try keeps its place. */
import { stack } from "stratus";
import type { Clock, Store } from "stratus";
import { limit, retry } from "stratus/wrappers";

export function limitOutside(service: Store, clock: Clock) {
  return stack(service, retry({ clock, firstDelayMs: 10_000, random: () => 1 }), limit({ concurrency: 1 }));
}
export function limitInside(service: Store, clock: Clock) {
  return stack(service, limit({ concurrency: 1 }), retry({ clock, firstDelayMs: 10_000, random: () => 1 }));
}
