/** The adaptor over a provider: errors translated once, conditions and bodies checked, capabilities completed. */
import { expect, test } from "vitest";
import { StoreError, createStore, readText } from "../../src/store/index.ts";
import type { Capabilities, ErrorCode, Provider, Store } from "../../src/store/index.ts";
import { directory, fake, fakeStore, file, pieces, plain, thrown } from "./make.ts";

const failing = (error: unknown, more: Partial<Omit<Provider, "kind">> = {}): Store =>
  fakeStore({
    stat: () => Promise.reject(error),
    write: async ({ body }) => {
      await body.open().all();
      throw error;
    },
    delete: () => Promise.reject(error),
    ...more,
  });

test("what is thrown goes through translate, once, with the call", async () => {
  const seen: unknown[] = [];
  const store = failing("odd", {
    translate: (error, call) => {
      seen.push([error, call.operation, call.path]);
      return new StoreError("no-space", "full", { status: 507, cause: error });
    },
  });
  expect(await thrown(store.write("/a", "x"))).toMatchObject({
    code: "no-space",
    status: 507,
    store: "fake",
    operation: "write",
    path: "/a",
    cause: "odd",
    applied: false,
  });
  expect(seen).toEqual([["odd", "write", "/a"]]);
});

test("what nobody translates is unknown, with what was thrown as its cause; a change is then of unknown outcome", async () => {
  for (const odd of [new Error("x"), "text", null, 7]) {
    for (const translate of [
      undefined,
      () => undefined,
      () => {
        throw new Error("the translation broke");
      },
      () => ({ code: "not-found" }) as never,
    ]) {
      const store = failing(odd, translate === undefined ? {} : { translate });
      expect(await thrown(store.delete("/a"))).toMatchObject({
        code: "unknown",
        operation: "delete",
        path: "/a",
        store: "fake",
        applied: "unknown",
        cause: odd,
      });
      expect(await thrown(store.stat("/a"))).toMatchObject({ code: "unknown", applied: false });
    }
  }
});

test("a provider that throws at once, without a promise, is no different", async () => {
  const store = fakeStore({
    stat: () => {
      throw new StoreError("not-found", "nothing is there");
    },
    list: () => {
      throw new Error("odd");
    },
  });
  expect(await thrown(store.stat("/a"))).toMatchObject({ code: "not-found", path: "/a", store: "fake" });
  expect(await thrown(store.list("/").toArray())).toMatchObject({ code: "unknown", operation: "list" });
});

// applied in every combination: said or not, by a provider that knows or not, with a signal or not.
test.each<[ErrorCode, boolean, StoreError["applied"] | undefined, StoreError["applied"]]>([
  ["unavailable", false, undefined, "unknown"],
  ["unavailable", false, false, false],
  ["unavailable", false, true, true],
  ["unavailable", false, "partly", "partly"],
  ["unavailable", false, "unknown", "unknown"],
  ["unavailable", true, undefined, "unknown"],
  ["unavailable", true, false, false],
  ["unavailable", true, true, true],
  ["unavailable", true, "partly", "partly"],
  ["aborted", true, undefined, "unknown"],
  ["aborted", true, false, false],
  ["aborted", true, true, true],
  ["timeout", false, undefined, "unknown"],
  ["timeout", true, false, false],
  ["permission-denied", false, undefined, false],
  ["permission-denied", true, undefined, false],
  ["not-found", false, undefined, false],
  ["integrity", false, true, true],
  ["rate-limited", false, undefined, false],
])("a delete that ends in %s, aborted %s, said %s: applied %s", async (code, aborted, said, expected) => {
  const stop = new AbortController();
  const store = fakeStore({
    delete: async () => {
      if (aborted) stop.abort();
      throw new StoreError(code, "so", said === undefined ? {} : { applied: said });
    },
  });
  const error = (await thrown(store.delete("/a", { signal: stop.signal }))) as StoreError;
  expect(error.applied).toBe(expected);
  // An answer that came stands, whatever the signal says; without one the signal explains it.
  expect(error.code).toBe(aborted && ["unavailable", "aborted", "timeout"].includes(code) ? "aborted" : code);
});

