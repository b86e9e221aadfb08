/** What is special about the store in memory; what it shares with all others the conformance suite shows. */
import { expect, test } from "vitest";
import { memory } from "../../../src/providers/memory/index.ts";
import { StoreError, copyBetween, isDirectory, manualClock, readBytes, readText, sizeOf, stack } from "../../../src/store/index.ts";
import type { Store } from "../../../src/store/index.ts";
import { prefix } from "../../../src/wrappers/index.ts";

const bytes = (size: number, fill = 7): Uint8Array => new Uint8Array(size).fill(fill);
const paths = async (store: Store, dir: string, recursive = false): Promise<string[]> =>
  (await store.list(dir, { recursive }).toArray()).map(({ path }) => path);
const code = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "nothing",
    (error: unknown) => (StoreError.is(error) ? error.code : String(error)),
  );

test("bytes are copied in and out: nobody shares memory with the store", async () => {
  const store = memory();
  const mine = bytes(4);
  await store.write("/a", mine);
  mine.fill(1);
  const first = await readBytes(store, "/a");
  expect([...first]).toEqual([7, 7, 7, 7]);
  first.fill(2);
  for await (const chunk of await store.read("/a")) chunk.fill(3);
  expect([...(await readBytes(store, "/a"))]).toEqual([7, 7, 7, 7]);
  await store.copy("/a", "/b");
  await store.write("/a", "new");
  expect([...(await readBytes(store, "/b"))]).toEqual([7, 7, 7, 7]);
});

test("metadata given to write is the caller's again afterwards", async () => {
  const store = memory();
  const metadata: Record<string, string> = { a: "1" };
  const written = await store.write("/a", "x", { metadata, contentType: "text/plain" });
  metadata["a"] = "2";
  expect((await store.stat("/a")).metadata).toEqual({ a: "1" });
  expect(written).toEqual(await store.stat("/a"));
});

test("CF7: an empty file is a file of no bytes", async () => {
  const store = memory();
  await store.write("/empty", "");
  expect(await sizeOf(store, "/empty")).toBe(0);
  expect(await isDirectory(store, "/empty")).toBe(false);
  expect(await readBytes(store, "/empty")).toHaveLength(0);
});

test("CF8: an aborted write leaves nothing and says so", async () => {
  const store = memory();
  const stop = new AbortController();
  async function* body(): AsyncGenerator<Uint8Array> {
    yield bytes(10);
    stop.abort(new Error("enough"));
    yield bytes(10);
  }
  const error: unknown = await store.write("/dir/a", body(), { signal: stop.signal }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "aborted", applied: false, operation: "write", path: "/dir/a" });
  expect(await paths(store, "/", true)).toEqual([]);
});

test("an abort between the last byte and the commit stores nothing", async () => {
  const store = memory();
  const stop = new AbortController();
  async function* body(): AsyncGenerator<Uint8Array> {
    yield bytes(10);
    queueMicrotask(() => stop.abort());
  }
  expect(await code(store.write("/a", body(), { signal: stop.signal }))).toBe("aborted");
  expect(await paths(store, "/")).toEqual([]);
});

test("an abort while the bytes are taken in stores nothing", async () => {
  const store = await memory().open();
  const stop = new AbortController();
  const write = store.write("/a", bytes(10), { signal: stop.signal });
  stop.abort();
  expect(await write.catch((error: unknown) => error)).toMatchObject({ code: "aborted", applied: false });
  expect(await paths(store, "/")).toEqual([]);
});

test("CF17: the time of a write is the clock's, cut to milliseconds by the caller's own", async () => {
  const clock = manualClock(1_000_000);
  const store = memory({ clock });
  expect((await store.write("/a", "x")).modifiedMs).toBe(1_000_000);
  await clock.advance(500);
  expect((await store.write("/a", "y")).modifiedMs).toBe(1_000_500);
  expect((await store.write("/b", "y", { modifiedMs: -5 })).modifiedMs).toBe(-5);
  expect((await store.copy("/b", "/c")).modifiedMs).toBe(-5);
});

test("every change has a new etag; a move keeps it", async () => {
  const store = memory();
  const etags = new Set<string | null>();
  for (let i = 0; i < 100; i++) etags.add((await store.write("/a", "same")).etag);
  etags.add((await store.copy("/a", "/b")).etag);
  expect(etags.size).toBe(101);
  const before = (await store.stat("/a")).etag;
  expect((await store.move("/a", "/c")).etag).toBe(before);
});

