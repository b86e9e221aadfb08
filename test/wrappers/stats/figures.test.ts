/** The arithmetic of the statistics against simpler arithmetic, over random programs. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Flow } from "../../../src/wrappers/stats/flow.ts";
import { Histogram } from "../../../src/wrappers/stats/histogram.ts";

test("CF28: busy time is the union of the intervals, however they overlap and whenever one looks", () => {
  const transfer = fc.record({ from: fc.integer({ min: 0, max: 150_000 }), ms: fc.integer({ min: 0, max: 20_000 }), bytes: fc.integer({ min: 0, max: 1e9 }) });
  fc.assert(
    fc.property(fc.array(transfer, { maxLength: 20 }), fc.array(fc.integer({ min: 0, max: 170_000 }), { maxLength: 10 }), (transfers, looks) => {
      const flow = new Flow(60_000, 0);
      const events = [
        ...transfers.flatMap(({ from, ms, bytes }) => [
          { at: from, order: 0, run: () => flow.begin(from) },
          { at: from + ms, order: 1, run: () => flow.add(bytes, from + ms) },
          { at: from + ms, order: 2, run: () => flow.end(from + ms) },
        ]),
        ...looks.map((at) => ({ at, order: 3, run: () => void [flow.busyMs(at), flow.rate(at)] })),
      ].toSorted((a, b) => a.at - b.at || a.order - b.order);
      for (const { run } of events) run();
      // Simpler: each millisecond by itself, in a sorted sweep.
      const sorted = transfers.map(({ from, ms }) => [from, from + ms] as const).toSorted((a, b) => a[0] - b[0]);
      let union = 0;
      let reached = 0;
      for (const [from, to] of sorted) {
        union += Math.max(0, to - Math.max(from, reached));
        reached = Math.max(reached, to);
      }
      expect(flow.open).toBe(0);
      expect(flow.busyMs(200_000)).toBeCloseTo(union, 6);
      expect(flow.bytes).toBe(transfers.reduce((sum, { bytes }) => sum + bytes, 0));
      expect(flow.rate(400_000)).toBe(0);
    }),
    { numRuns: 300, seed: 20261126 },
  );
});

test("the rate is that of the last minute, in busy time", () => {
  const flow = new Flow(60_000, 0);
  flow.begin(0);
  flow.add(1_000_000, 500);
  flow.end(1000);
  expect(flow.rate(1000)).toBe(1_000_000);
  flow.begin(50_000);
  flow.add(9_000_000, 50_500);
  flow.end(51_000);
  expect(flow.rate(51_000)).toBe(5_000_000);
  // The first has left the window.
  expect(flow.rate(70_000)).toBe(9_000_000);
  expect(flow.rate(200_000)).toBe(0);
  expect(flow.totalRate(200_000)).toBe(5_000_000);
});

test("a body that came whole was on its way during its call; what was busy already is not busy twice", () => {
  const flow = new Flow(60_000, 0);
  flow.begin(0);
  flow.end(100);
  flow.begin(50);
  flow.end(150);
  expect(flow.busyMs(200)).toBe(150);
});

test("a quantile is at most 6.25 % off, from microseconds to an hour; merging is adding; of nothing it is null", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: Math.log(0.0081), max: Math.log(4_000_000), noNaN: true }), { minLength: 1, maxLength: 200 }), (logs) => {
      const times = logs.map((log) => Math.exp(log)).toSorted((a, b) => a - b);
      const [one, other, all] = [new Histogram(), new Histogram(), new Histogram()];
      times.forEach((ms, i) => {
        (i % 2 === 0 ? one : other).add(ms);
        all.add(ms);
      });
      one.merge(other);
      expect(one.durations()).toMatchObject({ ...all.durations(), sumMs: expect.closeTo(all.sumMs, 3) });
      for (const share of [0.01, 0.5, 0.9, 0.99, 1]) {
        const exact = times[Math.max(0, Math.ceil(share * times.length) - 1)] as number;
        expect(Math.abs((all.quantile(share) as number) - exact) / exact).toBeLessThanOrEqual(0.0626);
      }
      for (const us of [2 ** 7, 2 ** 15, 2 ** 31]) expect(all.below(us)).toBe(times.filter((ms) => Math.floor(ms * 1000) < us).length);
    }),
    { numRuns: 200, seed: 20261126 },
  );
  expect(new Histogram().durations()).toEqual({ count: 0, sumMs: 0, p50Ms: null, p90Ms: null, p99Ms: null, maxMs: null });
});