test("an abort at each moment of a write: before the body, in it, after it, after the answer", async () => {
  for (const [moment, expected] of [
    ["before", false],
    ["during", false],
    ["after", "unknown"],
  ] as const) {
    const stop = new AbortController();
    const store = fakeStore({
      capabilities: { writeUnknownSize: "native" },
      write: async ({ body, signal }) => {
        if (moment === "before") stop.abort();
        const stream = body.open();
        await stream.pull();
        if (moment === "during") stop.abort();
        while ((await stream.pull()) !== undefined);
        if (moment === "after") stop.abort();
        signal?.throwIfAborted();
        return file("/a", null);
      },
    });
    expect(await thrown(store.write("/a", pieces("a", "b"), { signal: stop.signal }))).toMatchObject({ code: "aborted", applied: expected });
  }
  const late = new AbortController();
  const done = fakeStore({
    write: async ({ body }) => {
      await body.open().all();
      late.abort();
      return file("/a", 1);
    },
  });
  expect(await done.write("/a", "x", { signal: late.signal })).toMatchObject({ size: 1 });
});

test("an abort while a body is spooled: nothing was asked of the service", async () => {
  const stop = new AbortController();
  async function* body(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(10);
    stop.abort();
    yield new Uint8Array(10);
  }
  expect(await thrown(fakeStore().write("/a", body(), { signal: stop.signal }))).toMatchObject({ code: "aborted", applied: false });
});

test("unknown sizes are spooled where the service must know them, conditions included where large ones are refused", async () => {
  const sizes: (number | null)[] = [];
  const store = (capabilities: Partial<Capabilities>): Store =>
    createStore(
      fake({
        capabilities: { writeIfAbsent: "native", ...capabilities },
        write: async ({ body, path }) => {
          sizes.push(body.size);
          expect(body.replayable).toBe(body.size !== null);
          return file(path, (await body.open().all()).byteLength);
        },
      }),
    );
  await store({}).write("/a", pieces("abc"));
  await store({ writeUnknownSize: "native" }).write("/a", pieces("abc"));
  await store({ writeUnknownSize: "native" }).write("/a", pieces("abc"), { ifAbsent: true });
  await store({ writeUnknownSize: "native", maxConditionalBytes: 3 }).write("/a", pieces("abc"), { ifAbsent: true });
  expect(sizes).toEqual([3, null, null, 3]);
  expect(await thrown(store({ writeUnknownSize: false }).write("/a", pieces("abc")))).toMatchObject({ code: "unsupported", applied: false });
});

test("a service that stored another number of bytes: integrity, and it says that it is there", async () => {
  const store = fakeStore({
    write: async ({ body, path }) => {
      await body.open().all();
      return file(path, 2);
    },
  });
  for (const body of ["abc", pieces("abc")])
    expect(await thrown(store.write("/a", body))).toMatchObject({ code: "integrity", applied: true, entry: { size: 2 } });
});

