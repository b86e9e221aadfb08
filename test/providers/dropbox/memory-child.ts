/** A process of its own that streams a body, of unknown length unless it is `told`, to the emulator and back, and says how much memory that took at most. */
import { createHash } from "node:crypto";
import { dropbox } from "../../../src/providers/dropbox/index.ts";
import { ledTo } from "../../servers/dropbox/index.ts";

const { origin, accessToken, bytes, told } = JSON.parse(process.env["WORK"] ?? "null") as { origin: string; accessToken: string; bytes: number; told: boolean };
const PIECE = 256 << 10;
await using store = dropbox({ accessToken, fetch: ledTo(origin) });
const sent = createHash("sha1");
async function* body(): AsyncGenerator<Uint8Array> {
  // One buffer for all, as a source may: what is measured is the store's memory, not garbage of this loop.
  const buffer = Buffer.alloc(PIECE);
  for (let at = 0; at < bytes; at += PIECE) {
    const piece = buffer.fill(`${at} `).subarray(0, Math.min(PIECE, bytes - at));
    sent.update(piece);
    yield piece;
  }
}
const { size } = await store.write("/large.bin", body(), told ? { size: bytes } : {});
const got = createHash("sha1");
{
  await using result = await store.read("/large.bin");
  for await (const chunk of result) got.update(chunk);
}
console.log(JSON.stringify({ size, same: sent.digest("hex") === got.digest("hex"), peakMib: Math.round(process.resourceUsage().maxRSS / 1024) }));
