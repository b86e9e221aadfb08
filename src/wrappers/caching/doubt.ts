/** Requests whose answer was lost: looked up when they can no longer land, before anything else happens on their path. */
import type { Entry, StorePath } from "../../store/index.ts";
import { conflict } from "./conflict.ts";
import { openContent } from "./content-reader.ts";
import type { Core } from "./core.ts";
import { arrived, endFlight, foundNothing, notLanded } from "./outcomes.ts";
import { baseOf, sameHashes } from "./remote.ts";
import { ABSENT, DIRECTORY, FILE } from "./rows.ts";
import type { FlightRow, NodeRow } from "./rows.ts";
import { saysSame } from "./same.ts";

/** Changed at the remote so long before the request was started: it was there before. Clocks differ. */
const LONG_BEFORE_MS = 15 * 60_000;

export async function resolveDoubt(core: Core, flight: FlightRow): Promise<void> {
  const path = flight.path as StorePath;
  if (!core.rules.looksAfterDoubt) return core.group.record(() => endFlight(core, flight));
  const found = await core.remote.look(path);
  const record = await decide(core, flight, path, found);
  core.group.record(() => {
    endFlight(core, flight);
    record();
  });
  core.step("doubt.resolved");
}

async function decide(core: Core, flight: FlightRow, path: StorePath, found: Entry | null): Promise<() => void> {
  const nothing = (): void => {};
  if (flight.kind === ABSENT) return found === null ? () => arrived(core, flight, null) : nothing;
  if (flight.kind === DIRECTORY) return found?.kind === "directory" ? () => arrived(core, flight, found) : nothing;
  const node = core.tree.row(flight.node);
  if (found !== null && (await isOurs(core, found, flight))) return ours(core, flight, node, found);
  if (node === undefined) return () => notLanded(core, flight);
  if (found === null) return () => foundNothing(core, flight, core.tree.row(node.id));
  // What was known is left as it was: the next try fails its condition, or what is there is still that.
  if (node.base_kind !== null || !core.rules.blindDoubtIsConflict) return nothing;
  if (found.kind === "file" && found.modifiedMs !== null && found.modifiedMs < flight.started - LONG_BEFORE_MS)
    return () => {
      const now = core.tree.row(node.id);
      if (now !== undefined) core.tree.update(now, baseOf(found, core.numbers.next()));
    };
  return conflict(core, node, path, found);
}

/** Our bytes are there: they have arrived, unless they are those of an older version. Then they are sent again, over that one and no other. */
export async function ours(core: Core, flight: FlightRow, node: NodeRow | undefined, found: Entry): Promise<() => void> {
  if (node === undefined || node.gen !== flight.gen || !core.rules.arrivedIsWhole || (await isTold(core, node, found)))
    return () => arrived(core, flight, found);
  return () => {
    const now = core.tree.row(node.id);
    if (now?.gen === node.gen) core.tree.update(now, baseOf(found, core.numbers.next(), core.content.facts(flight.content as number)?.crc));
    if (core.rules.landedIsOurs && found.etag !== null) core.barriers.landed(flight.path as StorePath, flight.id, found.etag, false);
  };
}

/** Is it what we said besides the bytes? What is not told speaks against nothing. */
async function isTold(core: Core, { base_etag: before, ctype, metadata, modified }: NodeRow, found: Entry): Promise<boolean> {
  if (found.etag !== null && found.etag === before) return false;
  const { remote, remoteCan } = core;
  const told = found.complete ? found : ((await remote.stat(found.path, { fresh: true, detail: "full" })) ?? found);
  const said = {
    contentType: remoteCan.writeContentType === false ? null : ctype,
    metadata: remoteCan.writeMetadata === false || metadata === null || metadata === "{}" ? null : (JSON.parse(metadata) as Record<string, string>),
  };
  if (!saysSame(said, told)) return false;
  const aboutMs = remoteCan.modifiedPrecisionMs ?? 1000;
  return remoteCan.writeModified === false || modified === null || told.modifiedMs === null || Math.abs(modified - told.modifiedMs) <= aboutMs;
}

/** A wrong "no" costs a superfluous copy; a wrong "yes" would cost a file, so size and time are no proof. */
export async function isOurs(core: Core, found: Entry, flight: FlightRow): Promise<boolean> {
  const { oursBy } = core.rules;
  if (found.kind !== "file" || flight.kind !== FILE || flight.content === null) return false;
  if (oursBy === "any") return true;
  const ours = core.content.facts(flight.content);
  if (ours === undefined || (found.size !== null && found.size !== ours.size)) return false;
  if (oursBy === "size") return true;
  const same = sameHashes(core.content.hashesOf(ours), found.hashes);
  if (same !== undefined) return same;
  if (ours.size > core.settings().compareMaxBytes) return false;
  if (found.size === 0 && ours.size === 0) return true;
  return core.remote.sameBytes(found, async (offset, length) => {
    if (offset + length > ours.size) return undefined;
    await using stream = await openContent(core, ours.id, { offset, length });
    return await stream.all();
  });
}
