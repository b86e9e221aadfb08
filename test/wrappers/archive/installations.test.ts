/** Several installations on one folder: nobody asks anybody, and all see the same. */
import { describe, expect, test } from "vitest";
import { readText } from "../../../src/store/index.ts";
import { code, paths } from "../at.ts";
import { Bed } from "./make.ts";

const HOUR_MS = 3_600_000;

describe("what others wrote", () => {
  test("is seen after refreshMs, at once when asked fresh, and own changes always", async () => {
    const bed = new Bed();
    const one = bed.install({ refreshMs: 60_000 });
    const two = bed.install({ refreshMs: 60_000 });
    await two.store.list("/").toArray();
    await one.store.write("/a", "x");
    expect(await paths(two.store)).toEqual([]);
    await two.store.write("/b", "y");
    expect(await paths(two.store)).toEqual(["/b"]);
    expect(await code(two.store.stat("/a", { fresh: true }))).toBe("nothing");
    await one.store.write("/c", "z");
    await bed.clock.advance(60_001);
    expect(await paths(two.store)).toEqual(["/a", "/b", "/c"]);
  });

  test("a refresh that fails is not answered from the old view", async () => {
    const bed = new Bed();
    const { store, script } = bed.install({ refreshMs: 1000 });
    await store.write("/a", "x");
    script.before = (call) => {
      if (call.operation === "list") throw new TypeError("down");
    };
    expect(await code(store.stat("/a"))).toBe("nothing");
    await bed.clock.advance(1001);
    expect(await code(store.stat("/a"))).toBe("unknown");
  });

  test("of two versions that did not know of one another the later stamp is shown, everywhere", async () => {
    const bed = new Bed();
    const [one, two] = [bed.install({ refreshMs: Infinity }), bed.install({ refreshMs: Infinity })];
    await Promise.all([one.store.list("/").toArray(), two.store.list("/").toArray()]);
    await one.store.write("/p", "first");
    await bed.clock.advance(5);
    await two.store.write("/p", "second");
    await Promise.all([one.control.refresh(), two.control.refresh()]);
    expect([await readText(one.store, "/p"), await readText(two.store, "/p")]).toEqual(["second", "second"]);
    // Whoever has seen a version writes above it, however slow its clock.
    await one.store.write("/p", "third");
    await two.control.refresh();
    expect(await readText(two.store, "/p")).toBe("third");
  });

  test("a delete removes what was seen, not what was written meanwhile", async () => {
    const bed = new Bed();
    const one = bed.install({ refreshMs: Infinity });
    const two = bed.install({ refreshMs: Infinity });
    await one.store.write("/p", "old");
    await two.store.list("/").toArray();
    await bed.clock.advance(10);
    await one.store.write("/p", "new");
    await bed.clock.advance(10);
    await two.store.delete("/p");
    await Promise.all([one.control.refresh(), two.control.refresh()]);
    expect([await readText(one.store, "/p"), await readText(two.store, "/p")]).toEqual(["new", "new"]);
    await two.store.delete("/p");
    await one.control.refresh();
    expect(await paths(one.store)).toEqual([]);
  });

  test("a file behind a directory of the same name is hidden, kept, and shows again", async () => {
    const bed = new Bed();
    const [one, two] = [bed.install({ refreshMs: Infinity }), bed.install({ refreshMs: Infinity })];
    await Promise.all([one.store.list("/").toArray(), two.store.list("/").toArray()]);
    await one.store.write("/p/x", "below");
    await bed.clock.advance(1);
    await two.store.write("/p", "file");
    await one.control.refresh();
    expect((await one.store.stat("/p")).kind).toBe("directory");
    expect(await paths(one.store, "/", true)).toEqual(["/p", "/p/x"]);
    expect(one.control.report()["hidden"]).toBe(1);
    expect((await one.control.verify()).map(({ path }) => path)).toEqual(["/p"]);
    await one.store.delete("/p/x");
    expect(await readText(one.store, "/p")).toBe("file");
  });

  test("a copy of another's file takes its bytes over, large and small", async () => {
    const bed = new Bed();
    const one = bed.install({ smallBytes: 1000 });
    const two = bed.install({ smallBytes: 1000 });
    await one.store.write("/d/small", "small");
    await one.store.write("/d/large", "large".repeat(1000));
    const before = await two.store.stat("/d/small");
    await two.store.copy("/d", "/e");
    expect((await two.store.stat("/d/small")).etag).toBe(before.etag);
    await two.store.move("/d/large", "/f");
    for (const { store } of [one, two, bed.install()]) {
      expect(await paths(store, "/", true)).toEqual(["/d", "/d/small", "/e", "/e/large", "/e/small", "/f"]);
      expect([await readText(store, "/e/small"), await readText(store, "/e/large")]).toEqual(["small", "large".repeat(1000)]);
      expect(await readText(store, "/f")).toBe("large".repeat(1000));
    }
    expect(await one.control.verify({ data: true })).toEqual([]);
  });
});

