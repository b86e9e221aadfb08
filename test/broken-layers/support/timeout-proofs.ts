/** What must hold of `timeout`. */
import assert from "node:assert/strict";
import { memory } from "../../../src/providers/memory/index.ts";
import { StoreError, borrow, byteStream, layer, manualClock, readBytes, stack, uniform } from "../../../src/store/index.ts";
import type { Layer } from "../../../src/store/index.ts";
import { fault } from "../../../src/wrappers/fault.ts";
import { throttle } from "../../../src/wrappers/throttle.ts";
import type { Proof } from "../registry.ts";
import type { Wrappers } from "./mutant.ts";
import { codeOf } from "./service.ts";
import { counted, lettingGo, now, streaming, turns } from "./turns.ts";

/** A service that hears nothing: it goes on whatever the signal says, and ends when it is let go. */
function deaf(): { readonly layer: Layer<"deaf">; letGo(): void; closed: number } {
  let go: () => void = () => {};
  const gate = new Promise<void>((done) => (go = done));
  const it = {
    letGo: (): void => go(),
    closed: 0,
    layer: layer("deaf", (inner) => ({
      backend: uniform(inner, {
        async around(call, next) {
          await gate;
          return next({ ...call, signal: undefined });
        },
        async read(call, next) {
          await gate;
          const { body, ...reply } = await next({ ...call, signal: undefined });
          const close = async (): Promise<void> => {
            it.closed++;
            await body.close();
          };
          return { ...reply, body: byteStream({ length: body.length, pull: () => body.pull(), close }) };
        },
      }),
    })),
  };
  return it;
}

async function failed(work: Promise<unknown>): Promise<StoreError> {
  const error: unknown = await work.then(
    () => assert.fail("it succeeded"),
    (thrown: unknown) => thrown,
  );
  assert.ok(StoreError.is(error), String(error));
  return error;
}

export const silenceEnds: Proof<Wrappers> = {
  name: "timeout: a call without a reply is stopped below and fails as timeout, transient; `applied` is what the store below says",
  async run({ timeout }) {
    const clock = counted(manualClock());
    await using store = stack(memory(), fault({ rules: [{ match: ({ path }) => path !== "/fine", hang: true }] }), timeout({ clock, replyMs: 1000 }));
    await using _ = lettingGo(() => clock.advance(1_000_000));
    const stat = failed(store.stat("/f"));
    const write = failed(store.write("/f", "x"));
    const fine = store.write("/fine", "x");
    await clock.advance(999);
    assert.equal(await now(stat), "still running");
    await clock.advance(1);
    for (const [error, operation] of [
      [await stat, "stat"],
      [await write, "write"],
    ] as const)
      assert.deepEqual([error.code, error.transient, error.applied, error.operation, error.store !== null], ["timeout", true, false, operation, true]);
    await fine;
    await turns();
    assert.equal(clock.sleeping(), 0, "no timer is left");
    assert.equal(store.layers.timeout.report()["timeouts"], 2);
    assert.equal(store.layers.timeout.report()["abandoned"], 0);
  },
};

export const doubtIsTold: Proof<Wrappers> = {
  name: "timeout: a change whose answer was lost says unknown, one that was stopped before it was sent says false",
  async run({ timeout }) {
    const clock = manualClock();
    await using store = stack(
      memory(),
      fault({
        rules: [
          { operations: ["write"], when: "after", hang: true },
          { operations: ["delete"], hang: true },
        ],
      }),
      timeout({ clock, replyMs: 1000 }),
    );
    await using _ = lettingGo(() => clock.advance(1_000_000));
    const write = failed(store.write("/f", "x"));
    await clock.advance(1000);
    assert.deepEqual([(await write).code, (await write).applied], ["timeout", "unknown"]);
    const gone = failed(store.delete("/f"));
    await clock.advance(1000);
    assert.deepEqual([(await gone).code, (await gone).applied], ["timeout", false]);
  },
};

export const deafIsLeft: Proof<Wrappers> = {
  name: "timeout: what does not stop is left after the grace, a change with applied unknown; a late body is closed",
  async run({ timeout }) {
    const clock = manualClock();
    const below = deaf();
    const store = stack(memory(), below.layer, timeout({ clock, replyMs: 1000, graceMs: 500 }));
    const write = failed(store.write("/f", "x"));
    const read = failed(store.read("/"));
    await clock.advance(1499);
    assert.equal(await now(write), "still running");
    await clock.advance(1);
    assert.deepEqual([(await write).code, (await write).applied], ["timeout", "unknown"]);
    assert.deepEqual([(await read).code, (await read).applied], ["timeout", false]);
    assert.equal(store.layers.timeout.report()["abandoned"], 2);
    below.letGo();
    await turns();
    // By now the write has been done all the same: unknown was the truth. And so a late body comes, which nobody wants.
    const again = deaf();
    const late = stack(borrow(store), again.layer.as("again"), timeout({ clock, replyMs: 1000, graceMs: 500 }).as("late"));
    const body = failed(late.read("/f"));
    await clock.advance(2000);
    assert.equal((await body).code, "timeout");
    again.letGo();
    await turns();
    assert.equal(again.closed, 1);
    await late.close();
    await store.close();
  },
};

