/** How bodies are cut, and whose their bytes are (behaviours 42, 44). */
import type { Body } from "../../store/index.ts";
import { chunked, equal, pattern, pieces, probed, readAll, rejects, rejectsType, show } from "../assert.ts";
import type { Check } from "../check.ts";
import { base, below } from "./base.ts";
import { each } from "./each.ts";
import { holds, lists, put, rw, rwl } from "./look.ts";
import { view } from "./bodies-help.ts";

const mib = 1024 * 1024;

export const checks: readonly Check[] = [
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
    title: "the chunks of a stream are the caller's again when its write has resolved: changing them changes nothing",
    why: "Buffers from a pool go back to it after the write; a store that keeps the chunks it was given changes with the next file that uses them.",
    tier: "full",
    behaviours: [44, 42],
    guarantees: ["body.borrowed"],
    kills: ["M31b"],
    needs: rw,
    async run(t) {
      const path = `${await base(t)}/chunks`;
      const bytes = pattern(10_000, "chunks");
      // Each chunk has its own memory until the promise settles, and is overwritten then.
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
    kills: ["M31c"],
    needs: rw,
    async run(t) {
      const d = await base(t);
      const sizes = [10_000, 300_000, ...t.capabilities.sizeSteps.filter((step) => step <= 32 * mib).map((step) => step + 100_000)];
      for (const size of sizes.filter((one) => one <= Math.min(t.capabilities.maxFileBytes, t.capabilities.maxUnknownBytes))) {
        const bytes = pattern(size, `buffer ${size}`);
        for (const known of t.capabilities.writeUnknownSize === false ? [true] : [true, false]) {
          const path = `${d}/${known ? "known" : "unknown"}-${size}`;
          // A Buffer, whose slice() is a view of the same memory: a provider that takes it for a copy keeps the last chunk many times.
          const buffer = Buffer.alloc(7000);
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
];
