/** The stacks of docs/stacking.md do what the page says of them, the wrong ones too (CF75). */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { exists, manualClock, readText, stack } from "stratus";
import type { Store } from "stratus";
import { memory } from "stratus/memory";
import { fault, stats } from "stratus/wrappers";
import { cached } from "../../examples/stacks/cached.ts";
import { everything } from "../../examples/stacks/everything.ts";
import { feltAndSent } from "../../examples/stacks/felt-and-sent.ts";
import { packed } from "../../examples/stacks/packed.ts";
import { remembered } from "../../examples/stacks/remembered.ts";
import { archiveOfNothing } from "../../examples/stacks/wrong-archive-of-nothing.ts";
import { archiveOutside } from "../../examples/stacks/wrong-archive-outside.ts";
import { limitInside, limitOutside } from "../../examples/stacks/wrong-limit-outside.ts";
import { memoryInside, memoryOutside } from "../../examples/stacks/wrong-memory-inside.ts";
import { resending } from "../../examples/stacks/wrong-resending.ts";
import { sharedDirectory } from "../../examples/stacks/wrong-shared-directory.ts";
import { throttleInside, throttleOutside } from "../../examples/stacks/wrong-throttle-outside.ts";
import { timeoutInside, timeoutOutside } from "../../examples/stacks/wrong-timeout-outside.ts";

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), "stratus-stacks-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** A store that says how often it was asked. */
function counted() {
  return stack(memory(), stats().as("service"));
}
const calls = (store: ReturnType<typeof counted>): number => store.layers.service.snapshot().calls;
const writes = (store: ReturnType<typeof counted>): number => store.layers.service.snapshot().operations.write?.calls ?? 0;

/** Fails the first read of a file whose name begins with "bad", once. */
function stumbling(): Store {
  let left = 1;
  return stack(
    memory(),
    fault({ rules: (call) => (call.operation === "stat" && call.path.startsWith("/bad") && left-- > 0 ? { code: "unavailable" } : undefined) }),
  );
}

const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  let done = false;
  promise.then(
    () => (done = true),
    () => (done = true),
  );
  for (let turn = 0; turn < 50; turn++) await new Promise((next) => setTimeout(next, 1));
  return done;
};

test("everything: many files are safe at once, sent as few archives, and asked for without a request", async () => {
  const service = counted();
  await using store = everything(service, directory());
  await store.open();
  await store.layers.caching.pause();
  await Promise.all(Array.from({ length: 200 }, (_, i) => store.write(`/d/${i}`, `file ${i}`)));
  expect(writes(service)).toBe(0);
  expect(store.layers.caching.dirty().filter(({ change }) => change === "write")).toHaveLength(200);
  await store.layers.caching.resume();
  await store.layers.caching.flush();
  expect(store.layers.caching.dirty()).toEqual([]);
  expect(writes(service)).toBeLessThanOrEqual(8);
  expect(await readText(store, "/d/7")).toBe("file 7");
  expect(await store.list("/d").toArray()).toHaveLength(200);
  const before = calls(service);
  for (let i = 0; i < 100; i++) await store.stat(`/d/${i}`, { detail: "basic" });
  expect(await store.list("/d").toArray()).toHaveLength(200);
  expect(calls(service)).toBe(before);
  expect(store.layers.stats.snapshot().operations.write?.calls).toBe(200);
});

test("cached: the service holds the files under their own names, after a flush", async () => {
  const service = memory();
  await using store = cached(service, directory());
  await store.write("/a.txt", "bytes");
  await store.layers.caching.flush();
  expect(String(store)).toContain("caching(retry(timeout(limit(memory");
  expect(store.layers.caching.state("/a.txt")).toMatchObject({ state: "clean", dirty: false });
  expect(await readText(store, "/a.txt")).toBe("bytes");
});

test("remembered: one listing answers every question about a directory, absences too", async () => {
  const service = counted();
  await using store = remembered(service);
  await store.write("/a", "1");
  await store.list("/").toArray();
  const before = calls(service);
  expect((await store.stat("/a", { detail: "basic" })).size).toBe(1);
  expect(await exists(store, "/none")).toBe(false);
  expect(await exists(store, "/none")).toBe(false);
  expect(calls(service)).toBe(before);
});

test("packed: files that are written together arrive together", async () => {
  const service = counted();
  await using store = packed(service, directory());
  await Promise.all(Array.from({ length: 300 }, (_, i) => store.write(`/${i % 10}/${i}`, `${i}`)));
  expect(writes(service)).toBeLessThanOrEqual(3);
  expect(await readText(store, "/3/13")).toBe("13");
});

