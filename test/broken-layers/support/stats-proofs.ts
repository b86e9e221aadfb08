/** What must hold of the statistics: counting. Both vitest and the registry of one-bug layers run these. */
import assert from "node:assert/strict";
import { memory } from "../../../src/providers/memory/index.ts";
import { manualClock, stack } from "../../../src/store/index.ts";
import type { StatsSnapshot } from "../../../src/wrappers/index.ts";
import type { Proof } from "../registry.ts";
import type { Wrappers } from "./mutant.ts";
import { codeOf, failure, service } from "./service.ts";

const of = (snapshot: StatsSnapshot, operation: "stat" | "read" | "write" | "delete" | "list"): NonNullable<StatsSnapshot["operations"]["read"]> => {
  const found = snapshot.operations[operation];
  assert.ok(found, `${operation} was counted`);
  return found;
};

export const uploads: Proof<Wrappers> = {
  name: "CF27: after 10 uploads of 1 MB, uploaded is 10.0 MB and the rate is finite",
  async run({ stats, throttle }) {
    const clock = manualClock();
    await using store = stack(memory(), throttle({ clock, upBytesPerSecond: 2_000_000 }), stats({ clock }));
    for (let i = 0; i < 10; i++) {
      const sent = store.write(`/${i}`, new Uint8Array(1_000_000));
      await clock.advance(500);
      await sent;
      await clock.advance(3000);
    }
    const { up, down, calls } = store.layers.stats.snapshot();
    assert.deepEqual([calls, up.bytes, up.bytesOk, down.bytes], [10, 10_000_000, 10_000_000, 0]);
    assert.equal(Math.round(up.bytesPerSecond), 2_000_000);
    assert.match(store.layers.stats.text(), /^up 10\.0 MB at 2\.0 MB\/s, down 0 B, 10 calls$/);
  },
};

export const parallelSeconds: Proof<Wrappers> = {
  name: "CF28: two overlapping transfers of 1 s are 1 s, not 2",
  async run({ stats }) {
    const clock = manualClock(5_000_000);
    const below = service(clock);
    await using store = stack(below.store, stats({ clock }));
    await store.write("/f", new Uint8Array(5_000_000));
    store.layers.stats.reset();
    await clock.advance(12_345);
    const bodies = await Promise.all([store.read("/f"), store.read("/f")]);
    below.delayMs = 1000;
    const read = Promise.all(bodies.map((body) => body.bytes()));
    await clock.advance(400);
    assert.deepEqual(pick(store.layers.stats.snapshot().down), { busyMs: 400, open: 2 });
    await clock.advance(600);
    await read;
    // What stands still afterwards is not busy.
    await clock.advance(7000);
    const { down } = store.layers.stats.snapshot();
    assert.deepEqual(pick(down), { busyMs: 1000, open: 0 });
    assert.equal(down.bytesPerSecond, 10_000_000);
    assert.equal(down.totalBytesPerSecond, 10_000_000);
    await clock.advance(61_000);
    assert.equal(store.layers.stats.snapshot().down.bytesPerSecond, 0);
    assert.equal(store.layers.stats.snapshot().down.totalBytesPerSecond, 10_000_000);
  },
};

function pick({ busyMs, open }: StatsSnapshot["down"]): object {
  return { busyMs: Math.round(busyMs * 1000) / 1000, open };
}

export const failedTransfers: Proof<Wrappers> = {
  name: "stats: a transfer that fails is over, its bytes passed and were not delivered",
  async run({ stats }) {
    const clock = manualClock();
    const below = service(clock);
    await using store = stack(below.store, stats({ clock }));
    await store.write("/f", new Uint8Array(1000));
    below.breaking = failure("unavailable");
    const body = await store.read("/f");
    assert.equal(await codeOf(body.bytes()), "unavailable");
    await clock.advance(10_000);
    const snapshot = store.layers.stats.snapshot();
    assert.deepEqual(pick(snapshot.down), { busyMs: 0, open: 0 });
    assert.deepEqual([snapshot.down.bytes, snapshot.down.bytesOk], [500, 0]);
    assert.deepEqual([of(snapshot, "read").calls, of(snapshot, "read").failed, of(snapshot, "read").inFlight], [1, 1, 0]);
    below.failing.set("write", failure("no-space"));
    assert.equal(await codeOf(store.write("/g", new Uint8Array(10))), "no-space");
    const after = store.layers.stats.snapshot();
    assert.deepEqual([after.up.open, after.up.bytesOk], [0, 1000]);
    assert.deepEqual({ ...of(after, "write").errors }, { "no-space": 1 });
  },
};

