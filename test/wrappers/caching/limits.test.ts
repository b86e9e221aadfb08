/** How large the cache gets, and what happens when it is full. */
import { describe, expect, test } from "vitest";
import { readBytes, readText } from "../../../src/store/index.ts";
import { code } from "../at.ts";
import { bench, gate, quiet, until } from "./bench.ts";

const lazy = { uploadDelayMs: 1e9, maxDelayMs: 1e9 } as const;

describe("the soft limit", () => {
  test("52 × 2 MB clean under 30 MB never exceed it and keep the newest (CF44)", async () => {
    await using b = bench({ cacheBytes: 30e6, minFreeBytes: 0 });
    const content = new Uint8Array(2e6);
    for (let i = 0; i < 52; i++) {
      await b.base.write(`/${i}`, content);
      await readBytes(b.store, `/${i}`);
      await until(() => b.events.some(({ path }) => path === `/${i}`) || b.cache.state(`/${i}`).state === "clean");
      await until(() => Number(b.cache.report()["cacheBytes"]) <= 30e6);
      await b.clock.advance(1000);
    }
    const before = b.sent("read").length;
    await readBytes(b.store, "/51", { range: { offset: 0, length: 1 } });
    expect(b.sent("read")).toHaveLength(before);
  });

  test("what was read the longest time ago leaves first (CF42)", async () => {
    await using b = bench({ cacheBytes: 3500 });
    const content = new Uint8Array(800);
    for (const path of ["/a", "/b", "/c", "/d"]) {
      await b.base.write(path, content);
      await readBytes(b.store, path);
      await until(() => b.cache.state(path).state === "clean");
      await b.clock.advance(2000);
    }
    await readBytes(b.store, "/a");
    await b.clock.advance(2000);
    await b.base.write("/e", content);
    await readBytes(b.store, "/e");
    await until(() => b.events.some(({ name }) => name === "evicted"));
    expect(b.events.filter(({ name }) => name === "evicted").map(({ path }) => path)).toEqual(["/b"]);
  });

  test("with a limit of nothing what is pending survives (CF43), and leaves when it was sent", async () => {
    await using b = bench({ ...lazy, cacheBytes: 0, freshMs: 0 });
    await b.store.write("/a", "one");
    await b.store.write("/b", new Uint8Array(100_000));
    await quiet();
    await b.cache.evict();
    expect(await readText(b.store, "/a")).toBe("one");
    expect(b.cache.report()["cacheFiles"]).toBe(2);
    await b.cache.flush();
    await until(() => b.cache.report()["cacheFiles"] === 0);
    expect(await readText(b.store, "/a")).toBe("one");
    expect(b.sent("read")).toEqual(["read /a"]);
  });

  test("after an eviction a new write is no conflict with what was uploaded here", async () => {
    await using b = bench({ uploadDelayMs: 0, cacheBytes: 0 });
    await b.store.write("/a", "one");
    await b.cache.flush();
    await until(() => b.cache.report()["cacheFiles"] === 0);
    await b.store.write("/a", "two");
    await b.cache.flush();
    expect(b.cache.conflicts()).toEqual([]);
    expect(await readText(b.base, "/a")).toBe("two");
  });
});

describe("the hard limit", () => {
  test("above it writers are slowed to the configured rate, and none fails (CF45)", async () => {
    await using b = bench({ ...lazy, cacheBytes: 0, hardLimitBytes: 1000, hardLimitBytesPerSecond: 100 });
    await b.store.write("/a", new Uint8Array(1000));
    let done = false;
    const writing = b.store.write("/b", new Uint8Array(500)).then(() => (done = true));
    await b.clock.advance(4900);
    await quiet();
    expect(done).toBe(false);
    await b.clock.advance(100);
    await writing;
    expect(b.cache.report()).toMatchObject({ overHardLimit: true, dirtyFiles: 2 });
    expect(b.events.some(({ name }) => name === "limit")).toBe(true);
  });

  test("uploads make room, and an abort ends the wait", async () => {
    await using b = bench({ ...lazy, cacheBytes: 0, hardLimitBytes: 1000, hardLimitBytesPerSecond: 1 });
    const hold = gate();
    b.script.before = (call) => (call.operation === "write" ? hold.open : undefined);
    await b.store.write("/a", new Uint8Array(1000));
    const leaves = new AbortController();
    const left = code(b.store.write("/x", new Uint8Array(500), { signal: leaves.signal }));
    const writing = b.store.write("/b", new Uint8Array(500));
    await quiet();
    leaves.abort();
    expect(await left).toBe("aborted");
    const flushing = b.cache.flush({ path: "/a" });
    hold.let();
    await flushing;
    await writing;
  });

  test("clean content does not count", async () => {
    await using b = bench({ uploadDelayMs: 0, cacheBytes: 1000, hardLimitBytes: 1000, hardLimitBytesPerSecond: 1 });
    await b.store.write("/a", new Uint8Array(900));
    await b.cache.flush();
    await b.store.write("/b", new Uint8Array(900));
    expect(b.cache.report()).toMatchObject({ overHardLimit: false });
  });
});
