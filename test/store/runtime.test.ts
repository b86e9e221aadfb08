/** A Node that is too old: one typed error with store, operation and path, before anything is done. */
import { expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { tooOld } from "../../src/store/runtime.ts";

test.each([
  [{ node: "22.19.0" }, false],
  [{ node: "24.0.0" }, false],
  [{ node: "22.18.9" }, true],
  [{ node: "20.20.2" }, true],
  [{ node: "18.0.0", bun: "1.3.0" }, false],
  [{ node: "18.0.0", deno: "2.5.0" }, false],
  [{}, false],
] as const)("%o", (versions, old) => {
  expect(tooOld(versions) !== undefined).toBe(old);
});

test("the first call says so, and changes nothing", async () => {
  const real = process.versions;
  const store = memory();
  Object.defineProperty(process, "versions", { value: { ...real, node: "20.20.2" }, configurable: true });
  try {
    await expect(store.write("/a", "x")).rejects.toMatchObject({
      code: "config",
      operation: "write",
      path: "/a",
      store: "memory",
      transient: false,
      applied: false,
      reason: "Stratus needs Node 22.19 or newer, and this is Node 20.20.2",
    });
    await expect(store.list("/").toArray()).rejects.toMatchObject({ code: "config", operation: "list", path: "/" });
    await expect(store.open()).rejects.toMatchObject({ code: "config", operation: "open" });
  } finally {
    Object.defineProperty(process, "versions", { value: real, configurable: true });
  }
  expect(await store.list("/").toArray()).toEqual([]);
});
