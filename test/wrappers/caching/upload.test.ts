/** When uploads start, what happens when they fail, and what a change does to one that runs. */
import { describe, expect, test } from "vitest";
import { readText } from "../../../src/store/index.ts";
import { code, failure, paths } from "../at.ts";
import { bench, gate, quiet, until } from "./bench.ts";

describe("when an upload starts", () => {
  test("no call of the provider before the quiet time is over, one upload after it (CF33)", async () => {
    await using b = bench({ uploadDelayMs: 1000 });
    await b.store.write("/a", "one");
    await b.clock.advance(999);
    await quiet();
    expect(b.sent()).toEqual([]);
    expect(b.cache.state("/a")).toMatchObject({ state: "waiting", dirty: true });
    await b.clock.advance(1);
    await until(() => !b.cache.state("/a").dirty);
    expect(b.sent()).toEqual(["write /a"]);
    expect(await readText(b.base, "/a")).toBe("one");
  });

  test("writes every half delay cause a single upload (CF34), but not for ever", async () => {
    await using b = bench({ uploadDelayMs: 1000, maxDelayMs: 5000 });
    for (let i = 0; i < 8; i++) {
      await b.store.write("/a", `version ${i}`);
      await b.clock.advance(500);
    }
    await quiet();
    expect(b.sent()).toEqual([]);
    await b.clock.advance(500);
    await until(() => !b.cache.state("/a").dirty);
    expect(b.sent()).toEqual(["write /a"]);
    for (let i = 0; i < 30 && b.sent().length === 1; i++) {
      await b.store.write("/a", `again ${i}`);
      await b.clock.advance(500);
      await quiet();
    }
    expect(b.sent("write")).toHaveLength(2);
  });

  test("deleted before its time: a file known to be new never reaches the provider, of another nothing is uploaded (CF35)", async () => {
    await using b = bench({ uploadDelayMs: 1000, unknownPaths: "ask" });
    await b.store.write("/new", "x");
    await b.store.delete("/new");
    expect(b.cache.dirty()).toEqual([]);
    await b.clock.advance(10_000);
    await quiet();
    expect(b.sent("write", "delete")).toEqual([]);
    await b.base.write("/old", "theirs");
    await b.cache.configure({ unknownPaths: "trust" });
    await b.store.write("/old", "x");
    await b.store.delete("/old");
    await b.cache.flush();
    expect(b.sent("write", "delete")).toEqual(["delete /old"]);
    expect(await paths(b.base)).toEqual([]);
  });

  test("flush sends everything now; after it nothing is dirty (CF53), and the list of what is has it until then (CF30, CF101)", async () => {
    await using b = bench({ uploadDelayMs: 1e9, maxDelayMs: 1e9 });
    await b.store.write("/a", "one");
    await b.store.write("/d/b", "three");
    expect(b.cache.dirty().map(({ path, change, size }) => [path, change, size])).toEqual([
      ["/a", "write", 3],
      ["/d", "mkdir", 0],
      ["/d/b", "write", 5],
    ]);
    expect(b.cache.dirty({ path: "/d" })).toHaveLength(2);
    expect(b.cache.dirty({ after: "/a", limit: 1 }).map(({ path }) => path)).toEqual(["/d"]);
    expect(b.cache.state("/a").dirty).toBe(true);
    expect(b.cache.report()).toMatchObject({ dirtyFiles: 2, dirtyBytes: 8 });
    await b.cache.flush();
    expect(b.cache.dirty()).toEqual([]);
    expect(b.cache.state("/a")).toMatchObject({ state: "clean", dirty: false });
    expect(b.cache.report()).toMatchObject({ dirtyFiles: 0, dirtyBytes: 0, uploads: 2 });
    expect(await paths(b.base, "/", true)).toEqual(["/a", "/d", "/d/b"]);
  });

  test("flush below one path leaves the rest alone", async () => {
    await using b = bench({ uploadDelayMs: 1e9, maxDelayMs: 1e9 });
    await b.store.write("/a", "one");
    await b.store.write("/d/b", "two");
    await b.cache.flush({ path: "/d" });
    expect(await paths(b.base, "/", true)).toEqual(["/d", "/d/b"]);
    expect(b.cache.state("/a").dirty).toBe(true);
  });
});

