/** What callers meet: arguments checked once, refusals in one order, errors in the words of their own call. */
import { expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { StoreError, calls, createStore, layer, parsePath, root, stack, uniform } from "../../src/store/index.ts";
import type { Backend, Call, CopyCall, DeleteCall, Operation, Store, StorePath, WriteCall } from "../../src/store/index.ts";
import { prefix } from "../../src/wrappers/index.ts";
import { backendOf, directory, fake, fakeStore, file, plain, thrown } from "./make.ts";

const VERBS: readonly (readonly [Operation, (store: Store, options?: object) => Promise<unknown>])[] = [
  ["stat", (store, options) => store.stat("/a", options)],
  ["read", (store, options) => store.read("/a", options)],
  ["write", (store, options) => store.write("/a", "x", options)],
  ["list", (store, options) => store.list("/", options).toArray()],
  ["delete", (store, options) => store.delete("/a", options)],
  ["mkdir", (store, options) => store.mkdir("/d", options)],
  ["copy", (store, options) => store.copy("/a", "/b", options)],
  ["move", (store, options) => store.move("/a", "/b", options)],
  ["space", (store, options) => store.space(options)],
  ["account", (store, options) => store.account(options)],
];

test.each(VERBS)("%s: nothing throws at once; an unknown option, and a wrong value, is a TypeError", async (_, run) => {
  const store = memory();
  await store.write("/a", "x");
  for (const options of [{ colour: "red" }, { signal: {} }, { signal: "soon" }, null])
    expect(await thrown((async () => run(store, options as object))())).toBeInstanceOf(TypeError);
  const inherited = Object.create({ colour: "red" }) as object;
  expect(await thrown(run(store, inherited))).toBeInstanceOf(TypeError);
  await run(store, { signal: undefined });
});

test.each<[Operation, object]>([
  ["stat", { detail: "all" }],
  ["stat", { fresh: 1 }],
  ["read", { range: 5 }],
  ["read", { range: { offset: 1.5 } }],
  ["read", { range: { offset: Number.NaN } }],
  ["read", { range: { offset: 0, length: -1 } }],
  ["read", { range: { offset: -1, length: 1 } }],
  ["read", { range: { offset: 0, size: 1 } }],
  ["read", { range: { offset: 2 ** 60 } }],
  ["read", { range: {} }],
  ["read", { ifMatch: 7 }],
  ["read", { ifNoneMatch: "\ud800" }],
  ["write", { ifAbsent: "yes" }],
  ["write", { ifAbsent: true, ifMatch: "e" }],
  ["write", { size: -1 }],
  ["write", { size: 1.5 }],
  ["write", { modifiedMs: Number.NaN }],
  ["write", { modifiedMs: Infinity }],
  ["write", { modifiedMs: 9e15 }],
  ["write", { modifiedMs: new Date() }],
  ["write", { contentType: 7 }],
  ["write", { metadata: "x" }],
  ["write", { metadata: [] }],
  ["write", { metadata: new Map([["a", "b"]]) }],
  ["write", { metadata: { a: 1 } }],
  ["write", { metadata: { "": "x" } }],
  ["write", { metadata: { a: "\ud800" } }],
  ["write", { expect: { md5: "short" } }],
  ["write", { expect: { md5: "g".repeat(32) } }],
  ["write", { expect: { rot13: "00" } }],
  ["write", { expect: "x" }],
  ["write", { onProgress: true }],
  ["list", { recursive: 1 }],
  ["list", { cursor: "x" }],
  ["list", { ifNoneMatch: "x" }],
  ["delete", { recursive: "yes" }],
  ["mkdir", { existOk: 0 }],
  ["copy", { ifAbsent: null }],
  ["move", { ifAbsent: 1 }],
  ["move", { existOk: true }],
])("%s with %j is a TypeError", async (verb, options) => {
  const run = VERBS.find(([name]) => name === verb)?.[1] as (store: Store, options: object) => Promise<unknown>;
  const store = memory();
  await store.write("/a", "x");
  expect(await thrown(run(store, options))).toBeInstanceOf(TypeError);
});

test("call objects have all their members always, and options at their defaults", () => {
  const path = parsePath("/a");
  const signal = new AbortController().signal;
  expect(calls.stat(path)).toEqual({ operation: "stat", path, signal: undefined, detail: "full", fresh: false });
  expect(calls.read(path, { range: { offset: 0 }, signal })).toEqual({
    operation: "read",
    path,
    signal,
    fresh: false,
    range: undefined,
    ifMatch: undefined,
    ifNoneMatch: undefined,
  });
  expect(calls.read(path, { range: { offset: -0, length: 3 } }).range).toEqual({ offset: 0, length: 3 });
  expect(calls.read(path, { range: { offset: 5, length: Number.MAX_SAFE_INTEGER } }).range).toEqual({ offset: 5, length: undefined });
  expect(Object.keys(calls.write(path, "x")).toSorted()).toEqual([
    "body",
    "contentType",
    "expect",
    "ifAbsent",
    "ifMatch",
    "metadata",
    "modifiedMs",
    "operation",
    "path",
    "signal",
  ]);
  expect(calls.write(path, "x", { modifiedMs: 1000.9 }).modifiedMs).toBe(1000);
  expect(calls.write(path, "x", { modifiedMs: -0.5 }).modifiedMs).toBe(-1);
  expect(calls.list(path, { cursor: null })).toEqual({
    operation: "list",
    path,
    signal: undefined,
    fresh: false,
    recursive: false,
    cursor: undefined,
    ifNoneMatch: undefined,
  });
  expect([calls.delete(path), calls.mkdir(path), calls.copy(path, root), calls.move(path, root), calls.space(), calls.account()]).toEqual([
    { operation: "delete", path, signal: undefined, recursive: false, ifMatch: undefined },
    { operation: "mkdir", path, signal: undefined, existOk: false },
    { operation: "copy", path, signal: undefined, to: root, ifAbsent: false },
    { operation: "move", path, signal: undefined, to: root, ifAbsent: false },
    { operation: "space", path: root, signal: undefined },
    { operation: "account", path: root, signal: undefined },
  ]);
});

test.each(VERBS)("%s: refused in one order: closed, aborted, path, options, what is not declared", async (verb, run) => {
  const store = createStore(
    fake({ capabilities: { read: false, write: false, list: false, delete: false, copy: false, move: false }, stat: async ({ path }) => file(path) }),
  );
  const nothing = ["space", "account"].includes(verb);
  if (verb !== "stat") expect(await thrown(run(store))).toMatchObject({ code: "unsupported", operation: verb, applied: false });
  expect(await thrown(run(store, { colour: 1 }))).toBeInstanceOf(TypeError);
  const aborted = { signal: AbortSignal.abort(new Error("enough")), colour: nothing ? undefined : 1 };
  if (nothing) delete (aborted as { colour?: unknown }).colour;
  expect(await thrown(run(store, aborted))).toMatchObject({ code: "aborted", applied: false, cause: { message: "enough" } });
  await store.close();
  expect(await thrown(run(store, aborted))).toMatchObject({ code: "closed", applied: false });
});

test("a signal that has fired makes no request, and its time-out is timeout", async () => {
  const store = fakeStore();
  for (const [, run] of VERBS.slice(0, 5))
    expect(await thrown(run(store, { signal: AbortSignal.abort(new DOMException("late", "TimeoutError")) }))).toMatchObject({
      code: "timeout",
      transient: true,
      applied: false,
    });
});

// CF22
test("what the service cannot take is refused before anything is asked of it", async () => {
  const store = fakeStore({
    capabilities: {
      maxFileBytes: 10,
      maxConditionalBytes: 5,
      writeIfAbsent: "native",
      maxMetadataBytes: 4,
      writeMetadata: "native",
      maxNameBytes: 8,
      maxPathBytes: 12,
      forbidden: ":\u{1f600}",
      filesAtRoot: false,
    },
  });
  const refusals = [
    [store.write("/d/a", "12345678901"), "too-large"],
    [store.write("/d/a", "123456", { ifAbsent: true }), "too-large"],
    [store.write("/d/a", "x", { metadata: { ab: "cdé" } }), "too-large"],
    [store.write("/d/a", "x", { size: 11 }), "bad-body"],
    [store.stat("/123456789"), "invalid-path"],
    [store.stat("/ééééé"), "invalid-path"],
    [store.write("/123456789/a", "x"), "invalid-path"],
    [store.stat("/1234567/12345"), "invalid-path"],
    [store.copy("/d/a", "/d:b"), "invalid-path"],
    [store.move("/d:a", "/b"), "invalid-path"],
    [store.list("/\u{1f600}").toArray(), "invalid-path"],
    [store.write("/a", "x"), "invalid-path"],
    [store.write("/d/a", "x", { modifiedMs: 1 }), "unsupported"],
    [store.write("/d/a", "x", { contentType: "x" }), "unsupported"],
    [store.write("/d/a", "x", { ifMatch: "e" }), "unsupported"],
    [store.delete("/d/a", { ifMatch: "e" }), "unsupported"],
    [store.read("/d/a", { ifMatch: "e" }), "unsupported"],
    [store.mkdir("/d"), "unsupported"],
    [store.space(), "unsupported"],
  ] as const;
  const errors = await Promise.all(refusals.map(([call]) => thrown(call)));
  refusals.forEach(([, code], at) => expect(errors[at]).toMatchObject({ code, applied: false, store: "fake" }));
});

test("the root is always there, and cannot be written, deleted, copied, moved or replaced, recursively or not", async () => {
  for (const store of [memory(), plain().store, stack(memory(), prefix("/p"))]) {
    await store.write("/a", "x");
    expect(await store.stat("/")).toMatchObject({ kind: "directory", path: "/" });
    for (const [call, code] of [
      [store.write("/", "x"), "is-a-directory"],
      [store.read("/"), "is-a-directory"],
      [store.delete("/"), "invalid-path"],
      [store.delete("/", { recursive: true }), "invalid-path"],
      [store.mkdir("/"), "already-exists"],
      [store.copy("/", "/b"), "invalid-path"],
      [store.copy("/a", "/"), "invalid-path"],
      [store.move("/", "/b"), "invalid-path"],
      [store.move("/a", "/"), "invalid-path"],
      [store.move("/", "/"), "invalid-path"],
    ] as const)
      expect(await thrown(call)).toMatchObject({ code });
    expect(await store.mkdir("/", { existOk: true })).toMatchObject({ kind: "directory", path: "/" });
    expect((await store.list("/").toArray()).length).toBe(1);
  }
});

test("what a layer asks for is checked as well: nobody reaches the root or copies onto itself behind the front", async () => {
  let inner!: Backend;
  const reached: Call[] = [];
  const log = layer("log", (below) => ({
    backend: uniform(below, {
      around: (call, next) => {
        reached.push(call);
        return next(call);
      },
    }),
  }));
  const rude = layer("rude", (below) => {
    inner = below;
    return { backend: below };
  });
  const store = stack(memory(), log, rude);
  await store.write("/a", "x");
  await store.mkdir("/d");
  reached.length = 0;
  const [a, ad] = [parsePath("/a"), parsePath("/a/d")];
  for (const [call, code] of [
    [inner.delete(calls.delete(root, { recursive: true })), "invalid-path"],
    [inner.write(calls.write(root, "x")), "is-a-directory"],
    [inner.copy(calls.copy(root, a)), "invalid-path"],
    [inner.move(calls.move(a, root)), "invalid-path"],
    [inner.copy(calls.copy(a, ad)), "invalid-path"],
    [inner.move(calls.move(a, ad)), "invalid-path"],
    [inner.mkdir(calls.mkdir(root)), "already-exists"],
    [inner.copy(calls.copy(a, a, { ifAbsent: true })), "already-exists"],
  ] as const)
    expect(await thrown(call)).toMatchObject({ code });
  expect(await inner.move(calls.move(a, a))).toMatchObject({ path: "/a" });
  expect(await inner.mkdir(calls.mkdir(root, { existOk: true }))).toMatchObject({ path: "/" });
  expect(reached.every(({ operation }) => operation === "stat")).toBe(true);
  const narrow = stack(
    createStore(fake({ stat: async () => directory("/") })),
    layer("rude", (below) => {
      inner = below;
      return { backend: below };
    }),
  );
  await narrow.stat("/");
  expect(await thrown(inner.write(calls.write(a, "x", { ifMatch: "e" })))).toMatchObject({ code: "unsupported" });
  expect(await thrown(inner.delete(calls.delete(a, { ifMatch: "e" })))).toMatchObject({ code: "unsupported" });
});

test("errors name the caller's operation and paths, the store where they were born, and nothing of what is below", async () => {
  const secret = parsePath("/secret/tenant");
  const base = memory({ name: "base" });
  const store = stack(base, prefix(secret));
  await store.write("/a", "x");
  const there = await thrown(store.write("/a", "y", { ifAbsent: true }));
  expect(there).toMatchObject({ code: "already-exists", store: "base", operation: "write", path: "/a", to: null, entry: { path: "/a" } });
  const lost = await thrown(store.write("/a", "y", { ifMatch: "other" }));
  expect(lost).toMatchObject({ code: "precondition-failed", entry: { path: "/a" } });
});

test("entry and partial of an error are told in the caller's paths", async () => {
  const inner = plain({ concurrency: 1 }, (backend) => ({
    delete: async (call) => {
      if (call.path.endsWith("/b")) throw new StoreError("permission-denied", "no");
      return backend.delete(call);
    },
  }));
  const store = stack(inner.store, prefix("/secret"));
  await store.write("/t/a", "1");
  await store.write("/t/b", "2");
  const error = (await thrown(store.delete("/t", { recursive: true }))) as StoreError;
  expect(error).toMatchObject({ applied: "partly", partial: { at: "/t/b" }, path: "/t", store: "fake" });
  expect(error.message).not.toContain("secret");
  await store.write("/u", "3");
  const exists = (await thrown(store.copy("/t/b", "/u", { ifAbsent: true }))) as StoreError;
  expect(exists).toMatchObject({ code: "already-exists", path: "/t/b", to: "/u", entry: { path: "/u" } });
  const range = (await thrown(store.read("/u", { range: { offset: 9 } }))) as StoreError;
  expect(range).toMatchObject({ code: "bad-range", entry: { path: "/u", size: 1 } });
});

test("a layer that changes paths and says nothing of errors leaks none", async () => {
  const below = (path: string): StorePath => parsePath(`/secret${path}`);
  const silent = layer("silent", (inner) => ({
    backend: Object.assign(Object.create(inner) as Backend, {
      capabilities: inner.capabilities,
      write: (call: WriteCall) => inner.write({ ...call, path: below(call.path) }),
      delete: (call: DeleteCall) => inner.delete({ ...call, path: below(call.path) }),
      copy: (call: CopyCall) => inner.copy({ ...call, path: below(call.path), to: below(call.to) }),
    }),
  }));
  const made = plain({ concurrency: 1 }, (backend) => ({
    delete: async (call) => {
      if (call.path.endsWith("/b")) throw new StoreError("permission-denied", "no");
      return backend.delete(call);
    },
  }));
  const store = stack(made.store, silent);
  for (const name of ["/t/a", "/t/b", "/u"]) await made.inner.write(`/secret${name}`, "x");
  expect(await thrown(store.write("/u", "y", { ifAbsent: true }))).toMatchObject({ code: "already-exists", path: "/u", entry: { path: "/u" } });
  expect(await thrown(store.copy("/t/a", "/u", { ifAbsent: true }))).toMatchObject({ path: "/t/a", to: "/u", entry: { path: "/u" } });
  const half = (await thrown(store.delete("/t", { recursive: true }))) as StoreError;
  expect(half).toMatchObject({ path: "/t", partial: { done: 1, at: "/t/b" } });
  expect(half.message + JSON.stringify(half.partial)).not.toContain("secret");
});

test("an error that two callers get is not changed for either", async () => {
  const shared = new StoreError("unavailable", "gone", { store: "x", operation: "stat", path: parsePath("/inner") });
  const store = fakeStore({ stat: () => Promise.reject(shared) });
  const [one, two] = await Promise.all([thrown(store.stat("/a")), thrown(store.stat("/b"))]);
  expect([one, two]).toMatchObject([{ path: "/a" }, { path: "/b" }]);
  expect(shared.path).toBe("/inner");
});

test("toString tells the stack with its parameters", () => {
  const store = stack(
    memory(),
    prefix("/p"),
    layer("calm", (inner) => ({ backend: uniform(inner, { around: (call, next) => next(call) }), describe: () => "calmly" })).as("other"),
  );
  expect(store.toString()).toBe("other(prefix(memory, directory=/p), calmly)");
  expect(store.name).toBe("other");
  expect(Object.keys(store.layers)).toEqual(["memory", "prefix", "other"]);
});

test("a backend is never spread: a copy fails on its first call", async () => {
  const { store } = plain();
  await store.stat("/");
  expect(() => ({ ...backendOf(store) } as Backend).stat(calls.stat(root))).toThrow(TypeError);
});
