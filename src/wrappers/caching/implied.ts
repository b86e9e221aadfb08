/**
 * Directories where the service has no real ones: one that nobody made by `mkdir` exists only while something lies below it. Here that can be told
 * only of what is known; a directory that was there before may have been made on purpose, and then stays although it is empty.
 */
import type { Core } from "./core.ts";
import { DIRECTORY, SUBTREE } from "./rows.ts";
import type { NodeRow } from "./rows.ts";

/** A directory of which the tree knows nothing that keeps it: whether it exists is a question of its own. */
export function mayHaveVanished(core: Core, node: NodeRow | undefined): boolean {
  if (core.remoteCan.directories !== "implied" || node === undefined || node.kind !== DIRECTORY || node.implied === 0 || node.id === 1) return false;
  return (
    core.journal.get(
      `${SUBTREE} select 1 from t join node n using(id) where n.id <> ? and (n.kind = 1 or (n.kind = 2 and n.implied = 0)) limit 1`,
      node.id,
      node.id,
    ) === undefined
  );
}

export function isDeletedBelow(core: Core, node: NodeRow): boolean {
  return core.journal.get(`${SUBTREE} select 1 from t join node n using(id) where n.kind = 0 and n.dirty = 1 limit 1`, node.id) !== undefined;
}