describe("a change while it is uploaded", () => {
  test("the later content reaches the provider (CF46)", async () => {
    await using b = bench({ uploadDelayMs: 0 });
    const hold = gate();
    b.script.before = (call) => (call.operation === "write" && b.script.count("write") === 1 ? hold.open : undefined);
    await b.store.write("/a", "first");
    await until(() => b.script.count("write") === 1);
    await b.store.write("/a", "second");
    hold.let();
    await b.cache.flush();
    expect(await readText(b.base, "/a")).toBe("second");
  });

  test("flush waits for the request that runs, although nothing is dirty any more", async () => {
    await using b = bench({ uploadDelayMs: 0, unknownPaths: "ask" });
    const hold = gate();
    b.script.before = (call) => (call.operation === "write" ? hold.open : undefined);
    await b.store.write("/a", "first");
    await until(() => b.script.count("write") === 1);
    let flushed = false;
    const flushing = b.cache.flush().then(() => (flushed = true));
    await quiet();
    expect(flushed).toBe(false);
    hold.let();
    await flushing;
    expect(await readText(b.base, "/a")).toBe("first");
  });

  test("deleted: the transfer is cancelled, and the file never comes back (CF52)", async () => {
    await using b = bench({ uploadDelayMs: 0 });
    let aborted = false;
    b.script.before = (call) => {
      if (call.operation !== "write") return;
      return new Promise((_, fail) => {
        call.signal?.addEventListener("abort", () => {
          aborted = true;
          fail(failure("aborted", { applied: "unknown" }));
        });
      });
    };
    await b.store.write("/a", "x".repeat(100));
    await until(() => b.script.count("write") === 1);
    await b.store.delete("/a");
    await until(() => aborted);
    await b.cache.flush();
    expect(await paths(b.base)).toEqual([]);
    expect(await code(b.store.stat("/a"))).toBe("not-found");
  });
});

describe("uploads that fail", () => {
  test("three failures, then success: exactly four calls, with growing gaps (CF48)", async () => {
    await using b = bench({ uploadDelayMs: 0 });
    const at: number[] = [];
    b.script.before = (call) => {
      if (call.operation !== "write") return;
      at.push(b.clock.monotonic());
      if (at.length <= 3) throw failure("conflict", { applied: false });
    };
    await b.store.write("/a", "x");
    for (let round = 0; round < 40 && b.cache.state("/a").dirty; round++) {
      await quiet();
      await b.clock.advance(500);
    }
    expect(at).toHaveLength(4);
    const gaps = at.slice(1).map((time, i) => time - (at[i] as number));
    expect(gaps[1]).toBeGreaterThan(gaps[0] as number);
    expect(gaps[2]).toBeGreaterThan(gaps[1] as number);
    expect(await readText(b.base, "/a")).toBe("x");
  });

  test("a full remote stops new uploads for the set time, deletes go on, then uploads resume (CF49)", async () => {
    await using b = bench({ uploadDelayMs: 0, noSpacePauseMs: 60_000 });
    await b.base.write("/old", "x");
    let full = true;
    b.script.before = (call) => {
      if (call.operation === "write" && full) throw failure("no-space", { applied: false });
    };
    await b.store.write("/a", "x");
    await until(() => b.events.some(({ name }) => name === "paused"));
    expect(b.cache.report()["uploader"]).toBe("no-space");
    await b.store.write("/b", "x");
    await b.store.delete("/old");
    await until(() => b.sent("delete").length === 1);
    for (let round = 0; round < 5; round++) {
      await b.clock.advance(10_000);
      await quiet();
    }
    expect(b.sent("write")).toHaveLength(1);
    full = false;
    for (let round = 0; round < 20 && b.cache.dirty().length > 0; round++) {
      await b.clock.advance(10_000);
      await quiet();
    }
    expect(await paths(b.base)).toEqual(["/a", "/b"]);
    expect(b.events.some(({ name }) => name === "resumed")).toBe(true);
  });

  test("an upload without progress is aborted and sent again (CF51)", async () => {
    await using b = bench({ uploadDelayMs: 0, stallMs: 60_000, answerMs: 120_000 });
    b.script.before = async (call) => {
      if (call.operation !== "write" || b.script.count("write") > 1) return;
      await call.body.open().all();
      await new Promise((_, fail) => call.signal?.addEventListener("abort", () => fail(failure("timeout", { applied: "unknown" }))));
    };
    await b.store.write("/a", "x".repeat(100));
    await until(() => b.cache.state("/a").sentBytes === 100);
    for (let round = 0; round < 30 && b.cache.state("/a").dirty; round++) {
      await b.clock.advance(10_000);
      await quiet();
    }
    expect(b.script.count("write")).toBe(2);
    expect(await readText(b.base, "/a")).toBe("x".repeat(100));
  });

  test("what cannot be sent waits with its error, others go on, flush says so, and retry sends it", async () => {
    await using b = bench({ uploadDelayMs: 0 });
    let refuse = true;
    b.script.before = (call) => {
      if (call.operation === "write" && call.path === "/bad" && refuse) throw failure("permission-denied", { applied: false });
    };
    await b.store.write("/bad", "x");
    await b.store.write("/good", "y");
    expect(await code(b.cache.flush())).toBe("permission-denied");
    expect(b.cache.state("/bad")).toMatchObject({ state: "parked", dirty: true, error: { code: "permission-denied" } });
    expect(await paths(b.base)).toEqual(["/good"]);
    expect(await readText(b.store, "/bad")).toBe("x");
    refuse = false;
    b.cache.retry("/bad");
    await b.cache.flush();
    expect(await paths(b.base)).toEqual(["/bad", "/good"]);
  });

  test("discard drops the local change, and the remote's version shows", async () => {
    await using b = bench({ uploadDelayMs: 1e9, maxDelayMs: 1e9 });
    await b.base.write("/a", "theirs");
    await b.store.write("/a", "ours");
    await b.cache.discard("/a");
    expect(await readText(b.store, "/a")).toBe("theirs");
    expect(await code(b.cache.discard("/a"))).toBe("not-found");
  });

  test("a remote that is away is probed by one call at a time, and its return releases all", async () => {
    await using b = bench({ uploadDelayMs: 0 });
    let away = true;
    b.script.before = (call) => {
      if (away && call.operation === "write") throw failure("unavailable", { applied: false });
    };
    for (const name of ["a", "b", "c", "d"]) await b.store.write(`/${name}`, name);
    await until(() => b.events.some(({ name }) => name === "offline"));
    expect(b.cache.report()["uploader"]).toBe("offline");
    away = false;
    for (let round = 0; round < 30 && b.cache.dirty().length > 0; round++) {
      await b.clock.advance(1000);
      await quiet();
    }
    expect(await paths(b.base)).toEqual(["/a", "/b", "/c", "/d"]);
    expect(b.events.some(({ name }) => name === "online")).toBe(true);
  });

  test("pause lets what runs end and starts nothing more, resume goes on", async () => {
    await using b = bench({ uploadDelayMs: 0 });
    await b.store.open();
    await b.cache.pause();
    await b.store.write("/a", "x");
    await b.clock.advance(60_000);
    await quiet();
    expect(b.sent()).toEqual([]);
    expect(b.cache.report()["uploader"]).toBe("paused");
    await b.cache.resume();
    await b.cache.flush();
    expect(await paths(b.base)).toEqual(["/a"]);
  });
});

