/** The reference store: each parameter changes what it says, and nothing else does. */
import { expect, test } from "vitest";
import { calls, manualClock, parsePath, readText } from "../../src/store/index.ts";
import type { Capabilities, Store } from "../../src/store/index.ts";
import { ModelState, everything, referenceProvider, referenceStore } from "../../src/conformance/model/reference.ts";

async function paths(store: Store, dir = "/", recursive = false): Promise<string[]> {
  return (await store.list(dir, { recursive }).toArray()).map(({ path }) => path);
}
const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "success",
    (error: { code?: string }) => error.code ?? error,
  );

test("everything is native, and the basic verbs hold", async () => {
  await using store = referenceStore();
  expect(store.capabilities).toEqual(everything);
  const written = await store.write("/a/b.txt", "hello", { contentType: "text/plain", metadata: { k: "v" } });
  expect(await store.stat("/a/b.txt")).toEqual(written);
  expect(written).toMatchObject({
    size: 5,
    contentType: "text/plain",
    metadata: { k: "v" },
    complete: true,
    hashes: { md5: "5d41402abc4b2a76b9719d911017c592" },
  });
  expect(await readText(store, "/a/b.txt")).toBe("hello");
  expect(await readText(store, "/a/b.txt", { range: { offset: 1, length: 3 } })).toBe("ell");
  expect(await readText(store, "/a/b.txt", { range: { offset: -2 } })).toBe("lo");
  expect(await code(store.read("/a/b.txt", { range: { offset: 5 } }))).toBe("bad-range");
  expect(await paths(store, "/", true)).toEqual(["/a", "/a/b.txt"]);
  await store.copy("/a", "/c");
  await store.move("/a", "/d/e");
  expect(await paths(store, "/", true)).toEqual(["/c", "/c/b.txt", "/d", "/d/e", "/d/e/b.txt"]);
  expect(await code(store.delete("/d"))).toBe("not-empty");
  await store.delete("/d", { recursive: true });
  await store.delete("/d");
  expect(await paths(store, "/", true)).toEqual(["/c", "/c/b.txt"]);
  expect((await store.space()).used).toBe(5);
});

test("rename(2): what may replace what", async () => {
  await using store = referenceStore();
  await store.write("/file", "f");
  await store.write("/full/x", "x");
  await store.mkdir("/empty");
  await store.mkdir("/also");
  expect(await code(store.move("/file", "/empty"))).toBe("is-a-directory");
  expect(await code(store.move("/full", "/file"))).toBe("not-a-directory");
  expect(await code(store.copy("/empty", "/full"))).toBe("not-empty");
  expect(await code(store.copy("/full", "/empty", { ifAbsent: true }))).toBe("already-exists");
  expect(await code(store.copy("/missing", "/file"))).toBe("not-found");
  expect(await code(store.copy("/full", "/empty"))).toBe("success");
  expect(await code(store.move("/empty", "/also"))).toBe("success");
  expect(await paths(store, "/", true)).toEqual(["/also", "/also/x", "/file", "/full", "/full/x"]);
  expect(await code(store.write("/file/below", "x"))).toBe("not-a-directory");
  expect(await code(store.write("/full", "x"))).toBe("is-a-directory");
});

test("several connections see one state; a store without one has its own", async () => {
  const state = new ModelState();
  await using one = referenceStore({ state });
  await using other = referenceStore({ state });
  await using stranger = referenceStore();
  await one.write("/a", "1");
  expect(await readText(other, "/a")).toBe("1");
  expect(await paths(stranger)).toEqual([]);
});

test("conditions: exactly one of racing creators wins, a stale etag changes nothing", async () => {
  await using store = referenceStore();
  const codes = await Promise.all(Array.from({ length: 5 }, (_, i) => code(store.write("/lock", String(i), { ifAbsent: true }))));
  expect(codes.filter((one) => one === "success").length).toBe(1);
  const { etag } = await store.stat("/lock");
  await store.write("/lock", "new", { ifMatch: etag ?? "" });
  expect(await code(store.write("/lock", "late", { ifMatch: etag ?? "" }))).toBe("precondition-failed");
  expect(await code(store.delete("/lock", { ifMatch: etag ?? "" }))).toBe("precondition-failed");
  expect(await readText(store, "/lock")).toBe("new");
});

test("implied directories: gone with their last child, unless made", async () => {
  await using store = referenceStore({ capabilities: { directories: "implied" } });
  await store.write("/a/b/c", "x");
  expect(await paths(store, "/", true)).toEqual(["/a", "/a/b", "/a/b/c"]);
  await store.delete("/a/b/c");
  expect(await code(store.stat("/a"))).toBe("not-found");
  await store.mkdir("/m");
  await store.write("/m/x", "x");
  await store.delete("/m/x");
  expect((await store.stat("/m")).kind).toBe("directory");
});