export const outcomes: Proof<Wrappers> = {
  name: "stats: failures, aborts and not-modified are three things, and none of them is a success",
  async run({ stats }) {
    const clock = manualClock();
    const below = service(clock);
    await using store = stack(below.store, stats({ clock }));
    const { etag } = await store.write("/f", "text");
    assert.equal(await codeOf(store.stat("/none")), "not-found");
    assert.equal(await codeOf(store.read("/f", { ifNoneMatch: etag as string })), "not-modified");
    const stop = new AbortController();
    below.delayMs = 1000;
    const slow = codeOf(store.stat("/f", { signal: stop.signal }));
    await clock.advance(10);
    stop.abort();
    assert.equal(await slow, "aborted");
    const snapshot = store.layers.stats.snapshot();
    const stat = of(snapshot, "stat");
    assert.deepEqual([stat.calls, stat.failed, stat.aborted, { ...stat.errors }], [2, 1, 1, { "not-found": 1 }]);
    const read = of(snapshot, "read");
    assert.deepEqual([read.calls, read.failed, read.aborted, { ...read.errors }], [1, 0, 0, {}]);
    assert.deepEqual(
      snapshot.exceptions.map(({ code, operation }) => `${operation} ${code}`),
      ["stat not-found"],
    );
    assert.equal(snapshot.failed, 1);
  },
};

export const abortPasses: Proof<Wrappers> = {
  name: "stats: an abort reaches the store below, and comes back as it was",
  async run({ stats }) {
    const clock = manualClock();
    const below = service(clock);
    await using store = stack(below.store, stats({ clock }));
    below.delayMs = 1000;
    try {
      for (const [reason, code] of [
        [new Error("enough"), "aborted"],
        [new DOMException("late", "TimeoutError"), "timeout"],
      ] as const) {
        const stop = new AbortController();
        const work = store.write("/f", "text", { signal: stop.signal });
        const told = codeOf(work);
        await clock.advance(1);
        stop.abort(reason);
        // Without advancing the clock: only the signal can have ended it.
        for (let turn = 0; turn < 5; turn++) await new Promise((done) => setImmediate(done));
        assert.equal(await Promise.race([told, new Promise((done) => setImmediate(() => done("still running")))]), code);
        await assert.rejects(work, (error: { cause?: unknown; applied?: unknown }) => error.applied === false);
      }
    } finally {
      // Whatever still runs ends, so that the store can close.
      await clock.advance(10_000);
    }
  },
};

export const onceHoweverItEnds: Proof<Wrappers> = {
  name: "stats: a read is counted once, at the end of its body, however that ends",
  async run({ stats }) {
    const clock = manualClock();
    const below = service(clock);
    await using store = stack(below.store, stats({ clock }));
    await store.write("/f", new Uint8Array(1000));
    const counts = (): number[] => {
      const { calls, inFlight, failed } = store.layers.stats.snapshot().operations.read ?? { calls: 0, inFlight: 0, failed: 0 };
      return [calls, inFlight, failed];
    };
    const whole = await store.read("/f");
    assert.deepEqual(counts(), [0, 1, 0]);
    await whole.bytes();
    assert.deepEqual(counts(), [1, 0, 0]);
    const left = await store.read("/f");
    for await (const _ of left) break;
    assert.deepEqual(counts(), [2, 0, 0]);
    await (await store.read("/f"))[Symbol.asyncDispose]();
    assert.deepEqual(counts(), [3, 0, 0]);
    below.breaking = failure("unavailable");
    const broken = await store.read("/f");
    assert.equal(await codeOf(broken.bytes()), "unavailable");
    await broken[Symbol.asyncDispose]();
    assert.deepEqual(counts(), [4, 0, 1]);
  },
};

export const latencies: Proof<Wrappers> = {
  name: "stats: the latency of a read ends with its first byte, its transfer with its last",
  async run({ stats }) {
    const clock = manualClock();
    const below = service(clock);
    await using store = stack(below.store, stats({ clock }));
    await store.write("/f", new Uint8Array(1000));
    below.delayMs = 100;
    const read = store.read("/f").then((body) => body.bytes());
    await clock.advance(100);
    await clock.advance(100);
    await read;
    const { latency, transfer } = of(store.layers.stats.snapshot(), "read");
    assert.deepEqual([latency.count, latency.sumMs, transfer.count, transfer.sumMs], [1, 100, 1, 100]);
    assert.ok(Math.abs((latency.p50Ms as number) - 100) <= 6.25);
    assert.equal(latency.maxMs, 100);
    const { transfer: none, latency: one } = of(store.layers.stats.snapshot(), "write");
    assert.equal(one.count, 1);
    assert.equal(none.count, 1);
    const stat = store.stat("/f");
    await clock.advance(100);
    await stat;
    const { p50Ms, p99Ms, maxMs, count } = of(store.layers.stats.snapshot(), "stat").transfer;
    assert.deepEqual([count, p50Ms, p99Ms, maxMs], [0, null, null, null]);
  },
};