test("listings are in code-point order, also where UTF-16 units are not", async () => {
  const store = memory();
  const names = ["\u{1F600}", "\uFF5E", "\uE000", "z", "Z", "a!", "a", "é", "\uD7FF", "\u{10000}", "a/x"];
  for (const name of names) await store.write(`/${name.replace("a/x", "d/x")}`, "x");
  const sorted = (given: readonly string[]): string[] => given.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const flat = await paths(store, "/");
  expect(flat).toEqual(sorted(flat));
  expect(flat).toHaveLength(names.length);
  const all = await paths(store, "/", true);
  expect(all).toEqual(sorted(all));
  expect(all).toHaveLength(names.length + 1);
});

test("the order is kept when children come and go", async () => {
  const store = memory();
  for (const name of ["c", "a"]) await store.write(`/d/${name}`, "x");
  expect(await paths(store, "/d")).toEqual(["/d/a", "/d/c"]);
  await store.write("/d/b", "x");
  expect(await paths(store, "/d")).toEqual(["/d/a", "/d/b", "/d/c"]);
  await store.delete("/d/a");
  await store.move("/d/c", "/d/0");
  expect(await paths(store, "/d")).toEqual(["/d/0", "/d/b"]);
  await store.move("/d", "/e");
  expect(await paths(store, "/e")).toEqual(["/e/0", "/e/b"]);
  expect(await paths(store, "/")).toEqual(["/e"]);
});

test("a list costs its children, not the whole store", async () => {
  const store = memory();
  for (let i = 0; i < 20_000; i++) await store.write(`/many/${i}`, "");
  for (let i = 0; i < 10; i++) await store.write(`/few/${i}`, "");
  const time = async (dir: string, times: number): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < times; i++) await store.list(dir).toArray();
    return (performance.now() - start) / times;
  };
  await time("/few", 200);
  await time("/many", 2);
  expect(await time("/few", 200)).toBeLessThan((await time("/many", 5)) / 20);
});

test("a directory that is listed conditionally answers not-modified until something changes", async () => {
  const store = memory();
  const asked: (string | null | undefined)[] = [];
  const { calls, layer, uniform, root } = await import("../../../src/store/index.ts");
  let ask!: (ifNoneMatch?: string) => Promise<string | null | undefined>;
  const probe = layer("probe", (inner) => {
    ask = async (ifNoneMatch) => (await inner.list(calls.list(root, { ifNoneMatch }))).etag;
    return { backend: uniform(inner, { around: (call, next) => next(call) }) };
  });
  const top = stack(store, probe);
  await top.write("/a", "x");
  const etag = (await ask()) as string;
  asked.push(etag);
  await expect(ask(etag)).rejects.toMatchObject({ code: "not-modified" });
  await top.mkdir("/b");
  expect(await ask(etag)).not.toBe(etag);
  expect(asked).toHaveLength(1);
});

test("a path of 12,000 segments is made, copied, moved and deleted without running out of stack", async () => {
  const store = memory();
  const deep = "/a".repeat(12_000);
  await store.write(`${deep}/f`, "x");
  await store.copy("/a", "/b");
  expect(await readText(store, `${deep.replace("/a", "/b")}/f`)).toBe("x");
  await store.delete("/a", { recursive: true });
  expect(await paths(store, "/")).toEqual(["/b"]);
});

test("a full store: no-space, before and while the body comes, and nothing of it stays", async () => {
  const store = memory({ capacityBytes: 100 });
  await store.write("/a", bytes(60));
  expect(await code(store.write("/b", bytes(41)))).toBe("no-space");
  let taken = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      taken += 10;
      yield bytes(10);
    }
  }
  expect(await code(store.write("/b", endless()))).toBe("no-space");
  expect(taken).toBeLessThan(200);
  expect(await code(store.copy("/a", "/c"))).toBe("no-space");
  expect(await paths(store, "/")).toEqual(["/a"]);
  expect(await store.space()).toEqual({ used: 60, free: 40, total: 100 });
  await store.write("/a", bytes(100));
  await store.move("/a", "/b");
  expect(await store.space()).toEqual({ used: 100, free: 0, total: 100 });
  await store.delete("/b");
  expect(await store.space()).toEqual({ used: 0, free: 100, total: 100 });
});

test("CF20: the space figures add up through every kind of change", async () => {
  const store = memory({ capacityBytes: 1000 });
  await store.write("/t/a", bytes(10));
  await store.write("/t/u/b", bytes(20));
  await store.copy("/t", "/v");
  expect((await store.space()).used).toBe(60);
  await store.copy("/t/a", "/v/u/b");
  expect((await store.space()).used).toBe(50);
  await store.move("/t/u/b", "/v/a");
  expect((await store.space()).used).toBe(10 + 20 + 10);
  await store.delete("/v", { recursive: true });
  expect(await store.space()).toEqual({ used: 10, free: 990, total: 1000 });
});

