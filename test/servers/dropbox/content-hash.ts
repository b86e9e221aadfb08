/** The hash of dropbox.com/developers/reference/content-hash, written here once more, so that the provider's own is compared with another one. */
import { createHash } from "node:crypto";
import { bytesOf } from "../spill.ts";
import type { Chunk } from "../spill.ts";

const BLOCK = 4 * 1024 * 1024;

export function contentHash(chunks: readonly Chunk[]): string {
  const digests: Buffer[] = [];
  let block = createHash("sha256");
  let filled = 0;
  for (const one of chunks) {
    const chunk = bytesOf(one);
    for (let at = 0; at < chunk.byteLength;) {
      const part = chunk.subarray(at, at + BLOCK - filled);
      block.update(part);
      at += part.byteLength;
      filled += part.byteLength;
      if (filled < BLOCK) continue;
      digests.push(block.digest());
      block = createHash("sha256");
      filled = 0;
    }
  }
  if (filled > 0) digests.push(block.digest());
  return createHash("sha256").update(Buffer.concat(digests)).digest("hex");
}
