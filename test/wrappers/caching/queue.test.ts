/** Which of what is pending is sent next, and that nothing is looked at again and again only because it has to wait (CF34, CF50). */
import { describe, expect, test, vi } from "vitest";
import { candidates } from "../../../src/wrappers/caching/candidates.ts";
import type { Which } from "../../../src/wrappers/caching/candidates.ts";
import { openDatabase } from "../../../src/wrappers/caching/format.ts";
import { Journal } from "../../../src/wrappers/caching/journal.ts";
import { manualClock } from "../../../src/store/index.ts";
import type { Clock } from "../../../src/store/index.ts";
import { failure } from "../at.ts";
import { bench, gate, quiet, until } from "./bench.ts";
import { cacheDirectory } from "./cache-directory.ts";

/** No timer but those of the test ends a transfer. */
const patient = { stallMs: 1e9, answerMs: 1e9, heartbeatMs: 1e9 } as const;

describe("each question has its index", () => {
  test.each<[Which, string]>([
    ["all", "node_due"],
    ["noFiles", "node_rest"],
    ["small", "node_small"],
  ])("%s: in its order, without a look at the rest", (which, index) => {
    const db = openDatabase(cacheDirectory());
    const plan = db.prepare(`explain query plan ${candidates[which]}`).all(0, 0, 0, 1) as { readonly detail: string }[];
    db.close();
    expect(plan[0]?.detail).toMatch(new RegExp(`^SEARCH node USING INDEX ${index} \\(due[<>]`));
    expect(plan.map(({ detail }) => detail).join("\n")).not.toMatch(/TEMP B-TREE|SCAN/);
  });

  test("one that an older release did not know is made by the opening", async () => {
    const b = bench({ uploadDelayMs: 1e9, maxDelayMs: 1e9, flushOnClose: false });
    await b.store.write("/a", "one");
    await b.store.close();
    const db = openDatabase(b.directory);
    for (const index of ["node_rest", "node_small"]) db.exec(`drop index ${index}`);
    db.close();
    await using again = b.again();
    await again.cache.flush();
    expect(again.sent("write")).toEqual(["write /a"]);
  });
});

test("files that wait for their time are not looked at with each write, and what falls due together is one look", async () => {
  await using b = bench({ uploadDelayMs: 1000 });
  using all = vi.spyOn(Journal.prototype, "all");
  const looks = (): number => all.mock.calls.filter(([sql]) => sql === candidates.all).length;
  for (let i = 0; i < 100; i++) {
    await b.store.write(`/f${i}`, "one");
    await quiet();
    await b.clock.advance(1);
  }
  // The opening looks, and so does what it starts.
  expect(looks()).toBeLessThan(5);
  await b.clock.advance(1200);
  await until(() => b.sent("write").length === 100);
  await quiet();
  // 100 ms in steps of 20, and one for each end of what was sent together.
  expect(looks()).toBeLessThan(50);
});

test("what falls due while the uploader looks is not forgotten, also where the timer came a moment too early", async () => {
  const manual = manualClock(1e12);
  let ticks = 0;
  const clock: Clock = {
    now: () => manual.now() + ticks,
    monotonic: () => manual.monotonic() + ticks,
    sleep: (ms, signal, options) => manual.sleep(Math.max(0, ms - 1), signal, options),
  };
  await using b = bench({ uploadDelayMs: 1000, clock });
  const { all } = Journal.prototype;
  using spy = vi.spyOn(Journal.prototype, "all").mockImplementation(function (this: Journal, sql: string, ...values: never[]) {
    const rows = all.call(this, sql, ...values);
    if (sql === candidates.all && manual.monotonic() >= 999) ticks = 1;
    return rows;
  } as typeof all);
  await b.store.write("/f", "one");
  await quiet();
  await manual.advance(999);
  await until(() => ticks === 1);
  await quiet();
  expect(spy).toHaveBeenCalled();
  expect(b.sent("write")).toEqual([]);
  await manual.advance(100);
  await until(() => b.sent("write").length === 1);
});

