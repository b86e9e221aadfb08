/** Conveniences over any store. */
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { StoreError, download, exists, isDirectory, modifiedOf, readBytes, readText, sizeOf, upload } from "../../src/store/index.ts";
import type { StatCall } from "../../src/store/index.ts";
import { fakeStore, file, pieces, text, thrown } from "./make.ts";

let directory: string;
beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), "stratus-test-"))));
afterAll(() => rm(directory, { recursive: true }));

// CF19
test("exists is false only for not-found; an access error rejects", async () => {
  const store = memory();
  await store.write("/a", "x");
  expect([await exists(store, "/a"), await exists(store, "/b"), await exists(store, "/"), await exists(store, "/a/b")]).toEqual([true, false, true, false]);
  for (const code of ["permission-denied", "unavailable", "config", "unauthenticated"] as const) {
    const broken = fakeStore({ stat: () => Promise.reject(new StoreError(code, "no")) });
    expect(await thrown(exists(broken, "/a"))).toMatchObject({ code });
    expect(await thrown(isDirectory(broken, "/a"))).toMatchObject({ code });
  }
  expect(await thrown(exists(store, "a"))).toMatchObject({ code: "invalid-path" });
});

// CF16
test("isDirectory, sizeOf, modifiedOf say what stat says, and ask for no more than they need", async () => {
  const store = memory();
  await store.write("/d/a", "abc", { modifiedMs: 1000 });
  expect([await isDirectory(store, "/d"), await isDirectory(store, "/d/a"), await isDirectory(store, "/x")]).toEqual([true, false, false]);
  expect([await sizeOf(store, "/d/a"), await modifiedOf(store, "/d/a")]).toEqual([3, new Date(1000)]);
  expect(await thrown(sizeOf(store, "/x"))).toMatchObject({ code: "not-found" });
  expect(await thrown(modifiedOf(store, "/x"))).toMatchObject({ code: "not-found" });
  const asked: StatCall[] = [];
  const lean = fakeStore({
    stat: async (call) => {
      asked.push(call);
      return file(call.path, null);
    },
  });
  expect([await sizeOf(lean, "/a"), await modifiedOf(lean, "/a"), await exists(lean, "/a"), await isDirectory(lean, "/a")]).toEqual([null, null, true, false]);
  expect(asked.map(({ detail }) => detail)).toEqual(["basic", "basic", "basic", "basic"]);
});

// CF4
test("upload and download: the same bytes, under another name, with options", async () => {
  const store = memory();
  const bytes = new Uint8Array(700_000).map((_, i) => i % 251);
  await writeFile(join(directory, "up"), bytes);
  expect(await upload(store, join(directory, "up"), "/d/new", { contentType: "text/x" })).toMatchObject({
    size: 700_000,
    contentType: "text/x",
    path: "/d/new",
  });
  expect(Buffer.compare(await readBytes(store, "/d/new"), bytes)).toBe(0);
  expect(await download(store, "/d/new", join(directory, "down"))).toMatchObject({ size: 700_000 });
  expect(Buffer.compare(await readFile(join(directory, "down")), bytes)).toBe(0);
  await download(store, "/d/new", join(directory, "down"), { range: { offset: -3 } });
  expect([...(await readFile(join(directory, "down")))]).toEqual([...bytes.subarray(-3)]);
  expect(await readText(store, "/d/new", { range: { offset: 97, length: 3 } })).toBe("abc");
});

test("upload of what is no readable file: bad-body that names store, operation and path, and nothing is stored", async () => {
  const store = memory();
  for (const path of [join(directory, "missing"), directory])
    expect(await thrown(upload(store, path, "/a"))).toMatchObject({ code: "bad-body", store: "memory", operation: "write", path: "/a", applied: false });
  expect(await exists(store, "/a")).toBe(false);
});

test("a download that fails leaves the old file and nothing else", async () => {
  const place = await mkdtemp(join(directory, "d-"));
  await writeFile(join(place, "old"), "old");
  const broken = fakeStore({ read: async ({ path }) => ({ entry: file(path, 9), body: pieces("abc") }) });
  expect(await thrown(download(broken, "/a", join(place, "old")))).toMatchObject({ code: "unavailable" });
  expect(await thrown(download(memory(), "/a", join(place, "old")))).toMatchObject({ code: "not-found" });
  const store = memory();
  await store.write("/a", "new");
  expect(await thrown(download(store, "/a", join(place, "missing", "x")))).toMatchObject({ code: "ENOENT" });
  expect(await thrown(download(store, "/a", place))).toBeInstanceOf(Error);
  expect(await readdir(place)).toEqual(["old"]);
  expect(text(await readFile(join(place, "old")))).toBe("old");
});
