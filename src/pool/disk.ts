/** The directory of the cache: `files` with what is cached, `incoming` with what is not whole yet. Nothing here knows the catalogue. */
import { createHash } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { StoreError, abortError } from "../store/index.ts";

export interface Written {
  readonly hash: string;
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
      for (const part of ["files", "incoming"]) await mkdir(join(this.directory, part), { recursive: true, mode: 0o700 });
      await flushDirectory(this.directory);
    });
  }

  names(): Promise<string[]> {
    return onDisk(() => readdir(join(this.directory, "files")));
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

  /** Into a new file, flushed. `before` is asked for each chunk, and may wait or refuse. On failure nothing is left. */
  async write(
    path: string,
    chunks: AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
    before: (bytes: number) => Promise<void> | void,
  ): Promise<Written> {
    const hash = createHash("sha256");
    let size = 0;
    const file = await onDisk(() => open(path, "wx", 0o600));
    try {
      try {
        for await (const chunk of chunks) {
          if (signal?.aborted === true) throw abortError(signal, { applied: false });
          await before(chunk.byteLength);
          hash.update(chunk);
          size += chunk.byteLength;
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
    return { hash: hash.digest("hex"), size };
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
}

/** Of bytes that are not kept. */
export async function hashOfBytes(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined, before: (bytes: number) => void): Promise<Written> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of chunks) {
    if (signal?.aborted === true) throw abortError(signal, { applied: false });
    before(chunk.byteLength);
    hash.update(chunk);
    size += chunk.byteLength;
  }
  return { hash: hash.digest("hex"), size };
}

/** Null where the file is missing. */
export async function hashOfFile(path: string, signal?: AbortSignal): Promise<Written | null> {
  return onDisk(async () => {
    const file = await open(path, "r").catch(absent);
    if (file === undefined) return null;
    const hash = createHash("sha256");
    let size = 0;
    try {
      for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 256 << 10 }) as AsyncIterable<Buffer>) {
        if (signal?.aborted === true) throw abortError(signal, { applied: false });
        hash.update(chunk);
        size += chunk.length;
      }
    } finally {
      await file.close();
    }
    return { hash: hash.digest("hex"), size };
  });
}

async function flushDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return; // A directory cannot be opened there.
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  throw error;
}

/** Errors of the disk in our codes. */
export async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (StoreError.is(error)) throw error;
    const { code } = (error ?? {}) as { readonly code?: unknown };
    const details = { cause: error, applied: false, transient: false } as const;
    if (code === "ENOSPC" || code === "EDQUOT") throw new StoreError("no-space", "the disk of the cache directory is full", details);
    if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOTDIR")
      throw new StoreError("config", "the cache directory cannot be written", details);
    if (typeof code === "string" && code.startsWith("E")) throw new StoreError("unavailable", "the disk of the cache directory fails", details);
    throw error;
  }
}
