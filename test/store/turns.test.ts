import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { Turns } from "../../src/store/index.ts";

test("one at a time and in order for one key, side by side for two", async () => {
  const turns = new Turns();
  const seen: string[] = [];
  const work = (name: string, ms: number) => async (): Promise<void> => {
    seen.push(`${name} begins`);
    await delay(ms);
    seen.push(`${name} ends`);
  };
  await Promise.all([turns.take("/a", undefined, work("a1", 20)), turns.take("/a", undefined, work("a2", 1)), turns.take("/b", undefined, work("b", 1))]);
  expect(seen.indexOf("a1 ends")).toBeLessThan(seen.indexOf("a2 begins"));
  expect(seen.indexOf("b begins")).toBeLessThan(seen.indexOf("a1 ends"));
});

test("work that fails lets the next one in", async () => {
  const turns = new Turns();
  const first = turns.take("/a", undefined, () => Promise.reject(new Error("broken")));
  const second = turns.take("/a", undefined, () => Promise.resolve("done"));
  await expect(first).rejects.toThrow("broken");
  await expect(second).resolves.toBe("done");
});

test("who gives up while waiting is told at once, and lets nobody in before whoever has the turn", async () => {
  const turns = new Turns();
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  let isOver = false;
  const first = turns.take("/a", undefined, async () => {
    await held;
    isOver = true;
  });
  const stop = new AbortController();
  const second = turns.take("/a", stop.signal, () => Promise.reject(new Error("it had no turn")));
  stop.abort(new Error("given up"));
  await expect(second).rejects.toThrow("given up");
  const third = turns.take("/a", undefined, () => Promise.resolve(isOver));
  release();
  await expect(third).resolves.toBe(true);
  await first;
});
