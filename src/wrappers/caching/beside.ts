/**
 * Services without directories may keep a file and things below a path of the same name side by side. The tree of rows has no place for the second, so
 * nothing of it is kept here: reads, listings, deletes and moves of it go to the service.
 */
import type { StorePath } from "../../store/index.ts";
import type { Core } from "./core.ts";
import { DIRECTORY, FILE } from "./rows.ts";
import type { NodeRow } from "./rows.ts";

/** Does a file stand in the way, which where the service is flat says nothing of what lies below it? */
export function liesBeside(core: Core, path: StorePath): boolean {
  if (core.remoteCan.strictHierarchy) return false;
  const { blocker } = core.tree.look(path);
  return blocker !== undefined && blocker.kind !== DIRECTORY && core.barriers.translate(path).some((place) => place !== null);
}

/** May the service have children of what is a file here? */
export function mayHaveChildren(core: Core, node: NodeRow | undefined): boolean {
  return !core.remoteCan.strictHierarchy && node?.kind === FILE;
}
