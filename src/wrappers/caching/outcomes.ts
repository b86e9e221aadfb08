/** What the end of a request does to the journal. All run inside of a transaction. */
import type { Entry, StoreError, StorePath } from "../../store/index.ts";
import type { Core } from "./core.ts";
import { evictIfNeeded } from "./evict.ts";
import { bury } from "./grave.ts";
import { hasFlight } from "./journal-changes.ts";
import { arrivedAs } from "./learn.ts";
import { baseOf, noBase } from "./remote.ts";
import { backOffMs, errorText } from "./retry-policy.ts";
import type { Verdict } from "./retry-policy.ts";
import { ABSENT, DIRECTORY, FILE, IF_ABSENT } from "./rows.ts";
import type { FlightRow, NodeRow } from "./rows.ts";

export function endFlight(core: Core, flight: FlightRow): void {
  core.journal.run("delete from flight where id = ?", flight.id);
  core.content.unref(flight.content);
  core.content.settle(flight.content, core.clock.now());
}

/** The remote holds what the flight carried: `found` is its answer, null after a delete. The flight has been ended. */
export function arrived(core: Core, flight: FlightRow, found: Entry | null): void {
  core.counts.arrived++;
  if (flight.kind === FILE) core.counts.uploads++;
  const node = core.tree.row(flight.node);
  const path = flight.path as StorePath;
  core.watches.touch(path);
  core.journal.after(() => core.events.tell(flight.kind === ABSENT ? "removed" : "uploaded", path, flight.kind === FILE ? { bytes: found?.size ?? 0 } : {}));
  if (core.rules.landedIsOurs && flight.kind !== DIRECTORY && (found === null || found.etag !== null))
    core.barriers.landed(path, flight.id, found?.etag ?? null, node === undefined);
  // It was replaced or deleted since: the whiteout or barrier that took its place brings the path into order.
  if (node === undefined) return;
  const same = node.gen === flight.gen || !core.rules.cleanByGeneration;
  const checked = core.clock.now();
  const clean = { dirty: 0, since: null, due: null, wait: null, tries: 0, error: null } as const;
  if (flight.kind === DIRECTORY) {
    core.tree.update(node, { base_kind: DIRECTORY, checked, ...(same ? clean : undefined) });
    return;
  }
  if (same && node.kind === ABSENT) {
    if (!bury(core, node)) core.tree.remove(node);
    return;
  }
  const gen = core.numbers.next();
  const base = found === null ? noBase(ABSENT, gen) : baseOf(found, gen, flight.content === null ? null : (core.content.facts(flight.content)?.crc ?? null));
  core.tree.update(node, { ...base, ...(same ? { ...clean, checked, ...arrivedAs(core, node, found) } : undefined) });
  if (flight.kind === FILE && core.tree.pathOf(node) === path) parentsArrived(core, node);
  if (same) {
    core.content.settle(node.content, checked);
    core.journal.after(() => evictIfNeeded(core));
  }
}

/** Nothing is there that this write was to replace: it is sent again, now only if nothing is there, and a move behind it takes nothing of ours along. */
export function foundNothing(core: Core, flight: FlightRow, node: NodeRow | undefined): void {
  if (node !== undefined) core.tree.update(node, noBase(ABSENT, core.numbers.next()));
  if (core.rules.landedIsOurs) core.barriers.landed(flight.path as StorePath, flight.id, null, false);
}

/** Nothing of this request has come, and where it was to make a file nothing of ours was before it. */
export function notLanded(core: Core, { kind, cond, path, id }: FlightRow): void {
  if (core.rules.landedIsOurs && kind === FILE && cond === IF_ABSENT) core.barriers.notLanded(path as StorePath, id);
}

/** The upload has made the directories above it. */
function parentsArrived(core: Core, node: NodeRow): void {
  for (let up = core.tree.row(node.parent); up !== undefined && up.id !== 1; up = core.tree.row(up.parent)) {
    if (up.kind !== DIRECTORY || up.dirty === 0 || hasFlight(core, up)) continue;
    // One that was asked for by name has to be told where directories are only implied.
    if (up.implied === 0 && core.remoteCan.directories === "implied") continue;
    core.tree.update(up, { dirty: 0, base_kind: DIRECTORY, checked: core.clock.now(), since: null, due: null, wait: null, tries: 0, error: null });
  }
}

/** An attempt failed and changed nothing, or nobody knows. The row waits for its next one, or for a person. */
export function failed(core: Core, before: NodeRow, path: StorePath, error: StoreError, verdict: Verdict): void {
  core.counts.uploadErrors++;
  const node = core.tree.row(before.id);
  if (node === undefined || node.gen !== before.gen) return;
  const tries = node.tries + 1;
  const parked = verdict === "parked";
  if (parked && !core.rules.parkedStays) {
    core.content.unref(node.content);
    core.tree.remove(node);
    return;
  }
  core.tree.update(node, { tries, error: errorText(error), due: parked ? null : core.clock.now() + backOffMs(tries, error, core.random) });
  core.journal.after(() => core.events.tell(parked ? "parked" : "failed", path, { code: error.code, reason: error.reason }));
}

export function noteConflict(core: Core, path: StorePath, kept: StorePath | null, what: string): void {
  core.journal.run("insert into conflict(id, at, path, kept, what) values(?, ?, ?, ?, ?)", core.numbers.next(), core.clock.now(), path, kept, what);
  core.journal.run("delete from conflict where id not in (select id from conflict order by id desc limit 1000)");
  core.journal.after(() => core.events.tell("conflict", path, { ...(kept === null ? undefined : { to: kept }), reason: what }));
}
