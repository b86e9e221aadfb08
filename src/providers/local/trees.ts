/** Deleting trees and sweeping what crashed writers left: walks over the disk that never go through a link. */
import { StoreError, join } from "../../store/index.ts";
import type { Clock, DeleteCall, StorePath } from "../../store/index.ts";
import { child, disk, errnoOf, unless } from "./disk.ts";
import { translate } from "./errors.ts";
import { isLeftBehind, isTemporary } from "./names.ts";
import type { Names, Native } from "./names.ts";

/** A temporary file that nobody has written to for this long belongs to a writer that died, wherever that ran. */
export const STALE_MS: number = 24 * 3_600_000;

/** How often a directory is emptied again because somebody puts something into it. */
const TRIES = 5;
const AT_ONCE = 16;

interface Progress {
  done: number;
  at: StorePath;
}

/** Removes a directory with all that is in it: files, links themselves, pipes, temporary files. */
export async function removeTree(call: DeleteCall, directory: Native, names: Names): Promise<void> {
  const { path, signal } = call;
  const progress: Progress = { done: 0, at: path };
  try {
    await empty(path, directory, names, signal, progress);
  } catch (error) {
    if (progress.done === 0) throw error;
    const facts = { applied: "partly" as const, partial: progress, cause: error };
    if (signal?.aborted === true) throw new StoreError("aborted", "the caller gave up half way", facts);
    const known = translate(error, call) ?? new StoreError("unknown", "the tree was removed only in part");
    throw known.with({ ...facts, code: known.code === "not-empty" ? "conflict" : known.code });
  }
}

async function empty(path: StorePath, directory: Native, names: Names, signal: AbortSignal | undefined, progress: Progress): Promise<void> {
  for (let tries = 1; ; tries++) {
    const children = (await unless(disk.names(directory), "ENOENT")) ?? [];
    for (let from = 0; from < children.length; from += AT_ONCE) {
      signal?.throwIfAborted();
      const group = children.slice(from, from + AT_ONCE);
      const kinds = await Promise.all(group.map(async (name) => (await unless(disk.lstat(child(directory, name)), "ENOENT"))?.isDirectory()));
      const files = group.filter((_, i) => kinds[i] === false);
      const results = await Promise.allSettled(files.map((name) => unless(disk.unlink(child(directory, name)), "ENOENT")));
      progress.done += results.filter((result) => result.status === "fulfilled").length;
      const failed = results.findIndex((result) => result.status === "rejected");
      if (failed >= 0) {
        progress.at = shownAt(path, files[failed] as Native, names);
        throw (results[failed] as PromiseRejectedResult).reason;
      }
      for (const [i, name] of group.entries()) if (kinds[i] === true) await empty(shownAt(path, name, names), child(directory, name), names, signal, progress);
    }
    try {
      progress.at = path;
      await unless(disk.rmdir(directory), "ENOENT");
      progress.done++;
      return;
    } catch (error) {
      if (errnoOf(error) !== "ENOTEMPTY" || tries === TRIES) throw error;
    }
  }
}

/** The path of a child for a message; that of the directory where the child has none. */
function shownAt(path: StorePath, name: Native, names: Names): StorePath {
  const logical = names.logical(name);
  return logical === undefined ? path : join(path, logical);
}

/** After a directory was found not empty: is it so only of temporary files? Those of dead writers are removed; `conflict` if a living one is at work. */
export async function clearStale(directory: Native, clock: Clock): Promise<boolean> {
  const names = (await unless(disk.names(directory), "ENOENT")) ?? [];
  if (!names.every(isTemporary)) return false;
  for (const name of names)
    if (!(await removeStale(directory, name, clock))) throw new StoreError("conflict", "a file is being written into this directory", { applied: false });
  return true;
}

/** True when it is gone. */
async function removeStale(directory: Native, name: Native, clock: Clock): Promise<boolean> {
  const path = child(directory, name);
  const stat = await unless(disk.lstat(path), "ENOENT");
  if (stat === undefined) return true;
  // By the time of change: that of the content may be the caller's.
  if (stat.isDirectory() || (clock.now() - Number(stat.ctimeMs) < STALE_MS && !isLeftBehind(name))) return false;
  await unless(disk.unlink(path), "ENOENT");
  return true;
}

/** Removes the temporary files of dead writers in the whole tree; says how many. */
export async function sweep(directory: Native, clock: Clock, signal: AbortSignal | undefined): Promise<number> {
  let removed = 0;
  for (const name of (await unless(disk.names(directory), "ENOENT", "ENOTDIR")) ?? []) {
    signal?.throwIfAborted();
    const path = child(directory, name);
    if (isTemporary(name)) removed += (await removeStale(directory, name, clock)) ? 1 : 0;
    else if ((await unless(disk.lstat(path), "ENOENT"))?.isDirectory() === true) removed += await sweep(path, clock, signal);
  }
  return removed;
}
