/** Refusals that are decided at the call, from the tree and, where that does not know, from the remote. */
import { StoreError } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import type { Core } from "./core.ts";
import type { Facts } from "./facts.ts";
import { isSoft } from "./learn.ts";
import { ABSENT, DIRECTORY, FILE } from "./rows.ts";
import type { Kind } from "./rows.ts";
import { ancestors } from "./tree.ts";
import { know } from "./view.ts";
import type { Known } from "./view.ts";

export function refusal(code: "is-a-directory" | "not-a-directory" | "not-empty" | "already-exists" | "not-found", reason: string): StoreError {
  return new StoreError(code, reason, { applied: false });
}

/** No file on the way to the path. Without `ask` only the tree is asked. Gives what was learnt of the directories above. */
export function checkParents(core: Core, path: StorePath, facts: Facts, ask: boolean): (at: StorePath) => Entry | null | undefined {
  const seen = new Map<StorePath, Entry | null>();
  for (const at of ancestors(path)) {
    const { known } = core.tree.look(at);
    if (known === FILE) throw refusal("not-a-directory", "a parent of this path is a file");
    if (known === DIRECTORY) continue;
    if (known === ABSENT) break;
    if (!ask) break;
    const found = facts.stat(at);
    if (found?.kind === "file") throw refusal("not-a-directory", "a parent of this path is a file");
    seen.set(at, found);
    if (found === null) break;
  }
  // Below what is missing everything is missing.
  return (at) => {
    const own = seen.get(at);
    if (own !== undefined) return own;
    for (const [above, found] of seen) if (found === null && at.startsWith(`${above}/`)) return null;
    return undefined;
  };
}

/** As rename(2) does: a file over a file, a directory over nothing or an empty directory. */
export function checkTarget(core: Core, source: Kind, to: StorePath, facts: Facts): Known {
  const target = know(core, to, facts);
  if (target.kind === DIRECTORY && source === FILE) throw refusal("is-a-directory", "the target is a directory");
  if (target.kind === FILE && source === DIRECTORY) throw refusal("not-a-directory", "the target is a file");
  if (target.kind === DIRECTORY) checkEmpty(core, to, facts);
  return source === FILE ? hardened(core, target, to, facts) : target;
}

/** Its etag is that of the place it was moved from: what an operation takes along or replaces has to be told from another client's. */
export function hardened(core: Core, known: Known, path: StorePath, facts: Facts): Known {
  const { node, look } = known;
  if (!core.rules.softIsAsked || node === undefined || !isSoft(core, node, look.moved) || core.barriers.changes(path)) return known;
  const found = facts.statIfThere(path);
  return found === undefined || found?.kind === "directory" ? known : { ...known, entry: found };
}

export function checkEmpty(core: Core, path: StorePath, facts: Facts): void {
  const node = core.tree.at(path);
  // What was made here counts, whatever the remote says.
  const made = node !== undefined && core.tree.children(node.id).some(({ kind, dirty }) => kind !== ABSENT && dirty === 1);
  if (made || !facts.isEmpty(path)) throw refusal("not-empty", "the directory has children");
}

/** Whoever waits for the uploader waits in vain when it has ended. */
export function stillRuns(core: Core): void {
  if (core.ended.aborted) throw new StoreError("closed", "the store is closed", { applied: false });
  if (core.group.poisoned)
    throw new StoreError("unavailable", "the journal of the cache could not be flushed: close it and open it anew", { transient: false, applied: false });
}

/** As many pending tree operations as the memory is meant for: a further one waits for the uploader. */
export async function roomForBarrier(core: Core, signal: AbortSignal | undefined): Promise<void> {
  if (core.barriers.size < core.settings().maxBarriers) return;
  await core.uploader.waitedFor(async () => {
    while (core.barriers.size >= core.settings().maxBarriers) {
      await core.uploader.changed(signal);
      stillRuns(core);
    }
  });
}
