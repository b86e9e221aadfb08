/** What may be a body, and what a store may do with it (behaviours 42 to 44, 111; bodies that fail are in sources.ts). */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fromFile } from "../../store/index.ts";
import type { Body, ByteRange, Reopenable } from "../../store/index.ts";
import { chunked, equal, ok, pattern, patternStream, pieces, probed, readAll, rejects, rejectsType, show, verifyPattern } from "../assert.ts";
import type { Check } from "../check.ts";
import { absent, base, below, room, stats } from "./base.ts";
import { each } from "./each.ts";
import { holds, lists, put, rw, rwl } from "./look.ts";
import { heldBytes } from "./memory.ts";

const mib = 1024 * 1024;

function webStream(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller): void {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.slice(at, at + size));
        at += size;
      },
    },
    { highWaterMark: 0 },
  );
}

async function* generated(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function reopenable(bytes: Uint8Array, size: number | null | undefined): Reopenable {
  return {
    ...(size === undefined ? {} : { size }),
    open(range?: ByteRange): AsyncIterable<Uint8Array> {
      const offset = range?.offset ?? 0;
      return pieces(bytes.subarray(offset, range?.length === undefined ? undefined : offset + range.length), 700);
    },
  };
}

/** One body of each kind, all with these bytes, made when it is needed. */
function kinds(bytes: Uint8Array<ArrayBuffer>): Readonly<Record<string, { readonly known: boolean; readonly body: () => Body }>> {
  return {
    Uint8Array: { known: true, body: () => bytes },
    Buffer: { known: true, body: () => Buffer.from(bytes) },
    "view into a larger buffer": { known: true, body: () => view(bytes) },
    Blob: { known: true, body: () => new Blob([bytes.slice(0, 10), bytes.slice(10)]) },
    "web stream": { known: false, body: () => webStream(bytes, 1000) },
    "stream of a Blob": { known: false, body: () => new Blob([bytes]).stream() },
    "async generator": { known: false, body: () => generated(bytes, 1000) },
    "async iterable": { known: false, body: () => pieces(bytes, 1000) },
    "Node stream": {
      known: false,
      body: () =>
        Readable.from(
          Array.from({ length: Math.ceil(bytes.length / 1000) }, (_, i) => Buffer.from(bytes.subarray(i * 1000, i * 1000 + 1000))),
          { objectMode: false },
        ),
    },
    "Reopenable of known size": { known: true, body: () => reopenable(bytes, bytes.length) },
    "Reopenable of unknown size": { known: false, body: () => reopenable(bytes, null) },
    "Reopenable that says nothing of its size": { known: false, body: () => reopenable(bytes, undefined) },
  };
}

/** The bytes in the middle of a larger ArrayBuffer, as Node's pool and network code hand them out. */
function view(bytes: Uint8Array): Uint8Array {
  const large = pattern(bytes.length + 200, "around");
  large.set(bytes, 100);
  return large.subarray(100, 100 + bytes.length);
}

export const checks: readonly Check[] = [
  {
    id: "bodies.kinds",
    title: "every kind of body is stored with the same bytes",
    why: 'A Node stream where fetch wants a web stream, a Blob sent as "[object Blob]", a view sent with the whole buffer around it: each kind has its own way to be wrong.',
    tier: "smoke",
    behaviours: [41, 42],
    guarantees: ["body.kinds", "read.whole"],
    rows: ["CF5"],
    kills: ["A15", "A15b"],
    needs: rw,
    async run(t) {
      const d = await base(t);
      const bytes = pattern(4321, "kinds");
      const all = Object.entries(kinds(bytes)).filter(([, kind]) => kind.known || t.capabilities.writeUnknownSize !== false);
      await each(
        t,
        all,
        ([name]) => name,
        async ([, kind], index) => {
          const path = `${d}/x/k${index}`;
          await t.store.write(path, kind.body());
          await holds(t, path, bytes, "the bytes of the body");
          await stats(t, path, (entry) => equal(entry.size, bytes.length, "their number"));
        },
      );
      await each(
        t,
        all,
        ([name]) => `${name}, size given`,
        async ([, kind], index) => {
          const path = `${d}/y/k${index}`;
          await t.store.write(path, kind.body(), { size: bytes.length });
          await holds(t, path, bytes, "the bytes of the body");
        },
      );
    },
  },
  {
    id: "bodies.string",
    title: "a string is stored as UTF-8, whatever it looks like, and never taken for a file name",
    why: "Latin-1 is the default of old interfaces, and a helper that opens a string as a local path uploads /etc/passwd.",
    tier: "smoke",
    behaviours: [38, 41],
    guarantees: ["body.kinds", "read.forms"],
    kills: ["A43", "M14b"],
    needs: rw,
    async run(t) {
      const d = await base(t);
      const texts = ["plain", "äöü €", "日本語", "😀👩‍👩‍👧", "\ufeffwith a mark", "a\u0000b", "/etc/passwd", "file:///etc/passwd", '{"a":1}', "line\r\nline\n"];
      for (const [index, text] of texts.entries()) {
        await put(t, `${d}/x/s${index}`, text);
        await holds(t, `${d}/x/s${index}`, new TextEncoder().encode(text), `the UTF-8 of ${JSON.stringify(text)}`);
        await using result = await t.store.read(`${d}/x/s${index}`);
        equal(await result.text(), text, "text() gives the same string, a byte order mark included");
      }
    },
  },
  {
    id: "bodies.file",
    title: "a local file is a body: its bytes, its size, and refused when its length changes on the way",
    why: "A log that grows while it is uploaded gives a file that never existed, or an upload that waits for bytes that do not come.",
    tier: "full",
    behaviours: [39, 40, 41],
    guarantees: ["body.kinds", "write.size"],
    rows: ["CF4"],
    kills: ["A16"],
    needs: rwl,
    async run(t) {
      const d = await base(t);
      const dir = await mkdtemp(join(tmpdir(), "stratus-check-"));
      try {
        const local = join(dir, "local name.bin");
        const bytes = pattern(150_000, "file");
        await writeFile(local, bytes);
        await put(t, `${d}/x/remote`, await fromFile(local));
        await holds(t, `${d}/x/remote`, bytes, "the bytes of the local file");
        const shrinking = await fromFile(local);
        await writeFile(local, bytes.subarray(0, 1000));
        await rejects("bad-body", () => t.store.write(`${d}/x/other`, shrinking), "a local file that became shorter");
        const growing = await fromFile(local);
        await writeFile(local, bytes);
        await rejects("bad-body", () => t.store.write(`${d}/x/other`, growing), "a local file that became longer");
        await lists(t, `${d}/x`, ["remote"], "nothing is stored of a file that changed");
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    },
  },
  {
    id: "bodies.result",
    title: "what one store reads another writes, streaming",
    why: "Copies between services are half of what a storage library is for; buffered whole they end at the size of the memory.",
    tier: "smoke",
    behaviours: [41],
    guarantees: ["body.kinds", "read.whole"],
    kills: ["A17"],
    needs: rw,
    async run(t) {
      const d = await base(t);
      const other = await t.connect();
      const bytes = pattern(room(t, 300_001), "result");
      await put(t, `${d}/x/from`, bytes);
      await t.settled("read", async () => void (await other.stat(`${d}/x/from`)));
      await t.store.write(`${d}/x/to`, await other.read(`${d}/x/from`));
      await holds(t, `${d}/x/to`, bytes, "the bytes of the other file");
      if (t.capabilities.readRange === false) return;
      await put(t, `${d}/x/part`, await other.read(`${d}/x/from`, { range: { offset: 1000, length: 5000 } }));
      await holds(t, `${d}/x/part`, bytes.slice(1000, 6000), "a part of the other file");
      await t.store.write(`${d}/x/to`, await t.store.read(`${d}/x/part`));
      await holds(t, `${d}/x/to`, bytes.slice(1000, 6000), "a file of the same store as a body");
    },
  },
  {
    id: "bodies.chunks",
    title: "how a body is cut does not matter: single bytes, empty chunks, views, one large piece",
    why: "Chunk borders leak into the result: an empty chunk ends a chunked transfer, a view sends its whole buffer, a thousand tiny pieces are a thousand requests.",
    tier: "full",
    behaviours: [42],
    guarantees: ["body.chunks", "read.whole"],
    kills: ["A18"],
    needs: [...rw, "writeUnknownSize"],
    timeoutMs: 60_000,
    async run(t) {
      const d = await base(t);
      const bytes = pattern(3000, "chunks");
      const empty = new Uint8Array();
      const cuts: Readonly<Record<string, () => Body>> = {
        single: () => pieces(bytes, 1),
        empties: () => chunked([empty, ...Array.from({ length: 30 }, (_, i) => [bytes.subarray(i * 100, i * 100 + 100), empty, empty]).flat()]),
        "empty at the end": () => chunked([bytes, empty]),
        "only empties": () => chunked([empty, empty, empty]),
        views: () => chunked(Array.from({ length: 6 }, (_, i) => view(bytes.slice(i * 500, i * 500 + 500)))),
        large: () => chunked([bytes]),
        random: () => {
          let at = 0;
          return probed(() => {
            if (at >= bytes.length) return undefined;
            const piece = bytes.subarray(at, at + 1 + below(t, 97));
            at += piece.length;
            return piece;
          });
        },
      };
      for (const size of [undefined, 3000]) {
        await each(
          t,
          Object.entries(cuts),
          ([name]) => name,
          async ([name, body], index) => {
            const none = name === "only empties";
            const path = `${d}/x/c${index}`;
            await t.store.write(path, body(), size === undefined || none ? {} : { size });
            await holds(t, path, none ? empty : bytes, none ? "no bytes at all" : "the bytes, however they were cut");
          },
        );
      }
    },
  },
  {
    id: "bodies.chunks.wrong",
    title: "a body of something that is no bytes is refused, and nothing is stored",
    why: 'Strings in a stream are counted in characters and sent in bytes; objects become "[object Object]".',
    tier: "smoke",
    behaviours: [41],
    guarantees: ["body.chunks", "body.kinds"],
    kills: ["A19"],
    needs: rwl,
    async run(t) {
      const d = await base(t);
      await put(t, `${d}/x/old`, pattern(9, "old"));
      const wrong = [undefined, null, 5, {}, new Date(0), true, Promise.resolve("x"), ["text"]] as unknown as readonly Body[];
      for (const body of wrong) await rejectsType(() => t.store.write(`${d}/x/new`, body), `a body that is ${show(body)}`);
      for (const chunk of ["abc", 7, null, { length: 3 }, [1, 2, 3]]) {
        const body = {
          async *[Symbol.asyncIterator]() {
            yield new Uint8Array(3);
            yield chunk;
          },
        } as unknown as Body;
        const outcome: unknown = await t.store.write(`${d}/x/old`, body, { size: 6 }).then(
          () => "stored",
          (error: unknown) => error,
        );
        if (!(outcome instanceof TypeError))
          await rejects("bad-body", outcome === "stored" ? Promise.resolve("stored") : Promise.reject(outcome), `a chunk that is ${JSON.stringify(chunk)}`);
      }
      await lists(t, `${d}/x`, ["old"], "nothing is stored");
      await holds(t, `${d}/x/old`, pattern(9, "old"), "the old version is there");
    },
  },
  {
    id: "bodies.borrowed",
    title: "the caller may change its bytes after a write and the bytes of a read, and the store stays as it is",
    why: "A store that keeps the caller's buffer, or hands out its own, changes when the caller fills the buffer again: a bug that appears in the second file.",
    tier: "smoke",
    behaviours: [44],
    guarantees: ["body.borrowed", "read.ownMemory"],
    kills: ["M30", "M31"],
    needs: rw,
    async run(t) {
      const path = `${await base(t)}/borrowed`;
      const expected = pattern(5000, "borrowed");
      const mine = expected.slice();
      await put(t, path, mine);
      mine.fill(0xff);
      await holds(t, path, expected, "changing the buffer after the write changes nothing");
      const first = await readAll(t.store, path);
      equal(first.byteOffset === 0 && first.buffer.byteLength === first.length, true, "bytes() is memory with an ArrayBuffer of its own");
      first.fill(0);
      await holds(t, path, expected, "changing the bytes of a read changes nothing");
      const chunks: Uint8Array[] = [];
      await using streamed = await t.store.read(path);
      for await (const chunk of streamed.stream()) chunks.push(chunk);
      for (const chunk of chunks) chunk.fill(1);
      await holds(t, path, expected, "changing the chunks of a stream changes nothing");
    },
  },
  {
    id: "bodies.borrowed.chunks",
    title: "a body that uses one buffer for all its chunks is stored right once each chunk was asked for and the next was given",
    why: "A reader that fills the same buffer again is how files are read in loops; a store that keeps chunks for later sends the last one many times.",
    tier: "full",
    behaviours: [44, 42],
    guarantees: ["body.borrowed"],
    kills: [],
    needs: rw,
    async run(t) {
      const path = `${await base(t)}/chunks`;
      const bytes = pattern(10_000, "chunks");
      // Bytes are borrowed until the promise settles: each chunk has its own memory until then, and is overwritten the moment it has.
      const given: Uint8Array[] = [];
      let at = 0;
      await put(
        t,
        path,
        probed(() => {
          if (at >= bytes.length) return undefined;
          const chunk = bytes.slice(at, at + 1000);
          at += 1000;
          given.push(chunk);
          return chunk;
        }),
        { size: bytes.length },
      );
      for (const chunk of given) chunk.fill(0xee);
      await holds(t, path, bytes, "changing the chunks after the write changes nothing");
    },
  },
  {
    id: "bodies.borrowed.buffer",
    title: "a body that fills one and the same buffer for each of its chunks is stored right, whatever its size and with or without a known length",
    why: "Loops over files read into one buffer. Whoever keeps a chunk until the next one is there stores the last one many times; a two-gigabyte upload was wrong in its first part only.",
    tier: "full",
    behaviours: [44, 42],
    guarantees: ["body.borrowed"],
    kills: [],
    needs: rw,
    async run(t) {
      const d = await base(t);
      const sizes = [10_000, 300_000, ...t.capabilities.sizeSteps.filter((step) => step <= 32 * mib).map((step) => step + 100_000)];
      for (const size of sizes.filter((one) => one <= Math.min(t.capabilities.maxFileBytes, t.capabilities.maxUnknownBytes))) {
        const bytes = pattern(size, `buffer ${size}`);
        for (const known of t.capabilities.writeUnknownSize === false ? [true] : [true, false]) {
          const path = `${d}/${known ? "known" : "unknown"}-${size}`;
          const buffer = new Uint8Array(7000);
          let at = 0;
          async function* loop(): AsyncGenerator<Uint8Array> {
            while (at < size) {
              const piece = bytes.subarray(at, at + buffer.length);
              buffer.set(piece);
              at += piece.length;
              yield buffer.subarray(0, piece.length);
            }
          }
          await put(t, path, loop(), known ? { size } : {});
          buffer.fill(0xee);
          await holds(t, path, bytes, `a body of ${size} bytes from one buffer, ${known ? "with" : "without"} its length`);
        }
      }
    },
  },
  {
    id: "bodies.memory",
    title: "a large body is sent as it is pulled: it is not collected in memory first",
    why: "Uploads that are collected before they are sent work in every test and end the process with the first video; a slow service has to slow its writer down.",
    tier: "full",
    behaviours: [36, 41],
    guarantees: ["body.pulled"],
    kills: ["M68b"],
    needs: rw,
    timeoutMs: 120_000,
    async run(t) {
      const path = `${await base(t)}/memory.bin`;
      const length = Math.min(64 * mib, t.capabilities.maxFileBytes);
      const before = heldBytes();
      const source = patternStream(length, "memory", Math.min(mib, length));
      let given = 0;
      let held = 0;
      const body = probed(async () => {
        const next = await source.next();
        if (next.done === true) return undefined;
        given += next.value.length;
        // Everything but this last piece is with the service by now, or on its way there.
        if (given === length) held = heldBytes() - before;
        return next.value;
      });
      await put(t, path, body, { size: length });
      t.note(`${Math.round(held / 1024)} KiB held when the last of ${length} bytes were given`);
      // A store inside the process keeps the file itself, in pieces and whole for a moment; any other has at most its parts in flight.
      const allowed = t.subject.reopens === false ? length * 3.25 : length * 0.75;
      ok(held < allowed, `less than ${Math.round(allowed / mib)} MiB are held of a body of ${Math.round(length / mib)} MiB`, held);
      await t.settled("read", async () => {
        await using result = await t.store.read(path);
        await verifyPattern(result, length, "memory");
      });
    },
  },
  {
    id: "bodies.progress",
    title: "progress counts the bytes taken, never falls within an attempt and ends at the size",
    why: "Progress that counts a retry on top of the first attempt goes to 180 %, and one that is told only at the end is none.",
    tier: "full",
    behaviours: [41],
    guarantees: ["write.progress"],
    kills: ["A20", "A20b"],
    needs: rw,
    async run(t) {
      const d = await base(t);
      const bytes = pattern(200_000, "progress");
      const bodies: Readonly<Record<string, { readonly body: Body; readonly total: number | null }>> = {
        bytes: { body: bytes, total: bytes.length },
        empty: { body: "", total: 0 },
        ...(t.capabilities.writeUnknownSize === false ? {} : { stream: { body: pieces(bytes, 10_000), total: null } }),
      };
      for (const [name, { body, total }] of Object.entries(bodies)) {
        const told: { readonly bytes: number; readonly total: number | null }[] = [];
        await t.store.write(`${d}/x/${name}`, body, { onProgress: (progress) => void told.push(progress) });
        const length = name === "empty" ? 0 : bytes.length;
        if (length > 0) ok(told.length > 0, `${name}: progress is told`);
        for (const [index, { bytes: count, total: of }] of told.entries()) {
          ok(count <= length, `${name}: never more than there is`, count);
          const before = told[index - 1]?.bytes ?? 0;
          ok(count >= before || count === 0, `${name}: the count does not fall, unless an attempt begins again at 0`, [before, count]);
          if (total !== null) equal(of, total, `${name}: the total is told`);
        }
        if (length > 0) equal(told.at(-1)?.bytes, length, `${name}: the last count is the size`);
      }
      const failing = probed(() => {
        throw new Error("the body of the check fails here, as it should");
      });
      let counted = 0;
      await rejects(
        "bad-body",
        () => t.store.write(`${d}/x/failing`, failing, { size: 10, onProgress: (progress) => void (counted = progress.bytes) }),
        "a failing body",
      );
      equal(counted, 0, "no progress is told of a body that gave nothing");
      await absent(t, `${d}/x/failing`, "a failing body stores nothing");
    },
  },
];
