/** What a copy or a move of ours brought to a path that was written here meanwhile: known from then on, and no other client's. */
import { StoreError, parentOf } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import type { Barrier } from "./barriers.ts";
import type { Core } from "./core.ts";
import { hasFlight } from "./journal-changes.ts";
import { isSoft } from "./learn.ts";
import { baseOf } from "./remote.ts";
import { FILE } from "./rows.ts";
import type { NodeRow } from "./rows.ts";

/**
 * What stands now where files at or below the target are about to be written over: asked for, since the answer to a tree tells nothing of its files. Where
 * there was no source for it, all that lies here is about to be sent, and an earlier version of ours may have landed there.
 */
export async function arrivals(core: Core, { dst, tree }: Barrier, missing: boolean): Promise<readonly Entry[]> {
  if (dst === null || (tree === 0 && !missing) || !core.rules.arrivalIsBase) return [];
  const top = core.tree.at(dst);
  if (top === undefined) return [];
  const wanted = new Set<StorePath>();
  for (const node of core.tree.subtree(top.id))
    if (isBlind(core, node) || (missing && node.kind === FILE && node.content !== null && !hasFlight(core, node))) wanted.add(core.tree.pathOf(node));
  try {
    return await ask(core, dst, wanted);
  } catch (error) {
    // The operation has arrived all the same. Of what is there nothing is known then, as before, and a write in doubt keeps it beside ours.
    if (!StoreError.is(error) || core.ended.aborted) throw error;
    return [];
  }
}

async function ask(core: Core, dst: StorePath, wanted: ReadonlySet<StorePath>): Promise<readonly Entry[]> {
  if (wanted.has(dst)) {
    const one = await core.remote.look(dst);
    return one === null ? [] : [one];
  }
  const found: Entry[] = [];
  for (const dir of new Set([...wanted].map(parentOf))) for await (const child of core.remote.children(dir)) if (wanted.has(child.path)) found.push(child);
  return found;
}

/** Inside of a transaction, after the operation was taken off the list. `exact`: the answer to the operation itself, not a look that came after it. */
export function recordArrivals(core: Core, found: readonly Entry[], exact: boolean): void {
  if (!core.rules.arrivalIsBase) return;
  for (const one of found) {
    if (one.kind !== "file" || (one.etag === null && core.remoteCan.etag) || core.barriers.touches(one.path)) continue;
    const node = core.tree.at(one.path);
    if (node === undefined || !isPending(core, node)) continue;
    // A base that was learnt at the old place is worth less than the answer to what brought the file here.
    if (node.base_kind === null || (exact && isSoft(core, node, core.tree.look(one.path).moved))) core.tree.update(node, baseOf(one, core.numbers.next()));
  }
}

/** Pending, and nobody knows what it will replace. */
function isBlind(core: Core, node: NodeRow): boolean {
  return isPending(core, node) && node.base_kind === null;
}

function isPending(core: Core, node: NodeRow): boolean {
  return node.kind === FILE && node.dirty === 1 && !hasFlight(core, node);
}
