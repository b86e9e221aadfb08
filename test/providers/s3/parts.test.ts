/** Cutting a stream into parts: what is in memory, and until when. */
import { expect, test } from "vitest";
import { sendParts } from "../../../src/providers/s3/parts.ts";
import { byteStream } from "../../../src/store/index.ts";
import type { ByteStream } from "../../../src/store/index.ts";

function stream(chunks: number): ByteStream {
  let left = chunks;
  return byteStream({ length: null, pull: async () => (left-- > 0 ? new Uint8Array(100).fill(left) : undefined), close: async () => {} });
}

test("buffers are used again, and their memory is given back at once at the end", async () => {
  const seen = new Set<ArrayBufferLike>();
  const lengths = await sendParts(stream(10), 150, 2, async (number, bytes) => {
    seen.add(bytes.buffer);
    await new Promise((done) => setImmediate(done));
    return [number, bytes.byteLength];
  });
  expect(lengths).toEqual([1, 2, 3, 4, 5, 6, 7].map((number) => [number, number < 7 ? 150 : 100]));
  expect(seen.size).toBeLessThanOrEqual(3);
  for (const buffer of seen) expect(buffer.byteLength).toBe(0);
});

test("after a failure too, but not the buffer of the part that failed: somebody may still hold it", async () => {
  const seen = new Map<number, ArrayBufferLike>();
  await expect(
    sendParts(stream(10), 100, 3, async (number, bytes) => {
      seen.set(number, bytes.buffer);
      if (number === 2) throw new Error("no");
    }),
  ).rejects.toThrow("no");
  expect(seen.get(1)?.byteLength).toBe(0);
  expect(seen.get(2)?.byteLength).toBe(100);
});
