/** Reads that end early, run side by side, are large, meet a new version (behaviours 54, 55). */
import { createHash } from "node:crypto";
import { equal, ok, pattern, patternStream, readAll, rejects, sameBytes, verifyPattern } from "../assert.ts";
import type { Check } from "../check.ts";
import { base, below, pause, room } from "./base.ts";
import { holds, put, rw } from "./look.ts";
import { heldBytes } from "./memory.ts";

const mib = 1024 * 1024;

export const checks: readonly Check[] = [
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
      const files = Array.from({ length: 3 }, (_, index) => ({ path: `${d}/x/f${index}`, length: room(t, 200_002) - index }));
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