export const realBytes: Proof<Wrappers> = {
  name: "stats: bytes are those that passed, not those that were announced; sent again they count again",
  async run({ stats, retry }) {
    const clock = manualClock();
    const below = service(clock);
    let fails = 1;
    const store = stack(below.store, stats({ clock }).as("below"), retry({ clock, firstDelayMs: 0 }), stats({ clock }).as("above"));
    await using _ = store;
    async function* short(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(300);
      throw new Error("the source broke");
    }
    assert.equal(await codeOf(store.write("/f", short(), { size: 1000 })), "bad-body");
    assert.equal(store.layers.above.snapshot().up.bytes, 300);
    assert.equal(store.layers.above.snapshot().up.bytesOk, 0);
    // The store below takes the body and fails once; retry sends it again.
    const open = (): AsyncIterable<Uint8Array> =>
      (async function* () {
        yield new Uint8Array(400);
        if (fails-- > 0) below.failing.set("write", failure("unavailable"));
      })();
    store.layers.below.reset();
    store.layers.above.reset();
    await store.write("/g", { size: 400, open });
    assert.equal(store.layers.above.snapshot().up.bytesOk, 400);
    assert.equal(store.layers.below.snapshot().up.bytes, 400);
  },
};

export const retriesBelow: Proof<Wrappers> = {
  name: "stats: tries of a retry below are one call above, and each a call below it",
  async run({ stats, retry }) {
    const clock = manualClock();
    const below = service(clock);
    await using store = stack(below.store, stats({ clock }).as("below"), retry({ clock, attempts: 3, firstDelayMs: 0 }), stats({ clock }).as("above"));
    below.failing.set("stat", failure("unavailable"));
    const failed = codeOf(store.stat("/f"));
    await clock.advance(10);
    assert.equal(await failed, "unavailable");
    assert.deepEqual([of(store.layers.above.snapshot(), "stat").calls, of(store.layers.above.snapshot(), "stat").failed], [1, 1]);
    assert.deepEqual([of(store.layers.below.snapshot(), "stat").calls, of(store.layers.below.snapshot(), "stat").failed], [3, 3]);
  },
};

export const exceptionsKept: Proof<Wrappers> = {
  name: "CF31: the same error thrice is one entry with count 3, its first and last time, and a list that is bounded",
  async run({ stats }) {
    const clock = manualClock(1_000_000);
    const below = service(clock);
    await using store = stack(below.store, stats({ clock, maxErrorKinds: 2 }));
    below.failing.set("stat", failure("unavailable", "the service is away"));
    for (let i = 0; i < 3; i++) {
      assert.equal(await codeOf(store.stat("/secret-name")), "unavailable");
      await clock.advance(1000);
    }
    const { exceptions } = store.layers.stats.snapshot();
    assert.deepEqual(exceptions, [
      { operation: "stat", code: "unavailable", count: 3, firstMs: 1_000_000, lastMs: 1_002_000, reasons: ["the service is away"] },
    ]);
    for (let i = 0; i < 8; i++) {
      below.failing.set("stat", failure("unavailable", `reason ${i}`));
      await codeOf(store.stat("/f"));
    }
    assert.deepEqual(store.layers.stats.snapshot().exceptions[0]?.reasons, ["reason 3", "reason 4", "reason 5", "reason 6", "reason 7"]);
    for (const code of ["no-space", "conflict", "timeout"] as const) {
      below.failing.set("stat", failure(code));
      await codeOf(store.stat("/f"));
    }
    const after = store.layers.stats.snapshot();
    assert.deepEqual(
      after.exceptions.map(({ code }) => code),
      ["conflict", "timeout"],
    );
    assert.equal(after.otherExceptions, 12);
    assert.equal(after.failed, 14);
  },
};

export const resetKeepsWhatRuns: Proof<Wrappers> = {
  name: "stats: reset counts anew, and what was under way is counted when it ends",
  async run({ stats }) {
    const clock = manualClock();
    const below = service(clock);
    await using store = stack(below.store, stats({ clock }));
    await store.write("/f", new Uint8Array(1000));
    const body = await store.read("/f");
    below.delayMs = 500;
    const read = body.bytes();
    await clock.advance(200);
    store.layers.stats.reset();
    const begun = store.layers.stats.snapshot();
    assert.deepEqual([begun.calls, begun.inFlight, begun.up.bytes, begun.down.bytes, begun.down.busyMs], [0, 1, 0, 0, 0]);
    await clock.advance(300);
    await read;
    const ended = store.layers.stats.snapshot();
    assert.deepEqual([ended.calls, ended.inFlight, ended.down.bytes, ended.down.busyMs, ended.down.open], [1, 0, 500, 300, 0]);
  },
};

export const countingProofs: readonly Proof<Wrappers>[] = [
  uploads,
  parallelSeconds,
  failedTransfers,
  outcomes,
  abortPasses,
  onceHoweverItEnds,
  latencies,
  realBytes,
  retriesBelow,
  exceptionsKept,
  resetKeepsWhatRuns,
];
