/** Files out of the pool, in steps that a crash can stand between: mark, grace, re-check under the lock, commit, and only then delete. */
import { Tally } from "../catalogue/index.ts";
import type { OnProgress } from "../catalogue/index.ts";
import { StoreError } from "../store/index.ts";
import { NODES, nodeKey } from "./core.ts";
import type { Core } from "./core.ts";
import { PoolError } from "./errors.ts";
import type { SourceFailure } from "./errors.ts";
import { ourError } from "./failures.ts";
import { finishLeaving, leave } from "./room.ts";
import { addRemoval, copiesOf, locked } from "./rows.ts";
import { SENDING, STORED } from "./schema.ts";

export interface CollectReport {
  /** Hashes of the files that are gone for good. */
  readonly collected: readonly string[];
  /** Removed files that are in use or still being sent: the next collection. */
  readonly busy: number;
  /** Objects deleted at hosts. */
  readonly deleted: number;
  /** Objects that are still to be deleted, by reason; they are tried again later. */
  readonly failures: readonly SourceFailure[];
}
interface RemovalRow {
  readonly id: number;
  readonly host: string;
  readonly url: string;
  readonly tries: number;
}

/** A request whose sender died may still land so long; plus what clocks differ. */
const AFTERLIFE_MS = 120_000;
const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 86_400_000;

export async function remove(core: Core, hash: string): Promise<void> {
  const changed = await core.db.run("update file set marked_ms = ? where hash = ? and marked_ms is null", core.now(), hash);
  if (changed === 0) throw new PoolError("unknown-hash", "the pool has no such file", { hash });
}

export async function collect(core: Core, graceMs: number, signal: AbortSignal | undefined, onProgress?: OnProgress): Promise<CollectReport> {
  const tally = new Tally(onProgress);
  const before = core.now() - graceMs;
  const marked = await core.db.query<{ readonly id: number; readonly hash: string }>(
    "select id, hash from file where marked_ms <= ? order by marked_ms, id",
    before,
  );
  tally.expect(marked.length);
  const collected: string[] = [];
  let busy = 0;
  for (const { id, hash } of marked) {
    if (signal?.aborted === true) break;
    // Whoever puts the same bytes in at this moment waits, and then finds no row, or is first and takes the mark back.
    await core.turns.take(hash, signal, async () => {
      const done = await collectOne(core, id, before);
      if (done === "gone") collected.push(hash);
      else if (done === "busy") busy += 1;
    });
    tally.add(1);
  }
  // What other nodes collected lies here still.
  const leaving = await core.db.query<{ readonly name: string }>("select name from leaving where node = ?", core.node);
  for (const each of leaving) await finishLeaving(core, each);
  return { collected, busy, ...(await deleteDue(core, signal, tally)) };
}

async function collectOne(core: Core, id: number, before: number): Promise<"gone" | "busy" | "kept"> {
  const result = await core.whileLeaving(id, async () => {
    const outcome = await core.db.transaction(async (tx) => {
      const file = await locked(tx, id);
      // The mark again, under the lock: an upload may have taken it back.
      if (file === undefined || file.marked_ms === null || file.marked_ms > before) return "kept";
      const copies = await copiesOf(tx, id);
      if (copies.some(({ state }) => state === SENDING)) return "busy";
      const now = core.now();
      for (const { host, url, owned, state } of copies) if (owned === 1 && state !== SENDING && url !== "") await addRemoval(tx, host, url, now, now);
      const left = await leave(core, tx, id, file.size);
      // Other nodes let go of theirs when they collect or open.
      await tx.run("insert into leaving(node, name, size) select node, name, cast(? as {int}) from cached where file = ?", file.size, id);
      await tx.run("delete from cached where file = ?", id);
      await tx.run("delete from copy where file = ?", id);
      await tx.run("delete from file where id = ?", id);
      return { left };
    });
    if (typeof outcome === "string") return outcome;
    if (outcome.left !== undefined) await finishLeaving(core, outcome.left);
    return "gone";
  });
  return result ?? "busy";
}

/** Objects that no row names any more; their paths are never used again, so a deletion that lands late meets nobody's bytes. */
export async function deleteDue(core: Core, signal: AbortSignal | undefined, tally?: Tally): Promise<Pick<CollectReport, "deleted" | "failures">> {
  const rows = await core.db.query<RemovalRow>("select id, host, url, tries from removal where due_ms <= ? order by due_ms, id", core.now());
  tally?.expect(rows.length);
  const failures: SourceFailure[] = [];
  let deleted = 0;
  const over = (): boolean => signal?.aborted === true;
  for (const row of rows) {
    if (over()) break;
    const store = core.settings.hosts.get(row.host);
    const error = store === undefined ? new StoreError("config", "this pool has no such host") : await deleteOne(core, row, signal);
    tally?.add(1);
    if (error === undefined) {
      deleted += 1;
      await core.db.run("delete from removal where id = ?", row.id);
      continue;
    }
    if (over()) break;
    failures.push({ host: row.host, error });
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(row.tries, 20));
    await core.db.run("update removal set tries = tries + 1, due_ms = ?, last_error = ? where id = ?", core.now() + wait, error.code, row.id);
  }
  return { deleted, failures };
}

async function deleteOne(core: Core, { host, url }: RemovalRow, signal: AbortSignal | undefined): Promise<StoreError | undefined> {
  try {
    await core.settings.hosts.get(host)?.delete(url, { signal });
    return undefined;
  } catch (error) {
    const known = ourError(error);
    if (known.code !== "unsupported") await core.hosts.failed(host, known, core.now());
    return known;
  }
}

/** Uploads that a dead process of this node, or a node that died, had under way: what of them reached a host is nobody's. */
export async function sweepSending(core: Core): Promise<void> {
  const nodes = await core.db.query<{ readonly node: string | null }>(`select distinct node from copy where state = ${SENDING}`);
  for (const { node } of nodes) {
    if (node === null) continue;
    await core.db.transaction(async (tx) => {
      // Whoever opens that node meanwhile waits here, and does not take us for the one that has it.
      await tx.lock(NODES);
      if (node !== core.node && !(await tx.free(nodeKey(node)))) return; // It lives.
      const rows = await tx.query<{ readonly host: string; readonly url: string }>(
        `delete from copy where state = ${SENDING} and node = ? returning host, url`,
        node,
      );
      for (const { host, url } of rows) await addRemoval(tx, host, url, core.now(), core.now() + AFTERLIFE_MS);
    });
  }
}

/** A copy that was sent and is not wanted, or of which nobody knows. */
export async function abandon(core: Core, copy: number, host: string, url: string, perhapsThere: boolean): Promise<void> {
  await core.db.transaction(async (tx) => {
    await tx.run("delete from copy where id = ? and state <> ?", copy, STORED);
    if (perhapsThere) await addRemoval(tx, host, url, core.now(), core.now() + AFTERLIFE_MS);
  });
}
