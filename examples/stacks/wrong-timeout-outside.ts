/** Wrong: the timeout of a reply above the retry. The pauses between the tries count as silence. */
import { stack } from "stratus";
import type { Clock, Store } from "stratus";
import { retry, timeout } from "stratus/wrappers";

export function timeoutOutside(service: Store, clock: Clock) {
  return stack(service, retry({ clock, firstDelayMs: 10_000, random: () => 1 }), timeout({ clock, replyMs: 5000 }));
}
export function timeoutInside(service: Store, clock: Clock) {
  return stack(service, timeout({ clock, replyMs: 5000 }), retry({ clock, firstDelayMs: 10_000, random: () => 1 }));
}