export const lateSuccess: Proof<Wrappers> = {
  name: "timeout: a call that succeeds after all, within the grace, succeeds",
  async run({ timeout }) {
    const clock = manualClock();
    const below = deaf();
    await using store = stack(memory(), below.layer, timeout({ clock, replyMs: 1000, graceMs: 500 }));
    await using _ = lettingGo(() => clock.advance(1_000_000));
    const write = codeOf(store.write("/f", "x"));
    await clock.advance(1200);
    below.letGo();
    assert.equal(await now(write), "nothing");
  },
};

export const bytesAreLife: Proof<Wrappers> = {
  name: "timeout: a write is silent from its last byte on, not from its call; a whole call has its own limit",
  async run({ timeout }) {
    const clock = manualClock();
    const slow = throttle({ clock, upBytesPerSecond: 1000 });
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 50; i++) yield new Uint8Array(100);
    }
    await using store = stack(memory(), slow, timeout({ clock, replyMs: 1000 }));
    await using _ = lettingGo(() => clock.advance(1_000_000));
    const write = codeOf(store.write("/f", body()));
    for (let i = 0; i < 60; i++) await clock.advance(100);
    assert.equal(await now(write), "nothing");
    await store.layers.timeout.configure({ callMs: 2000 });
    const long = codeOf(store.write("/f", body()));
    for (let i = 0; i < 21; i++) await clock.advance(100);
    assert.equal(await now(long), "timeout");
  },
};

export const idleBodies: Proof<Wrappers> = {
  name: "timeout: bytes that do not come end the body; a reader that takes its time does not",
  async run({ timeout }) {
    const clock = counted(manualClock());
    const hang = fault({ rules: [{ operations: ["read"], when: "down", afterBytes: 200, hang: true }] });
    await using store = stack(memory(), streaming(100), hang, timeout({ clock, idleMs: 1000, replyMs: 60_000 }));
    await using _ = lettingGo(() => clock.advance(1_000_000));
    await store.write("/f", new Uint8Array(1000));
    const body = (await store.read("/f"))[Symbol.asyncIterator]();
    for (let i = 0; i < 2; i++) {
      await clock.advance(50_000);
      assert.equal((await body.next()).value?.byteLength, 100);
    }
    const next = codeOf(body.next());
    await clock.advance(999);
    assert.equal(await now(next), "still running");
    await clock.advance(1);
    assert.equal(await now(next), "timeout");
    await store.layers.fault.configure({ enabled: false });
    const whole = await store.read("/f");
    assert.equal((await whole.bytes()).byteLength, 1000);
    await turns();
    assert.equal(clock.sleeping(), 0, "no timer is left");
    await store.layers.timeout.configure({ callMs: 5000 });
    // Its own body hears no signal, so it is left after the grace.
    const held = await store.read("/f");
    await clock.advance(11_000);
    assert.equal(await codeOf(held.bytes()), "timeout");
  },
};

export const callersTime: Proof<Wrappers> = {
  name: "timeout: the caller's own signal stays what it was",
  async run({ timeout }) {
    const clock = manualClock();
    await using store = stack(memory(), streaming(10), timeout({ clock, replyMs: 1000 }));
    await using _ = lettingGo(() => clock.advance(1_000_000));
    await store.write("/f", new Uint8Array(100));
    const stop = new AbortController();
    const body = await store.read("/f", { signal: stop.signal });
    assert.equal(await codeOf(readBytes(store, "/f")), "nothing");
    stop.abort();
    const rest = await codeOf(body.bytes());
    assert.ok(rest === "aborted" || rest === "nothing", rest);
    await using hung = stack(memory(), fault({ rules: [{ hang: true }] }), timeout({ clock, replyMs: 1000 }));
    await using _hung = lettingGo(() => clock.advance(1_000_000));
    const again = new AbortController();
    const stat = codeOf(hung.stat("/f", { signal: again.signal }));
    await clock.advance(500);
    again.abort();
    assert.equal(await now(stat), "aborted");
    assert.equal(hung.layers.timeout.report()["timeouts"], 0);
  },
};

export const timeoutProofs: readonly Proof<Wrappers>[] = [silenceEnds, doubtIsTold, deafIsLeft, lateSuccess, bytesAreLife, idleBodies, callersTime];
