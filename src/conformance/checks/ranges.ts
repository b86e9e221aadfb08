/** Parts of a file (behaviours 45 to 53, 56, 57). */
import type { ByteRange } from "../../store/index.ts";
import { equal, ok, pattern, readAll, rejects, sameBytes, verifyPattern } from "../assert.ts";
import type { Check, CheckContext, SupportKey } from "../check.ts";
import { base, below, room } from "./base.ts";
import { each } from "./each.ts";
import { holds, put, rw } from "./look.ts";

const range: readonly SupportKey[] = [...rw, "readRange"];
const suffix: readonly SupportKey[] = [...range, "readSuffix"];

/** What a range of a file of `size` bytes is after clamping: start and end. */
function clamped({ offset, length }: ByteRange, size: number): readonly [number, number] {
  const start = offset < 0 ? Math.max(0, size + offset) : Math.min(offset, size);
  return [start, length === undefined ? size : Math.min(size, start + length)];
}

/** Reads this part of the file, which holds `bytes`, and compares bytes, offset, length and the whole size. */
async function part(t: CheckContext, path: string, bytes: Uint8Array, asked: ByteRange): Promise<void> {
  const what = `range ${asked.offset}${asked.length === undefined ? " to the end" : ` length ${asked.length}`} of ${bytes.length} bytes`;
  const [start, end] = clamped(asked, bytes.length);
  await using result = await t.store.read(path, { range: asked });
  if (result.entry.size !== null) equal(result.entry.size, bytes.length, `${what}: entry.size is that of the whole file`);
  if (end > start) equal(result.offset, start, `${what}: the offset of the result`);
  if (result.length !== null) equal(result.length, end - start, `${what}: the length of the result`);
  sameBytes(await result.bytes(), bytes.subarray(start, end), what);
}

/** A file with a pattern, seen by readers. */
async function patterned(t: CheckContext, length: number): Promise<{ readonly path: string; readonly bytes: Uint8Array }> {
  const path = `${await base(t)}/ranges.bin`;
  const bytes = pattern(length, "ranges");
  await put(t, path, bytes);
  await holds(t, path, bytes, "the whole file");
  return { path, bytes };
}

