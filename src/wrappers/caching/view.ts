/** What the user sees at a path: the tree where it says something, else the remote where it keeps that path. */
import { entry } from "../../store/index.ts";
import type { Entry, StatCall, StorePath } from "../../store/index.ts";
import { liesBeside } from "./beside.ts";
import type { Core } from "./core.ts";
import { entryOf, withLocalEtag } from "./entries.ts";
import type { Facts } from "./facts.ts";
import { mayHaveVanished } from "./implied.ts";
import { isFresh, isPendingBelow, learn, mayServeStale, notFound } from "./learn.ts";
import { existsInView, fileInstead } from "./listing.ts";
import { ABSENT, DIRECTORY, FILE } from "./rows.ts";
import type { Kind, NodeRow } from "./rows.ts";
import { askedAt, statRemote } from "./stat-remote.ts";
import type { Look } from "./tree.ts";

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
    const found = facts.stat(path);
    facts.vanished.add(path);
    return found?.kind === "file" ? { kind: FILE, node: undefined, entry: found, look } : { kind: ABSENT, node: undefined, entry: null, look };
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

/** More rounds than this are never needed, unless somebody changes the path all the time: then any of its states is an answer. */
const ROUNDS = 50;

export async function stat(core: Core, call: StatCall): Promise<Entry> {
  const { path, signal, detail } = call;
  for (let round = 0; ; round++) {
    const look = core.tree.look(path);
    if (look.known === ABSENT && !liesBeside(core, path)) throw notFound();
    const { node } = look;
    if (mayHaveVanished(core, node)) {
      if (await existsInView(core, path, signal)) return entry({ path, kind: "directory" });
      const file = await fileInstead(core, path, signal);
      if (file === undefined) throw notFound();
      return file;
    }
    if (node !== undefined && answers(core, node, call)) return entryOf(core, node, path);
    const watch = core.watches.watch(path);
    try {
      const found = await statRemote(core, path, { fresh: call.fresh || node !== undefined, detail, signal });
      // Changes below a directory leave it one: with many writers in it no answer would ever be the last. It is not learnt: a delete may have landed since.
      if (watch.touched && !watch.touchedHere && found?.kind === "directory" && node?.kind !== FILE) return shown(core, path, askedAt(core, found));
      if (watch.touched && round < ROUNDS) continue;
      if (node === undefined) {
        if (found === null) throw notFound();
        return askedAt(core, found);
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
