/** The bytes of a read as callers hold them: once, whole or an error, and never left open by mistake. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { readBytes, readText } from "../../src/store/index.ts";
import type { ReadResult, Store } from "../../src/store/index.ts";
import { fakeStore, file, pieces, stuck, text, thrown, tick } from "./make.ts";

/** A store of one file whose bytes come in these pieces; `let go` counts. */
function streaming(texts: readonly string[], more: { readonly atEnd?: () => Promise<void> } = {}): { readonly store: Store; closed: number; pulled: number } {
  const made = {
    closed: 0,
    pulled: 0,
    store: fakeStore({
      read: async ({ path }) => {
        const left = [...texts];
        return {
          entry: file(path, texts.join("").length),
          body: new ReadableStream<Uint8Array>(
            {
              async pull(to) {
                made.pulled++;
                const next = left.shift();
                if (next === undefined) await more.atEnd?.();
                if (next === undefined) to.close();
                else to.enqueue(new TextEncoder().encode(next));
              },
              cancel: () => void made.closed++,
            },
            { highWaterMark: 0 },
          ),
        };
      },
    }),
  };
  return made;
}
const ways: readonly [string, (result: ReadResult) => Promise<string>][] = [
  ["bytes", async (result) => text(await result.bytes())],
  ["text", (result) => result.text()],
  [
    "for await",
    async (result) => {
      let all = "";
      for await (const chunk of result) all += text(chunk);
      return all;
    },
  ],
  ["stream", (result) => new Response(result.stream()).text()],
  [
    "nodeStream",
    async (result) => {
      let all = "";
      for await (const chunk of result.nodeStream()) all += text(chunk as Uint8Array);
      return all;
    },
  ],
];

// CF3
test.each(ways)("%s gives all of it, from memory and from a stream, empty too", async (_, read) => {
  const store = memory();
  for (const value of ["", "höllo \u{feff}x"]) {
    await store.write("/a", value);
    expect(await read(await store.read("/a"))).toBe(value);
  }
  const { store: other } = streaming(["ab", "c", "def"]);
  expect(await read(await other.read("/a"))).toBe("abcdef");
  expect(await read(await streaming([]).store.read("/a"))).toBe("");
});

test("a byte order mark is kept", async () => {
  const store = memory();
  await store.write("/a", "\u{feff}x");
  expect(await readText(store, "/a")).toBe("\u{feff}x");
});

test.each(ways)("%s of a body that breaks off, or fails, is an error in the words of the call", async (_, read) => {
  const short = fakeStore({ read: async ({ path }) => ({ entry: file(path, 9), body: pieces("abc") }) });
  expect(await thrown(read(await short.read("/a")))).toMatchObject({ code: "unavailable", transient: true, operation: "read", path: "/a", store: "fake" });
  const broken = fakeStore({
    read: async ({ path }) => ({
      entry: file(path, 9),
      body: (async function* () {
        yield* pieces("abc");
        throw new Error("reset");
      })(),
    }),
  });
  expect(await thrown(read(await broken.read("/a")))).toMatchObject({ code: "unknown", operation: "read", path: "/a", cause: { message: "reset" } });
});

test.each(ways)("%s a second time is a TypeError", async (_, read) => {
  const store = memory();
  await store.write("/a", "x");
  const result = await store.read("/a");
  await read(result);
  expect(await thrown((async () => read(result))())).toBeInstanceOf(TypeError);
});

test("disposing of a result before its bytes were read makes them an error, never a part of them", async () => {
  // The classic: `await using` in a function that returns the promise without waiting for it.
  const careless = async (store: Store): Promise<Uint8Array> => {
    await using result = await store.read("/a");
    const bytes = result.bytes();
    await tick();
    // oxlint-disable-next-line typescript/return-await -- this is what it is about
    return (async () => bytes)();
  };
  const slow = streaming(["ab"], { atEnd: () => tick(50) });
  expect(await thrown(careless(slow.store))).toMatchObject({ code: "closed", operation: "read", path: "/a" });
  const store = memory();
  await store.write("/a", "abc");
  for (const one of [store, streaming(["abc"]).store]) {
    for (const [, read] of ways) {
      const result = await one.read("/a");
      await result[Symbol.asyncDispose]();
      await result[Symbol.asyncDispose]();
      expect(await thrown((async () => read(result))())).toMatchObject({ code: "closed", operation: "read", path: "/a" });
    }
  }
});