describe("a directory that the upload of a file makes", () => {
  test("stands behind the file, also when that is written again, and is not asked for", async () => {
    await using b = bench({ uploadDelayMs: 1000 });
    const due = (path: string): number => b.cache.state(path).dueAtMs ?? NaN;
    await b.store.write("/a/b/f", "one");
    await b.clock.advance(900);
    await b.store.write("/a/b/f", "two");
    await b.clock.advance(200);
    await until(() => due("/a/b") > due("/a/b/f") && due("/a") > due("/a/b"));
    expect(due("/a/b/f")).toBe(1e12 + 1900);
    await b.clock.advance(1000);
    await until(() => b.cache.state("/a/b/f").state === "clean");
    expect(b.cache.state("/a").state).toBe("clean");
    expect(b.sent("write", "mkdir")).toEqual(["write /a/b/f"]);
  });

  test("is made by itself when the file has gone, at once where somebody waits for it", async () => {
    await using b = bench({ uploadDelayMs: 1000 });
    await b.store.write("/a/b/f", "one");
    await b.store.delete("/a/b/f");
    await b.cache.flush();
    expect((await b.base.stat("/a/b")).kind).toBe("directory");
    expect(b.sent("write")).toEqual([]);
  });

  test("follows a file that fails no longer than its longest delay", async () => {
    await using b = bench({ uploadDelayMs: 0, maxDelayMs: 5000 });
    b.script.before = ({ operation }) => {
      if (operation === "write") throw failure("unavailable", { applied: false, transient: true, retryAfterMs: 1e7 });
    };
    await b.store.write("/a/f", "one");
    await until(() => b.cache.state("/a/f").attempts === 1);
    await b.clock.advance(10);
    await quiet();
    const { dueAtMs } = b.cache.state("/a");
    expect(dueAtMs).toBeLessThanOrEqual(b.clock.now() + 5000);
    expect(b.cache.state("/a/f").dueAtMs).toBeGreaterThan(b.clock.now() + 1e6);
    b.script.before = undefined;
    await b.store.delete("/a/f");
    await b.clock.advance(5001);
    await until(() => b.cache.state("/a").state === "clean");
    expect((await b.base.stat("/a")).kind).toBe("directory");
  });
});

describe("while the remote is full", () => {
  test("deletes and directories that were asked for are sent, files wait", async () => {
    await using b = bench({ uploadDelayMs: 0 });
    await b.base.write("/old", "old");
    b.script.before = ({ operation }) => {
      if (operation === "write") throw failure("no-space", { applied: false });
    };
    for (let i = 0; i < 50; i++) await b.store.write(`/d${i}/f`, "one");
    await until(() => b.cache.report()["state"] === "no-space" || b.events.some(({ name }) => name === "paused"));
    await quiet();
    const tried = b.sent("write").length;
    await b.store.delete("/old");
    await b.store.mkdir("/new");
    await until(() => b.sent("mkdir").length === 1 && b.sent("delete").length === 1);
    await b.store.write("/more", "two");
    await quiet();
    expect(b.sent("write")).toHaveLength(tried);
    expect(b.sent("mkdir")).toEqual(["mkdir /new"]);
    b.script.before = undefined;
    await b.clock.advance(300_001);
    await b.cache.flush();
    expect((await b.base.list("/").toArray()).length).toBe(52);
  });
});

describe("a file that needs more places than are free", () => {
  test("is passed by small ones for a minute, then they leave it theirs", async () => {
    const held = new Map<string, () => void>();
    await using b = bench({ ...patient, uploadDelayMs: 0, maxParallel: 8 });
    b.script.before = ({ operation, path }) => {
      if (operation !== "write") return;
      const { open, let: release } = gate();
      held.set(path, release);
      return open;
    };
    let last = 0;
    const small = async (): Promise<void> => void (await b.store.write(`/small${last++}`, "s"));
    /** One upload ends, and another small file was written meanwhile. */
    const oneMore = async (): Promise<void> => {
      await small();
      const [path, release] = [...held][0] as [string, () => void];
      held.delete(path);
      release();
      await until(() => b.cache.state(path).state === "clean");
      await quiet();
    };
    for (let i = 0; i < 8; i++) await small();
    await until(() => held.size === 8);
    await b.store.write("/large", new Uint8Array(3 << 20));
    for (let i = 0; i < 20; i++) await oneMore();
    expect([held.size, held.has("/large")]).toEqual([8, false]);
    await b.clock.advance(60_000);
    for (let i = 0; i < 8 && !held.has("/large"); i++) await oneMore();
    expect(held.has("/large")).toBe(true);
    b.script.before = undefined;
    for (const release of held.values()) release();
    await b.cache.flush();
  });
});

test("what is pending is told, whatever it waits for", async () => {
  await using b = bench({ ...patient, uploadDelayMs: 0 });
  await b.base.write("/d/x", "x");
  const hold = gate();
  b.script.before = ({ operation, path }) => {
    if (path === "/parked") throw failure("permission-denied", { applied: false, transient: false });
    return operation === "write" || operation === "move" ? hold.open : undefined;
  };
  await b.store.write("/parked", "p");
  await until(() => b.cache.state("/parked").state === "parked");
  await b.clock.advance(500);
  await b.store.move("/d", "/e");
  await b.store.write("/e/y", "y");
  await b.store.write("/sent", "s");
  await until(() => b.sent("write").includes("write /sent") && b.sent("move").length === 1);
  await quiet();
  expect(b.cache.dirty().map(({ path, change }) => `${change} ${path}`)).toEqual(["mkdir /e", "write /e/y", "write /parked", "write /sent"]);
  expect(b.cache.report()["oldestPendingMs"]).toBe(500);
  hold.let();
});
