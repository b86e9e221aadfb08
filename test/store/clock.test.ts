/** Clocks: the system's and the one that stands still. */
import { expect, test } from "vitest";
import { manualClock, systemClock } from "../../src/store/index.ts";
import { thrown, tick } from "./make.ts";

test("the system clock sleeps, is woken by the signal with its reason, and leaves no listener", async () => {
  const before = systemClock.monotonic();
  await systemClock.sleep(10);
  expect(systemClock.monotonic() - before).toBeGreaterThanOrEqual(9);
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
  const stop = new AbortController();
  const sleeping = thrown(systemClock.sleep(60_000, stop.signal));
  stop.abort("enough");
  expect(await sleeping).toBe("enough");
  expect(await thrown(systemClock.sleep(1, stop.signal))).toBe("enough");
  const { signal } = new AbortController();
  let listeners = 0;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args));
  await systemClock.sleep(1, signal);
  expect(listeners).toBe(0);
});

test("times that are none: refused, instead of ending at once or never; long and negative ones are what they say", async () => {
  for (const clock of [systemClock, manualClock()]) expect(await thrown((async () => clock.sleep(Number.NaN))())).toBeInstanceOf(TypeError);
  await systemClock.sleep(-5);
  const stop = new AbortController();
  let woke = false;
  for (const ms of [2 ** 31, Infinity])
    systemClock.sleep(ms, stop.signal).then(
      () => (woke = true),
      () => {},
    );
  await tick(20);
  expect(woke).toBe(false);
  stop.abort();
});

test("a background sleep does not keep the process alive", async () => {
  const { execFileSync } = await import("node:child_process");
  const url = new URL("../../src/store/index.ts", import.meta.url).href;
  const started = Date.now();
  execFileSync(process.execPath, [
    "--input-type=module",
    "-e",
    `import { systemClock } from ${JSON.stringify(url)}; void systemClock.sleep(60000, undefined, { background: true });`,
  ]);
  expect(Date.now() - started).toBeLessThan(20_000);
});

test("the manual clock stands still until told, and wakes sleepers in order, also those that begin meanwhile", async () => {
  const clock = manualClock(1000);
  const woken: string[] = [];
  const sleep = async (ms: number, name: string): Promise<void> => {
    await clock.sleep(ms);
    woken.push(`${name}@${clock.now()}`);
  };
  void sleep(30, "c");
  void sleep(10, "a").then(() => sleep(5, "then"));
  void sleep(10, "b");
  await tick();
  expect([clock.now(), clock.monotonic(), woken]).toEqual([1000, 0, []]);
  await clock.advance(9);
  expect(woken).toEqual([]);
  await clock.advance(11);
  expect(woken).toEqual(["a@1010", "b@1010", "then@1015"]);
  await clock.advance(10);
  expect([woken.at(-1), clock.now(), clock.monotonic()]).toEqual(["c@1030", 1030, 30]);
  expect(await thrown(clock.advance(Number.NaN))).toBeInstanceOf(TypeError);
});

test("a manual sleep ends with the reason of its signal, and is not woken any more", async () => {
  const clock = manualClock();
  const stop = new AbortController();
  const sleeping = thrown(clock.sleep(10, stop.signal));
  stop.abort("enough");
  expect(await sleeping).toBe("enough");
  await clock.advance(20);
  expect(await thrown(clock.sleep(1, stop.signal))).toBe("enough");
});
