/** Many small files as plain tar archives in a directory, without a cache: each write waits for its archive, so many are written at once. */
import { stack } from "stratus";
import type { Store } from "stratus";
import { archive, stats } from "stratus/wrappers";

export function packed(service: Store, disk: string) {
  return stack(service, archive({ directory: `${disk}/archive`, maxDelayMs: 20 }), stats());
}
