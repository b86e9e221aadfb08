/** A directory as a store of its own: nothing outside can be named, and no answer or error tells where it lies. */
import { expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { StoreError, borrow, find, identityOf, readText, stack } from "../../src/store/index.ts";
import type { StorePath } from "../../src/store/index.ts";
import { Prefix, prefix } from "../../src/wrappers/index.ts";
import { code, failure, paths, scripted } from "./at.ts";

const DIR = "/tenants/7";

test("every verb works below the directory and answers in paths of its own", async () => {
  const base = memory();
  const store = stack(borrow(base), prefix(DIR));
  expect((await store.write("/a/f", "x")).path).toBe("/a/f");
  expect((await store.stat("/a/f")).path).toBe("/a/f");
  const read = await store.read("/a/f");
  expect(read.entry.path).toBe("/a/f");
  expect(await read.text()).toBe("x");
  expect((await store.mkdir("/d")).path).toBe("/d");
  expect((await store.copy("/a/f", "/d/g")).path).toBe("/d/g");
  expect((await store.move("/d/g", "/h")).path).toBe("/h");
  expect(await paths(store, "/", true)).toEqual(["/a", "/a/f", "/d", "/h"]);
  expect(await paths(store, "/a")).toEqual(["/a/f"]);
  await store.delete("/a", { recursive: true });
  expect(await paths(base, "/", true)).toEqual(["/tenants", "/tenants/7", "/tenants/7/d", "/tenants/7/h"]);
  expect(await store.space()).toEqual(await base.space());
  expect(await store.account()).toEqual(await base.account());
});

test("what lies beside the directory is out of reach, also where its name starts the same", async () => {
  const base = memory();
  await base.write("/tenants/77/secret", "no");
  await base.write("/tenants/6/secret", "no");
  const store = stack(borrow(base), prefix(DIR));
  for (const path of ["/../6/secret", "/..", "/../77/secret", "//"]) expect(await code(store.read(path))).toBe("invalid-path");
  expect(await paths(store, "/", true)).toEqual([]);
  await store.write("/f", "x");
  await store.delete("/f");
  expect(await paths(base, "/tenants")).toEqual(["/tenants/6", "/tenants/7", "/tenants/77"]);
});

test("its root is always there, is a directory, and is made by the first change that needs it", async () => {
  const base = memory();
  const store = stack(borrow(base), prefix(DIR));
  expect(await store.stat("/")).toMatchObject({ path: "/", kind: "directory", size: 0 });
  expect(await paths(store)).toEqual([]);
  expect(await code(store.mkdir("/"))).toBe("already-exists");
  expect(await code(store.mkdir("/", { existOk: true }))).toBe("nothing");
  expect(await code(store.list("/gone").toArray())).toBe("not-found");
  expect(await code(store.stat("/gone"))).toBe("not-found");
  expect(await paths(base)).toEqual([]);
  await store.write("/f", "x");
  expect(await paths(base, "/", true)).toEqual(["/tenants", "/tenants/7", "/tenants/7/f"]);
});

test("a directory that is a file is config", async () => {
  const base = memory();
  await base.write(DIR, "a file");
  const store = stack(borrow(base), prefix(DIR));
  expect(await code(store.stat("/"))).toBe("config");
  expect(await code(paths(store))).toBe("config");
  expect(await code(store.write("/f", "x"))).toBe("not-a-directory");
});

test("errors name the caller's path everywhere: path, to, message, entry, and how far it came", async () => {
  const script = scripted();
  const store = stack(memory(), script.layer, prefix(DIR));
  await store.write("/f", "x");
  const seen = async (work: Promise<unknown>): Promise<StoreError> => {
    const error: unknown = await work.then(
      () => "nothing",
      (thrown: unknown) => thrown,
    );
    expect(StoreError.is(error)).toBe(true);
    expect(JSON.stringify([error, (error as StoreError).message])).not.toContain("tenants");
    return error as StoreError;
  };
  expect(await seen(store.write("/f", "y", { ifAbsent: true }))).toMatchObject({ code: "already-exists", path: "/f", entry: { path: "/f" } });
  expect(await seen(store.read("/f", { ifMatch: "no" }))).toMatchObject({ code: "precondition-failed", entry: { path: "/f" } });
  expect(await seen(store.read("/f", { range: { offset: 9 } }))).toMatchObject({ code: "bad-range", entry: { path: "/f", size: 1 } });
  expect(await seen(store.copy("/gone", "/g"))).toMatchObject({ code: "not-found", path: "/gone", to: "/g" });
  expect(await seen(store.move("/f", "/f/g"))).toMatchObject({ code: "invalid-path" });
  expect(await seen(store.mkdir("/f"))).toMatchObject({ code: "already-exists", entry: { path: "/f" } });
  expect(await seen(store.list("/f").toArray())).toMatchObject({ code: "not-a-directory", path: "/f" });
  script.before = ({ operation }) => {
    if (operation === "delete") throw failure("unavailable", { applied: "partly", partial: { done: 3, at: "/tenants/7/d/e" as StorePath } });
  };
  expect(await seen(store.delete("/d", { recursive: true }))).toMatchObject({ applied: "partly", partial: { done: 3, at: "/d/e" } });
});

test("an answer from outside of the directory is a defect that is said, not passed on", async () => {
  const script = scripted();
  const base = memory();
  await base.write("/elsewhere", "x");
  const store = stack(base, script.layer, prefix(DIR));
  await store.write("/f", "x");
  script.body = (reply) => ({ ...reply, entry: { ...reply.entry, path: "/elsewhere" as StorePath } });
  expect(await code(store.read("/f"))).toBe("unknown");
});

test("capabilities are those below, with the path shorter by the directory, and files at the root", async () => {
  const base = memory();
  const store = stack(borrow(base), prefix(DIR));
  expect(store.capabilities).toEqual({ ...base.capabilities, maxPathBytes: base.capabilities.maxPathBytes - DIR.length });
  expect(() => prefix("relative")).toThrowError(expect.objectContaining({ code: "invalid-path" }) as Error);
  expect(String(store)).toBe("prefix(memory, directory=/tenants/7)");
});

test("the prefix of the root changes nothing, prefixes add up, and each has an identity of its own", async () => {
  const base = memory();
  const same = stack(borrow(base), prefix("/"));
  await same.write("/a", "x");
  expect(await readText(base, "/a")).toBe("x");
  const two = stack(borrow(base), prefix("/x"), prefix("/y").as("inner"));
  await two.write("/f", "deep");
  expect(await readText(base, "/x/y/f")).toBe("deep");
  expect(identityOf(two)).toBe("memory | prefix:/x | prefix:/y");
  expect(find(two, Prefix)?.kind).toBe("prefix");
});

test("a page that is asked for twice, and a failing one, are told as they are", async () => {
  const script = scripted();
  const store = stack(memory(), script.layer, prefix(DIR));
  script.before = ({ operation }) => {
    if (operation === "list") throw failure("unavailable");
  };
  expect(await code(paths(store))).toBe("unavailable");
});
