/** One upload, delete or mkdir of one row: looked at before where a condition cannot say it, journalled as under way, sent, and its end recorded. */
import { calls, hasCode } from "../../store/index.ts";
import type { Entry, Reopenable, StoreError, StorePath } from "../../store/index.ts";
import { clearParents, conflict } from "./conflict.ts";
import { Torn, openContent } from "./content-reader.ts";
import type { Core } from "./core.ts";
import { isOurs, ours } from "./doubt.ts";
import { mayExist } from "./journal-changes.ts";
import { arrived, endFlight, failed, foundNothing, notLanded } from "./outcomes.ts";
import { baseOf, noBase } from "./remote.ts";
import { asStoreError, errorText, verdictOn } from "./retry-policy.ts";
import { ABSENT, DIRECTORY, FILE, IF_ABSENT } from "./rows.ts";
import type { FlightRow, NodeRow } from "./rows.ts";
import type { Transfer } from "./transfer-watch.ts";
import { isSoft } from "./learn.ts";

export interface LeafEnd {
  /** The attempt failed with this. */
  readonly error?: StoreError | undefined;
  /** This flight is in doubt now. */
  readonly doubt?: number | undefined;
  /** Bytes were sent and taken. */
  readonly sent?: boolean | undefined;
}

export async function sendLeaf(core: Core, id: number, path: StorePath, transfer: Transfer): Promise<LeafEnd> {
  const before = core.tree.row(id);
  if (before === undefined || before.dirty === 0) return {};
  try {
    if (!(await look(core, before, path))) return {};
  } catch (error) {
    return lost(core, before, path, error);
  }
  const node = core.tree.row(id);
  if (node === undefined || node.gen !== before.gen || node.dirty === 0) return {};
  if (node.kind === FILE && !(await isReadable(core, node, path))) return {};
  const flight = await start(core, node, path);
  if (flight === undefined) return {};
  core.step("leaf.flushed");
  let answer: Entry | null;
  try {
    answer = await transfer.watched((signal) => request(core, node, path, flight, transfer, signal));
    core.step("leaf.answered");
  } catch (error) {
    return ended(core, node, flight, path, asStoreError(error), transfer);
  }
  return succeeded(core, node, flight, path, answer);
}

/** An error before anything was sent. */
function lost(core: Core, node: NodeRow, path: StorePath, error: unknown): LeafEnd {
  const told = asStoreError(error);
  if (core.ended.aborted) return {};
  const verdict = verdictOn(told, node.tries + 1);
  core.group.record(() => failed(core, node, path, told, verdict === "conflict" ? "back-off" : verdict));
  return { error: told };
}

/** Does the remote keep the condition that this request needs? */
function hasCondition(core: Core, node: NodeRow): boolean {
  const { remoteCan } = core;
  if (node.kind === FILE && (node.size ?? 0) > remoteCan.maxConditionalBytes) return false;
  if (node.base_kind === ABSENT) return node.kind === ABSENT || remoteCan.writeIfAbsent !== false;
  if (node.base_etag === null) return false;
  return (node.kind === FILE ? remoteCan.writeIfMatch : remoteCan.deleteIfMatch) !== false;
}

