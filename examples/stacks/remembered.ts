/** A slow service that is asked the same things again and again, and no byte of it on this disk. */
import { stack } from "stratus";
import type { Store } from "stratus";
import { limit, metadataCache, prefix, retry } from "stratus/wrappers";

export function remembered(service: Store) {
  return stack(
    service,
    limit(),
    retry(),
    prefix("/shared"), // below the memory: nothing outside of it is remembered
    metadataCache({ ttlMs: 60_000 }),
  );
}
