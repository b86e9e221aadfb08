/** Whatever `write` is given: stored whole or refused, owned from the first moment, and let go of in every case. */
import { appendFile, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { createReadStream, openAsBlob } from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { byteStream, calls, createStore, exists, fromFile, layer, mapSource, parsePath, readText, root, uniform } from "../../src/store/index.ts";
import type { Body, ByteRange, Reopenable, Source, WriteOptions } from "../../src/store/index.ts";
import { fake, fakeStore, file, pieces, stuck, text, thrown, tick } from "./make.ts";

const encode = (value: string): Uint8Array => new TextEncoder().encode(value);
const sha256 = (value: string): string => createHash("sha256").update(value).digest("hex");
let directory: string;
beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), "stratus-test-"))));
afterAll(() => rm(directory, { recursive: true }));

// CF5
test.each<[string, () => Body | Promise<Body>]>([
  ["text", () => "höllo"],
  ["bytes", () => encode("höllo")],
  ["a Buffer", () => Buffer.from("höllo")],
  ["a part of a larger buffer", () => encode("xxhöllox").subarray(2, 8)],
  ["a Blob", () => new Blob(["hö", "llo"])],
  ["a slice of a Blob", () => new Blob(["xxhöllox"]).slice(2, 8)],
  ["a web stream", () => new Blob(["höllo"]).stream()],
  ["a Node stream", () => Readable.from([Buffer.from("hö"), Buffer.from("llo")])],
  ["an async generator", () => pieces("hö", "", "llo")],
  ["a Reopenable", () => ({ open: () => pieces("hö", "llo") })],
  ["a Reopenable that knows its size", () => ({ size: 6, open: () => pieces("hö", "llo") })],
  [
    "a local file",
    async () => {
      await writeFile(join(directory, "f"), "höllo");
      return fromFile(join(directory, "f"));
    },
  ],
  [
    "a file as a Blob",
    async () => {
      await writeFile(join(directory, "f"), "höllo");
      return openAsBlob(join(directory, "f"));
    },
  ],
  [
    "the result of a read",
    async () => {
      const other = memory();
      await other.write("/x", "höllo");
      return other.read("/x");
    },
  ],
  [
    "a part of a read",
    async () => {
      const other = memory();
      await other.write("/x", "xxhöllox");
      return other.read("/x", { range: { offset: 2, length: 6 } });
    },
  ],
])("%s is stored as the bytes it is", async (_, make) => {
  const store = memory();
  const entry = await store.write("/a", await make());
  expect(entry.size).toBe(6);
  expect(await readText(store, "/a")).toBe("höllo");
});

test.each<[string, unknown]>([
  ["undefined", undefined],
  ["null", null],
  ["a number", 7],
  ["an object", {}],
  ["an ArrayBuffer", new ArrayBuffer(2)],
  ["an array of bytes", [1, 2]],
  ["other numbers", new Uint16Array(2)],
  ["text that has no UTF-8", "a\ud800"],
  ["a size of NaN", { size: Number.NaN, open: () => pieces("") }],
  ["a negative size", { size: -1, open: () => pieces("") }],
])("%s is no body: a TypeError, and nothing is stored", async (_, body) => {
  const store = memory();
  await expect(store.write("/a", body as Body)).rejects.toBeInstanceOf(TypeError);
  expect(await exists(store, "/a")).toBe(false);
});

async function* failing(after: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < after; i++) yield encode("xx");
  throw new Error("the source broke");
}
const errored = (): ReadableStream<Uint8Array> => new ReadableStream({ start: (to) => to.error(new Error("the source broke")) });