/** Brings what is known of the remote up to date where the request needs it. False: there is nothing to send any more, or not now. */
async function look(core: Core, node: NodeRow, path: StorePath): Promise<boolean> {
  if (node.kind === DIRECTORY && node.implied !== 0 && core.remoteCan.directories === "implied") {
    // Nothing is below it that would make it: there is nothing to be made.
    update(core, node, (now) => {
      if (core.tree.children(now.id).length === 0) core.tree.remove(now);
      else core.tree.update(now, { dirty: 0, since: null, due: null, base_kind: now.base_kind === ABSENT ? ABSENT : null });
    });
    return false;
  }
  if (node.kind === DIRECTORY) return true;
  if (node.kind === ABSENT && node.base_kind === ABSENT) {
    update(core, node, (now) => core.tree.remove(now));
    return false;
  }
  const { moved } = core.tree.look(path);
  const soft = isSoft(core, node, moved);
  const blind = node.base_kind === null;
  if (blind && node.kind === FILE) return moved === 0 || !core.rules.arrivalIsBase || seen(core, node, path);
  if (!blind && !soft && hasCondition(core, node)) return true;
  if (!core.rules.sendsConditions && !blind) return true;
  const found = await core.remote.look(path);
  if (blind) {
    // A delete of what nobody here has seen, wanted all the same: as it is now.
    if (found === null) update(core, node, (now) => core.tree.remove(now));
    else if (found.kind === "directory") await settle(core, node, path, found);
    else update(core, node, (now) => core.tree.update(now, baseOf(found, core.numbers.next())));
    return found?.kind === "file";
  }
  if (found === null) {
    if (node.base_kind === ABSENT) return true;
    update(core, node, (now) => (now.kind === ABSENT ? core.tree.remove(now) : core.tree.update(now, noBase(ABSENT, core.numbers.next()))));
    return node.kind !== ABSENT;
  }
  if (node.base_kind === FILE && (await core.remote.isBase(node, found, soft, core.settings().compareMaxBytes))) {
    if (soft) update(core, node, (now) => core.tree.update(now, baseOf(found, core.numbers.next(), now.base_crc)));
    return true;
  }
  // What a copy of ours brought, or an earlier try of ours that has landed: that one is sent again over itself.
  const isUnknownCopy = soft && core.rules.arrivalNeedsNoProof && isUnproved(node, found, moved);
  if (isUnknownCopy || (node.kind === FILE && (await isOurs(core, found, asFlight(node, path))))) {
    update(core, node, (now) => core.tree.update(now, baseOf(found, core.numbers.next())));
    return true;
  }
  await settle(core, node, path, found);
  return false;
}

/**
 * What was known is the etag of the place that a copy or move of ours has taken it from, seen while that was under way: nothing tells what came from another
 * client's file of the same size. It is taken for ours unless it was changed after our user wrote or deleted.
 */
function isUnproved({ base_gen: learnt, base_hashes: hashes, base_crc: crc, base_size: size, since }: NodeRow, found: Entry, moved: number): boolean {
  if (moved <= learnt || hashes !== null || crc !== null || found.kind !== "file") return false;
  if (size !== null && found.size !== null && size !== found.size) return false;
  return found.modifiedMs === null || since === null || found.modifiedMs <= since;
}

/** Written blindly where a copy or move of ours has been: what it brought is no other client's, should the answer to this be lost. */
async function seen(core: Core, node: NodeRow, path: StorePath): Promise<boolean> {
  const found = await core.remote.look(path);
  if (found === null) update(core, node, (now) => core.tree.update(now, noBase(ABSENT, core.numbers.next())));
  else if (found.kind === "file") update(core, node, (now) => core.tree.update(now, baseOf(found, core.numbers.next())));
  return true;
}

function asFlight(node: NodeRow, path: StorePath): FlightRow {
  return { id: 0, node: node.id, gen: node.gen, kind: node.kind, path, content: node.content, cond: 0, started: 0, doubt: 0 };
}

/** Only while the row is what was looked at. */
function update(core: Core, before: NodeRow, work: (now: NodeRow) => void): void {
  core.group.record(() => {
    const now = core.tree.row(before.id);
    if (now !== undefined && now.gen === before.gen) work(now);
  });
}

async function settle(core: Core, node: NodeRow, path: StorePath, found: Entry): Promise<void> {
  const record = await conflict(core, node, path, found);
  core.group.record(record);
}

/** Damaged bytes are never sent: the file waits for a person. */
async function isReadable(core: Core, node: NodeRow, path: StorePath): Promise<boolean> {
  try {
    const body = await openContent(core, node.content as number, { offset: 0, length: Math.max(1, node.size ?? 0) === 1 ? (node.size ?? 0) : 1 });
    await body.close();
    return true;
  } catch (error) {
    if (!(error instanceof Torn)) throw error;
    core.group.record(() => {
      const now = core.tree.row(node.id);
      if (now === undefined || now.gen !== node.gen) return;
      core.tree.update(now, { due: null, error: JSON.stringify({ code: "corrupt", reason: "its bytes in the cache are damaged" }) });
      core.journal.after(() => {
        core.events.tell("torn", path);
        core.events.tell("parked", path, { code: "corrupt" });
      });
    });
    return false;
  }
}

