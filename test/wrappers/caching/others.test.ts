/** Other clients of the same remote: conditions, conflicts, and requests whose answer was lost. */
import { describe, expect, test } from "vitest";
import { readText } from "../../../src/store/index.ts";
import { code, failure, paths } from "../at.ts";
import { bench, quiet, until } from "./bench.ts";

const lazy = { uploadDelayMs: 1e9, maxDelayMs: 1e9 } as const;

describe("another client changes the same file", () => {
  test("ours keeps the path, theirs is kept beside it, once", async () => {
    await using b = bench(lazy);
    await b.base.write("/a.txt", "old");
    await readText(b.store, "/a.txt");
    await until(() => b.cache.state("/a.txt").state === "clean");
    await b.store.write("/a.txt", "ours");
    await b.base.write("/a.txt", "theirs");
    await b.cache.flush();
    expect(await readText(b.base, "/a.txt")).toBe("ours");
    const [conflict] = b.cache.conflicts();
    expect(conflict).toMatchObject({ path: "/a.txt" });
    expect(conflict?.kept).toMatch(/^\/a\.conflict-[0-9a-f]{8}\.txt$/);
    expect(await readText(b.base, conflict?.kept as string)).toBe("theirs");
    expect(await paths(b.base)).toHaveLength(2);
    b.cache.dismiss(conflict?.id as string);
    expect(b.cache.conflicts()).toEqual([]);
  });

  test("our delete gives way to a version that nobody here has seen", async () => {
    await using b = bench(lazy);
    await b.base.write("/a", "old");
    await readText(b.store, "/a");
    await until(() => b.cache.state("/a").state === "clean");
    await b.store.delete("/a");
    await b.base.write("/a", "theirs");
    await b.cache.flush();
    expect(await readText(b.base, "/a")).toBe("theirs");
    expect(await readText(b.store, "/a")).toBe("theirs");
    expect(b.cache.conflicts()).toHaveLength(1);
  });

  test("they deleted what we have written: it stays", async () => {
    await using b = bench(lazy);
    await b.base.write("/a", "old");
    await readText(b.store, "/a");
    await until(() => b.cache.state("/a").state === "clean");
    await b.store.write("/a", "ours");
    await b.base.delete("/a");
    for (let round = 0; round < 10 && b.cache.state("/a").state !== "clean"; round++) {
      const flushing = b.cache.flush();
      await quiet();
      await b.clock.advance(2000);
      await flushing;
    }
    expect(await readText(b.base, "/a")).toBe("ours");
  });

  test("a file of theirs where a directory of ours has to be is renamed", async () => {
    await using b = bench(lazy);
    await b.store.write("/d/a", "ours");
    await b.base.write("/d", "theirs");
    await b.cache.flush();
    expect(await readText(b.base, "/d/a")).toBe("ours");
    const kept = b.cache.conflicts()[0]?.kept as string;
    expect(await readText(b.base, kept)).toBe("theirs");
  });

  test("a directory of theirs where a file of ours is: ours is renamed", async () => {
    await using b = bench(lazy);
    await b.store.write("/d", "ours");
    await b.base.write("/d/a", "theirs");
    await b.cache.flush();
    expect(await readText(b.base, "/d/a")).toBe("theirs");
    const kept = b.cache.conflicts()[0]?.kept as string;
    expect(await readText(b.base, kept)).toBe("ours");
    expect(await readText(b.store, kept)).toBe("ours");
  });

  test("a directory deleted without recursive keeps what they have put into it", async () => {
    await using b = bench(lazy);
    await b.base.write("/d/a", "x");
    await b.store.delete("/d/a");
    await b.store.delete("/d");
    await b.base.write("/d/b", "theirs");
    await b.cache.flush();
    expect(await paths(b.base, "/", true)).toEqual(["/d", "/d/b"]);
    expect(await paths(b.store, "/", true)).toEqual(["/d", "/d/b"]);
  });
});

describe("a file that was moved a moment ago", () => {
  test("is moved onto another one also while the service is away", async () => {
    await using b = bench({ uploadDelayMs: 0 });
    for (const path of ["/a", "/x"]) {
      await b.base.write(path, path);
      await readText(b.store, path);
      await b.store.move(path, `${path}1`);
    }
    await b.cache.flush();
    let asked = 0;
    b.script.before = ({ operation }) => {
      if (operation === "stat") asked++;
      throw failure("unavailable", { applied: false });
    };
    await b.store.move("/a1", "/x1");
    expect(asked).toBeGreaterThan(0);
    b.script.before = undefined;
    await b.clock.advance(400_000);
    await b.cache.flush();
    expect(await paths(b.base)).toEqual(["/x1"]);
    expect(await readText(b.base, "/x1")).toBe("/a");
    expect(b.cache.conflicts()).toEqual([]);
  });

  test("is looked at before it is replaced by another one", async () => {
    await using b = bench({ uploadDelayMs: 0 });
    await b.base.write("/a", "old");
    await readText(b.store, "/a");
    await b.store.move("/a", "/b");
    await b.store.write("/c", "new");
    await b.cache.flush();
    await b.store.move("/c", "/b");
    await b.base.write("/b", "theirs");
    await b.cache.flush();
    expect(await readText(b.base, "/b")).toBe("new");
    const [conflict] = b.cache.conflicts();
    expect(await readText(b.base, conflict?.kept as string)).toBe("theirs");
  });
});

