/** A process of its own that streams a body of unknown length into a store and back, compares hashes, and says how much memory that took at most. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { drive } from "stratus/drive";
import type { DriveOptions } from "stratus/drive";
import { dropbox } from "stratus/dropbox";
import type { DropboxOptions } from "stratus/dropbox";
import { s3 } from "stratus/s3";
import type { S3Options } from "stratus/s3";
import { sugarsync } from "stratus/sugarsync";
import type { SugarSyncOptions } from "stratus/sugarsync";
import { webdav } from "stratus/webdav";
import type { WebdavOptions } from "stratus/webdav";

/** `told`: its length is said before. */
export type Work = { readonly bytes: number; readonly told?: boolean } & (
  | { readonly s3: S3Options }
  | { readonly webdav: WebdavOptions }
  | { readonly drive: DriveOptions }
  | { readonly sugarsync: SugarSyncOptions }
  /** Its hosts are fixed: `instead` has others in their place, by origin. */
  | { readonly dropbox: DropboxOptions; readonly instead: Readonly<Record<string, string>> }
);
export interface Found {
  readonly bytes: number;
  readonly same: boolean;
  /** When the store was open, when all was written, and at the end. */
  readonly openMib: number;
  readonly writtenMib: number;
  readonly peakMib: number;
}

const PIECE = 256 << 10;
const work = JSON.parse(process.env["WORK"] ?? "null") as Work;

function made(): ReturnType<typeof s3 | typeof webdav | typeof drive | typeof sugarsync | typeof dropbox> {
  if ("s3" in work) return s3(work.s3);
  if ("webdav" in work) return webdav(work.webdav);
  if ("drive" in work) return drive(work.drive);
  if ("sugarsync" in work) return sugarsync(work.sugarsync);
  const { instead } = work;
  return dropbox({
    ...work.dropbox,
    fetch: (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input);
      const origin = instead[url.origin];
      if (origin === undefined) throw new TypeError(`no host of this test: ${url.origin}`);
      return fetch(origin + url.pathname + url.search, init);
    },
  });
}

/** Of this program alone: `resourceUsage().maxRSS` begins, on Linux, with what the process that started it had when it did. */
function peakMib(): number {
  const [, kib] = process.platform === "linux" ? (/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? []) : [];
  return Math.round((kib === undefined ? process.resourceUsage().maxRSS : Number(kib)) / 1024);
}
await using store = made();
await store.open();
const openMib = peakMib();

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
// A directory of its own: the root of SugarSync takes no files.
await store.write("/large/stream.bin", body(), work.told === true ? { size: work.bytes } : {});
const writtenMib = peakMib();
const got = createHash("sha1");
let bytes = 0;
{
  await using result = await store.read("/large/stream.bin");
  for await (const chunk of result) {
    got.update(chunk);
    bytes += chunk.byteLength;
  }
}
await store.delete("/large/stream.bin");
const found: Found = { bytes, same: sent.digest("hex") === got.digest("hex"), openMib, writtenMib, peakMib: peakMib() };
console.log(JSON.stringify(found));
