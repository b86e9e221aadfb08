/** Faults on purpose (CF113): exactly where they were asked for, and honest about what became of the change. */
import { expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { StoreError, borrow, readText, stack } from "../../src/store/index.ts";
import type { Operation, Store } from "../../src/store/index.ts";
import * as wrappers from "../../src/wrappers/index.ts";
import { fault, retry } from "../../src/wrappers/index.ts";
import { seededRandom } from "../../src/wrappers/seeded-random.ts";
import { faultProofs } from "../broken-layers/support/fault-proofs.ts";
import { manualClock } from "../../src/store/index.ts";

for (const proof of faultProofs) test(proof.name, () => proof.run(wrappers));

type State = ReadonlyMap<string, string>;

async function stateOf(store: Store): Promise<State> {
  const out = new Map<string, string>();
  for await (const { path, kind } of store.list("/", { recursive: true })) out.set(path, kind === "file" ? await readText(store, path) : "directory");
  return out;
}

/** CF113: each of the ten operations can be made to fail at each place, and the error tells the truth about what is there. */
test("CF113: every operation fails where it is told to, and `applied` is the truth, over random programs", async () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const base = memory();
    const faulty = stack(
      borrow(base),
      fault({
        seed,
        probability: 0.3,
        rules: [
          { when: "before" },
          { when: "before", code: "timeout", applied: "unknown" },
          { when: "after" },
          { when: "after", code: "rate-limited" },
          { when: "after", applied: true },
          { when: "up", afterBytes: 2 },
          { when: "down", afterBytes: 2 },
        ],
      }),
    );
    for (let step = 0; step < 60; step++) {
      const path = pick(["/a", "/b", "/d/c"]);
      const to = pick(["/a", "/b", "/d/c", "/e"]);
      const text = `text ${step}`;
      const programs: Readonly<Record<Operation, (store: Store) => Promise<unknown>>> = {
        stat: (store) => store.stat(path),
        read: (store) => readText(store, path),
        write: (store) => store.write(path, text),
        list: (store) => store.list("/").toArray(),
        delete: (store) => store.delete(path),
        mkdir: (store) => store.mkdir("/d", { existOk: true }),
        copy: (store) => store.copy(path, to),
        move: (store) => store.move(path, to),
        space: (store) => store.space(),
        account: (store) => store.account(),
      };
      const operation = pick(Object.keys(programs) as Operation[]);
      const before = await stateOf(base);
      // What a correct call would have made of it, tried on a store of its own.
      const twin = memory();
      for (const [name, content] of before) await (content === "directory" ? twin.mkdir(name, { existOk: true }) : twin.write(name, content));
      await programs[operation](twin).catch(() => {});
      const done = await stateOf(twin);
      const error = await programs[operation](faulty).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      const after = await stateOf(base);
      if (error === undefined) expect(after, operation).toEqual(done);
      else {
        if (!StoreError.is(error)) throw error;
        seen.add(`${operation} ${error.code} ${error.applied}`);
        if (error.applied === false) expect(after, `${operation} ${error.code} changed nothing`).toEqual(before);
        else if (error.applied === true) expect(after, `${operation} ${error.code} was done`).toEqual(done);
        else expect([before, done], `${operation}: one or the other`).toContainEqual(after);
      }
    }
    await faulty.close();
    await base.close();
  }
  for (const operation of ["stat", "read", "write", "list", "delete", "mkdir", "copy", "move", "account"])
    expect(seen, operation).toContain(`${operation} unavailable false`);
  for (const operation of ["write", "delete", "mkdir", "copy", "move"]) {
    expect(seen).toContain(`${operation} unavailable unknown`);
    expect(seen).toContain(`${operation} unavailable true`);
    expect(seen).toContain(`${operation} timeout unknown`);
  }
});

test("CF92, CF93, CF94: a faulty service under retry: rate answers are waited for, refusals make one call, and the wait is bounded", async () => {
  const clock = manualClock();
  const store = stack(
    memory(),
    fault({
      rules: [
        { operations: ["stat"], code: "rate-limited", retryAfterMs: 5000, times: 2 },
        { operations: ["mkdir"], code: "permission-denied" },
        { operations: ["list"], code: "unavailable" },
      ],
    }),
    retry({ clock, attempts: 10, maxWaitMs: 12_000, firstDelayMs: 1000 }),
  );
  await using _ = store;
  const asked = store.stat("/");
  await clock.advance(4999);
  expect(store.layers.fault.struck).toBe(1);
  await clock.advance(6000);
  await asked;
  expect(clock.monotonic()).toBe(10_999);
  await expect(store.mkdir("/d")).rejects.toMatchObject({ code: "permission-denied", attempts: 1 });
  expect(store.layers.fault.struck).toBe(3);
  const begun = clock.monotonic();
  const listed = store.list("/").toArray();
  const told = listed.catch((error: unknown) => error);
  for (let i = 0; i < 40; i++) await clock.advance(500);
  expect(await told).toMatchObject({ code: "unavailable" });
  expect(store.layers.retry.report()["waitedMs"]).toBeLessThanOrEqual(10_000 + 12_000);
  expect(begun).toBe(10_999);
});