test("capabilities: completed by the rules, and what makes no sense is config", () => {
  const five = createStore(fake()).capabilities;
  expect(five).toMatchObject({
    read: "native",
    write: "native",
    list: "native",
    delete: "native",
    mkdir: false,
    copy: "emulated",
    move: "emulated",
    space: false,
    account: false,
    readRange: "emulated",
    readSuffix: "emulated",
    readIfMatch: false,
    writeIfAbsent: false,
    writeIfMatch: false,
    writeUnknownSize: "emulated",
    listRecursive: "emulated",
    deleteRecursive: "emulated",
    deleteIfMatch: false,
    copyTree: false,
    copyIfAbsent: false,
    moveTree: false,
    moveIfAbsent: false,
    caseSensitive: true,
    filesAtRoot: true,
    strictHierarchy: true,
    normalisation: "kept",
    directories: "implied",
    emptyOnlyDelete: "emulated",
    atomicWrites: false,
    exclusiveMkdir: false,
    etag: false,
    listComplete: false,
    listSorted: false,
    undelete: false,
    hashes: [],
    writeExpect: [],
    sizeSteps: [],
    forbidden: "",
    modifiedPrecisionMs: null,
    maxMetadataBytes: 0,
    concurrency: 8,
    afterlifeMs: 60_000,
    maxFileBytes: Infinity,
    consistency: { read: "strong", list: "strong", settleMs: 0 },
  });
  const mkdir = async (): Promise<never> => Promise.reject(new Error("no"));
  expect(createStore(fake({ mkdir, capabilities: { etag: true } })).capabilities).toMatchObject({
    mkdir: "native",
    directories: "real",
    copyTree: "emulated",
    moveTree: "emulated",
    readIfMatch: "emulated",
    copyIfAbsent: false,
  });
  expect(createStore(fake({ mkdir, capabilities: { writeIfAbsent: "native" } })).capabilities.copyIfAbsent).toBe(false);
  expect(createStore(fake({ mkdir, capabilities: { writeIfAbsent: "native", exclusiveMkdir: true } })).capabilities).toMatchObject({
    copyIfAbsent: "emulated",
    moveIfAbsent: "emulated",
  });
  expect(createStore(fake({ capabilities: { write: false } })).capabilities).toMatchObject({ copy: false, move: false, copyTree: false, moveTree: false });
  expect(createStore(fake({ capabilities: { delete: false } })).capabilities).toMatchObject({ copy: "emulated", move: false });
  expect(createStore(fake({ capabilities: { etag: undefined } as never })).capabilities.etag).toBe(false);
  for (const wrong of [
    { mkdir: "native" },
    { mkdir: "emulated" },
    { copy: "native" },
    { space: "emulated" },
    { readRange: true },
    { readRange: "yes" },
    { etag: "native" },
    { colour: "red" },
    { maxFileBytes: -1 },
    { maxFileBytes: Number.NaN },
    { maxFileBytes: "10" },
    { undelete: true },
    { forbidden: 7 },
  ])
    expect(() => createStore(fake({ capabilities: wrong as never }))).toThrow(expect.objectContaining({ code: "config", store: "fake" }) as Error);
  expect(() => createStore(fake({ mkdir, capabilities: { mkdir: false } }))).toThrow(expect.objectContaining({ code: "config" }) as Error);
});

test("a condition that the service does not keep never reaches it, and one that it keeps does", async () => {
  const { store, inner } = plain({ writeIfMatch: "native", deleteIfMatch: "native", copyIfAbsent: "emulated" });
  const { etag } = await inner.write("/a", "1");
  expect(await thrown(store.write("/a", "2", { ifMatch: "other" }))).toMatchObject({ code: "precondition-failed", applied: false });
  expect(await thrown(store.write("/b", "2", { ifMatch: "other" }))).toMatchObject({ code: "precondition-failed" });
  await store.write("/a", "2", { ifMatch: etag as string });
  expect(await thrown(store.delete("/a", { ifMatch: etag as string }))).toMatchObject({ code: "precondition-failed" });
  await store.write("/b", "b");
  expect(await thrown(store.copy("/a", "/b", { ifAbsent: true }))).toMatchObject({ code: "already-exists" });
  expect(await readText(store, "/b")).toBe("b");
});

test("of racing copies with ifAbsent, made by hand, exactly one wins", async () => {
  const { store, inner } = plain();
  for (let i = 0; i < 5; i++) await inner.write(`/src${i}`, String(i));
  const results = await Promise.allSettled(Array.from({ length: 5 }, (_, i) => store.copy(`/src${i}`, "/target", { ifAbsent: true })));
  expect(results.filter(({ status }) => status === "fulfilled").length).toBe(1);
  for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "already-exists", to: "/target" });
});

test("space, account, mkdir of a provider, in the context of the call", async () => {
  const store = fakeStore({
    space: async () => ({ used: 1, free: null, total: Infinity }),
    account: () => Promise.reject(new StoreError("unauthenticated", "who are you")),
    mkdir: async ({ path }) => directory(path),
  });
  expect(await store.space()).toEqual({ used: 1, free: null, total: Infinity });
  expect(await store.mkdir("/d")).toMatchObject({ path: "/d" });
  expect(await thrown(store.account())).toMatchObject({ code: "unauthenticated", operation: "account", path: "/" });
});
