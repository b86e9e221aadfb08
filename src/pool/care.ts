/** Looking after copies: which of them still live, and new ones for those that do not. */
import { Tally } from "../catalogue/index.ts";
import type { OnProgress } from "../catalogue/index.ts";
import { hasCode } from "../store/index.ts";
import type { Core } from "./core.ts";
import { PoolError } from "./errors.ts";
import type { SourceFailure } from "./errors.ts";
import { ofOneHost } from "./failures.ts";
import { cache, fetchCopy } from "./fetch.ts";
import { mustPass, passing } from "./passing.ts";
import { isPath, livingHosts, locked } from "./rows.ts";
import type { CopyRow, FileRow } from "./rows.ts";
import { DEAD, STORED } from "./schema.ts";
import { send, settle } from "./send.ts";
import type { SendResult } from "./send.ts";

export interface VerifyReport {
  /** Copies that were asked about. */
  readonly copies: number;
  readonly alive: number;
  /** Not there, now or still. */
  readonly dead: number;
  /** There with other bytes or another size; they count as dead from now on. */
  readonly damaged: number;
  /** Nothing could be learnt: the host failed, or is none of this pool. They count as before. */
  readonly unknown: number;
  /** Hashes of files with fewer living copies than wanted. */
  readonly short: readonly string[];
  /** Of these: without any living copy, and not in this cache. */
  readonly lost: readonly string[];
}
export interface RepairReport {
  /** Files that had too few copies. */
  readonly short: number;
  readonly repaired: number;
  readonly copies: number;
  /** Files that another node is sending at this moment. */
  readonly elsewhere: number;
  readonly failed: readonly { readonly hash: string; readonly error: PoolError; readonly failures: readonly SourceFailure[] }[];
}

const PAGE = 500;

/** Every file that is not removed, in pages, so that a large catalogue does not lie in memory. */
async function* files(core: Core): AsyncGenerator<FileRow> {
  for (let last = 0; ;) {
    const page = await core.db.query<FileRow>(`select * from file where id > ? and marked_ms is null order by id limit ${PAGE}`, last);
    yield* page;
    if (page.length < PAGE) return;
    last = (page.at(-1) as FileRow).id;
  }
}

async function expectAll(core: Core, tally: Tally, bytes: boolean): Promise<void> {
  if (!tally.heard) return;
  const [row] = await core.db.query<{ readonly files: number; readonly bytes: number }>(
    "select count(*) as files, cast(coalesce(sum(size), 0) as {int}) as bytes from file where marked_ms is null",
  );
  tally.expect(row?.files ?? 0, bytes ? (row?.bytes ?? 0) : null);
}

/** `maxTransfers` at once; the first failure that is not of one host ends it. */
async function eachFile(core: Core, signal: AbortSignal | undefined, work: (file: FileRow) => Promise<void>): Promise<void> {
  const all = files(core);
  // A generator hands out one after the other, whoever asks.
  const worker = async (): Promise<void> => {
    for (let next = await all.next(); next.done !== true; next = await all.next()) {
      signal?.throwIfAborted();
      await work(next.value);
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: core.settings.maxTransfers }, worker));
  for (const each of ended) if (each.status === "rejected") throw each.reason;
}

export async function verify(core: Core, deep: boolean, signal: AbortSignal | undefined, onProgress?: OnProgress): Promise<VerifyReport> {
  const tally = new Tally(onProgress);
  await expectAll(core, tally, deep);
  const counts = { copies: 0, alive: 0, dead: 0, damaged: 0, unknown: 0 };
  const short: string[] = [];
  const lost: string[] = [];
  await eachFile(core, signal, async (file) => {
    const copies = await core.db.query<CopyRow>("select * from copy where file = ? and state in (?, ?) order by id", file.id, STORED, DEAD);
    await Promise.all(
      copies.map(async (copy) => {
        counts.copies += 1;
        counts[await probe(core, file, copy, deep, signal)] += 1;
      }),
    );
    const state = await core.db.transaction(async (tx) => {
      const row = await locked(tx, file.id);
      if (row === undefined) return undefined;
      const living = (await livingHosts(tx, file.id)).length;
      const cached = await tx.query("select 1 as x from cached where file = ?", file.id);
      // What a cache still has is sent again, and stays there until then.
      if (living < core.settings.copies && cached.length > 0) await tx.run("update file set queued = 1 where id = ?", file.id);
      const anywhere = await tx.query("select 1 as x from copy where file = ? and state = ? limit 1", file.id, STORED);
      return { living, lost: anywhere.length === 0 && cached.length === 0 };
    });
    tally.add(1, deep ? file.size : 0);
    if (state !== undefined && state.living < core.settings.copies) short.push(file.hash);
    if (state?.lost === true) lost.push(file.hash);
  });
  // Databases give rows in any order.
  return { ...counts, short: short.toSorted(), lost: lost.toSorted() };
}

