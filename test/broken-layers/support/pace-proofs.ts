/** What must hold of `throttle` and `latency`: times on a clock that stands still. */
import assert from "node:assert/strict";
import { memory } from "../../../src/providers/memory/index.ts";
import { manualClock, readBytes, stack } from "../../../src/store/index.ts";
import type { Proof } from "../registry.ts";
import type { Wrappers } from "./mutant.ts";
import { codeOf } from "./service.ts";
import { counted, lettingGo, now, recording, streaming, turns } from "./turns.ts";

type Manual = ReturnType<typeof manualClock>;

/** How long it takes, to the millisecond. */
async function timeOf(clock: Manual, work: Promise<unknown>): Promise<number> {
  const begun = clock.monotonic();
  let over = false;
  const done = work.finally(() => (over = true));
  done.catch(() => {});
  for (let ms = 0; ms < 60_000 && !over; ms += 10) await clock.advance(10);
  assert.ok(over, "it ends");
  await done;
  return clock.monotonic() - begun;
}

export const rateHolds: Proof<Wrappers> = {
  name: "throttle: bodies pass at the rate of their direction, all transfers of it together",
  async run({ throttle }) {
    const clock = manualClock();
    await using store = stack(memory(), streaming(100), throttle({ clock, upBytesPerSecond: 1000, downBytesPerSecond: 2000 }));
    await using _ = lettingGo(() => store.layers.throttle.configure({ upBytesPerSecond: Infinity, downBytesPerSecond: Infinity }));
    const near = (ms: number, expected: number): void => assert.ok(Math.abs(ms - expected) <= 20, `${ms} ms, not ${expected}`);
    near(await timeOf(clock, store.write("/f", new Uint8Array(3000))), 3000);
    near(await timeOf(clock, readBytes(store, "/f")), 1500);
    near(await timeOf(clock, Promise.all([readBytes(store, "/f"), readBytes(store, "/f")])), 3000);
    // A line that stood idle has saved nothing up.
    await clock.advance(60_000);
    near(await timeOf(clock, Promise.all([store.write("/g", new Uint8Array(1000)), readBytes(store, "/f")])), 1500);
    await store.layers.throttle.configure({ downBytesPerSecond: Infinity });
    assert.deepEqual(await readBytes(store, "/f"), new Uint8Array(3000));
  },
};

export const rateIsLive: Proof<Wrappers> = {
  name: "throttle: another rate is in force at once, for bodies under way too",
  async run({ throttle }) {
    const clock = manualClock();
    await using store = stack(memory(), throttle({ clock, upBytesPerSecond: 1000 }));
    await using _ = lettingGo(() => store.layers.throttle.configure({ upBytesPerSecond: Infinity }).then(() => clock.advance(100_000)));
    const write = store.write("/f", new Uint8Array(10_000));
    await clock.advance(5000);
    assert.equal(await now(write), "still running");
    assert.deepEqual(store.layers.throttle.report(), { waitingUp: 1, waitingDown: 0 });
    // Half is out; the other half at five times the pace.
    await store.layers.throttle.configure({ upBytesPerSecond: 5000 });
    const left = await timeOf(clock, write);
    assert.ok(Math.abs(left - 1000) <= 20, `${left} ms`);
    const fast = store.write("/f", new Uint8Array(10_000));
    await clock.advance(100);
    await store.layers.throttle.configure({ upBytesPerSecond: Infinity });
    assert.notEqual(await now(fast), "still running");
    assert.notEqual(await now(store.write("/f", new Uint8Array(1 << 20))), "still running");
  },
};

export const waitsEnd: Proof<Wrappers> = {
  name: "throttle: a signal, and a close, end the wait at once, and no timer is left",
  async run({ throttle }) {
    const clock = counted(manualClock());
    await using store = stack(memory(), streaming(1000), throttle({ clock, upBytesPerSecond: 1, downBytesPerSecond: 1 }));
    await using _ = lettingGo(() => store.layers.throttle.configure({ upBytesPerSecond: Infinity, downBytesPerSecond: Infinity }));
    const stop = new AbortController();
    const write = codeOf(store.write("/f", new Uint8Array(5000), { signal: stop.signal }));
    assert.equal(await now(write), "still running");
    stop.abort();
    assert.equal(await now(write), "aborted");
    await store.layers.throttle.configure({ upBytesPerSecond: Infinity });
    await store.write("/f", new Uint8Array(5000));
    const body = (await store.read("/f"))[Symbol.asyncIterator]();
    const next = codeOf(body.next());
    assert.equal(await now(next), "still running");
    await body.return?.();
    assert.notEqual(await now(next), "still running");
    assert.equal(clock.sleeping(), 0);
    assert.deepEqual(store.layers.throttle.report(), { waitingUp: 0, waitingDown: 0 });
  },
};

export const delays: Proof<Wrappers> = {
  name: "latency: each call waits, a random part more with jitter, equal for equal seeds; live",
  async run({ latency }) {
    const clock = manualClock();
    const below = recording();
    await using store = stack(memory(), below.layer, latency({ clock, delayMs: 50 }));
    await using _ = lettingGo(() => clock.advance(1000));
    const stat = store.stat("/");
    await clock.advance(49);
    assert.equal(below.calls.length, 0);
    await clock.advance(1);
    await stat;
    await store.layers.latency.configure({ delayMs: 0 });
    assert.notEqual(await now(store.stat("/")), "still running");
    const times = async (seed: number): Promise<number[]> => {
      await using jittery = stack(memory(), latency({ clock, delayMs: 20, jitterMs: 300, seed }));
      const out: number[] = [];
      for (let i = 0; i < 8; i++) out.push(await timeOf(clock, jittery.stat("/")));
      return out;
    };
    const first = await times(3);
    assert.ok(
      first.every((ms) => ms >= 20 && ms <= 330),
      first.join(),
    );
    assert.ok(new Set(first).size > 3, first.join());
    assert.deepEqual(await times(3), first);
    assert.notDeepEqual(await times(4), first);
  },
};

export const delayAborts: Proof<Wrappers> = {
  name: "latency: a call that is given up while it waits was never sent",
  async run({ latency }) {
    const clock = counted(manualClock());
    const below = recording();
    await using store = stack(memory(), below.layer, latency({ clock, delayMs: 50 }));
    await using _ = lettingGo(() => clock.advance(1000));
    for (const [reason, code] of [
      [new Error("enough"), "aborted"],
      [new DOMException("late", "TimeoutError"), "timeout"],
    ] as const) {
      const stop = new AbortController();
      const work = store.write("/f", "x", { signal: stop.signal });
      const told = codeOf(work);
      await turns();
      stop.abort(reason);
      assert.equal(await now(told), code);
      await assert.rejects(work, { applied: false });
    }
    assert.deepEqual([below.calls.length, clock.sleeping()], [0, 0]);
  },
};

export const paceProofs: readonly Proof<Wrappers>[] = [rateHolds, rateIsLive, waitsEnd, delays, delayAborts];
