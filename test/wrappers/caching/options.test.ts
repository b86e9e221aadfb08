/** Options that no other test comes to: each changes what it says, and nothing else. */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { referenceStore } from "../../../src/conformance/model/reference.ts";
import { manualClock, readText } from "../../../src/store/index.ts";
import { code, failure } from "../at.ts";
import { bench, quiet, until } from "./bench.ts";
import { cacheDirectory } from "./cache-directory.ts";

const lazy = { uploadDelayMs: 1e9, maxDelayMs: 1e9, flushOnClose: false } as const;

test("staleOnErrorMs: an expired file is served while the remote is away, up to that age, and not for refusals", async () => {
  await using b = bench({ freshMs: 1000, staleOnErrorMs: 10_000 });
  await b.base.write("/a", "kept");
  expect(await readText(b.store, "/a")).toBe("kept");
  await until(() => b.cache.state("/a").state === "clean");
  b.script.before = () => Promise.reject(failure("unavailable", { transient: true }));
  await b.clock.advance(9000);
  expect(await readText(b.store, "/a")).toBe("kept");
  expect((await b.store.stat("/a")).size).toBe(4);
  b.script.before = () => Promise.reject(failure("unauthenticated"));
  expect(await code(readText(b.store, "/a"))).toBe("unauthenticated");
  b.script.before = () => Promise.reject(failure("unavailable", { transient: true }));
  await b.clock.advance(1000);
  expect(await code(readText(b.store, "/a"))).toBe("unavailable");
});

test("without staleOnErrorMs the error of an expired file is passed on", async () => {
  await using b = bench({ freshMs: 1000 });
  await b.base.write("/a", "kept");
  await readText(b.store, "/a");
  await until(() => b.cache.state("/a").state === "clean");
  b.script.before = () => Promise.reject(failure("unavailable", { transient: true }));
  await b.clock.advance(1000);
  expect(await code(readText(b.store, "/a"))).toBe("unavailable");
});

test("fillOnRange: a read of a part brings the whole in the background", async () => {
  await using b = bench({ fillOnRange: true });
  await b.base.write("/a", "0123456789");
  expect(await readText(b.store, "/a", { range: { offset: 2, length: 3 } })).toBe("234");
  await until(() => b.cache.state("/a").state === "clean");
  const reads = b.sent("read").length;
  expect(await readText(b.store, "/a")).toBe("0123456789");
  expect(b.sent("read")).toHaveLength(reads);
});

test.each([true, false])("trustSize %s, where a remote tells nothing but sizes", async (trustSize) => {
  const base = referenceStore({ capabilities: { etag: false, hashes: [], modifiedPrecisionMs: null, writeModified: false } });
  await using b = bench({ freshMs: 1000, trustSize }, { base, clock: manualClock(1e12), directory: cacheDirectory() });
  await base.write("/a", "one");
  expect(await readText(b.store, "/a")).toBe("one");
  await until(() => b.cache.state("/a").state === "clean");
  await b.clock.advance(1000);
  const reads = b.sent("read").length;
  expect(await readText(b.store, "/a")).toBe("one");
  expect(b.sent("read").length - reads).toBe(trustSize ? 0 : 1);
  await quiet();
  await b.clock.advance(1000);
  await base.write("/a", "longer");
  expect(await readText(b.store, "/a")).toBe("longer");
});

test("maxBarriers: a further change of a tree waits until one has arrived, and none is lost", async () => {
  await using b = bench({ maxBarriers: 2 });
  for (const name of ["a", "b", "c"]) await b.base.write(`/${name}/f`, name);
  await b.store.open();
  await b.cache.pause();
  await b.store.delete("/a", { recursive: true });
  await b.store.delete("/b", { recursive: true });
  let isThird = false;
  const third = b.store.delete("/c", { recursive: true }).then(() => (isThird = true));
  await quiet();
  expect([isThird, b.cache.report()["barriers"]]).toEqual([false, 2]);
  await b.cache.resume();
  await third;
  await b.cache.flush();
  expect(await b.base.list("/").toArray()).toEqual([]);
});

test("maxRows: what is known of the remote is forgotten beyond it, what is pending is not", async () => {
  await using b = bench({ ...lazy, maxRows: 10, cacheBytes: 0, hardLimitBytes: 1e9 });
  for (let i = 0; i < 40; i++) await b.base.write(`/clean${i}`, "x");
  await b.store.write("/pending", "mine");
  for (let i = 0; i < 40; i++) await readText(b.store, `/clean${i}`);
  // Rows are counted once in a thousand changes: enough of them.
  for (let i = 0; i < 1100; i++) await b.store.write("/pending", `mine ${i}`);
  await until(() => Array.from({ length: 40 }, (_, i) => b.cache.state(`/clean${i}`).state).filter((state) => state !== "absent").length <= 10);
  expect(await readText(b.store, "/pending")).toBe("mine 1099");
  expect(await readText(b.store, "/clean7")).toBe("x");
});

test("exportTo brings out pending bytes, small and large, and replaces no file", async () => {
  const out = mkdtempSync(join(tmpdir(), "stratus-export-"));
  onTestFinished(() => rmSync(out, { recursive: true }));
  await using b = bench(lazy);
  const large = Buffer.alloc(300_000, 3);
  await b.store.write("/small", "small");
  await b.store.write("/large", large);
  await b.cache.exportTo("/small", join(out, "small"));
  await b.cache.exportTo("/large", join(out, "large"));
  expect(readFileSync(join(out, "small"), "utf8")).toBe("small");
  expect(readFileSync(join(out, "large")).equals(large)).toBe(true);
  expect(statSync(join(out, "small")).mode & 0o077).toBe(0);
  for (const name of ["small", "large"]) expect(await code(b.cache.exportTo(`/${name}`, join(out, "small")))).toBe("already-exists");
  expect(readFileSync(join(out, "small"), "utf8")).toBe("small");
  expect(await code(b.cache.exportTo("/none", join(out, "none")))).toBe("not-found");
  expect(await code(b.cache.exportTo("/small", join(out, "no", "such", "directory")))).toBe("unavailable");
});