test.each<[string, () => Body, WriteOptions]>([
  ["fails at once", () => failing(0), {}],
  ["fails in the middle", () => failing(3), {}],
  ["fails where its size is reached", () => failing(2), { size: 4 }],
  ["is a web stream with an error", errored, {}],
  ["is shorter than its size", () => pieces("abc"), { size: 4 }],
  ["is longer than its size", () => pieces("abc", "de"), { size: 4 }],
  ["is longer than its size by a chunk of its own", () => pieces("abcd", "e"), { size: 4 }],
  ["is text of another size", () => "abc", { size: 4 }],
  ["is a Blob of another size", () => new Blob(["abc"]), { size: 4 }],
  ["lies about its size, too short", () => ({ size: 4, open: () => pieces("abc") }), {}],
  ["lies about its size, too long", () => ({ size: 4, open: () => pieces("abcde") }), {}],
  [
    "throws when it is opened",
    () => ({
      open() {
        throw new Error("the source broke");
      },
    }),
    {},
  ],
  ["opens to something that is no stream", () => ({ open: () => Promise.resolve(pieces("a")) as never }), {}],
  ["yields text", () => Readable.from(["text"]), {}],
  ["yields objects", () => Readable.from([{ an: "object" }]), {}],
  [
    "is locked",
    () => {
      const stream = new Blob(["abc"]).stream();
      stream.getReader();
      return stream;
    },
    {},
  ],
])("a body that %s is bad-body, changes nothing, and leaves the old version", async (_, make, options) => {
  const store = memory();
  await store.write("/a", "old");
  const error = await thrown(store.write("/a", make(), options));
  expect(error).toMatchObject({ code: "bad-body", applied: false, transient: false, store: "memory", operation: "write", path: "/a" });
  expect(await readText(store, "/a")).toBe("old");
});

test("the error of the body is the cause", async () => {
  expect(await thrown(memory().write("/a", failing(1)))).toMatchObject({ cause: { message: "the source broke" } });
});

test("a stream that somebody has read to its end is no empty file; one that was read in part gives the rest", async () => {
  const store = memory();
  for (const make of [() => Readable.from([Buffer.from("abc")]), () => new Blob(["abc"]).stream()]) {
    const spent = make();
    for await (const _ of spent);
    await expect(store.write("/a", spent as Body)).rejects.toMatchObject({ code: "bad-body" });
  }
  expect(await exists(store, "/a")).toBe(false);
  const half = new ReadableStream<Uint8Array>({
    start(to) {
      for (const one of ["ab", "cd"]) to.enqueue(encode(one));
      to.close();
    },
  });
  const reader = half.getReader();
  await reader.read();
  reader.releaseLock();
  await store.write("/a", half);
  expect(await readText(store, "/a")).toBe("cd");
  await store.write("/a", Readable.from([]));
  expect(await readText(store, "/a")).toBe("");
});

test("a result of a read that was taken already cannot be written", async () => {
  const store = memory();
  await store.write("/a", "abc");
  const result = await store.read("/a");
  await result.text();
  await expect(store.write("/b", result)).rejects.toMatchObject({ code: "bad-body" });
  expect(await exists(store, "/b")).toBe(false);
});

test.each<[string, WriteOptions | undefined, string]>([
  ["an invalid path", undefined, "a/b"],
  ["an unknown option", { colour: "red" } as WriteOptions, "/a"],
  ["two conditions", { ifAbsent: true, ifMatch: "x" }, "/a"],
  ["a wrong hash name", { expect: { md4: "00" } as never }, "/a"],
  ["a signal that has fired", { signal: AbortSignal.abort() }, "/a"],
  ["an option that the store does not have", { modifiedMs: 1 }, "/a"],
  ["a size that is too large", { size: 11 }, "/a"],
])("%s: the stream is destroyed all the same, and what it emits later ends nothing", async (_, options, path) => {
  const store = fakeStore({ capabilities: { maxFileBytes: 10 } });
  const stream = new PassThrough();
  await thrown(store.write(path, stream, options));
  expect(stream.destroyed).toBe(true);
  let cancelled = 0;
  await thrown(store.write(path, new ReadableStream({ cancel: () => void cancelled++ }), options));
  expect(cancelled).toBe(1);
  stream.emit("error", new Error("later"));
});

test("a stream that fails while the call still waits ends the call, not the process", async () => {
  const stream = new PassThrough();
  let go!: () => void;
  const store = fakeStore({
    open: () => new Promise<void>((done) => (go = done)),
    write: async ({ body }) => {
      await body.open().all();
      return file("/a");
    },
  });
  const written = store.write("/a", stream);
  stream.destroy(new Error("early"));
  await tick();
  go();
  expect(await thrown(written)).toMatchObject({ code: "bad-body", cause: { message: "early" } });
});