export const checks: readonly Check[] = [
  {
    id: "ranges.inside",
    title: "first, middle and last bytes are exactly those asked for",
    why: "HTTP ranges include their end, slices do not: one byte too many or too few at every border.",
    tier: "smoke",
    behaviours: [45],
    guarantees: ["read.range", "read.range.told"],
    kills: ["A31", "M24"],
    needs: range,
    async run(t) {
      const { path, bytes } = await patterned(t, 1000);
      for (const [offset, length] of [
        [0, 1],
        [0, 10],
        [1, 1],
        [499, 2],
        [100, 800],
        [990, 10],
        [999, 1],
        [0, 999],
        [1, 999],
        [0, 1000],
      ] as const)
        await part(t, path, bytes, { offset, length });
    },
  },
  {
    id: "ranges.to-end",
    title: "an offset without a length gives everything from there to the end",
    why: "Resuming a download asks exactly this; an offset that is dropped when the range reaches the end appends the file to itself.",
    tier: "smoke",
    behaviours: [46, 57],
    guarantees: ["read.range", "read.range.told"],
    kills: ["M25"],
    needs: range,
    async run(t) {
      const { path, bytes } = await patterned(t, 1000);
      for (const offset of [0, 1, 500, 998, 999]) await part(t, path, bytes, { offset });
    },
  },
  {
    id: "ranges.suffix",
    title: "a negative offset gives the last bytes, and all of them where the file is shorter",
    why: "Archives are read from their end. A suffix longer than the file is 416 on some servers, nothing on others.",
    tier: "smoke",
    behaviours: [46],
    guarantees: ["read.range", "read.range.told", "read.range.clamped"],
    kills: ["M26"],
    needs: suffix,
    async run(t) {
      const { path, bytes } = await patterned(t, 1000);
      for (const offset of [-1, -10, -999, -1000, -1001, -5000, -1_000_000_000]) await part(t, path, bytes, { offset });
    },
  },
  {
    id: "ranges.empty",
    title: "a range of length 0 is empty and no error",
    why: '"bytes=5-4" is no range: servers answer 200 with everything, or 416.',
    tier: "smoke",
    behaviours: [47],
    guarantees: ["read.range.clamped"],
    kills: ["M25b"],
    needs: range,
    async run(t) {
      const { path, bytes } = await patterned(t, 1000);
      for (const offset of [0, 1, 500, 999]) await part(t, path, bytes, { offset, length: 0 });
    },
  },
  {
    id: "ranges.clamped",
    title: "a range that runs past the end is clamped to it",
    why: "Suites contradict each other here; readers of fixed blocks need the short last block, not an error.",
    tier: "smoke",
    behaviours: [48],
    guarantees: ["read.range.clamped", "read.range.told"],
    kills: ["M25", "M25d"],
    needs: range,
    async run(t) {
      const { path, bytes } = await patterned(t, 1000);
      for (const [offset, length] of [
        [0, 1001],
        [0, 1_000_000],
        [999, 2],
        [500, 501],
        [990, 4096],
        [1, Number.MAX_SAFE_INTEGER - 1],
      ] as const)
        await part(t, path, bytes, { offset, length });
    },
  },
  {
    id: "ranges.past-end",
    title: "a range that starts at or past the end is bad-range, which is not not-found, not transient, and tells the size",
    why: 'Taken for "missing" a cache deletes its entry; taken for "try again" a reader loops at the end of every file.',
    tier: "smoke",
    behaviours: [49, 146],
    guarantees: ["read.range.bad"],
    kills: ["M25c"],
    needs: range,
    async run(t) {
      const { path, bytes } = await patterned(t, 1000);
      for (const asked of [
        { offset: 1000 },
        { offset: 1000, length: 1 },
        { offset: 1001, length: 10 },
        { offset: 5_000_000_000 },
        { offset: 1000, length: 0 },
      ]) {
        const taken = async (): Promise<unknown> => readAll(t.store, path, { range: asked });
        if (asked.length === 0) {
          // Length 0 is empty, wherever it starts; past the end either is a right answer.
          const found: unknown = await taken().then(
            (empty) => empty,
            (error: unknown) => error,
          );
          if (found instanceof Uint8Array) equal(found.length, 0, "length 0 at the end is empty");
          else await rejects("bad-range", Promise.reject(found), "length 0 at the end");
          continue;
        }
        const error = await rejects("bad-range", taken, `a range from ${asked.offset} of 1,000 bytes`);
        equal(error.transient, false, "the error is not transient");
        if (error.entry !== null && error.entry.size !== null) equal(error.entry.size, 1000, "the error tells the size of the file");
      }
      await holds(t, path, bytes, "the file is as it was");
    },
  },
  {
    id: "ranges.invalid",
    title: "ranges that are none are refused: fractions, NaN, negative lengths, a suffix with a length",
    why: '"bytes=NaN-" is ignored by servers, which then send everything from the start.',
    tier: "smoke",
    behaviours: [50],
    guarantees: ["read.range.bad"],
    kills: ["A30"],
    needs: range,
    async run(t) {
      const { path } = await patterned(t, 1000);
      const wrong = [
        { offset: 0.5 },
        { offset: Number.NaN },
        { offset: 0, length: -1 },
        { offset: 0, length: 1.5 },
        { offset: Infinity },
        { offset: -10, length: 5 },
        { offset: 0, length: Number.NaN },
        { offset: "1" },
        {},
        5,
        "bytes=0-9",
        { offset: 0, end: 5 },
      ] as unknown as readonly ByteRange[];
      for (const asked of wrong) {
        const found: unknown = await readAll(t.store, path, { range: asked }).then(
          (bytes) => bytes,
          (error: unknown) => error,
        );
        if (!(found instanceof TypeError))
          await rejects("bad-range", found instanceof Uint8Array ? Promise.resolve(found) : Promise.reject(found), `the range ${JSON.stringify(asked)}`);
      }
    },
  },
  {
    id: "ranges.of-empty",
    title: "of an empty file every range from 0 is empty, and one from 1 is bad-range",
    why: "HTTP has no range of nothing: every range of an empty file is 416, so an adapter that passes it on cannot read empty files in blocks.",
    tier: "full",
    behaviours: [51, 31],
    guarantees: ["read.range.bad", "read.range.clamped"],
    kills: ["A49"],
    needs: range,
    async run(t) {
      const { path, bytes } = await patterned(t, 0);
      for (const asked of [{ offset: 0 }, { offset: 0, length: 1 }, { offset: 0, length: 0 }, { offset: 0, length: 4096 }]) await part(t, path, bytes, asked);
      if (t.capabilities.readSuffix !== false) await part(t, path, bytes, { offset: -1 });
      await rejects("bad-range", () => readAll(t.store, path, { range: { offset: 1 } }), "from 1 of an empty file");
      await rejects("bad-range", () => readAll(t.store, path, { range: { offset: 1, length: 1 } }), "one byte from 1 of an empty file");
    },
  },
  {
    id: "ranges.many",
    title: "many ranges of one file at once each give their own bytes",
    why: "Parallel block readers share a connection pool: an answer that is matched to the wrong question looks like data.",
    tier: "full",
    behaviours: [52, 55],
    guarantees: ["read.range", "write.concurrent"],
    kills: ["M24", "M65b"],
    needs: range,
    async run(t) {
      const { path, bytes } = await patterned(t, room(t, 300_000));
      await Promise.all(Array.from({ length: 40 }, async (_, index) => part(t, path, bytes, { offset: (index * 7_000) % (bytes.length - 1), length: 7_001 })));
    },
  },
  {
    id: "ranges.random",
    title: "random ranges are the bytes of the whole file at that place",
    why: "Block caches, part borders and off-by-one ends only meet by chance; a fixed list knows the borders of yesterday.",
    tier: "full",
    behaviours: [53],
    guarantees: ["read.range", "read.range.clamped"],
    kills: ["M24", "M25"],
    needs: range,
    timeoutMs: 120_000,
    async run(t) {
      const { path, bytes } = await patterned(t, room(t, 700_001));
      const asked = Array.from({ length: t.tier === "torture" ? 300 : 60 }, (): ByteRange => {
        const kind = below(t, 4);
        if (kind === 0 && t.capabilities.readSuffix !== false) return { offset: -1 - below(t, bytes.length + 10) };
        const offset = below(t, bytes.length);
        return kind === 1 ? { offset } : { offset, length: kind === 2 ? below(t, 2000) : below(t, bytes.length) };
      });
      await each(
        t,
        asked,
        (one) => JSON.stringify(one),
        async (one) => part(t, path, bytes, one),
      );
    },
  },
  {
    id: "ranges.pieces",
    title: "a file read in pieces is the file, and a download continues where it stopped",
    why: "A law that needs no oracle: pieces put together equal the whole. Resuming at a third, at nothing and at everything are where downloaders go wrong.",
    tier: "full",
    behaviours: [57, 45],
    guarantees: ["read.range", "read.whole"],
    kills: ["M24", "M25"],
    needs: range,
    async run(t) {
      const { path, bytes } = await patterned(t, 100_003);
      for (const size of [33_335, 65_536, 100_003]) {
        const found: Uint8Array[] = [];
        for (let offset = 0; offset < bytes.length; offset += size) found.push(await readAll(t.store, path, { range: { offset, length: size } }));
        sameBytes(Buffer.concat(found), bytes, `pieces of ${size} bytes put together`);
      }
      for (const had of [0, 33_334, 100_002]) {
        await using rest = await t.store.read(path, { range: { offset: had } });
        await verifyPattern(rest, bytes.length - had, "ranges", had);
      }
      await rejects("bad-range", () => readAll(t.store, path, { range: { offset: bytes.length } }), "resuming a download that has everything");
    },
  },
  {
    id: "ranges.entry",
    title: "reading a part changes nothing that is told about the file",
    why: "Entries made from the headers of a 206 have the size and sometimes the hash of the part: a sync tool then sees a change.",
    tier: "full",
    behaviours: [56],
    guarantees: ["read.range.told", "entry.etag"],
    kills: ["A31"],
    needs: range,
    async run(t) {
      const { path, bytes } = await patterned(t, 5000);
      const before = await t.store.stat(path);
      await using result = await t.store.read(path, { range: { offset: 100, length: 50 } });
      const { entry } = result;
      equal(entry.path as string, path, "the path");
      equal(entry.kind, "file", "the kind");
      if (entry.size !== null) equal(entry.size, bytes.length, "the size of the whole file");
      if (entry.etag !== null) equal(entry.etag, before.etag, "the etag of the whole file");
      if (entry.modifiedMs !== null) equal(entry.modifiedMs, before.modifiedMs, "the modified time");
      for (const [name, hash] of Object.entries(entry.hashes)) equal(hash, before.hashes[name as keyof typeof before.hashes], `the ${name} of the whole file`);
      ok((await result.bytes()).length === 50, "the part itself");
      const after = await t.store.stat(path);
      equal(after, before, "stat says the same as before");
    },
  },
];
