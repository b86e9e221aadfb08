/** A private file beside the way: a backup is whole on this disk before anything is sent, and before anything of it is believed. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { StoreError, abortError } from "../store/index.ts";

export interface Spooled {
  readonly size: number;
  readonly sha256: string;
}

/** `work` has the path of a file that is not there yet; whatever is there at the end goes. */
export async function withSpool<T>(directory: string | undefined, work: (path: string) => Promise<T>): Promise<T> {
  const own = await onSpool(() => mkdtemp(join(directory ?? tmpdir(), "stratus-backup-")));
  try {
    return await work(join(own, "backup"));
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** Replaces what is there. Errors of `chunks` come out as they are. */
export async function spool(chunks: AsyncIterable<Uint8Array>, path: string, signal: AbortSignal | undefined): Promise<Spooled> {
  const hash = createHash("sha256");
  let size = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      size += chunk.byteLength;
      yield chunk;
    }
  };
  await onSpool(() => pipeline(counted(), createWriteStream(path, { mode: 0o600 }), { signal }), signal);
  return { size, sha256: hash.digest("hex") };
}

/** What bytes are, without keeping them. */
export async function weigh(chunks: AsyncIterable<Uint8Array>): Promise<Spooled> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    size += chunk.byteLength;
  }
  return { size, sha256: hash.digest("hex") };
}

/** Errors of this disk in our codes. */
export async function onSpool<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted === true) throw abortError(signal, { applied: false });
    const { code, syscall } = (error ?? {}) as { readonly code?: unknown; readonly syscall?: unknown };
    if (StoreError.is(error) || typeof code !== "string" || typeof syscall !== "string") throw error;
    const details = { cause: error, applied: false, transient: false } as const;
    if (code === "ENOSPC" || code === "EDQUOT") throw new StoreError("no-space", "the disk for temporary files is full", details);
    throw new StoreError("config", "the directory for temporary files cannot be written", details);
  }
}
