/** What readers get, and what it costs. */
import { describe, expect, test } from "vitest";
import { readBytes, readText } from "../../../src/store/index.ts";
import { code, paths } from "../at.ts";
import { bench, quiet, until } from "./bench.ts";

const lazy = { uploadDelayMs: 1e9, maxDelayMs: 1e9 } as const;

describe("reads", () => {
  test("the first read is a miss, the second a hit without a call of the provider (CF29, CF36)", async () => {
    await using b = bench();
    for (const bytes of [10, 200_000]) {
      const path = `/${bytes}`;
      const content = new Uint8Array(bytes).fill(7);
      const same = async (): Promise<number> => Buffer.compare(await readBytes(b.store, path), content);
      await b.base.write(path, content);
      expect(await same()).toBe(0);
      await until(() => b.cache.state(path).state === "clean");
      const before = b.sent("read").length;
      expect(await same()).toBe(0);
      expect(await readBytes(b.store, path, { range: { offset: 2, length: 3 } })).toEqual(content.subarray(2, 5));
      expect(b.sent("read")).toHaveLength(before);
    }
    expect(b.cache.report()).toMatchObject({ misses: 2, hits: 4, bytesFilled: 200_010 });
  });

  test("expired and unchanged: one question and no download; changed: the new bytes (CF37)", async () => {
    await using b = bench({ freshMs: 1000 });
    await b.base.write("/a", "one");
    await readText(b.store, "/a");
    await until(() => b.cache.state("/a").state === "clean");
    await b.clock.advance(1000);
    expect(await readText(b.store, "/a")).toBe("one");
    expect(b.sent("read")).toHaveLength(1);
    expect(b.sent("stat")).toHaveLength(1);
    expect(b.cache.report()).toMatchObject({ revalidated: 1 });
    await b.base.write("/a", "three");
    expect(await readText(b.store, "/a")).toBe("one");
    await b.clock.advance(1000);
    expect(await readText(b.store, "/a")).toBe("three");
    await b.clock.advance(1000);
    await b.base.delete("/a");
    expect(await code(readText(b.store, "/a"))).toBe("not-found");
  });

  test("a part of a file that is not here is streamed, and is not taken for the whole", async () => {
    await using b = bench();
    await b.base.write("/a", "0123456789");
    expect(await readText(b.store, "/a", { range: { offset: 2, length: 3 } })).toBe("234");
    await quiet();
    expect(b.cache.state("/a").state).toBe("absent");
    expect(await readText(b.store, "/a")).toBe("0123456789");
  });

  test("a body that is left half way is not kept", async () => {
    await using b = bench();
    await b.base.write("/a", new Uint8Array(100_000));
    const result = await b.store.read("/a");
    await result[Symbol.asyncDispose]();
    await quiet();
    expect(b.cache.state("/a").state).toBe("absent");
  });

  test("a pending file wins over the remote, whatever happens there (CF38)", async () => {
    await using b = bench({ ...lazy, freshMs: 0 });
    await b.base.write("/a", "theirs");
    await b.store.write("/a", "ours");
    await b.base.write("/a", "theirs again");
    expect(await readText(b.store, "/a")).toBe("ours");
    expect((await b.store.stat("/a")).size).toBe(4);
    expect(await readText(b.store, "/a", { fresh: true })).toBe("ours");
  });

  test("what is missing is not-found, through the cache as without it (CF57)", async () => {
    await using b = bench();
    for (const work of [() => b.store.stat("/x"), () => b.store.read("/x"), () => b.store.list("/x").toArray(), () => b.store.move("/x", "/y")])
      expect(await code(work())).toBe("not-found");
    b.script.before = () => {
      throw Object.assign(new Error("made up"));
    };
    expect(await code(b.store.stat("/x"))).toBe("unknown");
  });

  test("a reader sees one version to its end while the file is replaced and deleted", async () => {
    await using b = bench(lazy);
    const old = new Uint8Array(3_000_000).fill(1);
    await b.store.write("/a", old);
    const result = await b.store.read("/a");
    await b.store.write("/a", new Uint8Array(3_000_000).fill(2));
    await b.store.delete("/a");
    expect(Buffer.compare(await result.bytes(), old)).toBe(0);
  });
});

describe("listings", () => {
  test("a file that was not uploaded yet appears once (CF54)", async () => {
    await using b = bench(lazy);
    await b.base.write("/d/theirs", "x");
    await b.base.write("/d/both", "x");
    await b.store.write("/d/ours", "y");
    await b.store.write("/d/both", "yy");
    expect(await paths(b.store, "/d")).toEqual(["/d/both", "/d/ours", "/d/theirs"]);
    const sizes = (await b.store.list("/d").toArray()).map(({ path, size }) => [path, size]).sort();
    expect(sizes).toEqual([
      ["/d/both", 2],
      ["/d/ours", 1],
      ["/d/theirs", 1],
    ]);
    await b.store.delete("/d/theirs");
    expect(await paths(b.store, "/d")).toEqual(["/d/both", "/d/ours"]);
    await b.cache.flush();
    expect(await paths(b.store, "/d")).toEqual(["/d/both", "/d/ours"]);
  });

  test("a fresh upload stays readable although the provider lists it late (CF47)", async () => {
    await using b = bench({ uploadDelayMs: 0 });
    await b.store.write("/d/a", "x");
    await b.cache.flush();
    await b.base.delete("/d/a");
    expect(await paths(b.store, "/d")).toEqual(["/d/a"]);
    expect(await readText(b.store, "/d/a")).toBe("x");
  });

  test("after a directory is moved, copied or deleted its children follow (CF56)", async () => {
    await using b = bench(lazy);
    await b.base.write("/a/old", "remote");
    await readText(b.store, "/a/old");
    await b.store.write("/a/new", "pending");
    await b.store.move("/a", "/b");
    expect(await code(b.store.stat("/a/new"))).toBe("not-found");
    expect(await code(b.store.stat("/a/old"))).toBe("not-found");
    expect(await readText(b.store, "/b/new")).toBe("pending");
    expect(await readText(b.store, "/b/old")).toBe("remote");
    await b.store.copy("/b", "/c");
    expect(await paths(b.store, "/", true)).toEqual(["/b", "/b/new", "/b/old", "/c", "/c/new", "/c/old"]);
    await b.store.delete("/b", { recursive: true });
    expect(await paths(b.store, "/", true)).toEqual(["/c", "/c/new", "/c/old"]);
    await b.cache.flush();
    expect(await paths(b.base, "/", true)).toEqual(["/c", "/c/new", "/c/old"]);
    expect(await readText(b.base, "/c/new")).toBe("pending");
    expect(await readText(b.base, "/c/old")).toBe("remote");
  });
});

describe("space", () => {
  test("free falls by the pending bytes, never below nothing (CF55); after the first call nobody waits for the service (CF63)", async () => {
    await using b = bench(lazy);
    expect(await b.store.space()).toEqual({ used: 0, free: Infinity, total: Infinity });
    await b.store.write("/a", new Uint8Array(1000));
    expect(await b.store.space()).toEqual({ used: 1000, free: Infinity, total: Infinity });
    expect(b.sent("space")).toHaveLength(1);
  });
});
