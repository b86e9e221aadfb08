/** Files of any size as they are, readable by every other client of the service, and a disk in front of them. */
import { stack } from "stratus";
import type { Store } from "stratus";
import { caching, limit, retry, timeout } from "stratus/wrappers";

export function cached(service: Store, disk: string) {
  return stack(
    service,
    limit(),
    timeout({ replyMs: 60_000 }), // of each try
    retry({ ambiguous: "reject" }), // what may have happened is told, not sent again: the cache waits it out
    caching({ directory: `${disk}/cache` }),
  );
}
