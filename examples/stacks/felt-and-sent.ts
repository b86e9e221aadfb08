/** Statistics twice: what the callers felt, and what the service was asked. The difference is what the layers in between are worth. */
import { stack } from "stratus";
import type { Store } from "stratus";
import { metadataCache, retry, stats } from "stratus/wrappers";

export function feltAndSent(service: Store) {
  return stack(service, stats().as("sent"), retry(), metadataCache(), stats().as("felt"));
}
