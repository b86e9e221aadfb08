/** Sizes at which stores go wrong: nothing, one byte, chunk borders, powers of two, large, too large (behaviours 31 to 38, 41, 72). */
import { createHash } from "node:crypto";
import { binary, equal, ok, pattern, patternStream, probed, readAll, rejects, verifyPattern } from "../assert.ts";
import type { ProbedBody } from "../assert.ts";
import type { Check, CheckContext } from "../check.ts";
import { absent, base, below, room, stats, unknownRoom } from "./base.ts";
import { each } from "./each.ts";
import { holds, lists, put, rw, rwl, rwld } from "./look.ts";

const kib = 1024;
const mib = 1024 * kib;

/** Tried on every store, whether it declares steps or not: buffers of Node, of proxies and of programs. */
const usualSteps: readonly number[] = [1, 16, 4 * kib, 16 * kib, 64 * kib];

/** Writes so many bytes of a pattern, reads them back while comparing, and looks at size and end. */
async function roundTrip(t: CheckContext, path: string, length: number, known: boolean): Promise<void> {
  const entry = await t.store.write(path, patternStream(length, path), known ? { size: length } : {});
  if (entry.size !== null) equal(entry.size, length, "the entry of the write tells the size");
  await t.settled("read", async () => {
    const found = await t.store.stat(path);
    if (found.size !== null) equal(found.size, length, "stat tells the size");
    await using whole = await t.store.read(path);
    if (whole.length !== null) equal(whole.length, length, "the result tells the length");
    await verifyPattern(whole, length, path);
    if (t.capabilities.readRange === false || length < 2) return;
    const offset = Math.max(1, length - 1000);
    await using end = await t.store.read(path, { range: { offset } });
    await verifyPattern(end, length - offset, path, offset);
  });
  await t.store.delete(path);
}

/** One less, exactly, one more, twice, twice and one more. */
function around(step: number): readonly number[] {
  return [step - 1, step, step + 1, 2 * step, 2 * step + 1].filter((size) => size >= 0);
}

/** A body that should not be read at all: it gives some bytes, then fails, so that a store that reads it ends soon. */
function refuseMore(given: number): Uint8Array {
  if (given > mib) throw new Error("a mebibyte was taken from a body that is refused for its size");
  return new Uint8Array(16 * kib);
}

/** Largest body that a check of this tier sends. */
function largest(t: CheckContext): number {
  return Math.min(t.tier === "torture" ? 1024 * mib : 64 * mib, t.capabilities.maxFileBytes);
}

/** All sizes around the usual and the declared steps, ascending; those too large for the tier are told in the report. */
function stepsOf(t: CheckContext): readonly number[] {
  const steps = t.capabilities.sizeSteps;
  const sizes = [...new Set([...usualSteps, ...steps].flatMap(around))].sort((left, right) => left - right);
  const left = sizes.filter((size) => size > largest(t));
  if (left.length > 0) t.note(`not sent in tier ${t.tier}: sizes ${left.join(", ")}`);
  return sizes.filter((size) => size <= largest(t));
}

