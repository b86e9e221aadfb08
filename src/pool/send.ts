/** One cached file to as many hosts as are wanted. */
import { randomBytes } from "node:crypto";
import { StoreError, fromFile, hasCode } from "../store/index.ts";
import type { Core } from "./core.ts";
import type { SourceFailure } from "./errors.ts";
import { ofOneHost } from "./failures.ts";
import { hashOfFile } from "./disk.ts";
import { abandon } from "./removal.ts";
import { addMeter, addRemoval, livingHosts, locked } from "./rows.ts";
import type { FileRow } from "./rows.ts";
import { DEAD, SENDING, STORED } from "./schema.ts";

export interface SendResult {
  /** Copies that were made now. */
  readonly made: number;
  /** Distinct hosts that have it now. */
  readonly living: number;
  readonly failures: readonly SourceFailure[];
  /** The cached bytes are not those of the hash. */
  readonly damaged: boolean;
}

/** How many bytes one of the hosts has got. */
type Moved = (bytes: number) => void;

/** Null: another node is at it. The file is pinned by the caller. */
export async function send(core: Core, file: FileRow, path: string, signal: AbortSignal | undefined, tell: Moved = () => {}): Promise<SendResult | null> {
  const hold = await core.db.hold(`file ${file.hash}`);
  if (hold === null) return null;
  try {
    return await sendHeld(core, file, path, signal, tell);
  } finally {
    await hold[Symbol.asyncDispose]();
  }
}

async function sendHeld(core: Core, file: FileRow, path: string, signal: AbortSignal | undefined, tell: Moved): Promise<SendResult> {
  const { settings, db } = core;
  const have = new Set(await livingHosts(db, file.id));
  const states = new Map((await core.hosts.all()).map(({ name, state }) => [name, state]));
  const free = [...settings.hosts.keys()].filter((name) => states.get(name) === "active" && !have.has(name));
  const line = await core.hosts.order(free, core.now());
  const failures: SourceFailure[] = [];
  let made = 0;
  let damaged = false;
  // As many at once as copies are missing; who fails hands on to the next host.
  const worker = async (): Promise<void> => {
    for (let host = line.shift(); host !== undefined && !damaged; host = line.shift()) {
      const error = await sendTo(core, file, path, host, signal, tell);
      if (error === "gone") return;
      if (error === undefined) {
        made += 1;
        return;
      }
      // Ours or the host's? The disk says.
      if (hasCode(error, "integrity", "bad-body") && (await hashOfFile(path))?.hash !== file.hash) damaged = true;
      else {
        failures.push({ host, error });
        await core.hosts.failed(host, error, core.now());
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.max(0, settings.copies - have.size) }, worker));
  for (const each of ended) if (each.status === "rejected") throw each.reason;
  const living = await settle(core, file.id);
  return { made, living, failures, damaged };
}

async function sendTo(
  core: Core,
  file: FileRow,
  path: string,
  host: string,
  signal: AbortSignal | undefined,
  tell: Moved,
): Promise<StoreError | "gone" | undefined> {
  core.checkHold();
  const { db, settings } = core;
  // Never used twice: what is deleted late can only be what nobody wants.
  const url = `/${file.hash.slice(0, 2)}/${file.hash}.${randomBytes(6).toString("hex")}`;
  // Under the lock, for it may be collected at this moment. Nothing is begun for a file that was removed.
  const id = await db.transaction(async (tx) => {
    const now = await locked(tx, file.id);
    if (now === undefined || now.marked_ms !== null) return undefined;
    const [row] = await tx.query<{ readonly id: number }>(
      "insert into copy(file, host, url, state, owned, node, made_ms) values(?, ?, ?, ?, 1, ?, ?) returning id",
      file.id,
      host,
      url,
      SENDING,
      core.node,
      core.now(),
    );
    return row?.id;
  });
  if (id === undefined) return "gone";
  let moved = 0;
  try {
    const store = settings.hosts.get(host);
    if (store === undefined) throw new StoreError("config", "this pool has no such host", { store: host });
    const entry = await store.write(url, await fromFile(path), {
      size: file.size,
      expect: { sha256: file.hash },
      signal,
      onProgress: ({ bytes }) => {
        moved = Math.max(moved, bytes);
        tell(bytes);
      },
    });
    if (entry.size !== null && entry.size !== file.size)
      throw new StoreError("integrity", "the host has a file of another size", { applied: true, store: host });
  } catch (error) {
    const known = StoreError.is(error) ? error : undefined;
    await abandon(core, id, host, url, known?.applied !== false);
    await addMeter(db, core.now(), moved, 0);
    // The cached file cannot be read: the caller looks at it.
    return hasCode(error, "bad-body") ? error : ofOneHost(error, signal);
  }
  await db.transaction(async (tx) => {
    await locked(tx, file.id);
    const stored = await tx.run("update copy set state = ?, checked_ms = ? where id = ? and state = ?", STORED, core.now(), id, SENDING);
    // Somebody took this process for dead meanwhile.
    if (stored === 0) await addRemoval(tx, host, url, core.now(), core.now());
    await core.hosts.uploaded(tx, host);
    await addMeter(tx, core.now(), file.size, 0);
  });
  return undefined;
}

/** Takes a file with enough copies out of the queue; its dead ones go then, and not before. Gives how many hosts have it. */
export async function settle(core: Core, id: number): Promise<number> {
  return await core.db.transaction(async (tx) => {
    const file = await locked(tx, id);
    if (file === undefined) return 0;
    const { length } = await livingHosts(tx, id);
    if (length < core.settings.copies) return length;
    if (file.queued === 1) await tx.run("update file set queued = 0 where id = ?", id);
    const dead = await tx.query<{ readonly host: string; readonly url: string; readonly owned: number }>(
      "delete from copy where file = ? and state = ? returning host, url, owned",
      id,
      DEAD,
    );
    for (const { host, url, owned } of dead) if (owned === 1) await addRemoval(tx, host, url, core.now(), core.now());
    return length;
  });
}
