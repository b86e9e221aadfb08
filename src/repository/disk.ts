/** The directory of this host: `files` with local files, `incoming` with what is not whole yet, `orphans` with what no row names. Nothing here knows the catalogue. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { link, lstat, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { StoreError, abortError } from "../store/index.ts";

/** What bytes are known by. */
export interface Sum {
  readonly md5: string;
  readonly sha256: string;
  readonly size: number;
}

export class Disk {
  readonly directory: string;
  #count = 0;

  constructor(directory: string) {
    this.directory = directory;
  }

  file(name: string): string {
    return join(this.directory, "files", name);
  }

  /** Removes what never became whole. */
  async prepare(): Promise<void> {
    await onDisk(async () => {
      await rm(join(this.directory, "incoming"), { recursive: true, force: true });
      for (const part of ["files", "incoming", "orphans"]) await mkdir(join(this.directory, part), { recursive: true, mode: 0o700 });
      await flushDirectory(this.directory);
    });
  }

  names(part: "files" | "orphans" = "files"): Promise<string[]> {
    return onDisk(() => readdir(join(this.directory, part)));
  }

  /** Null where there is none. */
  size(name: string): Promise<number | null> {
    return onDisk(async () => {
      const found = await stat(this.file(name)).catch(absent);
      return found?.isFile() === true ? found.size : null;
    });
  }

  incoming(): string {
    return join(this.directory, "incoming", String((this.#count += 1)));
  }

  /** Into a new file, flushed. `before` sees each length first, and may refuse. On failure nothing is left. */
  async write(path: string, chunks: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined, before: (bytes: number) => void = () => {}): Promise<Sum> {
    const summing = sums();
    const file = await onDisk(() => open(path, "wx", 0o600));
    try {
      try {
        for await (const chunk of chunks) {
          if (signal?.aborted === true) throw abortError(signal, { applied: false });
          before(chunk.byteLength);
          summing.update(chunk);
          await onDisk(() => file.appendFile(chunk));
        }
        await onDisk(() => file.sync());
      } finally {
        await file.close();
      }
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    return summing.end();
  }

  /** A second name for a file of this file system, flushed. False where that cannot be. */
  async adopt(source: string, path: string): Promise<boolean> {
    try {
      await link(source, path);
    } catch (error) {
      if (["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "EACCES"].includes(codeOf(error))) return false;
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

  /** The name is on the disk too when this resolves. */
  keep(path: string, name: string): Promise<void> {
    return onDisk(async () => {
      await rename(path, this.file(name));
      await flushDirectory(join(this.directory, "files"));
    });
  }

  drop(name: string): Promise<void> {
    return onDisk(() => rm(this.file(name), { force: true }));
  }

  setAside(name: string): Promise<void> {
    return onDisk(() => rename(this.file(name), join(this.directory, "orphans", name)));
  }

  /** Deletes what was set aside before this time. Gives how many. */
  async dropOrphans(beforeMs: number): Promise<number> {
    let dropped = 0;
    for (const name of await this.names("orphans")) {
      const path = join(this.directory, "orphans", name);
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
export async function sumOfFile(path: string, signal?: AbortSignal): Promise<Sum | null> {
  return onDisk(async () => {
    const file = await open(path, "r").catch(absent);
    if (file === undefined) return null;
    const summing = sums();
    try {
      for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 256 << 10 }) as AsyncIterable<Buffer>) {
        if (signal?.aborted === true) throw abortError(signal, { applied: false });
        summing.update(chunk);
      }
    } finally {
      await file.close();
    }
    return summing.end();
  });
}

/** Of bytes that are not kept. */
export async function sumOfBytes(chunks: AsyncIterable<Uint8Array>): Promise<Sum> {
  const summing = sums();
  for await (const chunk of chunks) summing.update(chunk);
  return summing.end();
}

function sums(): { update(chunk: Uint8Array): void; end(): Sum } {
  const [md5, sha256] = [createHash("md5"), createHash("sha256")];
  let size = 0;
  return {
    update: (chunk) => {
      md5.update(chunk);
      sha256.update(chunk);
      size += chunk.byteLength;
    },
    end: () => ({ md5: md5.digest("hex"), sha256: sha256.digest("hex"), size }),
  };
}

async function flushDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return; // A directory cannot be opened there.
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === "string" ? code : "";
}

function absent(error: unknown): undefined {
  if (codeOf(error) === "ENOENT") return undefined;
  throw error;
}

/** Errors of the disk in our codes. */
export async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (StoreError.is(error)) throw error;
    const code = codeOf(error);
    const details = { cause: error, applied: false, transient: false } as const;
    if (code === "ENOSPC" || code === "EDQUOT") throw new StoreError("no-space", "the disk of the local directory is full", details);
    if (["EACCES", "EPERM", "EROFS", "ENOTDIR"].includes(code)) throw new StoreError("config", "the local directory cannot be written", details);
    if (code.startsWith("E")) throw new StoreError("unavailable", "the disk of the local directory fails", details);
    throw error;
  }
}
