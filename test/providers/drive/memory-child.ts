/** A process of its own that streams a body of unknown length into Drive and back, compares hashes, and says how much memory that took at most. */
import { createHash } from "node:crypto";
import { drive } from "../../../src/providers/drive/index.ts";
import type { DriveOptions } from "../../../src/providers/drive/index.ts";

const PIECE = 256 << 10;
const work = JSON.parse(process.env["WORK"] ?? "null") as { readonly bytes: number; readonly drive: DriveOptions };
await using store = drive(work.drive);

const sent = createHash("sha1");
async function* body(): AsyncGenerator<Uint8Array> {
  // One buffer for all, as a source may: what is measured is the store's memory.
  const buffer = Buffer.alloc(PIECE);
  for (let at = 0; at < work.bytes; at += PIECE) {
    // No two pieces alike, so that one that comes twice, or in another's place, changes the hash.
    const piece = buffer.fill(`${at} `).subarray(0, Math.min(PIECE, work.bytes - at));
    sent.update(piece);
    yield piece;
  }
}
const peakMib = (): number => Math.round(process.resourceUsage().maxRSS / 1024);
await store.stat("/");
const openedMib = peakMib();
await store.write("/large.bin", body());
const writtenMib = peakMib();
const got = createHash("sha1");
let bytes = 0;
{
  await using result = await store.read("/large.bin");
  for await (const chunk of result) {
    got.update(chunk);
    bytes += chunk.byteLength;
  }
}
console.log(JSON.stringify({ bytes, same: sent.digest("hex") === got.digest("hex"), openedMib, writtenMib, peakMib: peakMib() }));
