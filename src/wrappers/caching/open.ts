/** Opening a cache directory: locks, format, what the last session left, and everything that the open cache consists of. Local work only. */
import { fstatSync, readFileSync, statSync } from "node:fs";
import { mkdir, open as openFile, readdir, rmdir, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { StoreError, makePrivateDirectory, syncDirectory } from "../../store/index.ts";
import { Barriers } from "./barriers.ts";
import { Content } from "./content.ts";
import type { Core, Setup } from "./core.ts";
import { isNetworkFileSystem } from "./disk.ts";
import { codeOf } from "./error-code.ts";
import { evictTo } from "./evict.ts";
import { Group } from "./flush-group.ts";
import { checkFormatFile, openDatabase } from "./format.ts";
import { Journal } from "./journal.ts";
import { Locks } from "./locks.ts";
import { Numbers, sessionOf } from "./numbers.ts";
import { Owner } from "./owner.ts";
import { Remote } from "./remote.ts";
import { Reserve } from "./reserve.ts";
import { Room } from "./room.ts";
import { Spelling } from "./spelling.ts";
import { Tree } from "./tree.ts";
import { Uploader } from "./uploader.ts";
import { Watches } from "./watches.ts";

export interface Opened {
  readonly core: Core;
  readonly uploader: Uploader;
  readonly reserve: Reserve;
  /** Waits for what runs in the background. */
  settled(): Promise<void>;
  /** Everything is given back. `clean`: the session ended as it should; else as if the process had died. */
  close(clean: boolean): Promise<void>;
}

export interface OpenOptions {
  readonly setup: Setup;
  /** Which bytes the remote holds: pending work of one store must not go to another. */
  readonly identity: string;
  readonly reserveBytes: number;
}

export async function openCache({ setup, identity, reserveBytes }: OpenOptions): Promise<Opened> {
  const { rules, clock, step, settings } = setup;
  const { directory, durability, allowNetworkDirectory } = settings();
  await prepare(directory, allowNetworkDirectory);
  checkFormatFile(directory);
  await Owner.given(directory);
  const undo: (() => void | Promise<void>)[] = [];
  try {
    const owner = Owner.take(directory, rules, clock.now());
    undo.push(() => owner.release());
    step("open.owned");
    await whole(directory);
    const journal = new Journal(openDatabase(directory, { step: () => step("open.journal") }));
    undo.push(() => journal.close());
    await mkdir(join(directory, "fill"), { recursive: true, mode: 0o700 });
    await mkdir(join(directory, "content"), { recursive: true, mode: 0o700 });
    const { session, rebooted } = newSession(journal, durability, clock.now());
    step("open.session");
    const durable = durability === "power";
    const wal = await openFile(join(directory, "journal.db-wal"), "r+");
    undo.push(() => wal.close());
    if (durable) {
      await syncDirectory(directory);
      await syncDirectory(join(directory, "content"));
      await wal.datasync();
    }
    checkIdentity(journal, identity, settings().adopt, settings().mode);
    doubt(journal, setup);
    step("open.doubt");
    const opened = assemble(setup, { directory, session, rebooted, journal, wal, owner, durable, reserveBytes });
    opened.core.background(() => sweep(opened.core));
    opened.core.background(() => opened.reserve.keep());
    opened.uploader.start();
    return opened;
  } catch (error) {
    for (const one of undo.reverse()) await one();
    throw notOpened(error);
  }
}

async function prepare(directory: string, allowNetwork: boolean): Promise<void> {
  try {
    await makePrivateDirectory(directory);
  } catch (error) {
    throw notOpened(error);
  }
  if (!allowNetwork && isNetworkFileSystem(directory))
    throw new StoreError(
      "config",
      "the cache directory lies on a network file system, which can keep neither locks nor flushes: take a local one, or allowNetworkDirectory",
    );
}

const SMALLEST_DATABASE_BYTES = 512;

/** Content without a journal is somebody's unsent data: nothing is begun on top of it. */
async function whole(directory: string): Promise<void> {
  // SQLite takes a file that ends within the header of its first page for a new database.
  if ((statSync(join(directory, "journal.db"), { throwIfNoEntry: false })?.size ?? 0) >= SMALLEST_DATABASE_BYTES) return;
  const content = await readdir(join(directory, "content")).catch(() => []);
  if (content.length > 0) throw new StoreError("corrupt", "the journal of this cache directory is missing, while it holds files: move the directory aside");
}

function notOpened(error: unknown): unknown {
  if (StoreError.is(error)) return error;
  const code = codeOf(error);
  if (["EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR", "EEXIST", "ELOOP", "ENAMETOOLONG"].includes(code))
    return new StoreError("config", `the cache directory cannot be used: ${code}`, { cause: error });
  if (code === "ENOSPC" || code === "EDQUOT") return new StoreError("no-space", "the disk of the cache directory is full", { cause: error });
  if ((error as { readonly syscall?: unknown }).syscall !== undefined)
    return new StoreError("unavailable", "the disk of the cache directory fails", { cause: error, transient: false });
  return error;
}

interface SessionRow {
  readonly id: number;
  readonly boot: string;
  readonly clean: 0 | 1;
}

function newSession(journal: Journal, durability: string, now: number): { readonly session: number; readonly rebooted: boolean } {
  return journal.transaction(() => {
    const last = journal.get<SessionRow>("select id, boot, clean from session order by id desc limit 1");
    const boot = bootId();
    const session = (last?.id ?? 0) + 1;
    journal.run("insert into session(id, boot, durability, opened, clean) values(?, ?, ?, ?, 0)", session, boot, durability, now);
    journal.run("delete from session where id <= ?", session - 16);
    return { session, rebooted: last !== undefined && last.clean === 0 && (boot === "" || last.boot !== boot) };
  });
}

/** Changes with each boot of the kernel; "" where there is none to ask. */
function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

function checkIdentity(journal: Journal, identity: string, adopt: boolean, mode: string): void {
  const last = journal.get<{ value: string }>("select value from meta where key = 'inner'")?.value;
  const pending = journal.get("select 1 from node where dirty = 1 union all select 1 from flight union all select 1 from barrier limit 1") !== undefined;
  if (mode === "read-only" && pending) throw new StoreError("config", "the cache directory holds changes that were not sent yet: open it for writing once");
  if (last === identity) return;
  if (last !== undefined && pending && !adopt)
    throw new StoreError("config", "the cache directory holds changes for another store: open it over that one, or say adopt: true");
  journal.transaction(() => {
    if (last === undefined) journal.run("insert into meta(key, value) values('inner', ?), ('features', '')", identity);
    else {
      journal.run("update meta set value = ? where key = 'inner'", identity);
      // What is known is of another store; what is pending is sent there without knowing.
      journal.run("delete from node where id <> 1 and dirty = 0 and kind = 1");
      journal.run(
        "update node set base_kind = null, base_etag = null, base_size = null, base_modified = null, base_hashes = null, base_crc = null, base_id = null, checked = null",
      );
      recountRefs(journal);
    }
  });
}

function recountRefs(journal: Journal): void {
  journal.run("update content set refs = (select count(*) from node where content = content.id) + (select count(*) from flight where content = content.id)");
}

/** What was under way when the last session ended may still land. Whatever waits for a time that a wrong clock gave is brought near. */
function doubt(journal: Journal, { rules, clock, settings }: Setup): void {
  journal.transaction(() => {
    if (rules.openingKeepsFlights) {
      journal.run("update flight set doubt = 1");
      journal.run("update barrier set run = 0, doubt = 1 where run = 1");
    } else {
      journal.run("delete from flight");
      journal.run("update barrier set run = 0");
      recountRefs(journal);
    }
    const { uploadDelayMs, maxDelayMs } = settings();
    const now = clock.now();
    journal.run("update node set due = ? where dirty = 1 and due > ?", now + uploadDelayMs, now + Math.max(maxDelayMs, uploadDelayMs));
    journal.run("update barrier set due = null where due > ?", now + maxDelayMs);
    // What is parked is tried once more at each opening.
    if (rules.openingContinues) {
      journal.run("update node set due = ?, tries = 0 where dirty = 1 and due is null and error is not null and error not like '%\"corrupt\"%'", now);
      journal.run("update barrier set due = null, tries = 0");
    } else journal.run("update node set due = null where dirty = 1");
    journal.run("update node set wait = null where wait is not null");
    journal.run("delete from node where kind = 0 and dirty = 0");
  });
}

function checkOf(wal: FileHandle, tell: () => void): () => void {
  const isNamed = (): boolean => wal.fd < 0 || fstatSync(wal.fd).nlink > 0;
  if (!isNamed()) return () => {}; // A file system that counts no names.
  let told = false;
  return () => {
    if (isNamed()) return;
    if (!told) tell();
    told = true;
    throw new StoreError(
      "unavailable",
      "the directory of the cache was removed while it was open: what is pending is still sent; then close it and open it anew",
      {
        applied: false,
        transient: false,
      },
    );
  };
}

interface Pieces {
  readonly directory: string;
  readonly session: number;
  readonly rebooted: boolean;
  readonly journal: Journal;
  readonly wal: FileHandle;
  readonly owner: Owner;
  readonly durable: boolean;
  readonly reserveBytes: number;
}

function assemble(setup: Setup, { directory, session, rebooted, journal, wal, owner, durable, reserveBytes }: Pieces): Opened {
  const { rules, clock, events, settings, step, inner } = setup;
  const ending = new AbortController();
  const content = new Content(directory, journal, rules);
  const tree = new Tree(journal);
  const barriers = new Barriers(journal, rules);
  const reserve = new Reserve(directory, reserveBytes);
  const durableBlocks = new Set<string>();
  const running = new Set<Promise<void>>();
  const group = new Group({
    journal,
    content,
    rules,
    step,
    durable,
    durableBlocks,
    wal,
    hasReserve: () => !reserve.isGiven,
    makeRoom: async () => {
      if (content.bytes > content.pendingBytes) await evictTo(core, content.pendingBytes).catch(() => {});
      const given = reserve.give();
      step("reserve.given");
      for (let steps = 0; steps < 100 && journal.freePages > 0; steps++) {
        journal.vacuumStep();
        step("vacuum.step");
      }
      if (given)
        core.background(async () => {
          // Until it is back: nothing else asks again, and writes are refused meanwhile.
          while (reserve.isGiven && !ending.signal.aborted) {
            await clock.sleep(1000, ending.signal, { background: true }).catch(() => {});
            if (!ending.signal.aborted) await reserve.keep();
          }
        });
      return given;
    },
    rolledBack: () => {
      content.recount();
      tree.recount();
      barriers.reload();
    },
    poisoned: () => events.tell("journal-failed", null),
  });
  const uploader = new Uploader();
  const core: Core = {
    ...setup,
    directory,
    checkDirectory: checkOf(wal, () => events.tell("journal-failed", null)),
    rebooted,
    numbers: new Numbers(
      session,
      rules.numbersAreUnique ? undefined : () => (journal.get<{ id: number }>("select max(id) + 1 as id from node") as { id: number }).id,
    ),
    journal,
    group,
    content,
    tree,
    barriers,
    spelling: new Spelling(setup.remoteCan),
    watches: new Watches(),
    locks: new Locks(),
    remote: new Remote({ inner, rules, step, ended: ending.signal }),
    uploader,
    ended: ending.signal,
    durableBlocks,
    verified: new Set(),
    filling: new Set(),
    revalidations: new Map(),
    room: new Room({ content, rules, clock, events, settings, changed: (signal) => uploader.changed(signal) }),
    counts: { hits: 0, misses: 0, revalidated: 0, bytesFilled: 0, uploads: 0, uploadErrors: 0, arrived: 0 },
    evicting: false,
    rowsLook: { changes: 1 },
    spaceLook: { writes: 0 },
    background(work) {
      const one: Promise<void> = work()
        .catch((error: unknown) => {
          // A StoreError here is one that the next call meets again, and says.
          if (!StoreError.is(error) && !ending.signal.aborted)
            queueMicrotask(() => {
              throw error;
            });
        })
        .finally(() => running.delete(one));
      running.add(one);
    },
  };
  uploader.attach(core);
  return {
    core,
    uploader,
    reserve,
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
    close(clean) {
      const closing = shut(clean);
      owner.willLeave(closing);
      return closing;
    },
  };

  async function shut(clean: boolean): Promise<void> {
    ending.abort(new StoreError("closed", "the cache is closed"));
    uploader.end();
    try {
      if (clean) await settle();
    } finally {
      group.end();
      journal.close();
      await wal.close();
      if (clean) owner.release();
      else owner.leave();
    }
  }

  async function settle(): Promise<void> {
    await uploader.stopped();
    while (running.size > 0) await Promise.all(running);
    await group.idle();
    group.end();
    if (group.poisoned) return;
    journal.transaction(() => {
      content.flushReads();
      journal.run("update session set clean = 1 where id = ?", session);
    });
    step("close.clean");
    step("checkpoint");
    journal.checkpoint();
    await content.unlink(content.takeFreed());
  }
}

/** Left-overs of earlier sessions: files that no row names, downloads that were not finished, rows that nothing names. */
async function sweep(core: Core): Promise<void> {
  const { content, directory, numbers, group, ended } = core;
  const fill = join(directory, "fill");
  for (const name of await readdir(fill)) if (sessionOf(Number(name)) < numbers.session) await unlink(join(fill, name)).catch(() => {});
  group.record(() => {
    for (const { id } of core.journal.all<{ id: number }>("select id from content where refs <= 0")) {
      content.ref(id);
      content.unref(id);
    }
  });
  for (const block of await readdir(content.directory)) {
    const match = /^(\d+)-(\d+)$/.exec(block);
    if (match === null || Number(match[1]) >= numbers.session) continue;
    const path = join(content.directory, block);
    let left = 0;
    for (const name of await readdir(path)) {
      if (ended.aborted) return;
      left++;
      if (!/^\d+$/.test(name) || content.facts(Number(match[1]) * 2 ** 32 + Number(name)) !== undefined) continue;
      await unlink(join(path, name)).catch(() => {});
      core.step("open.sweep");
      left--;
    }
    if (left === 0) await rmdir(path).catch(() => {});
  }
  core.swept?.();
}