export const checks: readonly Check[] = [
  {
    id: "sizes.zero",
    title: "an empty file is a file: it is there, has no bytes, is listed, read, ranged and copied",
    why: '"" is false in most languages: empty files read as missing, are never sent, or come back as a directory marker. All four small suites we measured let that through.',
    tier: "smoke",
    behaviours: [31, 51],
    guarantees: ["write.replaces", "read.whole", "stat.file", "read.range.clamped"],
    rows: ["CF7"],
    kills: ["A49", "M10", "M10b"],
    needs: rwld,
    async run(t) {
      const d = await base(t);
      const nothing = new Uint8Array();
      const bodies = { string: "", bytes: nothing, stream: probed(() => undefined), blob: new Blob([]) };
      // A stream says that it is empty where the store wants to know.
      const size = t.capabilities.writeUnknownSize === false ? { size: 0 } : {};
      for (const [name, body] of Object.entries(bodies)) {
        const path = `${d}/x/${name}`;
        await put(t, path, body, size);
        await stats(t, path, (entry) => {
          equal(entry.kind, "file", `an empty ${name} makes a file`);
          equal(entry.size, 0, `an empty ${name} has size 0`);
        });
        await holds(t, path, nothing, `an empty ${name} reads as nothing`);
        equal(
          (
            await readAll(t.store, path, { range: { offset: 0, length: 10 } }).catch((error: unknown) =>
              t.capabilities.readRange === false ? nothing : Promise.reject(error as Error),
            )
          ).length,
          0,
          "a range from 0 of an empty file is empty",
        );
      }
      await lists(t, `${d}/x`, Object.keys(bodies), "empty files are listed");
      if (t.capabilities.copy !== false) {
        await t.store.copy(`${d}/x/bytes`, `${d}/y/copy`);
        await holds(t, `${d}/y/copy`, nothing, "a copy of an empty file is empty");
      }
      await t.store.delete(`${d}/x/bytes`);
      await absent(t, `${d}/x/bytes`, "an empty file can be deleted");
    },
  },
  {
    id: "sizes.mebibyte",
    title: "a mebibyte of random bytes comes back identical",
    why: "The oldest acceptance test of the seed: what is stored is what is returned.",
    tier: "smoke",
    behaviours: [1, 38],
    guarantees: ["read.whole", "stat.file"],
    rows: ["CF3"],
    kills: ["M13"],
    needs: rw,
    async run(t) {
      const path = `${await base(t)}/random.bin`;
      const bytes = new Uint8Array(room(t, mib));
      for (let i = 0; i < bytes.length; i++) bytes[i] = below(t, 256);
      await put(t, path, bytes);
      await holds(t, path, bytes, "a mebibyte of random bytes");
      await stats(t, path, (entry) => equal(entry.size, bytes.length, "its size"));
    },
  },
  {
    id: "sizes.bytes.all",
    title: "every byte value and no valid UTF-8 comes back unchanged",
    why: 'Bytes that pass through a text decoder become U+FFFD; a UTF-8 BOM is eaten; CR LF is "repaired".',
    tier: "smoke",
    behaviours: [38],
    guarantees: ["read.whole"],
    rows: ["CF3"],
    kills: ["M14", "M14b"],
    needs: rw,
    async run(t) {
      const d = await base(t);
      const contents = {
        all: Uint8Array.from({ length: 256 }, (_, i) => i),
        high: Uint8Array.from({ length: 300 }, (_, i) => 0x80 + (i % 128)),
        random: binary(5000, "bytes"),
        lines: new TextEncoder().encode("\ufeffone\r\ntwo\nthree\r\0four\u001a"),
        cut: Uint8Array.from([0xe2, 0x82, 0xac, 0xe2, 0x82]),
        zip: Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
      };
      for (const [name, bytes] of Object.entries(contents)) await put(t, `${d}/x/${name}.bin`, bytes);
      for (const [name, bytes] of Object.entries(contents)) await holds(t, `${d}/x/${name}.bin`, bytes, `${name}: the bytes are unchanged`);
    },
  },
  {
    id: "sizes.unknown",
    title: "a stream of unknown size is stored whole, empty and single bytes included",
    why: "Without a length services want chunked encoding, sessions or parts; the empty stream and the one that ends exactly at a border are where these go wrong.",
    tier: "smoke",
    behaviours: [41],
    guarantees: ["write.unknownSize", "read.whole"],
    rows: ["CF5"],
    kills: ["M12"],
    needs: [...rw, "writeUnknownSize"],
    async run(t) {
      const d = await base(t);
      const lengths = [0, 1, 100, 65_535, 65_536, 65_537, 300_000].map((length) => unknownRoom(t, length));
      await each(
        t,
        [...new Set(lengths)],
        (length) => `${length} bytes`,
        async (length) => {
          await roundTrip(t, `${d}/x/f${length}`, length, false);
        },
      );
    },
  },
  {
    id: "sizes.steps",
    title: "at every size where the way of the bytes changes, one less and one more, all bytes arrive, declared or not",
    why: "Borders are where chunks are dropped: a last part of 0 bytes refused, a file of exactly one chunk cut, the odd last byte lost or doubled.",
    tier: "full",
    behaviours: [32, 33, 72],
    guarantees: ["read.whole", "write.unknownSize", "write.replaces"],
    kills: ["M11", "M12", "M13"],
    needs: rwld,
    timeoutMs: 300_000,
    async run(t) {
      const d = await base(t);
      const sizes = stepsOf(t);
      t.note(`${sizes.length} sizes up to ${Math.max(...sizes)} bytes`);
      for (const known of t.capabilities.writeUnknownSize === false ? [true] : [true, false]) {
        const small = sizes.filter((size) => size <= mib && (known || size <= t.capabilities.maxUnknownBytes));
        await each(
          t,
          small,
          (size) => `${size} bytes, size ${known ? "known" : "unknown"}`,
          async (size) => roundTrip(t, `${d}/x/s${size}`, size, known),
        );
        // Large ones one after the other: their memory is the store's, not the suite's.
        for (const size of sizes.filter((large) => large > mib && (known || large <= t.capabilities.maxUnknownBytes)))
          await roundTrip(t, `${d}/x/s${size}`, size, known);
      }
    },
  },
  {
    id: "sizes.parts.order",
    title: "bytes that travel in several parts are put together in their order, also where a later part is ready first",
    why: "Parts are sent in parallel and finish in any order; who assembles them in the order of completion swaps whole mebibytes in files of the right size.",
    tier: "full",
    behaviours: [72],
    guarantees: ["read.whole"],
    kills: ["M15"],
    needs: rw,
    timeoutMs: 120_000,
    async run(t) {
      const path = `${await base(t)}/parts.bin`;
      const steps = t.capabilities.sizeSteps.filter((step) => step <= 16 * mib);
      const part = Math.max(64 * kib, ...steps);
      const length = Math.min(5 * part + 123, largest(t));
      // Uneven pieces, so that no piece of the body is a part of the store.
      let at = 0;
      const whole = pattern(length, path);
      const body = probed(() => {
        const piece = whole.subarray(at, at + 1 + below(t, 200_000));
        at += piece.length;
        return piece.length === 0 ? undefined : piece;
      });
      await put(t, path, body, { size: length });
      await t.settled("read", async () => {
        await using result = await t.store.read(path);
        await verifyPattern(result, length, path);
      });
    },
  },
  {
    id: "sizes.powers",
    title: "sizes spread over all powers of two come back identical",
    why: "A fixed list of sizes tests the sizes somebody thought of.",
    tier: "full",
    behaviours: [34],
    guarantees: ["read.whole"],
    kills: ["M13"],
    needs: rwld,
    timeoutMs: 120_000,
    async run(t) {
      const d = await base(t);
      const sizes = Array.from({ length: 21 }, (_, exponent) => 2 ** exponent)
        .flatMap((power) => [power, power + below(t, power)])
        .filter((size) => size <= largest(t));
      await each(
        t,
        [...new Set(sizes)],
        (size) => `${size} bytes`,
        async (size) => roundTrip(t, `${d}/x/p${size}`, size, true),
      );
    },
  },
  {
    id: "sizes.decades",
    title: "sizes from one byte to a hundred million come back identical",
    why: "Counters of 16, 24 and 31 bits overflow somewhere on the way.",
    tier: "torture",
    behaviours: [35],
    guarantees: ["read.whole"],
    kills: ["M13"],
    needs: rwld,
    timeoutMs: 600_000,
    async run(t) {
      const d = await base(t);
      for (let size = 1; size <= Math.min(1e8, largest(t)); size *= 10) await roundTrip(t, `${d}/x/d${size}`, size, true);
    },
  },
  {
    id: "sizes.large",
    title: "a quarter of a gibibyte streams up and down, its size unknown beforehand, and hashes to the same",
    why: "What holds for files that fit into a buffer says nothing about parts, sessions, time-outs and the memory they take.",
    tier: "torture",
    behaviours: [36],
    guarantees: ["read.whole", "write.unknownSize", "body.pulled"],
    kills: ["A48"],
    needs: [...rw, "writeUnknownSize"],
    timeoutMs: 900_000,
    async run(t) {
      const path = `${await base(t)}/large.bin`;
      const length = Math.min(256 * mib, t.capabilities.maxFileBytes, t.capabilities.maxUnknownBytes);
      const sent = createHash("sha256");
      let pulled = 0;
      const source = patternStream(length, "large", 100_000);
      await put(
        t,
        path,
        probed(async () => {
          const next = await source.next();
          if (next.done === true) return undefined;
          sent.update(next.value);
          pulled += next.value.length;
          return next.value;
        }),
      );
      equal(pulled, length, "the whole body was taken");
      const received = createHash("sha256");
      await using result = await t.store.read(path);
      for await (const chunk of result) received.update(chunk);
      equal(received.digest("hex"), sent.digest("hex"), "the bytes read hash to what the bytes written hash to");
    },
  },
  {
    id: "sizes.maximum",
    title: "the declared maximum holds: one byte more is refused before any byte is taken",
    why: "Without the check ten gigabytes go up before the service says no, and again at every retry.",
    tier: "full",
    behaviours: [37],
    guarantees: ["write.tooLarge"],
    rows: ["CF22"],
    kills: ["A14"],
    needs: rwl,
    async run(t) {
      const d = await base(t);
      const limit = t.capabilities.maxFileBytes;
      await put(t, `${d}/x/old`, pattern(50, "old"));
      if (limit < Number.MAX_SAFE_INTEGER) {
        for (const path of [`${d}/x/new`, `${d}/x/old`]) {
          const body: ProbedBody = probed(() => refuseMore(body.bytes));
          const error = await rejects("too-large", () => t.store.write(path, body, { size: limit + 1 }), "a body of one byte more than the maximum");
          equal(error.applied, false, "nothing was changed");
          equal(body.bytes, 0, "no byte was taken from the body");
          ok(body.closed || body.opened === 0, "the body was let go");
        }
        if (limit <= 16 * mib) await roundTrip(t, `${d}/x/full`, limit, true);
        if (limit <= 16 * mib && t.capabilities.writeUnknownSize !== false) {
          await rejects("too-large", () => t.store.write(`${d}/x/new`, patternStream(limit + 1, "over")), "a stream that turns out to be one byte too long");
        }
      } else {
        // No maximum: then a size beyond every limit known is not refused for its size; the body, which is shorter, is what fails.
        await rejects(
          "bad-body",
          () => t.store.write(`${d}/x/new`, pattern(10, "short"), { size: 2 ** 44 }),
          "a body declared 16 TiB long, of ten bytes, where no maximum is declared",
        );
      }
      await lists(t, `${d}/x`, ["old"], "nothing new is there");
      await holds(t, `${d}/x/old`, pattern(50, "old"), "the old version is there");
    },
  },
  {
    id: "sizes.unknown.maximum",
    title: "a stream longer than the largest body of unknown size is refused, and nothing is stored",
    why: "Parts have a largest number: 1,000 on Swift. A stream that needs one more fails at the very end, after hours, and leaves its parts.",
    tier: "full",
    behaviours: [37, 41],
    guarantees: ["write.unknownSize", "write.tooLarge"],
    kills: ["A13"],
    needs: [...rwl, "writeUnknownSize"],
    async run(t) {
      const d = await base(t);
      const limit = Math.min(t.capabilities.maxUnknownBytes, t.capabilities.maxFileBytes);
      await put(t, `${d}/x/old`, pattern(50, "old"));
      if (limit <= 32 * mib) {
        await rejects(
          "too-large",
          () => t.store.write(`${d}/x/new`, patternStream(limit + 1, "over")),
          "a stream longer than the largest body of unknown size",
        );
        await lists(t, `${d}/x`, ["old"], "nothing of it is there");
        return;
      }
      // Too large to be sent here: what must hold below the limit is that such a stream is taken without a size.
      ok(limit >= 16 * mib, "a store that takes streams takes at least 16 MiB", limit);
      await roundTrip(t, `${d}/x/stream`, unknownRoom(t, 3 * mib + 1), false);
      await lists(t, `${d}/x`, ["old"], "the file before is there, the one deleted is not");
    },
  },
];
