/** What must hold of `fault`. */
import assert from "node:assert/strict";
import { memory } from "../../../src/providers/memory/index.ts";
import { StoreError, borrow, exists, hasCode, readBytes, stack } from "../../../src/store/index.ts";
import type { Store } from "../../../src/store/index.ts";
import type { FaultOptions } from "../../../src/wrappers/index.ts";
import type { Proof } from "../registry.ts";
import type { Wrappers } from "./mutant.ts";
import { codeOf } from "./service.ts";
import { now, recording, streaming, turns } from "./turns.ts";

async function failed(work: Promise<unknown>): Promise<StoreError> {
  const error: unknown = await work.then(
    () => assert.fail("it succeeded"),
    (thrown: unknown) => thrown,
  );
  assert.ok(StoreError.is(error), String(error));
  return error;
}

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

export const beforeAndAfter: Proof<Wrappers> = {
  name: "fault: before is never sent and says so; after is done, and says no more than a caller can know",
  async run({ fault }) {
    const base = memory();
    const below = recording();
    await using store = stack(
      borrow(base),
      below.layer,
      fault({
        rules: [
          { operations: ["write"], match: ({ path }) => path === "/before" },
          { operations: ["write"], match: ({ path }) => path === "/lost", when: "after" },
          { operations: ["write"], match: ({ path }) => path === "/told", when: "after", applied: true },
          { operations: ["mkdir"], when: "after", code: "rate-limited", retryAfterMs: 500 },
          { operations: ["stat"], match: ({ path }) => path === "/stat", when: "after" },
        ],
      }),
    );
    const before = await failed(store.write("/before", bytes));
    assert.deepEqual([before.code, before.applied, before.transient, below.calls.length], ["unavailable", false, true, 0]);
    assert.deepEqual([before.operation, before.path], ["write", "/before"]);
    const lost = await failed(store.write("/lost", bytes));
    assert.deepEqual([lost.applied, await exists(base, "/lost")], ["unknown", true]);
    assert.equal((await failed(store.write("/told", bytes))).applied, true);
    const limited = await failed(store.mkdir("/dir"));
    assert.deepEqual([limited.code, limited.applied, limited.retryAfterMs, await exists(base, "/dir")], ["rate-limited", true, 500, true]);
    await base.write("/stat", "x");
    assert.equal((await failed(store.stat("/stat"))).applied, false);
    assert.equal(store.layers.fault.struck, 5);
    await base.close();
  },
};

export const noLies: Proof<Wrappers> = {
  name: "fault: an error that would lie about a change is refused as configuration",
  async run({ fault }) {
    for (const rule of [
      { when: "before", applied: true },
      { when: "after", applied: false },
    ] as const)
      assert.throws(
        () => stack(memory(), fault({ rules: [rule] })),
        (error) => hasCode(error, "config"),
      );
  },
};

export const bodiesBreak: Proof<Wrappers> = {
  name: "fault: a body breaks after exactly so many bytes, up and down; one that is shorter passes",
  async run({ fault }) {
    const base = memory();
    await base.write("/f", bytes);
    await base.write("/short", bytes.subarray(0, 99));
    const down = stack(borrow(base), streaming(64), fault({ rules: [{ when: "down", afterBytes: 100 }] }));
    const got: number[] = [];
    const error = await failed(
      (async () => {
        for await (const chunk of await down.read("/f")) got.push(...chunk);
      })(),
    );
    assert.deepEqual([error.code, got], ["unavailable", [...bytes.subarray(0, 100)]]);
    assert.deepEqual(await readBytes(down, "/short"), bytes.subarray(0, 99));
    assert.equal(down.layers.fault.struck, 1);
    for (const afterBytes of [0, 100, 999]) {
      const up = stack(borrow(base), fault({ rules: [{ operations: ["write"], when: "up", afterBytes }] }));
      const broken = await failed(up.write("/f", new Uint8Array(1000)));
      assert.deepEqual([broken.code, broken.applied], ["unavailable", false]);
      assert.deepEqual(await readBytes(base, "/f"), bytes, "the old version is there");
      await up.close();
    }
    await down.close();
    await base.close();
  },
};

/** Which of so many calls fail. */
async function pattern(wrappers: Wrappers, options: FaultOptions, calls = 200): Promise<string> {
  await using store = stack(memory(), wrappers.fault(options));
  let out = "";
  for (let i = 0; i < calls; i++) out += (await codeOf(store.stat("/"))) === "nothing" ? "." : "x";
  return out;
}

export const seeded: Proof<Wrappers> = {
  name: "fault: equal seeds meet equal faults, others others; as likely as asked for",
  async run(wrappers) {
    const half = await pattern(wrappers, { seed: 7, probability: 0.5 });
    assert.equal(await pattern(wrappers, { seed: 7, probability: 0.5 }), half);
    assert.notEqual(await pattern(wrappers, { seed: 8, probability: 0.5 }), half);
    const struck = half.split("x").length - 1;
    assert.ok(struck > 70 && struck < 130, `${struck} of 200`);
    assert.equal(await pattern(wrappers, { probability: 0 }), ".".repeat(200));
    assert.equal(await pattern(wrappers, {}), "x".repeat(200));
  },
};

export const scripts: Proof<Wrappers> = {
  name: "fault: rules are a script: operations, matches, so many passed, so many struck; or a function",
  async run(wrappers) {
    assert.equal(await pattern(wrappers, { rules: [{ skip: 2, times: 3 }] }, 8), "..xxx...");
    assert.equal(await pattern(wrappers, { rules: [{ operations: ["write"] }] }, 3), "...");
    assert.equal(
      await pattern(
        wrappers,
        {
          rules: [
            { skip: 1, times: 1 },
            { skip: 2, times: 1 },
          ],
        },
        6,
      ),
      ".x.x..",
    );
    assert.equal(await pattern(wrappers, { rules: (_, count) => (count % 3 === 0 ? {} : undefined) }, 6), "..x..x");
    await using store = stack(memory(), wrappers.fault());
    assert.equal(await codeOf(store.stat("/")), "unavailable");
    await store.layers.fault.configure({ enabled: false });
    assert.equal(await codeOf(store.stat("/")), "nothing");
    assert.equal(store.layers.fault.calls, 1);
  },
};

export const hangs: Proof<Wrappers> = {
  name: "fault: what hangs waits for its signal; a body that hangs for its close too",
  async run({ fault }) {
    await using store: Store = stack(
      memory(),
      streaming(10),
      fault({
        rules: [
          { operations: ["stat", "delete"], hang: true },
          { operations: ["read"], when: "down", afterBytes: 10, hang: true },
        ],
      }),
    );
    await store.write("/f", bytes);
    for (const verb of ["stat", "delete"] as const) {
      const stop = new AbortController();
      const work = codeOf(store[verb]("/f", { signal: stop.signal }));
      assert.equal(await now(work), "still running");
      stop.abort();
      assert.equal(await now(work), "aborted");
    }
    const body = (await store.read("/f"))[Symbol.asyncIterator]();
    assert.equal((await body.next()).value?.byteLength, 10);
    const next = codeOf(body.next());
    assert.equal(await now(next), "still running");
    await body.return?.();
    await turns();
    assert.notEqual(await now(next), "still running");
  },
};

export const faultProofs: readonly Proof<Wrappers>[] = [beforeAndAfter, noLies, bodiesBreak, seeded, scripts, hangs];
