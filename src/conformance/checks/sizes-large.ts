/** Large and too large (behaviours 35 to 37). */
import { createHash } from "node:crypto";
import { equal, ok, pattern, patternStream, probed, rejects } from "../assert.ts";
import type { ProbedBody } from "../assert.ts";
import type { Check } from "../check.ts";
import { base, unknownRoom } from "./base.ts";
import { holds, lists, put, rw, rwl, rwld } from "./look.ts";
import { kib, mib, roundTrip, largest } from "./sizes-help.ts";

/** A body that should not be read at all: it gives some bytes, then fails, so that a store that reads it ends soon. */
function refuseMore(given: number): Uint8Array {
  if (given > mib) throw new Error("a mebibyte was taken from a body that is refused for its size");
  return new Uint8Array(16 * kib);
}

export const checks: readonly Check[] = [
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
