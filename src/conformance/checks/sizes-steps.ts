/** Sizes around the borders of chunks and parts (behaviours 32 to 34, 72). */
import { pattern, probed, verifyPattern } from "../assert.ts";
import type { Check } from "../check.ts";
import { base, below } from "./base.ts";
import { each } from "./each.ts";
import { put, rw, rwld } from "./look.ts";
import { kib, mib, roundTrip, largest, stepsOf } from "./sizes-help.ts";

export const checks: readonly Check[] = [
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
];
