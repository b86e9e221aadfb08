/** Locks of files for a longer work: who has one keeps other repositories from changing the file. The database lets go of them when the process dies. */
import type { Hold } from "../catalogue/index.ts";
import { lockKey, lockedByOther } from "./core.ts";
import type { Core } from "./core.ts";
import { RepositoryError } from "./errors.ts";
import { find } from "./find.ts";
import type { FindQuery } from "./find.ts";
import { fullRow, infoOf, unknown } from "./rows.ts";
import type { FileInfo } from "./rows.ts";

/** "wait" until it is free, "nowait": an error `locked`, "skip": null. */
export type LockMode = "wait" | "nowait" | "skip";

export interface FileLock extends AsyncDisposable {
  /** As it was when it was locked. */
  readonly file: FileInfo;
  /** True once the connection that held it broke: changes are refused then, for somebody else may have it. */
  readonly lost: boolean;
}

const FIRST_WAIT_MS = 10;
const LONGEST_WAIT_MS = 500;

/** @throws RepositoryError `unknown-file`, with "nowait" `locked` */
export async function lock(core: Core, id: number, mode: LockMode, signal: AbortSignal | undefined): Promise<FileLock | null> {
  const hold = await holdOf(core, id, mode, signal);
  if (hold === null) {
    if (mode === "skip") return null;
    throw lockedByOther(id);
  }
  try {
    const row = await fullRow(core.db, core.host, id);
    if (row.pending !== null) throw unknown(id);
    core.locks.set(id, hold);
    return {
      file: infoOf(row),
      get lost() {
        return hold.lost;
      },
      [Symbol.asyncDispose]: async () => {
        if (core.locks.get(id) === hold) core.locks.delete(id);
        await hold[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await hold[Symbol.asyncDispose]();
    throw error;
  }
}

/** The database has no waiting for what outlasts a transaction that would not keep a connection busy: asked again, less and less often. */
async function holdOf(core: Core, id: number, mode: LockMode, signal: AbortSignal | undefined): Promise<Hold | null> {
  const { clock, random } = core.settings;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(LONGEST_WAIT_MS, wait * 2)) {
    signal?.throwIfAborted();
    const hold = await core.db.hold(lockKey(id));
    if (hold !== null || mode !== "wait") return hold;
    await clock.sleep(wait * (0.5 + random()), signal);
  }
}

/** All of them, or with "skip" those that are free; as they are once they are locked. */
export async function findLocked(core: Core, query: FindQuery, mode: LockMode, signal: AbortSignal | undefined): Promise<FileLock[]> {
  const locks: FileLock[] = [];
  try {
    // In one order everywhere, so that two who want the same do not wait for each other.
    for (const { id } of await find(core, query)) {
      const held = await lock(core, id, mode, signal).catch((error: unknown) => {
        if (RepositoryError.is(error) && error.code === "unknown-file") return null;
        throw error;
      });
      if (held === null) continue;
      // It may have changed until then.
      if ((await find(core, { ...query, id })).length > 0) locks.push(held);
      else await held[Symbol.asyncDispose]();
    }
    return locks;
  } catch (error) {
    for (const held of locks) await held[Symbol.asyncDispose]();
    throw error;
  }
}
