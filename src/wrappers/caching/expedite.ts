/** What somebody waits for is due now. What has failed keeps its pause, unless it is said otherwise. */
import { FOLLOWS } from "./candidates.ts";
import type { Core } from "./core.ts";
import { SUBTREE } from "./rows.ts";

/** These rows and all below. `newest`: of changes up to this one; `failedToo`: what has failed as well. */
export function expedite(
  core: Core,
  tops: readonly number[],
  { newest = Number.MAX_SAFE_INTEGER, failedToo = false }: { readonly newest?: number; readonly failedToo?: boolean } = {},
): void {
  const now = core.clock.now();
  recorded(core, () => {
    let count = 0;
    for (const top of tops)
      count += core.journal.run(
        `update node set due = ? where dirty = 1 and due > ? and tries <= ? and gen <= ? and not ${FOLLOWS} and id in (${SUBTREE} select id from t)`,
        now,
        now,
        failedToo ? Number.MAX_SAFE_INTEGER : 0,
        newest,
        top,
      );
    return count;
  });
}

/** Everything, by its index. */
export function expediteAll(core: Core, newest: number): void {
  const now = core.clock.now();
  recorded(core, () =>
    core.journal.run(
      `update node set due = ? where dirty = 1 and wait is null and due is not null and due > ? and tries = 0 and gen <= ? and not ${FOLLOWS}`,
      now,
      now,
      newest,
    ),
  );
}

function recorded(core: Core, change: () => number): void {
  if (core.group.record(change) > 0) core.uploader.wake();
}
