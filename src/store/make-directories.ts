import { chmod, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Somebody may remove a parent at the same moment; after so many times it is not that. */
const TRIES = 10;

/**
 * A directory and what is missing above it; success where it is there. The errors are those of `mkdir`.
 * Node's own `recursive` never ends, a processor busy, where the parent exists and `mkdir` says ENOENT all the same: in /proc, and in directories of the automounter.
 * `toDisk`: the path as the disk takes it.
 */
export async function makeDirectories(path: string, mode: number, toDisk: (path: string) => string | Buffer = (same) => same): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await mkdir(toDisk(path), { mode });
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT" && (await isDirectory(toDisk(path)))) return;
      const parent = dirname(path);
      if (code !== "ENOENT" || parent === path || tries === TRIES) throw error;
      await makeDirectories(parent, mode, toDisk);
    }
  }
}

/** The same, of what is nobody else's: mode 0700, also of one that was made by hand and is ours. */
export async function makePrivateDirectory(path: string): Promise<void> {
  await makeDirectories(path, 0o700);
  const { uid, mode } = await stat(path);
  if (uid === process.getuid?.() && (mode & 0o077) !== 0) await chmod(path, 0o700);
}

async function isDirectory(path: string | Buffer): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}
