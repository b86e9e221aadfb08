/** Entries of files on disk, and the times that tell one version of a file from the next. */
import fs from "node:fs";
import { entry } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import type { Stat } from "./disk.ts";

/**
 * Whether this system tells when a file was made. Where the kernel is not asked by statx (an old container runtime forbids it), libuv gives the time
 * of the last change of the inode instead, which a rename changes. /proc is made of nothing and has no birth: a time there is such a substitute.
 */
export function tellsBirth(platform: NodeJS.Platform): boolean {
  if (platform === "darwin" || platform === "win32") return true;
  return fs.lstatSync("/proc", { bigint: true, throwIfNoEntry: false })?.birthtimeNs === 0n;
}

/** Equal for equal bytes only: inode, time of birth, time of content, size. Not the time of change: a rename changes that. */
export function identity(stat: Stat, birth: boolean): string {
  return `${stat.ino.toString(16)}-${birth ? stat.birthtimeNs.toString(16) : ""}-${stat.mtimeNs.toString(16)}-${stat.size.toString(16)}`;
}

/** Cut, not rounded, also before 1970, where BigInt would round up. */
export function modifiedOf({ mtimeNs }: Stat): number {
  return Number(mtimeNs / 1_000_000n) - (mtimeNs < 0n && mtimeNs % 1_000_000n !== 0n ? 1 : 0);
}

export function entryOf(path: StorePath, stat: Stat, birth: boolean): Entry {
  const directory = stat.isDirectory();
  return entry({
    path,
    kind: directory ? "directory" : "file",
    size: Number(stat.size),
    modifiedMs: modifiedOf(stat),
    etag: directory ? null : identity(stat, birth),
  });
}

let ticks = 0;

/**
 * The time to set on a new file, in seconds: the given millisecond, and within it a microsecond of its own. The clock of the kernel ticks every few
 * milliseconds: two rewrites within a tick, the second in the inode that the first set free, would be one version. A thousand within a tick cannot be.
 * Two microseconds at each end stay free, because the number is a double and must not fall into the next millisecond (until the year 2500).
 */
export function timeOf(ms: number): number {
  ticks = (ticks + 1) % 996;
  return (Math.floor(ms) * 1000 + 2 + ticks) / 1e6;
}