test("felt and sent: a hit is a call above and none below; a try again is one above and two below", async () => {
  await using store = feltAndSent(memory());
  await store.write("/a", "1");
  for (let i = 0; i < 10; i++) await store.stat("/a", { detail: "basic" });
  expect(store.layers.felt.snapshot().operations.stat?.calls).toBe(10);
  const { sent } = store.layers;
  expect((sent.snapshot().operations.stat?.calls ?? 0) + (sent.snapshot().operations.list?.calls ?? 0)).toBeLessThanOrEqual(1);
});

test("wrong: a retry that resends below a cache is refused when the stack is made", () => {
  expect(() => resending(memory(), "/nowhere")).toThrow(expect.objectContaining({ code: "config" }) as Error);
});

test("wrong: an archive over what cannot be written is refused when the stack is made", () => {
  expect(() => archiveOfNothing(memory(), "/nowhere")).toThrow(expect.objectContaining({ code: "config" }) as Error);
});

test("wrong: with the archive outside a write waits for its group, and the cache holds archives", async () => {
  const clock = manualClock();
  await using store = archiveOutside(memory({ clock }), directory(), clock);
  await store.open();
  const write = store.write("/a", "1");
  expect(await settled(write)).toBe(false);
  await store.layers.archive.flush();
  await write;
  expect(store.layers.caching.dirty().flatMap(({ path, change }) => (change === "write" ? [path] : []))).toEqual([
    expect.stringMatching(/^\/\.stratus-archive\/.*\.tar$/),
  ]);
  // Otherwise the close would wait for the quiet time of a clock that stands still.
  await store.layers.caching.flush();
});

test("wrong: a memory of metadata below a cache is passed by, above it answers", async () => {
  for (const [make, questions] of [
    [memoryInside, 20],
    [memoryOutside, 1],
  ] as const) {
    await using store = make(memory(), directory());
    await store.write("/a", "1");
    await store.layers.caching.flush();
    store.layers.sent.reset();
    for (let i = 0; i < 20; i++) await store.stat("/a", { detail: "basic" });
    expect(store.layers.sent.snapshot().calls, make.name).toBeLessThanOrEqual(questions);
    if (make === memoryInside) expect(store.layers.sent.snapshot().calls).toBeGreaterThanOrEqual(20);
  }
});

test("slow: with the limit outside, everybody waits for one call's pause", async () => {
  const clock = manualClock();
  for (const [make, free] of [
    [limitOutside, false],
    [limitInside, true],
  ] as const) {
    const service = stumbling();
    await service.write("/bad", "1");
    await service.write("/good", "1");
    await using store = make(service, clock);
    const bad = store.stat("/bad");
    const good = store.stat("/good");
    expect(await settled(good), make.name).toBe(free);
    await clock.advance(10_000);
    await Promise.all([bad, good]);
  }
});

test("wrong: with the throttle outside a write waits for the line, with it inside only the upload does", async () => {
  const body = new Uint8Array(10_000);
  for (const [make, quick] of [
    [throttleOutside, false],
    [throttleInside, true],
  ] as const) {
    const clock = manualClock();
    const store = make(memory(), directory(), clock);
    await store.open();
    const write = store.write("/a", body);
    write.catch(() => {});
    for (let turn = 0; turn < 5 && quick; turn++) if (await settled(write)) break;
    expect(await settled(write), make.name).toBe(quick);
    await store.layers.throttle.configure({ upBytesPerSecond: Infinity });
    await write;
    await store.close();
  }
});

test("wrong: with the timeout outside the pauses of a retry count as silence", async () => {
  const outcome = async (make: typeof timeoutOutside): Promise<string> => {
    const clock = manualClock();
    const service = stumbling();
    await service.write("/bad", "1");
    await using store = make(service, clock);
    const asked = store.stat("/bad").then(
      () => "there",
      (error: { readonly code: string }) => error.code,
    );
    for (let second = 0; second < 12; second++) await clock.advance(1000);
    return await asked;
  };
  expect(await outcome(timeoutOutside)).toBe("timeout");
  expect(await outcome(timeoutInside)).toBe("there");
});

test("wrong: a cache directory has one owner", async () => {
  const [one, other] = sharedDirectory(memory(), memory(), directory());
  await one.open();
  await expect(other.open()).rejects.toMatchObject({ code: "conflict" });
  await one.close();
  await other.close();
});