test("loose hierarchy: a file and a directory of one name, and the file wins", async () => {
  await using store = referenceStore({ capabilities: { directories: "implied", strictHierarchy: false } });
  await store.write("/a", "file");
  await store.write("/a/b", "below");
  expect((await store.stat("/a")).kind).toBe("file");
  expect((await store.list("/").toArray()).map(({ path, kind }) => [path, kind])).toEqual([
    ["/a", "file"],
    ["/a", "directory"],
  ]);
  expect(await paths(store, "/a")).toEqual(["/a/b"]);
  await store.delete("/a");
  expect((await store.stat("/a")).kind).toBe("directory");
});

test.each([
  [{ caseSensitive: false }, "/Dir/File", "/dir/fILE"],
  [{ normalisation: "nfc" }, "/e\u0301/\u00fc", "/\u00e9/u\u0308"],
  [{ normalisation: "nfkc" }, "/\uff21", "/A"],
] as const satisfies readonly (readonly [Partial<Capabilities>, string, string])[])("folding %j: %s is %s", async (capabilities, first, second) => {
  await using store = referenceStore({ capabilities });
  await store.write(first, "1");
  expect((await store.stat(second)).path).toBe(second);
  await store.write(second, "2");
  expect((await paths(store, "/", true)).length).toBe(first.split("/").length - 1);
  expect(await readText(store, first)).toBe("2");
  expect((await store.move(first, second)).path).toBe(second);
  expect(await readText(store, first)).toBe("2");
  expect((await paths(store, "/", true)).length).toBe(first.split("/").length - 1);
});

test("pages of one entry, empty pages between them, and pieces of one byte", async () => {
  await using store = referenceStore({ pageSize: 1, emptyPages: true, chunkBytes: 1 });
  for (const name of ["b", "a", "c"]) await store.write(`/${name}`, "xyz");
  expect(await paths(store)).toEqual(["/a", "/b", "/c"]);
  // The front passes no empty page on, so the provider is asked.
  const state = new ModelState();
  const provider = referenceProvider({ state, pageSize: 1, emptyPages: true });
  await using beside = referenceStore({ state });
  await Promise.all(["b", "a", "c"].map((name) => beside.write(`/${name}`, "xyz")));
  const sizes: number[] = [];
  let cursor: unknown;
  do {
    const page = await provider.list(calls.list(parsePath("/"), { cursor }));
    sizes.push(page.entries.length);
    cursor = page.cursor;
  } while (cursor !== undefined);
  expect(sizes).toEqual([0, 1, 0, 1, 0, 1]);
  await using result = await store.read("/a");
  const chunks: number[] = [];
  for await (const chunk of result) chunks.push(chunk.length);
  expect(chunks).toEqual([1, 1, 1]);
});

test("eventual listings show changes late, and reads at once", async () => {
  const clock = manualClock(1_000_000);
  await using store = referenceStore({ clock, capabilities: { consistency: { read: "strong", list: "eventual", settleMs: 2000 } } });
  await store.write("/a", "1");
  expect(await paths(store)).toEqual([]);
  expect(await readText(store, "/a")).toBe("1");
  await clock.advance(1199);
  expect(await paths(store)).toEqual([]);
  await clock.advance(1);
  expect(await paths(store)).toEqual(["/a"]);
  await store.delete("/a");
  expect(await paths(store)).toEqual(["/a"]);
  await clock.advance(2000);
  expect(await paths(store)).toEqual([]);
});

test("what is not declared is not there", async () => {
  await using store = referenceStore({ declare: "little" });
  expect(store.capabilities).toMatchObject({
    mkdir: false,
    copy: "emulated",
    etag: false,
    directories: "implied",
    writeIfAbsent: false,
    readRange: "emulated",
    space: false,
  });
  await store.write("/a/b", "hello");
  await store.move("/a/b", "/c");
  expect(await readText(store, "/c", { range: { offset: 1, length: 2 } })).toBe("el");
  expect(await paths(store, "/", true)).toEqual(["/c"]);
  expect(await store.stat("/c")).toMatchObject({ etag: null, modifiedMs: null });
});

test("limits: names, sizes, room, files at the root, precision, sparse answers", async () => {
  const state = new ModelState();
  await using store = referenceStore({
    state,
    sparse: true,
    capacityBytes: 10,
    capabilities: { maxNameBytes: 5, maxFileBytes: 8, filesAtRoot: false, modifiedPrecisionMs: 2000 },
  });
  expect(await code(store.write("/d/toolong", "x"))).toBe("invalid-path");
  expect(await code(store.write("/d/a", "123456789"))).toBe("too-large");
  expect(await code(store.write("/a", "x"))).toBe("invalid-path");
  expect(await store.write("/d/a", "12345678", { modifiedMs: 5999 })).toMatchObject({ modifiedMs: null, metadata: null, complete: false });
  expect((await store.stat("/d/a")).modifiedMs).toBe(4000);
  expect(await code(store.write("/d/b", "123"))).toBe("no-space");
  expect(await code(store.copy("/d/a", "/a"))).toBe("invalid-path");
  expect(await code(store.copy("/d/a", "/d/b"))).toBe("no-space");
  expect(state.tree.files.get(parsePath("/d/a"))?.bytes.length).toBe(8);
});