describe("conditions are decided at the remote", () => {
  test("ifAbsent sees what others have put there, and what is pending here", async () => {
    await using b = bench(lazy);
    await b.base.write("/theirs", "x");
    expect(await code(b.store.write("/theirs", "y", { ifAbsent: true }))).toBe("already-exists");
    await b.store.write("/ours", "x");
    expect(await code(b.store.write("/ours", "y", { ifAbsent: true }))).toBe("already-exists");
    await b.store.write("/new", "y", { ifAbsent: true });
    expect(await readText(b.base, "/new")).toBe("y");
  });

  test("ifMatch takes the etag that was told, before and after the upload", async () => {
    await using b = bench(lazy);
    const { etag } = await b.store.write("/a", "one");
    expect((await b.store.stat("/a")).etag).toBe(etag);
    const second = await b.store.write("/a", "two", { ifMatch: etag as string });
    expect(await readText(b.base, "/a")).toBe("two");
    expect(await code(b.store.write("/a", "three", { ifMatch: etag as string }))).toBe("precondition-failed");
    expect((await b.store.stat("/a")).etag).toBe(second.etag);
    await b.base.write("/a", "theirs");
    expect(await code(b.store.delete("/a", { ifMatch: second.etag as string }))).toBe("precondition-failed");
    expect(await readText(b.base, "/a")).toBe("theirs");
  });
});

describe("the answer of a request is lost", () => {
  for (const landed of [true, false])
    test(`an upload that has ${landed ? "" : "not "}landed: no conflict, the file arrives once`, async () => {
      await using b = bench({ uploadDelayMs: 0, holdMs: 5000 });
      await b.base.write("/a", "old");
      await readText(b.store, "/a");
      await until(() => b.cache.state("/a").state === "clean");
      const lose = (call: { readonly operation: string }): void => {
        if (call.operation === "write" && b.script.count("write") === 1) throw failure("unavailable", { applied: "unknown" });
      };
      if (landed) b.script.after = lose;
      else b.script.before = lose;
      await b.store.write("/a", "new");
      await until(() => b.cache.state("/a").state === "in-doubt");
      await b.clock.advance(4000);
      await quiet();
      expect(b.script.count("write")).toBe(1);
      for (let round = 0; round < 20 && b.cache.dirty().length > 0; round++) {
        await b.clock.advance(1000);
        await quiet();
      }
      expect(await readText(b.base, "/a")).toBe("new");
      expect(b.script.count("write")).toBe(landed ? 1 : 2);
      expect(b.cache.conflicts()).toEqual([]);
    });

  test("a large one over a service without hashes: its bytes are compared, as they come", async () => {
    // One chunk of more than what is read at once.
    const large = Buffer.alloc(3 << 20, "large ");
    await using b = bench({ uploadDelayMs: 0, holdMs: 0 });
    b.script.after = (call) => {
      if (call.operation === "write" && b.script.count("write") === 1) throw failure("unavailable", { applied: "unknown" });
    };
    b.script.body = (reply) => ({ ...reply, entry: { ...reply.entry, hashes: {} } });
    await b.store.write("/a", large);
    for (let round = 0; round < 20 && b.cache.dirty().length > 0; round++) {
      await b.clock.advance(1000);
      await quiet();
    }
    expect(b.cache.dirty()).toEqual([]);
    expect(b.script.count("write")).toBe(1);
    expect(b.script.count("read")).toBe(1);
    expect(b.cache.conflicts()).toEqual([]);
  });

  test("a move that has landed is seen as done also where another client has written at its source since", async () => {
    await using b = bench(lazy);
    await b.store.write("/a", "ours");
    await b.cache.flush();
    b.script.after = (call) => {
      if (call.operation === "move") throw failure("unavailable", { applied: "unknown" });
    };
    await b.store.move("/a", "/b");
    await until(() => b.script.count("move") === 1);
    await b.base.write("/a", "theirs");
    for (let round = 0; round < 20 && Number(b.cache.report()["barriers"]) > 0; round++) {
      await b.clock.advance(60_000);
      await quiet();
    }
    expect(b.script.count("move")).toBe(1);
    expect(await readText(b.base, "/b")).toBe("ours");
    expect(await readText(b.base, "/a")).toBe("theirs");
    expect(b.cache.conflicts()).toEqual([]);
  });

  test("a move that has landed is seen as done", async () => {
    await using b = bench({ uploadDelayMs: 0, holdMs: 5000 });
    await b.base.write("/d/a", "x");
    b.script.after = (call) => {
      if (call.operation === "move") throw failure("unavailable", { applied: "unknown" });
    };
    await b.store.move("/d", "/e");
    expect(await readText(b.store, "/e/a")).toBe("x");
    for (let round = 0; round < 20 && Number(b.cache.report()["barriers"]) > 0; round++) {
      await b.clock.advance(1000);
      await quiet();
    }
    expect(await paths(b.base, "/", true)).toEqual(["/e", "/e/a"]);
    expect(b.cache.conflicts()).toEqual([]);
  });
});