/** The row that says "under way" is on the disk before the request leaves. Undefined: something has changed, not now. */
async function start(core: Core, before: NodeRow, path: StorePath): Promise<FlightRow | undefined> {
  const run = (): FlightRow | undefined => {
    const node = core.tree.row(before.id);
    if (node === undefined || node.gen !== before.gen || node.dirty === 0 || core.tree.pathOf(node) !== path) return undefined;
    if (core.barriers.over(path) !== undefined || core.locks.isHeld([path])) return undefined;
    if (core.journal.get("select 1 from flight where path = ? or node = ?", path, node.id) !== undefined) return undefined;
    if (core.rules.ancestorsMayExist) mayExist(core, path, true);
    const flight: FlightRow = {
      id: core.numbers.next(),
      node: node.id,
      gen: node.gen,
      kind: node.kind,
      path,
      content: node.content,
      cond: node.kind === DIRECTORY || node.base_kind === null || !hasCondition(core, node) ? 0 : node.base_kind === ABSENT ? IF_ABSENT : 2,
      started: core.clock.now(),
      doubt: 0,
    };
    core.content.ref(flight.content);
    core.journal.run(
      "insert into flight(id, node, gen, kind, path, content, cond, started, doubt) values(?, ?, ?, ?, ?, ?, ?, ?, 0)",
      flight.id,
      flight.node,
      flight.gen,
      flight.kind,
      flight.path,
      flight.content,
      flight.cond,
      flight.started,
    );
    if (node.kind === ABSENT && !core.rules.whiteoutStaysUntilAnswer) core.tree.remove(node);
    core.journal.after(() => {
      core.step("leaf.flight");
      core.events.tell("uploading", path, { bytes: node.size ?? 0 });
    });
    return flight;
  };
  return core.rules.flushesBeforeSend ? core.group.add(run, { room: false }) : core.group.record(run);
}

async function request(core: Core, node: NodeRow, path: StorePath, flight: FlightRow, transfer: Transfer, signal: AbortSignal): Promise<Entry | null> {
  const { inner, rules, remoteCan } = core;
  const cond = rules.sendsConditions ? flight.cond : 0;
  if (node.kind === DIRECTORY) return inner.mkdir(calls.mkdir(path, { existOk: true, signal }));
  if (node.kind === ABSENT) {
    await inner.delete(calls.delete(path, { signal, ...(cond === 2 ? { ifMatch: node.base_etag as string } : {}) }));
    return null;
  }
  const content = core.content.facts(node.content as number);
  const hashes = content === undefined ? {} : core.content.hashesOf(content);
  return inner.write(
    calls.write(path, bodyOf(core, node), {
      signal,
      size: node.size ?? 0,
      ...(cond === IF_ABSENT ? { ifAbsent: true } : {}),
      ...(cond === 2 ? { ifMatch: node.base_etag as string } : {}),
      ...(remoteCan.writeModified !== false && node.modified !== null ? { modifiedMs: node.modified } : {}),
      ...(remoteCan.writeContentType !== false && node.ctype !== null ? { contentType: node.ctype } : {}),
      ...(remoteCan.writeMetadata !== false && node.metadata !== null && node.metadata !== "{}"
        ? { metadata: JSON.parse(node.metadata) as Record<string, string> }
        : {}),
      ...(Object.keys(hashes).length > 0 ? { expect: hashes } : {}),
      onProgress: ({ bytes, total }) => transfer.moved(bytes, total),
    }),
  );
}

function bodyOf(core: Core, node: NodeRow): Uint8Array | Reopenable {
  const id = node.content as number;
  const row = core.content.row(id);
  if (row?.data !== null && row?.data !== undefined) return row.data;
  const size = node.size ?? 0;
  return {
    size,
    async *open(range) {
      const offset = range?.offset ?? 0;
      await using stream = await openContent(core, id, { offset, length: range?.length ?? size - offset });
      for (let chunk = await stream.pull(); chunk !== undefined; chunk = await stream.pull()) yield chunk;
    },
  };
}

