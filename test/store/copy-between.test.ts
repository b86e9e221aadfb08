/** copyBetween: files and trees from store to store, whole and right, or an error that says which. */
import { expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { StoreError, borrow, calls, copyBetween, createStore, hasher, readText, stack } from "../../src/store/index.ts";
import type { CopyBetweenOptions, Entry, Store } from "../../src/store/index.ts";
import { retry } from "../../src/wrappers/index.ts";
import { backendOf, fakeStore, file, pieces, plain, text, thrown, tick } from "./make.ts";

const paths = async (store: Store): Promise<string[]> => (await store.list("/", { recursive: true }).toArray()).map(({ path }) => path as string).sort();
async function tree(): Promise<Store> {
  const store = memory();
  await store.write("/t/a", "1", { contentType: "text/x", metadata: { colour: "green" }, modifiedMs: 1000 });
  await store.write("/t/d/b", "22");
  await store.write("/t/d/empty-file", "");
  await store.mkdir("/t/empty");
  return store;
}
const sha = (value: string): string => {
  const sum = hasher("sha256");
  sum.update(new TextEncoder().encode(value));
  return sum.hex();
};

test("a tree: everything, empty directories and properties too; counted; progress told", async () => {
  const [from, to] = [await tree(), memory()];
  const seen: unknown[] = [];
  await to.write("/u/mine", "stays");
  expect(await copyBetween(from, "/t", to, "/u", { onProgress: (progress) => seen.push(progress), concurrency: 1 })).toEqual({ files: 3, bytes: 3 });
  expect(await paths(to)).toEqual(["/u", "/u/a", "/u/d", "/u/d/b", "/u/d/empty-file", "/u/empty", "/u/mine"]);
  expect(await to.stat("/u/a")).toMatchObject({ contentType: "text/x", metadata: { colour: "green" }, modifiedMs: 1000 });
  expect(seen).toEqual([
    { files: 1, bytes: 1, path: "/u/a" },
    { files: 2, bytes: 3, path: "/u/d/b" },
    { files: 3, bytes: 3, path: "/u/d/empty-file" },
  ]);
});

test("bytes of files that are copied at the same time are all counted", async () => {
  const [from, to] = [memory(), memory()];
  for (let i = 0; i < 20; i++) await from.write(`/t/${i}`, new Uint8Array(10));
  const seen: number[] = [];
  expect(await copyBetween(from, "/t", to, "/u", { concurrency: 8, onProgress: ({ bytes }) => seen.push(bytes) })).toEqual({ files: 20, bytes: 200 });
  expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => (i + 1) * 10));
});

test("a file, the root as source and as target, and the same store elsewhere", async () => {
  const from = await tree();
  const to = memory();
  expect(await copyBetween(from, "/t/a", to, "/x/y")).toEqual({ files: 1, bytes: 1 });
  expect(await copyBetween(from, "/", to, "/all")).toMatchObject({ files: 3 });
  expect(await copyBetween(from, "/t", to, "/")).toMatchObject({ files: 3 });
  expect(await copyBetween(from, "/t", from, "/t2")).toMatchObject({ files: 3 });
  expect(await readText(to, "/all/t/d/b")).toBe("22");
  expect(await readText(to, "/d/b")).toBe("22");
});

test("into itself is refused, also through a borrowed store, where the tree would be listed for ever", async () => {
  const from = await tree();
  for (const to of [from, borrow(from)])
    for (const path of ["/t", "/t/new"]) expect(await thrown(copyBetween(from, "/t", to, path))).toMatchObject({ code: "invalid-path" });
});

test.each<[string, unknown]>([
  ["an unknown option", { verfy: true }],
  ["a concurrency that is no number", { concurrency: Number.NaN }],
  ["none at a time", { concurrency: 0 }],
  ["a verify that is no flag", { verify: "yes" }],
  ["a progress that is no function", { onProgress: 1 }],
])("%s is a TypeError, not a copy of nothing", async (_, options) => {
  const to = memory();
  expect(await thrown(copyBetween(await tree(), "/t", to, "/u", options as CopyBetweenOptions))).toBeInstanceOf(TypeError);
  expect(await paths(to)).toEqual([]);
});

