/** A process of its own that streams a body of unknown length into a store and back, compares hashes, and says how much memory that took at most. */
import { createHash } from "node:crypto";
import { s3 } from "stratus/s3";
import type { S3Options } from "stratus/s3";
import { webdav } from "stratus/webdav";
import type { WebdavOptions } from "stratus/webdav";

export type Work = { readonly bytes: number } & ({ readonly s3: S3Options } | { readonly webdav: WebdavOptions });
export interface Found {
  readonly bytes: number;
  readonly same: boolean;
  readonly peakMib: number;
}

const PIECE = 256 << 10;
const work = JSON.parse(process.env["WORK"] ?? "null") as Work;
const made = "s3" in work ? s3(work.s3) : webdav(work.webdav);
await using store = made;

const sent = createHash("sha1");
async function* body(): AsyncGenerator<Uint8Array> {
  // One buffer for all, as a source may: what is measured is the store's memory, not garbage of this loop (88 MiB of it, with a buffer for each piece).
  const buffer = Buffer.alloc(PIECE);
  for (let at = 0; at < work.bytes; at += PIECE) {
    // No two pieces alike, so that one that comes twice, or in another's place, changes the hash.
    const piece = buffer.fill(`${at} `).subarray(0, Math.min(PIECE, work.bytes - at));
    sent.update(piece);
    yield piece;
  }
}
await store.write("/large.bin", body());
const got = createHash("sha1");
let bytes = 0;
{
  await using result = await store.read("/large.bin");
  for await (const chunk of result) {
    got.update(chunk);
    bytes += chunk.byteLength;
  }
}
await store.delete("/large.bin");
const found: Found = { bytes, same: sent.digest("hex") === got.digest("hex"), peakMib: Math.round(process.resourceUsage().maxRSS / 1024) };
console.log(JSON.stringify(found));