test("disposing of a result that was read to its end changes nothing", async () => {
  const { store } = streaming(["ab", "c"]);
  await using result = await store.read("/a");
  const iterator = result[Symbol.asyncIterator]();
  while ((await iterator.next()).done !== true);
  await result[Symbol.asyncDispose]();
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

test.each<[string, (result: ReadResult) => Promise<unknown>]>([
  [
    "a loop that is left",
    async (result) => {
      for await (const _ of result) break;
    },
  ],
  ["an iterator that never started", async (result) => result[Symbol.asyncIterator]().return?.()],
  ["a web stream that is cancelled", (result) => result.stream().cancel()],
  [
    "a web stream that is cancelled later",
    async (result) => {
      const reader = result.stream().getReader();
      await reader.read();
      await reader.cancel();
    },
  ],
  [
    "a Node stream that is destroyed",
    async (result) => {
      result.nodeStream().destroy();
      await tick();
    },
  ],
  [
    "a Node stream that is destroyed later",
    async (result) => {
      for await (const _ of result.nodeStream()) break;
      await tick();
    },
  ],
  ["a result that is disposed of", async (result) => result[Symbol.asyncDispose]()],
])("%s lets go of the connection", async (_, leave) => {
  const made = streaming(["a", "b", "c"]);
  await leave(await made.store.read("/a"));
  expect(made.closed).toBe(1);
});

test("a Node stream that is destroyed while a pull is pending ends quietly", async () => {
  const made = fakeStore({ read: async ({ path }) => ({ entry: file(path, 9), body: stuck("abc") }) });
  const stream = (await made.read("/a")).nodeStream();
  stream.on("data", () => {});
  await tick();
  const closed = new Promise((done) => stream.once("close", done));
  stream.destroy();
  await closed;
});

test("nothing is read ahead", async () => {
  const made = streaming(["a", "b", "c"]);
  const result = await made.store.read("/a");
  const stream = result.stream();
  await tick();
  expect(made.pulled).toBe(0);
  const reader = stream.getReader();
  await reader.read();
  await tick();
  expect(made.pulled).toBe(1);
  await reader.cancel();
});

test("bytes() is memory of the caller's own, with its own buffer, whatever the provider reuses", async () => {
  const buffer = Buffer.alloc(2);
  const store = fakeStore({
    read: async ({ path }) => ({
      entry: file(path, 6),
      body: (async function* () {
        for (const one of "abc") yield buffer.fill(one);
        buffer.fill("x");
      })(),
    }),
  });
  const bytes = await readBytes(store, "/a");
  expect(text(bytes)).toBe("aabbcc");
  expect([bytes.buffer.byteLength, bytes.constructor]).toEqual([6, Uint8Array]);
});

test("an abort ends the bytes that are under way, to the last one", async () => {
  for (const [, read] of ways) {
    const stop = new AbortController();
    const body = stuck("abc");
    const store = fakeStore({ read: async ({ path }) => ({ entry: file(path, 9), body }) });
    const reading = read(await store.read("/a", { signal: stop.signal }));
    setTimeout(() => stop.abort(new Error("enough")), 5);
    expect(await thrown(reading)).toMatchObject({ code: "aborted", operation: "read", path: "/a", cause: { message: "enough" } });
    expect(body.closed).toBe(1);
  }
});

test("a result that was dropped is closed when it is collected, with one warning that names its path; one that was read is not", async () => {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  const warnings: Error[] = [];
  const listen = (warning: Error): void => void warnings.push(warning);
  process.on("warning", listen);
  try {
    const made = streaming(["ab", "c"]);
    const forget = async (): Promise<void> => {
      await made.store.read("/forgotten");
      const stream = (await made.store.read("/stream")).stream().getReader();
      await stream.read();
      await (await made.store.read("/read")).bytes();
    };
    await forget();
    for (let i = 0; i < 50 && made.closed < 2; i++) {
      gc();
      await tick(5);
    }
    expect(made.closed).toBe(2);
    await tick(5);
    const texts = warnings.map(({ message }) => message);
    expect(texts.filter((message) => message.includes('"/forgotten"')).length).toBe(1);
    expect(texts.filter((message) => message.includes('"/stream"')).length).toBe(1);
    expect(texts.some((message) => message.includes('"/read"'))).toBe(false);
    expect(made.closed).toBe(2);
  } finally {
    process.off("warning", listen);
  }
});

test("what is in memory gives no warning and holds nothing", async () => {
  const store = memory();
  await store.write("/a", "x");
  const result = await store.read("/a");
  await store.close();
  expect(await result.text()).toBe("x");
});

test("no unhandled rejection, whenever a result is left", async () => {
  const unhandled: unknown[] = [];
  const listen = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", listen);
  try {
    const store = fakeStore({
      read: async ({ path }) => ({
        entry: file(path, 9),
        body: (async function* () {
          yield* pieces("abc");
          await tick(2);
          throw new Error("reset");
        })(),
      }),
    });
    const iterator = (await store.read("/a"))[Symbol.asyncIterator]();
    await iterator.next();
    void iterator.next().catch(() => {});
    await iterator.return?.();
    const stream = (await store.read("/a")).stream().getReader();
    await stream.read();
    void stream.read().catch(() => {});
    await stream.cancel();
    const node = (await store.read("/a")).nodeStream();
    node.on("error", () => {});
    node.resume();
    await tick(20);
    expect(unhandled).toEqual([]);
  } finally {
    process.off("unhandledRejection", listen);
  }
});