test("what the target cannot keep is left out, or refused when not lenient", async () => {
  const target = (): Store => plain({ writeModified: false, writeContentType: false, writeMetadata: false }).store;
  const to = target();
  await copyBetween(await tree(), "/t", to, "/u");
  expect(await readText(to, "/u/a")).toBe("1");
  for (const only of [
    { writeMetadata: "native", writeModified: "native" },
    { writeContentType: "native", writeModified: "native" },
    { writeContentType: "native", writeMetadata: "native" },
  ] as const) {
    const { store } = plain({ writeModified: false, writeContentType: false, writeMetadata: false, ...only });
    expect(await thrown(copyBetween(await tree(), "/t/a", store, "/a", { lenient: false }))).toMatchObject({ code: "unsupported" });
  }
  const small = plain({ maxMetadataBytes: 3 });
  await copyBetween(await tree(), "/t/a", small.store, "/a");
  expect((await small.inner.stat("/a")).metadata).toEqual({});
});

test("ifAbsent: whoever is there stays", async () => {
  const [from, to] = [await tree(), memory()];
  await to.write("/u/a", "mine");
  expect(await thrown(copyBetween(from, "/t", to, "/u", { ifAbsent: true }))).toMatchObject({ code: "already-exists", path: "/u/a" });
  expect(await readText(to, "/u/a")).toBe("mine");
});

test("verify compares with the hash of the target, else with what it gives back; a target that keeps other bytes is found out", async () => {
  const from = await tree();
  await copyBetween(from, "/t", memory(), "/u", { verify: true });
  const bad = plain({}, (inner) => ({
    write: async (call) => {
      await call.body.open().all();
      return inner.write({ ...calls.write(call.path, "X") });
    },
  }));
  expect(await thrown(copyBetween(from, "/t/a", bad.store, "/a", { verify: true }))).toMatchObject({ code: "integrity", applied: true, path: "/a" });
  const says = (hash: string): Store =>
    fakeStore({
      capabilities: { hashes: ["sha256"] },
      write: async ({ path, body }) => {
        await body.open().all();
        return file(path, 1, { hashes: { sha256: hash } });
      },
    });
  await copyBetween(from, "/t/a", says(sha("1")), "/a", { verify: true });
  expect(await thrown(copyBetween(from, "/t/a", says(sha("2")), "/a", { verify: true }))).toMatchObject({ code: "integrity" });
});

test("verify holds for a target that takes the body in parts", async () => {
  const from = await tree();
  const parts = (change: string): Store =>
    fakeStore({
      write: async ({ path, body }) => {
        await body.open({ offset: 1, length: 1 }).all();
        await body.open({ offset: 0, length: 1 }).all();
        return file(path, 2, { hashes: { sha256: sha(change) } });
      },
      capabilities: { hashes: ["sha256"] },
    });
  expect(await copyBetween(from, "/t/d/b", parts("22"), "/b", { verify: true })).toEqual({ files: 1, bytes: 2 });
  expect(await thrown(copyBetween(from, "/t/d/b", parts("23"), "/b", { verify: true }))).toMatchObject({ code: "integrity" });
});

test("a layer of the target may send a file again: it is read again, and only the same version", async () => {
  const from = memory();
  await from.write("/a", "first");
  let tries = 0;
  const target = (before: () => Promise<unknown>): { store: Store; got: string[] } => {
    const got: string[] = [];
    const provider = fakeStore({
      write: async ({ path, body }) => {
        got.push(text(await body.open().all()));
        if (++tries % 2 === 1) {
          await before();
          throw new StoreError("unavailable", "gone for now", { applied: false });
        }
        return file(path, 5);
      },
    });
    return { got, store: stack(provider, retry({ firstDelayMs: 0 })) };
  };
  const good = target(async () => {});
  expect(await copyBetween(from, "/a", good.store, "/a", { verify: false })).toEqual({ files: 1, bytes: 5 });
  expect(good.got).toEqual(["first", "first"]);
  const bad = target(() => from.write("/a", "other"));
  expect(await thrown(copyBetween(from, "/a", bad.store, "/a"))).toMatchObject({ code: "conflict", path: "/a", store: "memory" });
  expect(bad.got).toEqual(["first"]);
});

test("the properties are those of the version whose bytes come", async () => {
  const inner = memory();
  await inner.write("/a", "old", { contentType: "text/old" });
  const backend = backendOf(inner);
  const shy = (entry: Entry): Entry => ({ ...entry, contentType: null, metadata: null, complete: false });
  const from = fakeStore({
    capabilities: { etag: true },
    stat: (call) => backend.stat(call),
    read: async (call) => {
      await inner.write("/a", "new", { contentType: "text/new" });
      const reply = await backend.read(call);
      return { ...reply, entry: shy(reply.entry), body: reply.body };
    },
  });
  const to = memory();
  await copyBetween(from, "/a", to, "/a");
  expect([await readText(to, "/a"), (await to.stat("/a")).contentType]).toEqual(["new", "text/new"]);
});

