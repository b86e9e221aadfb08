/** Reading whole files: every form, early ends, many readers, what is no file (behaviours 54 to 60). Ranges are in ranges.ts. */
import { createHash } from "node:crypto";
import { equal, ok, pattern, patternStream, readAll, rejects, sameBytes, verifyPattern } from "../assert.ts";
import type { Check } from "../check.ts";
import { absent, base, below, pause, room } from "./base.ts";
import { each } from "./each.ts";
import { holds, put, rw } from "./look.ts";
import { heldBytes } from "./memory.ts";
import { accepted, folded } from "./spelling.ts";

const mib = 1024 * 1024;

export const checks: readonly Check[] = [
  {
    id: "reads.forms",
    title: "iteration, bytes(), text(), stream() and nodeStream() give the same bytes",
    why: "Each form has its own buffer handling; the Node stream of one SDK turns strings out, another stops at the high-water mark.",
    tier: "smoke",
    behaviours: [1, 45],
    guarantees: ["read.forms", "read.range.told"],
    rows: ["CF3"],
    kills: ["A42"],
    needs: rw,
    async run(t) {
      const path = `${await base(t)}/forms`;
      const text = "näher 😀\r\n".repeat(9_000);
      const bytes = new TextEncoder().encode(text);
      await put(t, path, bytes);
      await holds(t, path, bytes, "bytes()");
      {
        await using result = await t.store.read(path);
        equal(await result.text(), text, "text()");
      }
      const forms = {
        iteration: (result: AsyncIterable<Uint8Array>) => result,
        "stream()": (result: { stream(): ReadableStream<Uint8Array> }) => result.stream(),
        "nodeStream()": (result: { nodeStream(): AsyncIterable<unknown> }) => result.nodeStream() as AsyncIterable<Uint8Array>,
      };
      for (const [name, form] of Object.entries(forms)) {
        await using result = await t.store.read(path);
        equal(result.offset, 0, `${name}: the offset is told`);
        if (result.length !== null) equal(result.length, bytes.length, `${name}: the length is told`);
        const chunks: Uint8Array[] = [];
        for await (const chunk of form(result)) {
          ok(chunk instanceof Uint8Array, `${name}: chunks are bytes`, chunk);
          chunks.push(chunk.slice());
        }
        sameBytes(Buffer.concat(chunks), bytes, name);
      }
    },
  },
  {
    id: "reads.once",
    title: "the bytes of one result are taken once; a second attempt is an error and never other bytes",
    why: "A result read twice comes back empty the second time: an empty file is written over a good one.",
    tier: "smoke",
    behaviours: [54],
    guarantees: ["read.once"],
    kills: ["A25"],
    needs: rw,
    async run(t) {
      const path = `${await base(t)}/once`;
      const bytes = pattern(10_000, "once");
      await put(t, path, bytes);
      await holds(t, path, bytes, "a first look");
      await using result = await t.store.read(path);
      sameBytes(await result.bytes(), bytes, "the first time");
      const again: unknown = await result.bytes().then(
        (found) => found,
        (error: unknown) => error,
      );
      ok(again instanceof Error, "the second time is an error", again);
      const iterated: unknown = await (async () => {
        let count = 0;
        for await (const chunk of result) count += chunk.length;
        return count;
      })().then(
        (count) => count,
        (error: unknown) => error,
      );
      ok(iterated instanceof Error, "iterating afterwards is an error", iterated);
    },
  },
  {
    id: "reads.early-close",
    title: "a body that is left early is let go of, and the next read is whole",
    why: "Bytes of the first answer that stay in the socket become the beginning of the second one: another file's content under this name.",
    tier: "smoke",
    behaviours: [54],
    guarantees: ["read.released", "read.whole"],
    kills: ["M29b"],
    needs: rw,
    async run(t) {
      const d = await base(t);
      const large = pattern(room(t, 2 * mib), "large");
      const small = pattern(1000, "small");
      await put(t, `${d}/large`, large);
      await put(t, `${d}/small`, small);
      await holds(t, `${d}/large`, large, "the large file");
      for (let round = 0; round < 4; round++) {
        {
          await using unread = await t.store.read(`${d}/large`);
          ok(unread.entry.kind === "file", "a result that nobody reads");
        }
        {
          await using result = await t.store.read(`${d}/large`);
          for await (const chunk of result) {
            ok(chunk.length > 0, "a chunk has bytes");
            break;
          }
        }
        {
          await using result = await t.store.read(`${d}/large`);
          const stream = result.stream();
          const reader = stream.getReader();
          await reader.read();
          await reader.cancel();
        }
        {
          await using result = await t.store.read(`${d}/large`);
          const node = result.nodeStream();
          node.on("error", () => {});
          node.read(1);
          node.destroy();
        }
        await holds(t, `${d}/small`, small, "the next read is the other file, whole");
        await holds(t, `${d}/large`, large, "and the file that was left is whole again");
      }
    },
  },
  {
    id: "reads.early-error",
    title: "an error of the consumer comes back unchanged and lets go of the body",
    why: "restic's consumers stop by throwing; a client that wraps the error, or retries the download because of it, hides what happened.",
    tier: "full",
    behaviours: [54, 98],
    guarantees: ["read.released"],
    kills: ["M29b"],
    needs: rw,
    async run(t) {
      const path = `${await base(t)}/consumer`;
      const bytes = pattern(room(t, 500_000), "consumer");
      await put(t, path, bytes);
      await holds(t, path, bytes, "the file");
      const mine = new Error("the consumer of the check stops here");
      const found: unknown = await (async () => {
        for await (const chunk of await t.store.read(path)) if (chunk.length > 0) throw mine;
      })().then(
        () => undefined,
        (error: unknown) => error,
      );
      ok(found === mine, "the very error that the consumer threw", found);
      await holds(t, path, bytes, "the next read is whole");
    },
  },
  {
    id: "reads.parallel",
    title: "many readers of one file at once each get all of it",
    why: "Shared cursors, one pooled buffer, a connection limit that starves: readers get each other's chunks.",
    tier: "full",
    behaviours: [55],
    guarantees: ["read.whole", "write.concurrent"],
    kills: ["M65b"],
    needs: rw,
    timeoutMs: 60_000,
    async run(t) {
      const d = await base(t);
      const files = Array.from({ length: 3 }, (_, index) => ({ path: `${d}/x/f${index}`, length: 200_000 + index }));
      for (const { path, length } of files) await put(t, path, pattern(length, path));
      await Promise.all(
        Array.from({ length: 18 }, async (_, index) => {
          const { path, length } = files[index % 3]!;
          await t.settled("read", async () => {
            await using result = await t.store.read(path);
            let seen = 0;
            // Readers go at different speeds, so that their chunks interleave.
            await verifyPattern(
              (async function* slowly() {
                for await (const chunk of result) {
                  seen += chunk.length;
                  if (index % 2 === 0) await pause(t, below(t, 3));
                  yield chunk;
                }
              })(),
              length,
              path,
            );
            equal(seen, length, "all bytes of this file");
          });
        }),
      );
    },
  },
  {
    id: "reads.directory",
    title: "reading a directory is is-a-directory, never bytes",
    why: "Servers answer GET on a collection with an HTML page, S3 with the zero bytes of a marker: a copy tool then stores that.",
    tier: "smoke",
    behaviours: [58],
    guarantees: ["read.directory"],
    kills: ["A28"],
    needs: rw,
    async run(t) {
      const d = await base(t);
      await put(t, `${d}/x/inside`, pattern(10, "inside"));
      await t.settled("read", async () => void (await rejects("is-a-directory", () => t.store.read(`${d}/x`), "a directory that holds a file")));
      await rejects("is-a-directory", () => t.store.read("/"), "the root");
      if (t.capabilities.mkdir === false) return;
      await t.store.mkdir(`${d}/empty`);
      await t.settled("read", async () => void (await rejects("is-a-directory", () => t.store.read(`${d}/empty`), "an empty directory")));
    },
  },
  {
    id: "reads.missing",
    title: "reading what is not there is not-found when the call is made, and makes nothing",
    why: "An error that comes only with the first byte is missed by who looks at the entry first; and some clients create what they open.",
    tier: "smoke",
    behaviours: [145],
    guarantees: ["read.missing"],
    rows: ["CF19", "CF25"],
    kills: ["A29"],
    needs: rw,
    async run(t) {
      const d = await base(t);
      await put(t, `${d}/x/there`, pattern(10, "there"));
      for (const path of [`${d}/x/none`, `${d}/none`, `${d}/none/none/none`, `${d}/x/there/none`]) {
        const error = await rejects("not-found", () => t.store.read(path), "a missing file");
        equal(error.path as string, path, "the error names the path");
        equal(error.operation, "read", "and the operation");
        await rejects("not-found", () => t.store.read(path, t.capabilities.readRange === false ? {} : { range: { offset: 5 } }), "a range of a missing file");
        await absent(t, path, "asking made nothing");
      }
    },
  },
  {
    id: "reads.foreign",
    title: "what another client put there is read, stat'ed and listed as it is; what the store wrote the other client reads",
    why: "Two wrongs in one client cancel each other: names escaped twice and decoded twice, a prefix wrong in both directions. Only a second client sees it.",
    tier: "full",
    behaviours: [60],
    guarantees: ["read.whole", "path.kept", "stat.file"],
    kills: ["M44b"],
    needs: rw,
    offers: ["raw"],
    async run(t) {
      const d = await base(t);
      await put(t, `${d}/own/first`, pattern(10, "first"));
      await using raw = await t.raw();
      const names = ["plain.bin", "with space", "50%25.txt", "50%.txt", "a+b", "a#b?c", "ä😀.bin", "a&b<c>"].filter((name) =>
        accepted(t.capabilities, `${d}/foreign/${name}`),
      );
      const form = (name: string): string => folded(t.capabilities, name);
      await each(
        t,
        names,
        (name) => name,
        async (name, index) => {
          const bytes = pattern(3000 + index, name);
          await raw.put(`${d}/foreign/${name}`, bytes);
          await holds(t, `${d}/foreign/${name}`, bytes, "what the other client put there");
          await t.store.write(`${d}/own/${name}`, bytes);
          await t.settled("read", async () =>
            sameBytes((await raw.get(`${d}/own/${name}`)) ?? new Uint8Array(), bytes, "what the store wrote, seen by the other client"),
          );
        },
      );
      await t.settled("list", async () => {
        const listed = (await t.store.list(`${d}/foreign`).toArray()).map((entry) => form((entry.path as string).split("/").at(-1)!));
        equal(listed.sort(), names.map(form).sort(), "the names that the other client made");
        equal((await raw.list(`${d}/own`)).map(form).sort(), [...names, "first"].map(form).sort(), "the names that the store made, seen by the other client");
      });
    },
  },
  {
    id: "reads.memory",
    title: "a large file is pulled as it is taken: what nobody reads is not in memory",
    why: "A download that is read ahead, or collected before the first chunk is given, needs the file's size in memory; a copy of 50 GB ends the process.",
    tier: "full",
    behaviours: [54],
    guarantees: ["read.pulled"],
    kills: ["M68"],
    needs: rw,
    timeoutMs: 120_000,
    async run(t) {
      const path = `${await base(t)}/memory.bin`;
      const length = Math.min(64 * mib, t.capabilities.maxFileBytes);
      await put(t, path, patternStream(length, "memory", mib), { size: length });
      await t.settled("read", () => t.store.stat(path));
      const before = heldBytes();
      await using result = await t.store.read(path);
      const hash = createHash("sha256");
      let taken = 0;
      for await (const chunk of result) {
        hash.update(chunk);
        taken += chunk.length;
        break;
      }
      // Time for whoever reads ahead.
      await pause(t, 300);
      const grown = heldBytes() - before;
      t.note(`${Math.round(grown / 1024)} KiB held after the first ${taken} bytes of ${length}`);
      // A store inside the process may copy the file for its reader; any other may not have it in memory at all.
      const allowed = t.subject.reopens === false ? length * 2.25 : length / 2;
      ok(grown < allowed, `less than ${Math.round(allowed / mib)} MiB are held while a file of ${Math.round(length / mib)} MiB waits to be read`, grown);
    },
  },
  {
    id: "reads.replaced",
    title: "a reader in the middle of a file that is replaced gets the version it began with, or conflict, never a mix",
    why: "Downloads in pieces, resumed downloads and plain files on a disk read the second half from the new version: a file that never existed, without an error.",
    tier: "full",
    behaviours: [136, 125],
    guarantees: ["read.oneVersion"],
    kills: ["M64"],
    needs: rw,
    timeoutMs: 60_000,
    async run(t) {
      const path = `${await base(t)}/replaced.bin`;
      const length = room(t, 6 * mib) - 1000;
      for (const forms of ["same length", "shorter", "longer"] as const) {
        const first = pattern(length, "first");
        const second = pattern(forms === "same length" ? length : forms === "shorter" ? length / 2 : length + 1000, "second");
        await put(t, path, first);
        await holds(t, path, first, "the first version");
        await using result = await t.store.read(path);
        const chunks: Uint8Array[] = [];
        let replaced = false;
        const outcome: unknown = await (async () => {
          for await (const chunk of result) {
            chunks.push(chunk.slice());
            if (replaced) continue;
            replaced = true;
            await t.store.write(path, second);
          }
        })().then(
          () => "whole",
          (error: unknown) => error,
        );
        if (outcome === "whole") {
          const found = Buffer.concat(chunks);
          const version = Buffer.compare(found, first) === 0 || Buffer.compare(found, second) === 0;
          if (!version) sameBytes(found, first, `${forms}: all bytes of one version`);
        } else
          await rejects(
            t.capabilities.atomicWrites === "native" ? ["conflict"] : ["conflict", "unavailable", "not-found", "integrity"],
            Promise.reject(outcome),
            `${forms}: a reader that cannot finish its version`,
          );
        await holds(t, path, second, "the second version is there");
      }
      equal((await readAll(t.store, path)).length, length + 1000, "the last version is whole");
    },
  },
];