describe("what lands after its path was deleted", () => {
  test.each(["removed with its directory", "replaced by a directory"])(
    "a file on its way that lands all the same is %s, and is nobody else's change",
    async (how) => {
      await using b = bench({ uploadDelayMs: 0 });
      await b.store.write("/d/f", "one");
      await b.cache.flush();
      const landed = gate();
      const answer = gate();
      b.script.after = async ({ operation }) => {
        if (operation !== "write") return;
        b.script.after = undefined;
        landed.let();
        await answer.open;
      };
      await b.store.write("/d/f", "two");
      await landed.open;
      await b.store.delete("/d/f");
      if (how === "replaced by a directory") await b.store.mkdir("/d/f");
      else await b.store.delete("/d");
      answer.let();
      await b.cache.flush();
      expect(b.cache.conflicts()).toEqual([]);
      expect(await paths(b.base, "/", true)).toEqual(how === "replaced by a directory" ? ["/d", "/d/f"] : []);
    },
  );

  test.each(["move", "copy"] as const)("a file that a pending %s brings, and that made room for a directory, is nobody else's", async (operation) => {
    await using b = bench({ uploadDelayMs: 0 });
    await b.base.write("/c/f", "brought");
    await readText(b.store, "/c/f");
    const arrive = gate();
    b.script.before = async (call) => {
      if (call.operation === operation) await arrive.open;
    };
    // A service that gives a new etag to what it moves.
    b.script.after = async (call) => {
      if (call.operation === operation) await b.base.write(call.to, "brought");
    };
    await b.store[operation]("/c/f", "/a");
    await b.store.delete("/a");
    await b.store.write("/a/inside", "new");
    arrive.let();
    await b.cache.flush();
    expect(b.cache.conflicts()).toEqual([]);
    expect(await paths(b.base, "/a", true)).toEqual(["/a/inside"]);
  });

  test("an upload that lands late is not what a later move has put in its place", async () => {
    await using b = bench({ uploadDelayMs: 0 });
    await b.base.write("/c/f", "brought");
    await readText(b.store, "/c/f");
    const landed = gate();
    const answer = gate();
    b.script.after = async (call) => {
      if (call.operation === "move") await b.base.write(call.to, "brought");
      if (call.operation !== "write" || call.path !== "/a") return;
      landed.let();
      await answer.open;
    };
    await b.store.write("/a", "one");
    await landed.open;
    await b.store.move("/c/f", "/a");
    await b.store.delete("/a");
    await b.store.write("/a/inside", "new");
    answer.let();
    await b.cache.flush();
    expect(b.cache.conflicts()).toEqual([]);
    expect(await paths(b.base, "/a", true)).toEqual(["/a/inside"]);
  });
});
