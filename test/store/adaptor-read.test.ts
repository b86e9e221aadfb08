/** Reads over services that tell too little, too much or the wrong thing: the right bytes, or an error. */
import { expect, test } from "vitest";
import { createStore, readText } from "../../src/store/index.ts";
import type { Capabilities, ProviderRead, ReadCall, ReadOptions, Store } from "../../src/store/index.ts";
import { directory, fake, fakeStore, file, pieces, text, thrown } from "./make.ts";

const DATA = "0123456789";
type Body = (data: string) => ProviderRead["body"];
const forms: readonly [string, Body][] = [
  ["bytes", (data) => new TextEncoder().encode(data)],
  ["one chunk", (data) => pieces(data)],
  ["single bytes", (data) => pieces(...data.split(""))],
  ["a web stream", (data) => new Blob([data]).stream()],
];

/** A file of ten bytes, sent as `sends` decides. */
function service(
  sends: (call: ReadCall) => Partial<ProviderRead> & { readonly data: string },
  capabilities: Partial<Capabilities>,
  form: Body,
  size: number | null = 10,
): { readonly store: Store; calls: ReadCall[] } {
  const made = { calls: [] as ReadCall[] };
  const store = createStore(
    fake({
      capabilities: { etag: true, ...capabilities },
      stat: async ({ path }) => file(path, size, { etag: "e" }),
      read: async (call) => {
        made.calls.push(call);
        const { data, ...rest } = sends(call);
        return { entry: file(call.path, size, { etag: "e" }), body: form(data), ...rest };
      },
    }),
  );
  return Object.assign(made, { store });
}
const whole = (): { data: string } => ({ data: DATA });
const ranged = ({ range }: ReadCall): { data: string; offset: number } => {
  const offset = range === undefined ? 0 : range.offset < 0 ? Math.max(0, 10 + range.offset) : range.offset;
  return { offset, data: DATA.slice(offset, range?.length === undefined ? undefined : offset + range.length) };
};

const RANGES: readonly [ReadOptions["range"], string][] = [
  [undefined, DATA],
  [{ offset: 0 }, DATA],
  [{ offset: 0, length: 3 }, "012"],
  [{ offset: 4 }, "456789"],
  [{ offset: 4, length: 3 }, "456"],
  [{ offset: 7, length: 100 }, "789"],
  [{ offset: 7, length: Number.MAX_SAFE_INTEGER }, "789"],
  [{ offset: 9 }, "9"],
  [{ offset: 5, length: 0 }, ""],
  [{ offset: 0, length: 0 }, ""],
  [{ offset: -3 }, "789"],
  [{ offset: -10 }, DATA],
  [{ offset: -100 }, DATA],
];

for (const [formName, form] of forms) {
  test.each<[string, Partial<Capabilities>, (call: ReadCall) => Partial<ProviderRead> & { readonly data: string }]>([
    ["has no ranges", {}, whole],
    ["has ranges from the start alone", { readRange: "native" }, ranged],
    ["has all ranges", { readRange: "native", readSuffix: "native" }, ranged],
    ["says that it has ranges and ignores them", { readRange: "native", readSuffix: "native" }, whole],
    [
      "starts earlier than it was asked",
      { readRange: "native", readSuffix: "native" },
      (call) => {
        const { offset, data } = ranged(call);
        const back = Math.min(offset, 2);
        return { offset: offset - back, data: DATA.slice(offset - back, offset) + data };
      },
    ],
    [
      "sends more than it was asked",
      { readRange: "native", readSuffix: "native" },
      (call) => {
        const { offset } = ranged(call);
        return { offset, data: DATA.slice(offset) };
      },
    ],
  ])(`ranges of a service that %s, as ${formName}`, async (_, capabilities, sends) => {
    const { store } = service(sends, capabilities, form);
    for (const [range, expected] of RANGES) {
      const result = await store.read("/a", { range });
      expect([range, result.length, result.entry.size]).toEqual([range, expected.length, 10]);
      if (expected.length > 0) expect(result.offset).toBe(DATA.indexOf(expected));
      expect(await result.text()).toBe(expected);
    }
    for (const offset of [10, 11, Number.MAX_SAFE_INTEGER])
      expect(await thrown(readText(store, "/a", { range: { offset } }))).toMatchObject({ code: "bad-range", entry: { size: 10, path: "/a" } });
  });

  test(`a file whose size the service does not tell, as ${formName}`, async () => {
    const { store } = service(whole, {}, form, null);
    const read = (range: ReadOptions["range"]): Promise<string> => readText(store, "/a", { range });
    expect([
      await read(undefined),
      await read({ offset: 4 }),
      await read({ offset: 4, length: 3 }),
      await read({ offset: 0, length: 100 }),
      await read({ offset: 9, length: 5 }),
    ]).toEqual([DATA, "456789", "456", DATA, "9"]);
    for (const offset of [10, 11, 50]) expect(await thrown(read({ offset }))).toMatchObject({ code: "bad-range" });
    expect(await thrown(read({ offset: -3 }))).toMatchObject({ code: "unsupported" });
    // Where only stat does not know it, the last part is cut by what the answer says.
    const later = createStore(
      fake({
        capabilities: { readRange: "native" },
        stat: async ({ path }) => file(path, null),
        read: async ({ path }) => ({ entry: file(path, 10), body: form(DATA) }),
      }),
    );
    expect(await readText(later, "/a", { range: { offset: -3 } })).toBe("789");
  });

  test.each<[string, (call: ReadCall) => Partial<ProviderRead> & { readonly data: string }, ReadOptions, string]>([
    ["less than the file", () => ({ data: "012" }), {}, "unavailable"],
    ["nothing", () => ({ data: "" }), {}, "unavailable"],
    ["more than the file", () => ({ data: `${DATA}x` }), {}, "integrity"],
    ["more than the rest", () => ({ data: "456789x", offset: 4 }), { range: { offset: 4 } }, "integrity"],
    ["less than the range", () => ({ data: "45", offset: 4 }), { range: { offset: 4, length: 3 } }, "unavailable"],
    ["a later part", () => ({ data: "56789", offset: 5 }), { range: { offset: 4 } }, "unavailable"],
    ["a part that it does not name", () => ({ data: DATA, offset: Number.NaN }), { range: { offset: 4 } }, "unavailable"],
    ["a part before the start", () => ({ data: DATA, offset: -1 }), {}, "unavailable"],
  ])(`a service that sends %s, as ${formName}: an error, never wrong bytes`, async (_, sends, options, code) => {
    const { store } = service(sends, { readRange: "native" }, form);
    expect(await thrown(readText(store, "/a", options))).toMatchObject({ code, transient: true, operation: "read", path: "/a" });
  });
}