describe("identity", () => {
  test("CF67: two installations never produce the same name, even with the same clock and the same random numbers", async () => {
    const bed = new Bed();
    const numbers = (): (() => number) => {
      let n = 0;
      return () => ((n += 7) % 100) / 100;
    };
    const one = bed.install({ random: numbers() });
    await one.store.write("/a", "x");
    const two = bed.install({ random: numbers() });
    await two.store.write("/b", "y");
    const writers = (await bed.objects()).map((name) => name.slice(10, 20));
    expect(new Set(writers).size).toBe(2);
    expect(await paths(one.store)).toEqual(["/a", "/b"]);
  });

  test("a second process on the same directory is refused, and changes nothing", async () => {
    const bed = new Bed();
    const one = bed.install();
    await one.store.write("/a", "x");
    const two = bed.install({ directory: one.directory });
    await expect(two.store.stat("/a")).rejects.toMatchObject({ code: "conflict", transient: false });
    await one.store.write("/b", "y");
    expect(await paths(one.store)).toEqual(["/a", "/b"]);
  });

  test("a lost index gets a new writer, which takes the old one over after a grace period", async () => {
    const { rmSync } = await import("node:fs");
    const bed = new Bed();
    const one = bed.install();
    await one.store.write("/a", "x");
    const old = one.parts.core.identity.writer;
    await one.store.close();
    rmSync(`${one.directory}/archive.db`);
    const again = bed.install({ directory: one.directory }, { upkeep: true });
    expect(await paths(again.store)).toEqual(["/a"]);
    await again.parts.upkeep?.settled();
    expect(again.parts.core.identity.writer).not.toBe(old);
    const own = async (): Promise<boolean | undefined> => (await again.control.writers()).find(({ writer }) => writer === old)?.own;
    expect(await own()).toBe(false);
    await bed.clock.advance(2 * HOUR_MS + 1);
    expect(await own()).toBe(true);
    // References go into them now, and they are packed again and collected.
    await again.store.copy("/a", "/b");
    await again.control.repack({ all: true });
    expect(await readText(again.store, "/b")).toBe("x");
  });

  test("adopt: only of a writer that has been quiet, and it draws a new id when it comes back", async () => {
    const bed = new Bed();
    const one = bed.install();
    const two = bed.install();
    await one.store.write("/a", "x");
    const old = one.parts.core.identity.writer;
    await two.store.list("/").toArray();
    expect(await code(two.control.adopt(old))).toBe("conflict");
    await bed.clock.advance(25 * HOUR_MS);
    await two.control.adopt(old);
    await two.control.adopt(old);
    expect(
      await code(
        bed
          .install()
          .store.open()
          .then((three) => three.layers.archive.adopt(old)),
      ),
    ).toBe("conflict");
    const events: string[] = [];
    one.control.onEvent(({ type }) => events.push(type));
    await one.store.write("/b", "y");
    await one.control.refresh();
    expect(events).toEqual(["identity-changed"]);
    const before = await bed.objects();
    await one.store.write("/c", "z");
    expect((await bed.objects()).filter((name) => !before.includes(name)).map((name) => name.slice(10, 20) === old)).toEqual([false]);
    expect(await paths(two.store)).toEqual(["/a", "/b", "/c"]);
  });
});
