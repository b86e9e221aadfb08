import { describe, expect, test } from "vitest";
import { readBytes, readText } from "../../../src/store/index.ts";
import { code, paths } from "../at.ts";
import { Bed } from "./make.ts";

describe("one installation", () => {
  test("CF64: a hundred files written at once are one archive", async () => {
    const bed = new Bed();
    const { store, script } = bed.install();
    await Promise.all(Array.from({ length: 100 }, (_, i) => store.write(`/d/${i}`, `body ${i}`)));
    expect(script.count("write")).toBe(1);
    expect(await bed.objects()).toHaveLength(1);
    expect(await readText(store, "/d/42")).toBe("body 42");
    expect(await paths(store, "/d")).toHaveLength(100);
  });

  test("what was written is there after a rebuild, CF73", async () => {
    const bed = new Bed();
    const one = bed.install();
    await one.store.write("/a/b/c.txt", "hello", { contentType: "text/plain", metadata: { x: "y" }, modifiedMs: 5 });
    await one.store.mkdir("/empty");
    await one.store.copy("/a/b/c.txt", "/copy");
    await one.store.move("/copy", "/moved");
    await one.store.delete("/a/b/c.txt");
    await one.store.write("/large", new Uint8Array(3 << 20).fill(7));
    const seen = await one.store.list("/", { recursive: true }).toArray();
    const two = bed.install();
    expect(await two.store.list("/", { recursive: true }).toArray()).toEqual(seen);
    expect(await readText(two.store, "/moved")).toBe("hello");
    expect((await readBytes(two.store, "/large")).length).toBe(3 << 20);
    expect(await paths(two.store)).toEqual(["/a", "/empty", "/large", "/moved"]);
    expect(await two.store.stat("/moved")).toMatchObject({ modifiedMs: 5, contentType: "text/plain", metadata: { x: "y" } });
    expect(await one.control.verify({ data: true })).toEqual([]);
  });

  test("the rules of the contract are those of the view at the seal", async () => {
    const { store } = new Bed().install();
    await store.write("/d/f", "x");
    expect(await code(store.write("/d", "x"))).toBe("is-a-directory");
    expect(await code(store.write("/d/f/g", "x"))).toBe("not-a-directory");
    expect(await code(store.delete("/d"))).toBe("not-empty");
    expect(await code(store.mkdir("/d"))).toBe("already-exists");
    expect(await code(store.copy("/none", "/x"))).toBe("not-found");
    expect(await code(store.move("/d", "/d/f"))).toBe("invalid-path");
    await store.delete("/d", { recursive: true });
    expect(await paths(store)).toEqual([]);
  });
});