test("no range is asked of a service that has none; length 0 asks only what the file is", async () => {
  const none = service(whole, {}, forms[0]![1]);
  await readText(none.store, "/a", { range: { offset: 4 } });
  expect(none.calls[0]?.range).toBeUndefined();
  await readText(none.store, "/a", { range: { offset: 0, length: 0 } });
  expect(none.calls.length).toBe(1);
});

test("conditions are compared with the version whose bytes came, and asked of the service where it keeps them", async () => {
  for (const native of [false, true]) {
    const { store, calls } = service(whole, native ? { readIfMatch: "native", readIfNoneMatch: "native" } : {}, forms[1]![1]);
    expect(await readText(store, "/a", { ifMatch: "e" })).toBe(DATA);
    expect(await readText(store, "/a", { ifNoneMatch: "other" })).toBe(DATA);
    expect(await thrown(store.read("/a", { ifMatch: "other" }))).toMatchObject({ code: "precondition-failed", entry: { etag: "e", path: "/a" } });
    expect(await thrown(store.read("/a", { ifNoneMatch: "e" }))).toMatchObject({ code: "not-modified", entry: { etag: "e" } });
    expect(await thrown(store.read("/a", { ifMatch: "other", range: { offset: 0, length: 0 } }))).toMatchObject({ code: "precondition-failed" });
    expect(calls[0]?.ifMatch).toBe(native ? "e" : undefined);
  }
  expect(await thrown(fakeStore().read("/a", { ifMatch: "e" }))).toMatchObject({ code: "unsupported" });
});

test("a refused reply lets go of its body", async () => {
  let cancelled = 0;
  const body = (): ReadableStream<Uint8Array> => new ReadableStream({ cancel: () => void cancelled++ });
  const store = fakeStore({
    capabilities: { etag: true },
    read: async ({ path }) => ({ entry: path === "/d" ? directory("/d") : file(path, 10, { etag: "e" }), body: body() }),
  });
  await thrown(store.read("/a", { ifMatch: "other" }));
  await thrown(store.read("/a", { range: { offset: 10 } }));
  expect(await thrown(store.read("/d"))).toMatchObject({ code: "is-a-directory" });
  expect(cancelled).toBe(3);
});

test("the last part of a file that grows and shrinks while it is asked for", async () => {
  const sizes = [10, 6, 6];
  let now = 10;
  const store = createStore(
    fake({
      capabilities: { readRange: "native" },
      stat: async ({ path }) => file(path, sizes[0] ?? 6),
      read: async ({ path, range }) => {
        now = sizes[1] ?? 6;
        sizes.shift();
        const { offset = 0 } = range ?? {};
        return { entry: file(path, now), offset, body: pieces("abcdef".slice(offset)) };
      },
    }),
  );
  expect(await readText(store, "/a", { range: { offset: -3 } })).toBe("def");
  let size = 10;
  const restless = createStore(
    fake({
      capabilities: { readRange: "native" },
      stat: async ({ path }) => file(path, size++),
      read: async ({ path, range }) => ({ entry: file(path, ++size), offset: range?.offset, body: pieces("x") }),
    }),
  );
  expect(await thrown(restless.read("/a", { range: { offset: -3 } }))).toMatchObject({ code: "conflict", transient: true });
});

test("errors in the middle of a body go through translate", async () => {
  const { StoreError } = await import("../../src/store/index.ts");
  const store = fakeStore({
    read: async ({ path }) => ({
      entry: file(path, 10),
      body: (async function* () {
        yield* pieces("ab");
        throw new Error("ECONNRESET");
      })(),
    }),
    translate: (error) => ((error as Error).message === "ECONNRESET" ? new StoreError("unavailable", "the connection broke") : undefined),
  });
  expect(await thrown(readText(store, "/a"))).toMatchObject({
    code: "unavailable",
    reason: "the connection broke",
    operation: "read",
    path: "/a",
    store: "fake",
  });
});

test("chunks that are skipped and cut, at every border", async () => {
  for (let piece = 1; piece <= 10; piece++)
    for (let offset = 0; offset < 10; offset++)
      for (let length = 1; length <= 10; length++) {
        const chunks = Array.from({ length: Math.ceil(10 / piece) }, (_, i) => DATA.slice(i * piece, (i + 1) * piece));
        const store = fakeStore({ read: async ({ path }) => ({ entry: file(path, 10), body: pieces(...chunks) }) });
        let all = "";
        for await (const chunk of await store.read("/a", { range: { offset, length } })) all += text(chunk);
        expect(all).toBe(DATA.slice(offset, offset + length));
      }
});
