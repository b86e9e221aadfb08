/** Thousands of small files, accepted at disk speed, sent as a few archives, questions answered from memory, all of it counted. */
import { stack } from "stratus";
import type { Store } from "stratus";
import { archive, caching, limit, metadataCache, retry, stats } from "stratus/wrappers";

/** `service`: `s3({ bucket })` and the like. `disk`: a directory of this machine, the same after a restart. */
export function everything(service: Store, disk: string) {
  return stack(
    service,
    limit(), // what counts are requests to the service
    retry(), // a pause holds no place in the queue
    archive({ directory: `${disk}/archive` }), // small files become a few tar archives
    caching({ directory: `${disk}/cache` }), // safe here at once, sent later; survives a kill
    metadataCache(), // repeated questions cost nothing, not even a look into the cache
    stats(), // outermost: counts what callers see
  );
}