test("the error of the source is told as what it is, with its path; what was copied by then is there, whole", async () => {
  const from = await tree();
  const backend = backendOf(from);
  const broken = createStore({
    kind: "broken",
    capabilities: { etag: true },
    stat: (call) => backend.stat(call),
    list: (call) => backend.list(call),
    delete: (call) => backend.delete(call),
    write: (call) => backend.write(call),
    read: async (call) =>
      call.path === "/t/d/b"
        ? {
            entry: await backend.stat(calls.stat(call.path)),
            body: (async function* () {
              yield* pieces("2");
              throw new StoreError("unavailable", "cut off");
            })(),
          }
        : backend.read(call),
  });
  const to = memory();
  expect(await thrown(copyBetween(broken, "/t", to, "/u", { concurrency: 1 }))).toMatchObject({
    code: "unavailable",
    operation: "read",
    path: "/t/d/b",
    store: "broken",
  });
  expect(await paths(to)).toEqual(["/u", "/u/a", "/u/d", "/u/empty"]);
  expect(await thrown(copyBetween(from, "/missing", to, "/u"))).toMatchObject({ code: "not-found", path: "/missing" });
});

test("an abort ends it, and no new file is begun", async () => {
  const from = await tree();
  const stop = new AbortController();
  const to = memory();
  expect(await thrown(copyBetween(from, "/t", to, "/u", { signal: stop.signal, concurrency: 1, onProgress: () => stop.abort() }))).toMatchObject({
    code: "aborted",
  });
  expect((await paths(to)).filter((path) => path.includes("/d/"))).toEqual([]);
});

test("at most so many files at once, and no more reads than the source likes", async () => {
  const count = { now: 0, most: 0 };
  const busy = async <T>(work: () => Promise<T>): Promise<T> => {
    count.most = Math.max(count.most, ++count.now);
    try {
      await tick(1);
      return await work();
    } finally {
      count.now--;
    }
  };
  const inner = memory();
  for (let i = 0; i < 20; i++) await inner.write(`/t/${i}`, "x");
  const backend = backendOf(inner);
  const from = (concurrency: number): Store =>
    createStore({
      kind: "from",
      capabilities: { etag: true, concurrency },
      stat: (call) => backend.stat(call),
      list: (call) => backend.list(call),
      delete: (call) => backend.delete(call),
      write: (call) => backend.write(call),
      read: (call) => busy(() => backend.read(call)),
    });
  for (const [likes, options, most] of [
    [100, { concurrency: 3 }, 3],
    [2, { concurrency: 10 }, 2],
    [100, {}, 16],
  ] as const) {
    count.most = 0;
    await copyBetween(from(likes), "/t", memory(), "/u", options);
    expect(count.most).toBe(most);
  }
});

test("directories are made side by side, parents first, and every one before what it holds", async () => {
  const from = memory();
  for (let i = 0; i < 6; i++) await from.write(`/t/d${i}/sub/f`, "x");
  const inner = memory();
  const backend = backendOf(inner);
  const seen: string[] = [];
  const count = { now: 0, most: 0 };
  const to = createStore({
    kind: "to",
    capabilities: { ...backend.capabilities, copy: "emulated", move: "emulated", space: false, account: false },
    stat: (call) => backend.stat(call),
    list: (call) => backend.list(call),
    delete: (call) => backend.delete(call),
    read: (call) => backend.read(call),
    write: async (call) => {
      seen.push(call.path);
      return backend.write(call);
    },
    mkdir: async (call) => {
      count.most = Math.max(count.most, ++count.now);
      await tick(1);
      count.now--;
      seen.push(call.path);
      return backend.mkdir(call);
    },
  });
  expect(await copyBetween(from, "/t", to, "/u", { concurrency: 4 })).toMatchObject({ files: 6 });
  expect(count.most).toBe(4);
  for (const path of seen) for (const above of seen) if (path.startsWith(`${above}/`)) expect(seen.indexOf(above)).toBeLessThan(seen.indexOf(path));
  expect(await paths(to)).toEqual((await paths(from)).map((path) => path.replace("/t", "/u")));
});