test("a provider that never looks at the body: refused, and the stream is destroyed", async () => {
  const stream = new PassThrough();
  stream.end("abc");
  const store = fakeStore({ write: async () => file("/a", null) });
  await expect(store.write("/a", stream, { size: 3 })).rejects.toMatchObject({ code: "integrity" });
  expect(stream.destroyed).toBe(true);
  await expect(store.write("/a", "abc")).rejects.toMatchObject({ code: "integrity" });
  await expect(store.write("/a", "")).resolves.toMatchObject({ kind: "file" });
});

test("a provider that answers before the body has ended: refused", async () => {
  const store = fakeStore({
    capabilities: { writeUnknownSize: "native" },
    write: async ({ body }) => {
      await body.open().pull();
      return file("/a", null);
    },
  });
  await expect(store.write("/a", pieces("ab", "cd"))).rejects.toMatchObject({ code: "integrity", applied: "unknown" });
  await expect(store.write("/a", pieces("ab", "cd"), { size: 4 })).rejects.toMatchObject({ code: "integrity" });
  // Whoever counts does not ask for the end: all bytes were taken.
  await expect(store.write("/a", pieces("abcd"), { size: 4 })).resolves.toMatchObject({ kind: "file" });
});

test("a provider that opens a body twice which can be read once is told so", async () => {
  const store = fakeStore({
    capabilities: { writeUnknownSize: "native" },
    write: async ({ body }) => {
      await body.open().all();
      await body.open().all();
      return file("/a");
    },
  });
  expect(await thrown(store.write("/a", pieces("a")))).toMatchObject({ code: "unknown", cause: { message: "this body can be read only once" } });
  // Of one that can be opened again the second is as good as the first; what the service then says of it is compared.
  expect(await thrown(store.write("/a", { size: 1, open: () => pieces("a") }))).toMatchObject({
    reason: "the service stored 0 of 1 bytes",
    code: "integrity",
    applied: true,
  });
});

test("an endless body is stopped by the signal, by what the service takes, and before anything fills a disk", async () => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield new Uint8Array(1000);
  }
  const stop = new AbortController();
  const store = memory();
  const body = stuck();
  const written = store.write("/a", body, { signal: stop.signal });
  setTimeout(() => stop.abort(new Error("enough")), 5);
  expect(await thrown(written)).toMatchObject({ code: "aborted", applied: false, cause: { message: "enough" } });
  expect(body.closed).toBe(1);
  for (const [capabilities, options] of [
    [{ maxFileBytes: 5000 }, {}],
    [{ maxUnknownBytes: 5000 }, {}],
    [{ maxFileBytes: 5000, writeUnknownSize: "native" }, {}],
    [{ maxUnknownBytes: 5000, writeUnknownSize: "native" }, {}],
    [{ maxConditionalBytes: 5000, writeUnknownSize: "native", writeIfAbsent: "native" }, { ifAbsent: true }],
  ] as const) {
    const small = createStore(
      fake({
        capabilities,
        write: async ({ body: given }) => {
          await given.open().all();
          return file("/a", null);
        },
      }),
    );
    expect(await thrown(small.write("/a", endless(), options))).toMatchObject({ code: "too-large", applied: false });
  }
});

test("an abort beats whatever the body says of it", async () => {
  const stop = new AbortController();
  async function* listening(): AsyncGenerator<Uint8Array> {
    yield encode("a");
    stop.abort(new Error("enough"));
    throw new Error("the fetch below was aborted");
  }
  expect(await thrown(memory().write("/a", listening(), { signal: stop.signal }))).toMatchObject({ code: "aborted", applied: false });
  expect(await thrown(memory().write("/a", stuck(), { signal: AbortSignal.timeout(5) }))).toMatchObject({ code: "timeout", applied: false });
});

test("expect: right hashes pass, a wrong one is integrity before the last byte is let go", async () => {
  const right = { sha256: sha256("abcd").toUpperCase(), md5: createHash("md5").update("abcd").digest("hex") };
  for (const body of [() => "abcd", () => pieces("ab", "cd"), () => new Blob(["abcd"])]) {
    const store = memory();
    await store.write("/a", body(), { expect: right });
    const error = await thrown(store.write("/a", body(), { expect: { ...right, sha256: sha256("other") } }));
    expect(error).toMatchObject({ code: "integrity", applied: false });
    expect(await readText(store, "/a")).toBe("abcd");
  }
  const seen: string[] = [];
  const store = fakeStore({
    capabilities: { writeUnknownSize: "native" },
    write: async ({ body }) => {
      for await (const chunk of body.open()) seen.push(text(chunk));
      return file("/a");
    },
  });
  await thrown(store.write("/a", pieces("a", "b", "c"), { expect: { sha256: sha256("other") } }));
  expect(seen).toEqual(["a", "b"]);
});

