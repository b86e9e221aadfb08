/** What is known of the remote beside the tree: how old it may be, whether it still holds, and what a new answer changes. */
import { StoreError, hasCode } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import type { Core } from "./core.ts";
import { baseOf } from "./remote.ts";
import type { Base } from "./remote.ts";
import { DIRECTORY, FILE, SUBTREE } from "./rows.ts";
import type { NodeRow } from "./rows.ts";

export function isFresh(core: Core, { checked }: NodeRow): boolean {
  return checked !== null && core.clock.now() - checked < core.settings().freshMs;
}

/** Is anything at or below this row still to be brought to the remote, or under way? */
export function isPendingBelow(core: Core, node: NodeRow): boolean {
  return (
    core.journal.get(
      `${SUBTREE} select 1 from t join node n using(id) where n.dirty = 1 or exists(select 1 from flight where node = n.id) limit 1`,
      node.id,
    ) !== undefined
  );
}

/** Forgets what is known at and below a row, where nothing of it is pending. */
export function forget(core: Core, node: NodeRow): boolean {
  if (isPendingBelow(core, node)) return false;
  if (node.kind === FILE) core.barriers.drops(core.tree.pathOf(node), node);
  for (const one of core.tree.subtree(node.id).reverse()) {
    core.content.unref(one.content);
    core.tree.remove(one);
  }
  core.watches.touch(core.tree.pathOf(node));
  return true;
}

export function notFound(): StoreError {
  return new StoreError("not-found", "nothing is there");
}

/** An expired file while the remote is away. */
export function mayServeStale(core: Core, node: NodeRow, error: unknown): boolean {
  const { staleOnErrorMs } = core.settings();
  if (staleOnErrorMs === 0 || node.checked === null || node.content === null || core.clock.now() - node.checked >= staleOnErrorMs) return false;
  return hasCode(error, "unavailable", "timeout", "rate-limited");
}

/**
 * Brings a clean row in line with what the remote says of it. "same": its content is still right; "changed": it was dropped or renewed;
 * "again": the row was changed here meanwhile.
 */
export async function learn(core: Core, node: NodeRow, found: Entry | null, path: StorePath): Promise<"same" | "changed" | "again"> {
  if (node.dirty === 1) return "again";
  const { moved } = core.tree.look(path);
  const soft = isSoft(core, node, moved);
  const same = found !== null && node.kind === FILE && found.kind === "file" && (await isStill(core, node, found, soft));
  if ((same && !soft) || (found?.kind === "directory" && node.kind === DIRECTORY && node.modified === found.modifiedMs)) {
    // Confirmed a moment ago: nothing worth writing down.
    const { freshMs } = core.settings();
    if (!tellsMore(node, found) && node.checked !== null && core.clock.now() - node.checked <= freshMs / 4) return "same";
  }
  return core.group.record(() => {
    const now = core.tree.row(node.id);
    if (now === undefined || now.gen !== node.gen || now.dirty === 1 || now.base_gen !== node.base_gen) return "again";
    // A copy or a move ended while bytes were compared: what was found stands at the old place, and its etag with it.
    if (core.tree.look(path).moved !== moved) return "again";
    const checked = core.clock.now();
    if (found !== null && now.kind === DIRECTORY && found.kind === "directory") {
      core.tree.update(now, { checked, base_kind: DIRECTORY, modified: found.modifiedMs });
      return "same";
    }
    if (same) {
      core.tree.update(now, {
        checked,
        ...(tellsMore(now, found) ? toldAnew(now, found) : undefined),
        ...(soft ? { ...baseOf(found, core.numbers.next(), now.base_crc), ...(now.local === 0 ? shownOf(found) : undefined) } : undefined),
      });
      return "same";
    }
    if (found !== null && now.kind === FILE && found.kind === "file" && core.journal.get("select 1 from flight where node = ?", now.id) === undefined) {
      core.content.unref(now.content);
      core.tree.update(now, { checked, content: null, local: 0, gen: core.numbers.next(), ...baseOf(found, core.numbers.next()), ...shownOf(found) });
      return "changed";
    }
    return forget(core, now) ? "changed" : "same";
  });
}

/**
 * Where etags tell the bytes, the same bytes written again have the same one: the file has what is said of it now. A listing that tells another time says only
 * that what is known is old. Of a file that was written here its own time is shown, which the service need not keep.
 */
function tellsMore(node: NodeRow, found: Entry): boolean {
  if (node.kind !== FILE || found.kind !== "file") return false;
  if (isRewritten(node, found)) return true;
  if (!found.complete) return false;
  const { ctype, metadata } = toldOf(found);
  // In another order it is written down once, and is the same from then on.
  return node.complete === 0 || node.ctype !== ctype || node.metadata !== metadata;
}

function isRewritten(node: NodeRow, found: Entry): boolean {
  return node.local === 0 && found.modifiedMs !== null && node.modified !== found.modifiedMs;
}

function toldAnew(node: NodeRow, found: Entry): Partial<ReturnType<typeof shownOf>> {
  const told = found.complete ? toldOf(found) : { complete: 0 as const };
  return isRewritten(node, found) ? { ...told, modified: found.modifiedMs } : told;
}

export function shownOf(found: Entry): Pick<NodeRow, "size" | "modified" | "ctype" | "metadata" | "complete"> {
  return { size: found.size, modified: found.modifiedMs, ...toldOf(found) };
}

/** Inside of a transaction. A row of a file that is at the remote, without its bytes. */
export function insertClean(core: Core, found: Entry, parent: number, name: string, base: Base): void {
  const id = core.numbers.row();
  core.tree.insert({ id, parent, name, kind: FILE, dirty: 0, gen: core.numbers.next(), checked: core.clock.now(), ...base, ...shownOf(found) });
}

function toldOf({ contentType, metadata, complete }: Entry): Pick<NodeRow, "ctype" | "metadata" | "complete"> {
  return { ctype: contentType, metadata: metadata === null ? null : JSON.stringify(metadata), complete: complete ? 1 : 0 };
}

/**
 * Of a file that has just arrived, what the service would say of it. Some give a file that came without a content type one of their own choice, some tell of
 * no metadata that there is none: what was neither given nor is in the answer is asked for when somebody wants to know.
 */
export function arrivedAs(core: Core, { ctype, metadata }: Pick<NodeRow, "ctype" | "metadata">, answer: Entry | null): ReturnType<typeof toldOf> {
  if (answer?.complete === true) return toldOf(answer);
  return { ctype, metadata, complete: metadata !== null && (ctype !== null || core.remoteCan.writeContentType === false) ? 1 : 0 };
}

/** For readers: are the bytes that lie here those that are there? */
async function isStill(core: Core, node: NodeRow, found: Entry, soft: boolean): Promise<boolean> {
  const { base_etag, base_modified, base_size, base_id } = node;
  if (soft) return core.remote.isBase(node, found, true, node.content === null ? 0 : core.settings().compareMaxBytes);
  if (base_etag !== null && found.etag !== null) return base_etag === found.etag;
  if (base_modified !== null && found.modifiedMs !== null) return base_modified === found.modifiedMs && base_size === found.size;
  if (base_id !== null && found.id !== null) return base_id === found.id && base_size === found.size;
  return core.settings().trustSize && base_size !== null && base_size === found.size;
}

/** Its etag may have changed while the bytes did not: a tree operation has run since it was learnt, or none is known. */
export function isSoft(core: Core, node: NodeRow, moved: number): boolean {
  if (node.base_kind !== FILE || !core.rules.movedBaseIsSoft) return false;
  return moved > node.base_gen || (node.base_etag === null && core.remoteCan.etag);
}
