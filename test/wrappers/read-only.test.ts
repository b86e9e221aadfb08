/** Every change is refused, says so beforehand, and reaches nothing below. */
import { expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { borrow, calls, find, layer, parsePath, readText, stack, uniform } from "../../src/store/index.ts";
import type { Backend, Store } from "../../src/store/index.ts";
import { ReadOnly, readOnly } from "../../src/wrappers/index.ts";
import { code, paths, scripted } from "./at.ts";

const changes: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
  write: (store) => store.write("/f", "y"),
  "write of a new file": (store) => store.write("/new", "y", { ifAbsent: true }),
  delete: (store) => store.delete("/f"),
  "delete of nothing": (store) => store.delete("/gone"),
  "delete of a tree": (store) => store.delete("/d", { recursive: true }),
  mkdir: (store) => store.mkdir("/e"),
  "mkdir of what is there": (store) => store.mkdir("/d", { existOk: true }),
  copy: (store) => store.copy("/f", "/g"),
  move: (store) => store.move("/f", "/g"),
};

test.each(Object.entries(changes))("refused with unsupported, and nothing is asked below: %s", async (_, change) => {
  const base = memory();
  await base.write("/f", "x");
  await base.mkdir("/d");
  const script = scripted();
  const store = stack(base, script.layer, readOnly());
  const error: unknown = await change(store).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "unsupported", applied: false });
  expect(script.calls).toEqual([]);
});

test("questions are answered as below", async () => {
  const base = memory();
  const entry = await base.write("/d/f", "x");
  const store = stack(borrow(base), readOnly());
  expect(await store.stat("/d/f")).toEqual(entry);
  expect(await readText(store, "/d/f", { range: { offset: 0, length: 1 }, ifMatch: entry.etag as string })).toBe("x");
  expect(await paths(store, "/", true)).toEqual(["/d", "/d/f"]);
  expect(await store.space()).toEqual(await base.space());
  expect(await store.account()).toEqual(await base.account());
  expect(await code(store.read("/gone"))).toBe("not-found");
});

test("capabilities: every key of a change is false, every other as below", () => {
  const base = memory();
  const store = stack(borrow(base), readOnly());
  const differs = Object.entries(base.capabilities).flatMap(([key, value]) =>
    (store.capabilities as unknown as Record<string, unknown>)[key] === value ? [] : [key],
  );
  expect(differs.sort()).toEqual([
    "copy",
    "copyIfAbsent",
    "copyTree",
    "delete",
    "deleteIfMatch",
    "deleteRecursive",
    "exclusiveMkdir",
    "mkdir",
    "move",
    "moveIfAbsent",
    "moveTree",
    "write",
    "writeContentType",
    "writeExpect",
    "writeIfAbsent",
    "writeIfMatch",
    "writeMetadata",
    "writeModified",
    "writeUnknownSize",
  ]);
  for (const key of differs) expect([false, []]).toContainEqual((store.capabilities as unknown as Record<string, unknown>)[key]);
  expect(find(store, ReadOnly)?.kind).toBe("readOnly");
});

test("a layer on top that ignores the capabilities is refused as well, at the boundary", async () => {
  let below!: Backend;
  const careless = layer("careless", (inner) => {
    below = inner;
    return { backend: uniform(inner, { around: (call, next) => next(call) }) };
  });
  stack(memory(), readOnly(), careless);
  const f = parsePath("/f");
  for (const work of [
    () => below.write(calls.write(f, "x")),
    () => below.delete(calls.delete(f)),
    () => below.mkdir(calls.mkdir(f)),
    () => below.copy(calls.copy(f, parsePath("/g"))),
    () => below.move(calls.move(f, parsePath("/g"))),
  ]) {
    expect(await code(work())).toBe("unsupported");
  }
});