type Found = "alive" | "dead" | "damaged" | "unknown";

async function probe(core: Core, file: FileRow, copy: CopyRow, deep: boolean, signal: AbortSignal | undefined): Promise<Found> {
  const store = core.settings.hosts.get(copy.host);
  if (isPath(copy.url) ? store === undefined : core.settings.openLink === undefined) return "unknown";
  try {
    if (!deep && isPath(copy.url)) {
      const entry = await store?.stat(copy.url, { signal, fresh: true });
      const right = entry?.kind === "file" && (entry.size === null || entry.size === file.size) && (entry.hashes.sha256 ?? file.hash) === file.hash;
      if (!right || copy.state === STORED) {
        await mark(core, copy, right ? STORED : DEAD);
        return right ? "alive" : "damaged";
      }
      // It was taken for dead, perhaps for its bytes: only they can say that it lives.
    }
    await fetchCopy(core, file, copy, null, signal);
    return "alive";
  } catch (error) {
    const known = ofOneHost(error, signal);
    if (hasCode(known, "not-found", "not-a-directory")) {
      await mark(core, copy, DEAD);
      return "dead";
    }
    if (hasCode(known, "integrity")) return "damaged";
    if (!deep && isPath(copy.url)) await core.hosts.failed(copy.host, known, core.now());
    return "unknown";
  }
}

async function mark(core: Core, copy: CopyRow, state: number): Promise<void> {
  await core.db.run("update copy set state = ?, checked_ms = ? where id = ? and state in (?, ?)", state, core.now(), copy.id, STORED, DEAD);
}

/** Through the cache, or past it what is too large for it. */
async function sendFromAnywhere(core: Core, file: FileRow, signal: AbortSignal | undefined, tell: (bytes: number) => void): Promise<SendResult | null> {
  if (await mustPass(core, file)) return await passing(core, file, signal, (path) => send(core, file, path, signal, tell));
  using cached = await cache(core, file.hash, signal);
  return await send(core, file, cached.path, signal, tell);
}

export async function repair(core: Core, signal: AbortSignal | undefined, onProgress?: OnProgress): Promise<RepairReport> {
  const tally = new Tally(onProgress);
  await expectAll(core, tally, false);
  const counts = { short: 0, repaired: 0, copies: 0, elsewhere: 0 };
  const failed: RepairReport["failed"][number][] = [];
  // What finds no room in the cache beside those that are sent at the same time comes after them, alone.
  const later: FileRow[] = [];
  const one = async (file: FileRow, alone: boolean): Promise<void> => {
    // What a dump said counts once somebody has looked.
    const unseen = await core.db.query<CopyRow>(
      "select * from copy where file = ? and state = ? and owned = 0 and checked_ms is null order by id",
      file.id,
      STORED,
    );
    for (const copy of unseen) await probe(core, file, copy, false, signal);
    if ((await livingHosts(core.db, file.id)).length >= core.settings.copies) {
      await settle(core, file.id);
      tally.add(1);
      return;
    }
    if (!alone) counts.short += 1;
    const item = tally.begin(file.size);
    try {
      const result = await sendFromAnywhere(core, file, signal, item.moved);
      counts.copies += result?.made ?? 0;
      if (result === null) counts.elsewhere += 1;
      else if (result.living >= core.settings.copies) counts.repaired += 1;
      else {
        const error = new PoolError("sources-failed", `${result.living} of ${core.settings.copies} copies`, { hash: file.hash, causes: result.failures });
        failed.push({ hash: file.hash, error, failures: result.failures });
      }
    } catch (error) {
      if (!PoolError.is(error)) throw error;
      if (error.code === "no-room" && !alone) {
        later.push(file);
        return;
      }
      if (error.code !== "unknown-hash") failed.push({ hash: file.hash, error, failures: error.causes });
    }
    item.end();
  };
  await eachFile(core, signal, (file) => one(file, false));
  for (const file of later) {
    signal?.throwIfAborted();
    await one(file, true);
  }
  return { ...counts, failed };
}