test("CF22: a file beyond the maximum is refused before a byte is read, one of unknown size where it passes it", async () => {
  const store = memory({ maxFileBytes: 10 });
  let opened = false;
  const body = { size: 11, open: () => ((opened = true), [] as unknown as AsyncIterable<Uint8Array>) };
  expect(await code(store.write("/a", body))).toBe("too-large");
  expect(opened).toBe(false);
  async function* eleven(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 11; i++) yield bytes(1);
  }
  expect(await code(store.write("/a", eleven()))).toBe("too-large");
  await store.write("/a", bytes(10));
  expect(await sizeOf(store, "/a")).toBe(10);
});

test("of two writes with ifAbsent exactly one wins, whatever order their bodies end in", async () => {
  const store = memory();
  let release!: () => void;
  const gate = new Promise<void>((done) => (release = done));
  async function* slow(): AsyncGenerator<Uint8Array> {
    await gate;
    yield bytes(1, 1);
  }
  const first = store.write("/lock", slow(), { ifAbsent: true });
  await store.write("/lock", bytes(1, 2), { ifAbsent: true });
  release();
  expect(await code(first)).toBe("already-exists");
  expect([...(await readBytes(store, "/lock"))]).toEqual([2]);
});

test("a directory that takes the name while the body comes wins", async () => {
  const store = memory();
  let release!: () => void;
  const gate = new Promise<void>((done) => (release = done));
  async function* slow(): AsyncGenerator<Uint8Array> {
    await gate;
    yield bytes(1);
  }
  const write = store.write("/a", slow());
  await store.mkdir("/a/b");
  release();
  expect(await code(write)).toBe("is-a-directory");
  expect(await paths(store, "/", true)).toEqual(["/a", "/a/b"]);
});

test("CF13 CF14: trees are copied and moved by the rules of rename(2), and a missing source changes nothing", async () => {
  const store = memory();
  await store.write("/s/x/1", "1");
  await store.mkdir("/s/empty");
  await store.write("/f", "f");
  await store.mkdir("/d");
  await store.write("/full/x", "x");
  expect(await code(store.copy("/gone", "/new/deep/path"))).toBe("not-found");
  expect(await code(store.move("/gone", "/f"))).toBe("not-found");
  expect(await paths(store, "/")).toEqual(["/d", "/f", "/full", "/s"]);
  for (const verb of ["copy", "move"] as const) {
    expect(await code(store[verb]("/f", "/d"))).toBe("is-a-directory");
    expect(await code(store[verb]("/f", "/full"))).toBe("is-a-directory");
    expect(await code(store[verb]("/s", "/f"))).toBe("not-a-directory");
    expect(await code(store[verb]("/s", "/full"))).toBe("not-empty");
    expect(await code(store[verb]("/s", "/f/below"))).toBe("not-a-directory");
    expect(await code(store[verb]("/s", "/d", { ifAbsent: true }))).toBe("already-exists");
    expect(await code(store[verb]("/s", "/s/below"))).toBe("invalid-path");
  }
  await store.copy("/s", "/d");
  expect(await paths(store, "/d", true)).toEqual(["/d/empty", "/d/x", "/d/x/1"]);
  await store.write("/d/x/1", "changed");
  expect(await readText(store, "/s/x/1")).toBe("1");
  await store.move("/s", "/new/place");
  expect(await paths(store, "/new", true)).toEqual(["/new/place", "/new/place/empty", "/new/place/x", "/new/place/x/1"]);
  expect(await code(store.stat("/s"))).toBe("not-found");
});

test("CF21: the account names the provider", async () => {
  expect((await memory().account()).text).toContain("memory");
});

test("wrong options are config", () => {
  for (const options of [{ capacityBytes: -1 }, { capacityBytes: Number.NaN }, { maxFileBytes: 1.5 }, { capacityBytes: "9" as unknown as number }]) {
    expect(() => memory(options)).toThrowError(expect.objectContaining({ code: "config" }) as Error);
  }
});

test("a tree goes from one memory to another and into a prefix of it", async () => {
  const from = memory({ name: "from" });
  for (let i = 0; i < 30; i++) await from.write(`/t/${i % 5}/${i}`, `${i}`);
  const to = stack(memory({ name: "to" }), prefix("/here"));
  expect(await copyBetween(from, "/t", to, "/t")).toMatchObject({ files: 30 });
  expect(await readText(to, "/t/4/29")).toBe("29");
});
