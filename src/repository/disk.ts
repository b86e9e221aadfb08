/** The directory of this host, and its files by both hashes: beside what is kept lies in `orphans` what no row names. */
import { link, lstat, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { LocalFiles, codeOf, digestFile, digestOf, onDiskOf } from "../local-files/index.ts";

/** What bytes are known by. */
export interface Sum {
  readonly md5: string;
  readonly sha256: string;
  readonly size: number;
}

/** Errors of the disk in our codes. */
export const onDisk: ReturnType<typeof onDiskOf> = onDiskOf("local directory");

const sums = (): ReturnType<typeof digestOf<"md5" | "sha256">> => digestOf("md5", "sha256");

export class Disk extends LocalFiles {
  constructor(directory: string) {
    super(directory, onDisk, ["orphans"]);
  }

  /** Into a new file, flushed. `before` sees each length first, and may refuse. On failure nothing is left. */
  write(path: string, chunks: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined, before?: (bytes: number) => void): Promise<Sum> {
    return this.writeNew(path, chunks, sums(), signal, before);
  }

  /** A second name for a file of this file system, flushed. False where that cannot be. */
  async adopt(source: string, path: string): Promise<boolean> {
    try {
      await link(source, path);
    } catch (error) {
      if (["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "EACCES"].includes(codeOf(error) ?? "")) return false;
      throw error;
    }
    const file = await onDisk(() => open(path, "r"));
    try {
      await onDisk(() => file.sync());
    } finally {
      await file.close();
    }
    return true;
  }

  setAside(name: string): Promise<void> {
    return onDisk(() => rename(this.file(name), join(this.directory, "orphans", name)));
  }

  /** Deletes what was set aside before this time. Gives how many. */
  async dropOrphans(beforeMs: number): Promise<number> {
    const orphans = join(this.directory, "orphans");
    let dropped = 0;
    for (const name of await onDisk(() => readdir(orphans))) {
      const path = join(orphans, name);
      const found = await onDisk(() => lstat(path));
      // The time of the last change of its name, which is when it was set aside.
      if (found.ctimeMs >= beforeMs) continue;
      await onDisk(() => rm(path, { force: true }));
      dropped += 1;
    }
    return dropped;
  }
}

/** Null where the file is missing. */
export function sumOfFile(path: string, signal?: AbortSignal): Promise<Sum | null> {
  return digestFile(onDisk, path, sums(), signal);
}

/** Of bytes that are not kept. */
export async function sumOfBytes(chunks: AsyncIterable<Uint8Array>): Promise<Sum> {
  const summing = sums();
  for await (const chunk of chunks) summing.update(chunk);
  return summing.end();
}
