/** Wrong: an archive over what cannot be written. */
import { stack } from "stratus";
import type { Store } from "stratus";
import { archive, readOnly } from "stratus/wrappers";

export function archiveOfNothing(service: Store, disk: string) {
  return stack(service, readOnly(), archive({ directory: `${disk}/archive` }));
}