test("expect holds for a body that is taken in parts as well", async () => {
  const got: string[] = [];
  const store = fakeStore({
    write: async ({ body }) => {
      for (const offset of [2, 0]) got.push(text(await body.open({ offset, length: 2 }).all()));
      return file("/a", 4);
    },
  });
  const body = new Blob(["abcd"]);
  await store.write("/a", body, { expect: { sha256: sha256("abcd") } });
  expect(got).toEqual(["cd", "ab"]);
  await expect(store.write("/a", body, { expect: { sha256: sha256("abce") } })).rejects.toMatchObject({ code: "integrity" });
  expect(got.length).toBe(2);
});

test("progress: bytes taken so far, from 0 again when the body is sent again, parts added up", async () => {
  const seen: number[] = [];
  const onProgress = ({ bytes, total }: { bytes: number; total: number | null }): void => void seen.push(bytes, total ?? -1);
  await memory().write("/a", pieces("ab", "c"), { onProgress });
  await memory().write("/a", "abc", { onProgress });
  expect(seen.splice(0)).toEqual([2, -1, 3, -1, 3, 3]);
  const twice = fakeStore({
    write: async ({ body }) => {
      await body.open().all();
      await body.open().all();
      return file("/a", 3);
    },
  });
  await twice.write("/a", new Blob(["abc"]), { onProgress });
  expect(seen.splice(0)).toEqual([3, 3, 3, 3]);
  const parts = fakeStore({
    write: async ({ body }) => {
      await body.open({ offset: 0, length: 2 }).all();
      const again = body.open({ offset: 2, length: 1 });
      await again.pull();
      await again.close();
      await body.open({ offset: 2, length: 1 }).all();
      return file("/a", 3);
    },
  });
  await parts.write("/a", new Blob(["abc"]), { onProgress });
  expect(seen).toEqual([2, 3, 3, 3, 3, 3]);
});

test("a Reopenable is opened again only after the previous stream ended or was closed", async () => {
  let open = 0;
  let most = 0;
  const body: Reopenable = {
    size: 4,
    open: async function* (range?: ByteRange) {
      most = Math.max(most, ++open);
      try {
        for (const one of "abcd".slice(range?.offset ?? 0)) yield encode(one);
      } finally {
        open--;
      }
    },
  };
  const store = fakeStore({
    write: async ({ body: source }) => {
      await source.open().pull();
      return file("/a", text(await source.open().all()).length);
    },
  });
  await store.write("/a", body);
  expect([most, open]).toEqual([1, 0]);
});

test("a body is never read before the provider asks for it, nor beyond what it asks", async () => {
  let pulled = 0;
  async function* counting(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 5; i++) {
      pulled++;
      yield encode("a");
    }
  }
  const at: number[] = [];
  const store = fakeStore({
    capabilities: { writeUnknownSize: "native" },
    write: async ({ body }) => {
      const stream = body.open();
      at.push(pulled);
      await stream.pull();
      at.push(pulled);
      await stream.close();
      throw new Error("stop");
    },
  });
  await thrown(store.write("/a", counting()));
  expect(at).toEqual([0, 1]);
});

test("what the body failed of comes before what the SDK makes of it", async () => {
  const store = fakeStore({
    capabilities: { writeUnknownSize: "native" },
    write: async ({ body }) => {
      try {
        await body.open().all();
      } catch {
        throw new TypeError("fetch failed");
      }
      return file("/a");
    },
  });
  expect(await thrown(store.write("/a", failing(1)))).toMatchObject({ code: "bad-body", cause: { message: "the source broke" } });
});

