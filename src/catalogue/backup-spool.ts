/** A private file beside the way: a backup is whole on this disk before anything is sent, and before anything of it is believed. */
import { createHash } from "node:crypto";
import { mkdtemp, open, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { StoreError, abortError } from "../store/index.ts";
import type { Reopenable } from "../store/index.ts";

export interface Weight {
  readonly size: number;
  readonly sha256: string;
}

const PIECE = 256 << 10;

/** It has no name: whatever ends this process ends the file too, so that nothing is left for anybody to sweep. */
export class Spool {
  readonly #file: FileHandle;
  #size = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Once. Errors of `chunks` come out as they are. */
  async fill(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<Weight> {
    const hash = createHash("sha256");
    for await (const chunk of chunks) {
      if (signal?.aborted === true) throw abortError(signal, { applied: false });
      hash.update(chunk);
      await onSpool(() => this.#file.appendFile(chunk));
      this.#size += chunk.byteLength;
    }
    return { size: this.#size, sha256: hash.digest("hex") };
  }

  /** As often as one likes. */
  read(): Readable {
    return Readable.from(this.#pieces(0, this.#size), { objectMode: false });
  }

  /** For a store, which may want parts, and all of it again. */
  get body(): Reopenable {
    const size = this.#size;
    return { size, open: ({ offset, length = size - offset } = { offset: 0 }) => this.#pieces(offset, offset + length) };
  }

  async *#pieces(from: number, end: number): AsyncGenerator<Uint8Array> {
    for (let at = from; at < end;) {
      const { bytesRead, buffer } = await onSpool(() => this.#file.read(Buffer.allocUnsafeSlow(Math.min(PIECE, end - at)), 0, undefined, at));
      if (bytesRead === 0) throw new StoreError("bad-body", "the temporary file of the backup became shorter", { applied: false });
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }
}

/** Gone when `work` is done. */
export async function withSpool<T>(directory: string | undefined, work: (spool: Spool) => Promise<T>): Promise<T> {
  const own = await onSpool(() => mkdtemp(join(directory ?? tmpdir(), "stratus-backup-")));
  try {
    const file = await onSpool(() => open(join(own, "backup"), "wx+", 0o600));
    try {
      // Windows keeps the name of an open file: there it goes at the end.
      if (process.platform !== "win32") await onSpool(() => rm(own, { recursive: true, force: true }));
      return await work(new Spool(file));
    } finally {
      await file.close();
    }
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** What bytes are, without keeping them. */
export async function weigh(chunks: AsyncIterable<Uint8Array>): Promise<Weight> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    size += chunk.byteLength;
  }
  return { size, sha256: hash.digest("hex") };
}

/** Errors of this disk in our codes. */
async function onSpool<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, syscall } = (error ?? {}) as { readonly code?: unknown; readonly syscall?: unknown };
    if (typeof code !== "string" || typeof syscall !== "string") throw error;
    const details = { cause: error, applied: false, transient: false } as const;
    if (code === "ENOSPC" || code === "EDQUOT") throw new StoreError("no-space", "the disk for temporary files is full", details);
    throw new StoreError("config", "the directory for temporary files cannot be written", details);
  }
}
