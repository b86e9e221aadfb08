/** Wrong: one cache directory for two stacks. Each would believe that what lies there is its own. */
import { stack } from "stratus";
import type { Store } from "stratus";
import { caching } from "stratus/wrappers";

export function sharedDirectory(one: Store, other: Store, disk: string) {
  return [stack(one, caching({ directory: disk })), stack(other, caching({ directory: disk }))] as const;
}