test("local files: missing, a directory, a pipe, grown, shrunk, vanished; descriptors are closed", async () => {
  await expect(fromFile(join(directory, "missing"))).rejects.toMatchObject({ code: "bad-body", cause: { code: "ENOENT" } });
  await expect(fromFile(directory)).rejects.toMatchObject({ code: "bad-body" });
  const pipe = join(directory, "pipe");
  execFileSync("mkfifo", [pipe]);
  await expect(fromFile(pipe)).rejects.toMatchObject({ code: "bad-body" });
  const path = join(directory, "changing");
  const store = memory();
  for (const change of [() => truncate(path, 2), () => writeFile(path, "0123456789ab"), () => rm(path)]) {
    await writeFile(path, "0123456789");
    const body = await fromFile(path);
    await change();
    await expect(store.write("/a", body)).rejects.toMatchObject({ code: "bad-body" });
  }
  // While it is read: beyond the first piece of 256 KiB.
  for (const change of [() => truncate(path, 300_000), () => appendFile(path, "more")]) {
    await writeFile(path, new Uint8Array(400_000));
    const stream = fakeStore({
      write: async ({ body }) => {
        const bytes = body.open();
        await bytes.pull();
        await change();
        while ((await bytes.pull()) !== undefined);
        return file("/a", null);
      },
    });
    await expect(stream.write("/a", await fromFile(path))).rejects.toMatchObject({ code: "bad-body" });
  }
  expect(await exists(store, "/a")).toBe(false);
});

test("a local file in parts, and closed while it is being opened", async () => {
  const path = join(directory, "parts");
  await writeFile(path, "0123456789");
  const body = await fromFile(path);
  const part = async (range: ByteRange): Promise<string> => {
    let all = "";
    for await (const chunk of body.open(range) as AsyncIterable<Uint8Array>) all += text(chunk);
    return all;
  };
  expect([await part({ offset: 3 }), await part({ offset: 3, length: 2 }), await part({ offset: 10 }), await part({ offset: 0, length: 0 })]).toEqual([
    "3456789",
    "34",
    "",
    "",
  ]);
  const { readdirSync } = await import("node:fs");
  const before = readdirSync("/proc/self/fd").length;
  for (let i = 0; i < 20; i++) {
    const stream = body.open() as AsyncIterable<Uint8Array> & { pull(): Promise<unknown>; close(): Promise<void> };
    const pending = stream.pull();
    await stream.close();
    await pending;
  }
  await tick(20);
  expect(readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(before + 1);
});

test("a Source of a layer goes through calls.write and even through a store's write", async () => {
  const stores = memory();
  let source!: Source;
  const store = layer("keeps", (inner) => ({
    backend: uniform(inner, {
      around: (call, next) => {
        if (call.operation === "write") source = call.body;
        return next(call);
      },
    }),
  }))(stores);
  await store.write("/a", new Blob(["abc"]));
  await store.write("/b", source as Body);
  expect(await readText(store, "/b")).toBe("abc");
  await expect(store.write("/c", source as Body, { size: 4 })).rejects.toMatchObject({ code: "bad-body" });
  const checked = calls.write(parsePath("/c"), source, { expect: { sha256: sha256("other") } });
  await expect(checked.body.open().all()).rejects.toMatchObject({ code: "integrity" });
  expect(calls.write(root, source).body).toBe(source);
});

test("mapSource changes bytes, finds parts by skipping, and closes what it opened", async () => {
  const upper = async (): Promise<Source> => {
    let kept!: Source;
    await fakeStore({
      write: async ({ body }) => {
        kept = body;
        await body.open().all();
        return file("/a", 6);
      },
    }).write("/a", new Blob(["abcdef"]));
    return mapSource(kept, 6, (stream) =>
      byteStream({ length: 6, pull: async () => (await stream.pull())?.map((byte) => byte - 32), close: () => stream.close() }),
    );
  };
  const source = await upper();
  expect(text(await source.open().all())).toBe("ABCDEF");
  expect(text(await source.open({ offset: 1, length: 3 }).all())).toBe("BCD");
  expect(text(await source.open({ offset: 4 }).all())).toBe("EF");
  expect(source.replayable).toBe(true);
  const wrong = mapSource(source, 5, (stream) => stream);
  await expect(wrong.open().all()).rejects.toMatchObject({ code: "bad-body" });
});

test("a Node file stream is closed after a write, a refused write and a failed one", async () => {
  const path = join(directory, "stream");
  await writeFile(path, new Uint8Array(200_000));
  for (const run of [
    (body: Body) => memory().write("/a", body),
    (body: Body) => memory().write("a", body),
    (body: Body) => memory({ capacityBytes: 10 }).write("/a", body),
  ]) {
    const stream = createReadStream(path);
    await run(stream).catch(() => {});
    expect(stream.destroyed).toBe(true);
  }
});
