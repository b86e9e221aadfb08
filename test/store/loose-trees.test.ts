/** Copies and moves by hand where a file and a directory may have one name (flat key stores): both stay what they are, and nobody's file is deleted in place of a directory. */
import { expect, test } from "vitest";
import { createStore, entry, join, nameOf, root, StoreError, type Entry, type Provider, type Store, type StorePath } from "../../src/store/index.ts";

/** Keys and nothing else: "/d/" is the marker of a directory, "/d/f" a file. */
function flat(keys: Map<string, string>, fail: (operation: string, key: string) => void = () => {}): Store {
  const below = (path: StorePath): string => (path === root ? "/" : `${path}/`);
  const isDirectory = (path: StorePath): boolean => path === root || [...keys.keys()].some((key) => key.startsWith(below(path)));
  const file = (path: StorePath): Entry => entry({ path, kind: "file", size: (keys.get(path) as string).length, etag: keys.get(path) });
  const provider: Provider = {
    kind: "flat",
    capabilities: { strictHierarchy: false, directories: "implied", etag: true },
    async stat({ path }) {
      if (keys.has(path)) return file(path);
      if (isDirectory(path)) return entry({ path, kind: "directory" });
      throw new StoreError("not-found", "nothing");
    },
    async read({ path }) {
      if (!keys.has(path)) throw new StoreError(isDirectory(path) ? "is-a-directory" : "not-found", "no file");
      return { entry: file(path), body: Buffer.from(keys.get(path) as string) };
    },
    async write({ path, body }) {
      fail("write", path);
      keys.set(path, Buffer.from(await body.open().all()).toString());
      return file(path);
    },
    async list({ path }) {
      if (!isDirectory(path)) throw new StoreError(keys.has(path) ? "not-a-directory" : "not-found", "no directory");
      const found = new Map<string, Entry>();
      for (const key of keys.keys()) {
        if (!key.startsWith(below(path)) || key === below(path)) continue;
        const [name = "", ...rest] = key.slice(below(path).length).split("/");
        const child = join(path, name);
        found.set(rest.length === 0 ? `file ${name}` : `directory ${name}`, rest.length === 0 ? file(child) : entry({ path: child, kind: "directory" }));
      }
      return { entries: [...found.values()] };
    },
    async delete({ path }) {
      if (keys.delete(path)) return;
      if ([...keys.keys()].some((key) => key.startsWith(below(path)) && key !== below(path))) throw new StoreError("not-empty", "not empty");
      keys.delete(below(path));
    },
    async mkdir({ path, existOk }) {
      if (isDirectory(path) && !existOk) throw new StoreError("already-exists", nameOf(path));
      keys.set(below(path), "");
      return entry({ path, kind: "directory" });
    },
  };
  return createStore(provider);
}
const of = (keys: Record<string, string>): Map<string, string> => new Map(Object.entries(keys));
const shown = (keys: Map<string, string>): Record<string, string> => Object.fromEntries([...keys].toSorted());

test("a file over a directory: both stand side by side", async () => {
  const keys = of({ "/f": "1", "/d/x": "2" });
  await using store = flat(keys);
  expect(await store.copy("/f", "/d")).toMatchObject({ kind: "file" });
  expect(shown(keys)).toEqual({ "/d": "1", "/d/x": "2", "/f": "1" });
  await store.move("/f", "/d");
  expect(shown(keys)).toEqual({ "/d": "1", "/d/x": "2" });
  // Into the directory of its own parent's name.
  await store.move("/d/x", "/d");
  expect(shown(keys)).toEqual({ "/d": "2" });
});

test("a directory over a file: both stand side by side, and the answer is the directory", async () => {
  const keys = of({ "/d/x": "2", "/f": "1" });
  await using store = flat(keys);
  expect(await store.copy("/d", "/f")).toMatchObject({ kind: "directory", path: "/f" });
  expect(shown(keys)).toEqual({ "/d/x": "2", "/f": "1", "/f/": "", "/f/x": "2" });
});

test("never a merge: a full directory behind a file of its name is found", async () => {
  const keys = of({ "/d/x": "2", "/f": "1", "/f/y": "3" });
  await using store = flat(keys);
  await expect(store.copy("/d", "/f")).rejects.toMatchObject({ code: "not-empty" });
  await expect(store.move("/d", "/f")).rejects.toMatchObject({ code: "not-empty" });
  expect(shown(keys)).toEqual({ "/d/x": "2", "/f": "1", "/f/y": "3" });
});

test("a tree with two kinds of one name is moved whole", async () => {
  const keys = of({ "/d/n": "1", "/d/n/x": "2" });
  await using store = flat(keys);
  await store.move("/d", "/e");
  expect(shown(keys)).toEqual({ "/e/": "", "/e/n": "1", "/e/n/": "", "/e/n/x": "2" });
});

test("a copy that fails is taken back without the file beside the directory", async () => {
  const keys = of({ "/d/x": "2", "/f": "1" });
  await using store = flat(keys, (operation, key) => {
    if (operation === "write" && key === "/f/x") throw new StoreError("no-space", "full");
  });
  await expect(store.copy("/d", "/f")).rejects.toMatchObject({ code: "no-space", applied: "partly" });
  expect(keys.get("/f")).toBe("1");
});

test("a file that comes beside a moved directory is not deleted in its place", async () => {
  const keys = of({ "/d/s/x": "2" });
  await using store = flat(keys, (operation, key) => {
    if (operation === "write" && key === "/e/s/x") keys.set("/d/s", "new");
  });
  await expect(store.move("/d", "/e")).rejects.toMatchObject({ code: "conflict" });
  expect(keys.get("/d/s")).toBe("new");
});
