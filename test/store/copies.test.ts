/**
 * Where bytes are kept while their owner may change them, they are copied, Buffers too: `slice` of a Buffer is a view, not a copy, and a source that
 * fills one Buffer again and again is ordinary.
 */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { byteStream, createStore, entry, layer, readBytes, spool, stack, uniform } from "../../src/store/index.ts";
import type { Provider, Source } from "../../src/store/index.ts";

/** "0000", "1111", ... all in one Buffer. */
async function* reusing(pieces: number): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(4);
  for (let i = 0; i < pieces; i++) {
    buffer.fill(String(i));
    yield buffer;
  }
  buffer.fill("x");
}
const text = "000011112222";
const sha256 = createHash("sha256").update(text).digest("hex");

test.each([[{}], [{ size: 12 }], [{ expect: { sha256 } }], [{ size: 12, expect: { sha256 } }]])(
  "a source that uses one Buffer for all its chunks is stored as it was given: %j",
  async (options) => {
    const store = memory();
    await store.write("/f", reusing(3), options);
    expect(Buffer.from(await readBytes(store, "/f")).toString()).toBe(text);
  },
);

test("spooling keeps copies", async () => {
  const source: Source = {
    size: null,
    replayable: false,
    opened: false,
    inMemory: false,
    open: () => {
      const iterator = reusing(3);
      return byteStream({ length: null, pull: async () => (await iterator.next()).value ?? undefined });
    },
  };
  await using spooled = await spool(source);
  expect(Buffer.from(await spooled.open().all()).toString()).toBe(text);
});

test("a provider that answers with its own Buffer keeps it to itself, however it is read", async () => {
  const own = Buffer.from("mine");
  const provider: Provider & { readonly kind: "own" } = {
    kind: "own",
    capabilities: {},
    stat: async ({ path }) => entry({ path, kind: "file", size: 4 }),
    read: async ({ path }) => ({ entry: entry({ path, kind: "file", size: 4 }), body: own }),
    write: async ({ path }) => entry({ path, kind: "file" }),
    list: async () => ({ entries: [] }),
    delete: async () => {},
  };
  const store = createStore(provider);
  (await readBytes(store, "/f")).fill(0);
  for await (const chunk of await store.read("/f")) chunk.fill(0);
  for await (const chunk of (await store.read("/f")).stream()) chunk.fill(0);
  for await (const chunk of (await store.read("/f")).nodeStream()) (chunk as Uint8Array).fill(0);
  expect(own.toString()).toBe("mine");
  expect((await readBytes(store, "/f")).buffer.byteLength).toBe(4);
  // Through a layer as well.
  const wrapped = stack(
    store,
    layer("plain", (inner) => ({ backend: uniform(inner, { around: (call, next) => next(call) }) })),
  );
  for await (const chunk of await wrapped.read("/f")) chunk.fill(0);
  expect(own.toString()).toBe("mine");
});
