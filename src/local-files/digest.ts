/** What bytes are known by, gathered while they pass. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { abortError } from "../store/index.ts";
import { absent } from "./disk-errors.ts";
import type { OnDisk } from "./disk-errors.ts";

export interface Digest<T> {
  update(chunk: Uint8Array): void;
  end(): T;
}

/** Hashes in lower-case hexadecimal, and the number of bytes. */
export function digestOf<N extends "md5" | "sha256">(...names: readonly N[]): Digest<Readonly<Record<N, string>> & { readonly size: number }> {
  const hashes = names.map((name) => [name, createHash(name)] as const);
  let size = 0;
  return {
    update(chunk) {
      for (const [, hash] of hashes) hash.update(chunk);
      size += chunk.byteLength;
    },
    end: () => ({ ...(Object.fromEntries(hashes.map(([name, hash]) => [name, hash.digest("hex")])) as Record<N, string>), size }),
  };
}

const chunksOf = { highWaterMark: 256 << 10 } as const;

/** Null where the file is missing. */
export function digestFile<T>(onDisk: OnDisk, path: string, digest: Digest<T>, signal?: AbortSignal): Promise<T | null> {
  return onDisk(async () => {
    const file = await open(path, "r").catch(absent);
    if (file === undefined) return null;
    try {
      for await (const chunk of file.createReadStream({ autoClose: false, ...chunksOf }) as AsyncIterable<Buffer>) {
        if (signal?.aborted === true) throw abortError(signal, { applied: false });
        digest.update(chunk);
      }
    } finally {
      await file.close();
    }
    return digest.end();
  });
}

/** Into a new file, flushed. Gives the SHA-256 of what was copied. Errors of the disk are Node's own. */
export async function copyFile(from: string, to: string, signal: AbortSignal | undefined): Promise<string> {
  const digest = digestOf("sha256");
  const file = await open(to, "wx");
  try {
    for await (const chunk of createReadStream(from, chunksOf) as AsyncIterable<Buffer>) {
      if (signal?.aborted === true) throw abortError(signal, { applied: false });
      digest.update(chunk);
      await file.appendFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return digest.end().sha256;
}
