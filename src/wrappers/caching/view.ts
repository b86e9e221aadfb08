/** What the user sees at a path: the tree where it says something, else the remote where it keeps that path. */
import { StoreError, entry, hasCode } from "../../store/index.ts";
import type { Entry, StatCall, StorePath } from "../../store/index.ts";
import type { Core } from "./core.ts";
import { entryOf, withLocalEtag } from "./entries.ts";
import type { Facts } from "./facts.ts";
import { existsInView, mayHaveVanished } from "./implied.ts";
import { baseOf } from "./remote.ts";
import { ABSENT, DIRECTORY, FILE } from "./rows.ts";
import type { Kind, NodeRow } from "./rows.ts";
import type { Look } from "./tree.ts";

interface Question {
  readonly fresh?: boolean | undefined;
  readonly detail?: "basic" | "full" | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Entry with the path that was asked for; null: nothing there. */
export async function statRemote(core: Core, path: StorePath, { fresh = false, detail = "basic", signal }: Question = {}): Promise<Entry | null> {
  for (const place of core.barriers.translate(path)) {
    if (place === null) continue;
    const found = await core.remote.stat(place, { fresh, detail, signal });
    if (found !== null) return { ...found, path };
  }
  return null;
}

export interface Known {
  readonly kind: Kind;
  readonly node: NodeRow | undefined;
  /** What the remote said, where it was asked. */
  readonly entry: Entry | null | undefined;
  readonly look: Look;
}

/** For decisions: misses what the tree does not know. */
export function know(core: Core, path: StorePath, facts: Facts): Known {
  const look = core.tree.look(path);
  if (mayHaveVanished(core, look.node) && !facts.exists(path)) {
    facts.vanished.add(path);
    return { kind: ABSENT, node: undefined, entry: null, look };
  }
  if (look.known !== undefined && !mayBeOutdated(core, look.node)) return { kind: look.known, node: look.node, entry: undefined, look };
  const found = facts.stat(path);
  if (look.node !== undefined) {
    if (found?.kind === "directory") return { kind: DIRECTORY, node: look.node, entry: undefined, look };
    facts.outdated.add(look.node.id);
  }
  return { kind: found === null ? ABSENT : found.kind === "file" ? FILE : DIRECTORY, node: undefined, entry: found, look };
}

/** A directory that somebody else may have removed since it was last seen: nothing may be refused on its account. */
function mayBeOutdated(core: Core, node: NodeRow | undefined): boolean {
  return node !== undefined && node.kind === DIRECTORY && node.dirty === 0 && node.id !== 1 && !isFresh(core, node) && !isPendingBelow(core, node);
}

export function isFresh(core: Core, { checked }: NodeRow): boolean {
  return checked !== null && core.clock.now() - checked < core.settings().freshMs;
}

/** Is anything at or below this row still to be brought to the remote, or under way? */
export function isPendingBelow(core: Core, node: NodeRow): boolean {
  return (
    core.journal.get(
      "with recursive t(id) as (select ? union all select n.id from node n join t on n.parent = t.id) select 1 from t join node n using(id) where n.dirty = 1 or exists(select 1 from flight where node = n.id) limit 1",
      node.id,
    ) !== undefined
  );
}

/** Forgets what is known at and below a row, where nothing of it is pending. */
export function forget(core: Core, node: NodeRow): boolean {
  if (isPendingBelow(core, node)) return false;
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

/** More rounds than this are never needed, unless somebody changes the path all the time: then any of its states is an answer. */
const ROUNDS = 50;

export async function stat(core: Core, call: StatCall): Promise<Entry> {
  const { path, signal, detail } = call;
  for (let round = 0; ; round++) {
    const look = core.tree.look(path);
    if (look.known === ABSENT) throw notFound();
    const { node } = look;
    if (mayHaveVanished(core, node)) {
      if (!(await existsInView(core, path, signal))) throw notFound();
      return entry({ path, kind: "directory" });
    }
    if (node !== undefined && answers(core, node, call)) return entryOf(core, node, path);
    const watch = core.watches.watch(path);
    try {
      const found = await statRemote(core, path, { fresh: call.fresh || node !== undefined, detail, signal });
      if (watch.touched && round < ROUNDS) continue;
      if (node === undefined) {
        if (found === null) throw notFound();
        return found;
      }
      const now = core.tree.row(node.id);
      if (now === undefined) continue;
      const learnt = await learn(core, now, found, path);
      if (learnt === "again" && round < ROUNDS) continue;
      return shown(core, path, found);
    } catch (error) {
      if (node !== undefined && mayServeStale(core, node, error)) return entryOf(core, node, path);
      throw error;
    } finally {
      core.watches.end(watch);
    }
  }
}

function answers(core: Core, node: NodeRow, { fresh, detail }: StatCall): boolean {
  if (node.id === 1) return false;
  if (node.dirty === 1) return true;
  if (fresh || !isFresh(core, node)) return false;
  if (node.kind === DIRECTORY) return true;
  return node.content !== null && (detail === "basic" || node.complete === 1);
}

/** After a row was compared with the remote: what is there now, from the row where it still stands. */
function shown(core: Core, path: StorePath, found: Entry | null): Entry {
  const { known, node } = core.tree.look(path);
  if (known === ABSENT) throw notFound();
  if (node !== undefined && (node.dirty === 1 || (node.kind === FILE && node.content !== null))) return entryOf(core, node, path);
  if (found === null) {
    if (node?.kind === DIRECTORY) return entry({ path, kind: "directory" });
    throw notFound();
  }
  return node === undefined ? found : withLocalEtag(core, node, found);
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
  const soft = isSoft(core, node, core.tree.look(path).moved);
  const same = found !== null && node.kind === FILE && found.kind === "file" && (await isStill(core, node, found, soft));
  if ((same && !soft) || (found?.kind === "directory" && node.kind === DIRECTORY && node.modified === found.modifiedMs)) {
    // Confirmed a moment ago: nothing worth writing down.
    const { freshMs } = core.settings();
    if (node.checked !== null && core.clock.now() - node.checked <= freshMs / 4) return "same";
  }
  return core.group.record(() => {
    const now = core.tree.row(node.id);
    if (now === undefined || now.gen !== node.gen || now.dirty === 1 || now.base_gen !== node.base_gen) return "again";
    const checked = core.clock.now();
    if (found !== null && now.kind === DIRECTORY && found.kind === "directory") {
      core.tree.update(now, { checked, base_kind: DIRECTORY, modified: found.modifiedMs });
      return "same";
    }
    if (same) {
      core.tree.update(now, {
        checked,
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

export function shownOf(found: Entry): Pick<NodeRow, "size" | "modified" | "ctype" | "metadata" | "complete"> {
  return {
    size: found.size,
    modified: found.modifiedMs,
    ctype: found.contentType,
    metadata: found.metadata === null ? null : JSON.stringify(found.metadata),
    complete: found.complete ? 1 : 0,
  };
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
