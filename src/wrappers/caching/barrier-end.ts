/** What the end of a tree operation does to the journal: what came is known, what did not come is sent. */
import { isInside } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import { arrivedTree, hasNoSource, leavesNothing, recordArrivals } from "./arrivals.ts";
import type { Arrivals, Sent } from "./arrivals.ts";
import type { Barrier } from "./barriers.ts";
import type { Core } from "./core.ts";
import { buryPath } from "./grave.ts";
import { hasFlight } from "./journal-changes.ts";
import { noteConflict } from "./outcomes.ts";
import { baseElsewhere, noBase } from "./remote.ts";
import type { Base } from "./remote.ts";
import { ABSENT, DIRECTORY, FILE } from "./rows.ts";
import type { NodeRow } from "./rows.ts";

/** Inside of a transaction. */
export function endBarrier(core: Core, barrier: Barrier, sent: Sent, arrived: Arrivals): void {
  const { found, stayed } = arrived;
  const { seq, kind, src, dst } = barrier;
  const missing = hasNoSource(sent);
  const nothingThere = missing && leavesNothing(core, barrier);
  const { tree, rules, numbers } = core;
  core.counts.arrived++;
  core.watches.touch(src);
  if (dst !== null) core.watches.touch(dst);
  core.journal.after(() => core.events.tell(kind === "delete" || kind === "remove" ? "removed" : "uploaded", src, dst === null ? {} : { to: dst }));
  // Looked for while this one and the later ones are still known.
  const places = dst === null ? [] : core.barriers.forward(dst, seq);
  core.barriers.remove(seq);
  if (dst === null) {
    const node = tree.at(src);
    buryPath(core, src);
    if (!rules.deleteEndLeavesRows && node !== undefined && node.base_kind !== null) tree.update(node, noBase(ABSENT, numbers.next()));
    return;
  }
  if (sent === "theirs") noteConflict(core, src, null, "moved and replaced here, and changed by another client: their version stays where it was");
  else if (kind === "move") buryPath(core, src);
  if (stayed !== undefined) core.barriers.brought(dst, stayed.etag);
  else {
    // Of a tree nothing is told, and of what had no source what was found is another's.
    const landed = typeof sent !== "string" ? sent : barrier.tree === 0 && !missing ? found.find(({ path }) => path === dst) : undefined;
    if (landed !== undefined && landed.etag !== null) core.barriers.brought(dst, landed.etag);
  }
  const target = tree.at(dst) ?? (missing ? undefined : arrivedTree(core, barrier, dst));
  if (target !== undefined) tree.update(target, { moved_gen: numbers.next() });
  if (rules.absenceEndsWithMove && !nothingThere)
    for (const place of places) {
      const node = tree.at(place);
      if (node !== undefined && node.kind !== DIRECTORY && node.base_kind === ABSENT) tree.update(node, { base_kind: null });
    }
  const there = tree.at(dst);
  if (there?.kind === DIRECTORY && there.base_kind === ABSENT && !missing) tree.update(there, { base_kind: DIRECTORY });
  if (missing) for (const place of places) sourceVanished(core, barrier, place, nothingThere);
  if (stayed !== undefined) for (const place of places) stands(core, place, dst, stayed);
  // Written over what was on its way here: what arrived is known now, and no other client's.
  recordArrivals(core, barrier, arrived, missing);
}

/** What is sent instead of what a move or copy did not bring to `dst` knows what it finds there, also where a later one takes both along. */
function stands(core: Core, place: StorePath, dst: StorePath, { etag, entry }: NonNullable<Arrivals["stayed"]>): void {
  const { tree, numbers, rules } = core;
  const node = tree.at(place);
  if (node === undefined || node.base_kind === FILE || node.dirty !== 1 || (place !== dst && !rules.askedIsKnown)) return;
  if (etag === null) tree.update(node, noBase(ABSENT, numbers.next()));
  else if (place === dst) tree.update(node, { ...noBase(FILE, numbers.next()), base_etag: etag });
  else if (entry !== undefined) tree.update(node, baseElsewhere(entry, numbers.next()));
}

/** What we hold of it becomes pending, without a base: that was learnt at the old place. Where nothing was at the new one, there is nothing. The rest is gone. */
function sourceVanished(core: Core, { seq, dst }: Barrier, path: StorePath, nothingThere: boolean): void {
  const { tree, rules, clock, numbers } = core;
  const node = tree.at(path);
  if (node === undefined) return;
  const forgotten = (one: NodeRow): Base =>
    nothingThere && one.base_kind !== null && !hasFlight(core, one) ? noBase(ABSENT, numbers.next()) : noBase(null, 0);
  for (const { id } of tree.subtree(node.id)) {
    const one = tree.row(id);
    if (one === undefined) continue;
    // Brought here by a later move of another file, which is still to come: what is known of that one stays.
    const there = core.barriers.behind(tree.pathOf(one), seq);
    if (there !== undefined && !isInside(there, dst as StorePath)) continue;
    if (one.kind === ABSENT) {
      if (rules.vanishedForgetsWhiteouts) tree.update(one, forgotten(one));
      continue;
    }
    if (one.kind !== FILE) continue;
    if (one.content === null) {
      if (!hasFlight(core, one)) tree.remove(one);
      continue;
    }
    const now = clock.now();
    // Of the same generation: whoever flushes what was acknowledged before waits for it.
    tree.update(one, { dirty: 1, since: one.since ?? now, due: now, wait: null, local: 1, ...(rules.vanishedForgetsBases ? forgotten(one) : undefined) });
    core.content.settle(one.content, now);
  }
  core.journal.after(() => core.events.tell("source-vanished", path));
}
