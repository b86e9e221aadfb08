/** Where a check is explained. */
import { groupOf } from "./checks/index.ts";

/** A path below the package: `docs/checks/writes.md#write.overwrite.shorter`. */
export function docOf(check: string): string {
  return `docs/checks/${groupOf(check)}.md#${check}`;
}
