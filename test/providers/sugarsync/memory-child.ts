/** A process of its own that streams a body of unknown length into a store and back, and says how much memory that took at most. */
import { createHash } from "node:crypto";
import { sugarsync } from "../../../src/providers/sugarsync/index.ts";
import type { SugarSyncOptions } from "../../../src/providers/sugarsync/index.ts";

export interface Work {
  readonly bytes: number;
  readonly options: SugarSyncOptions;
}
export interface Found {
  readonly bytes: number;
  readonly same: boolean;
  readonly peakMib: number;
}

const PIECE = 256 << 10;
const { bytes, options } = JSON.parse(process.env["WORK"] ?? "null") as Work;
await using store = sugarsync(options);
const sent = createHash("sha1");
async function* body(): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(PIECE);
  for (let at = 0; at < bytes; at += PIECE) {
    // No two pieces alike, so that one that comes twice, or in another's place, changes the hash.
    const piece = buffer.fill(`${at} `).subarray(0, Math.min(PIECE, bytes - at));
    sent.update(piece);
    yield piece;
  }
}
await store.write("/top/large.bin", body());
const got = createHash("sha1");
let count = 0;
{
  await using result = await store.read("/top/large.bin");
  for await (const chunk of result) {
    got.update(chunk);
    count += chunk.byteLength;
  }
}
const found: Found = { bytes: count, same: sent.digest("hex") === got.digest("hex"), peakMib: Math.round(process.resourceUsage().maxRSS / 1024) };
console.log(JSON.stringify(found));