async function succeeded(core: Core, node: NodeRow, flight: FlightRow, path: StorePath, answer: Entry | null): Promise<LeafEnd> {
  let found = answer;
  try {
    // Without an etag in the answer the next condition would have nothing to hold on to.
    if (found !== null && node.kind === FILE && found.etag === null && core.remoteCan.etag) found = await core.remote.look(path);
  } catch (error) {
    if (core.ended.aborted) return inDoubt(core, flight);
    // It is there; its etag is learnt before the next request.
    found = { ...(answer as Entry), etag: null };
    if (!hasCode(error, "unavailable", "timeout", "rate-limited")) throw error;
  }
  const short = node.kind === FILE && found !== null && found.size !== null && found.size !== node.size;
  await core.group.recordSoon(() => {
    endFlight(core, flight);
    if (!short) arrived(core, flight, found);
    else {
      const now = core.tree.row(node.id);
      if (now !== undefined)
        core.tree.update(now, { ...baseOf(found as Entry, core.numbers.next()), tries: now.tries + 1, error: errorText(asStoreError(undefined)) });
    }
  });
  core.step("leaf.recorded");
  return { sent: node.kind === FILE && !short };
}

function inDoubt(core: Core, flight: FlightRow, error?: StoreError): LeafEnd {
  core.group.record(() => {
    core.journal.run("update flight set doubt = 1 where id = ?", flight.id);
    const node = core.tree.row(flight.node);
    if (error !== undefined && node !== undefined) failed(core, { ...node, gen: flight.gen }, flight.path as StorePath, error, "back-off");
  });
  return { error, doubt: flight.id };
}

async function ended(core: Core, node: NodeRow, flight: FlightRow, path: StorePath, error: StoreError, transfer: Transfer): Promise<LeafEnd> {
  const ownAbort = transfer.aborted || core.ended.aborted;
  if (error.applied === "unknown" && !(ownAbort && !core.rules.abortIsDoubt)) return inDoubt(core, flight, error);
  const verdict = verdictOn(error, node.tries + 1);
  if (verdict !== "conflict" && error.applied !== true) {
    core.group.record(() => {
      endFlight(core, flight);
      notLanded(core, flight);
      if (!ownAbort) failed(core, node, path, error, verdict);
    });
    return { error: ownAbort ? undefined : error };
  }
  try {
    return await compared(core, node, flight, path, error);
  } catch (again) {
    // Nothing could be learnt: the flight is looked up like one whose answer was lost.
    return inDoubt(core, flight, asStoreError(again));
  }
}

/** The condition failed, or something of another kind is there: what is it? */
async function compared(core: Core, node: NodeRow, flight: FlightRow, path: StorePath, error: StoreError): Promise<LeafEnd> {
  const found = await core.remote.look(path);
  if (found !== null && node.kind === FILE && (await isOurs(core, found, flight))) return finish(core, flight, await ours(core, flight, node, found));
  if (found === null && node.kind === ABSENT) return finish(core, flight, () => arrived(core, flight, null));
  if (found?.kind === "directory" && node.kind === DIRECTORY) return finish(core, flight, () => arrived(core, flight, found));
  if (found === null) {
    const cleared = hasCode(error, "not-a-directory", "already-exists") && (await clearParents(core, path));
    return finish(
      core,
      flight,
      () => {
        const now = core.tree.row(node.id);
        if (now === undefined) return;
        if (node.kind === FILE) {
          foundNothing(core, flight, now);
          core.tree.update(now, { due: core.clock.now() });
        }
        if (!cleared) failed(core, now, path, error, "back-off");
      },
      cleared ? undefined : error,
    );
  }
  // Our delete met a directory, or our condition an unseen version.
  const record = await conflict(core, node, path, found);
  return finish(core, flight, () => {
    notLanded(core, flight);
    record();
  });
}

function finish(core: Core, flight: FlightRow, record: () => void, error?: StoreError): LeafEnd {
  core.group.record(() => {
    endFlight(core, flight);
    record();
  });
  core.step("leaf.recorded");
  return { error };
}
