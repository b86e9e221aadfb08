/** One-bug stores whose bug shows when there is more than one call or connection: M61 to M63, and what one of them sees of the others. */
import { StoreError, byteStream, parentOf } from "../../store/index.ts";
import type { Entry, Page, ReadReply, StorePath } from "../../store/index.ts";
import { collected, drained, replyWith, withBytes } from "./bodies.ts";
import { bugged } from "./broken.ts";
import type { BrokenStore } from "./broken.ts";
import { at, bytesAt, remove, turn } from "./tree.ts";

const made = (path: StorePath, size: number): Entry => ({
  path,
  kind: "file",
  size,
  modifiedMs: null,
  etag: null,
  id: null,
  contentType: null,
  hashes: {},
  metadata: null,
  complete: false,
});

export const broken: readonly BrokenStore[] = [
  bugged({
    id: "M61",
    bug: "what was not found once is not found any more",
    killedBy: ["concurrency.negative"],
    below: () => {
      const missing = new Set<StorePath>();
      return (inner) => ({
        async stat(call) {
          if (missing.has(call.path)) throw new StoreError("not-found", "nothing is there");
          return await inner.stat(call).catch((error: unknown) => {
            missing.add(call.path);
            throw error;
          });
        },
      });
    },
  }),
  bugged({
    id: "M62",
    bug: "the first read after an overwrite gives the old version",
    killedBy: ["concurrency.read-after-overwrite"],
    below: () => {
      const stale = new Map<StorePath, Uint8Array>();
      return (inner) => ({
        async write(call) {
          const old = (await at(inner, call.path))?.kind === "file" ? await bytesAt(inner, call.path) : undefined;
          const entry = await inner.write(call);
          if (old !== undefined) stale.set(call.path, old);
          return entry;
        },
        async read(call) {
          const reply = await inner.read(call);
          const old = stale.get(call.path);
          if (old === undefined || call.range !== undefined) return reply;
          stale.delete(call.path);
          await reply.body.close();
          return replyWith(reply, old);
        },
      });
    },
  }),
  bugged({
    id: "M63",
    bug: "of writes to different files at once only the last one is kept",
    killedBy: ["concurrency.distinct-files", "concurrency.distinct-directories", "concurrency.connections"],
    below: () => {
      let serial = 0;
      return (inner) => ({
        async write(call) {
          const { bytes, error } = await collected(call);
          if (error !== undefined) throw error;
          const mine = (serial += 1);
          await turn();
          return mine === serial ? await inner.write(withBytes(call, bytes)) : made(call.path, bytes.length);
        },
      });
    },
  }),
  bugged({
    id: "N33",
    bug: "a connection keeps what it has read for ever, whatever others write",
    killedBy: ["concurrency.one-file.connections", "concurrency.read-after-write"],
    below: () => (inner) => {
      const kept = new Map<StorePath, Uint8Array>();
      return {
        async write(call) {
          const entry = await inner.write(call);
          kept.delete(call.path);
          return entry;
        },
        async read(call) {
          const reply = await inner.read(call);
          if (call.range !== undefined) return reply;
          const bytes = kept.get(call.path) ?? (await drained(reply.body));
          kept.set(call.path, bytes);
          return replyWith(reply, bytes);
        },
      };
    },
  }),
  bugged({
    id: "N237",
    bug: "an overwrite deletes first, and for a moment there is nothing",
    killedBy: ["concurrency.readers-during-overwrite"],
    below: () => (inner) => ({
      async write(call) {
        const { bytes, error } = await collected(call);
        if (error !== undefined) throw error;
        if ((await at(inner, call.path))?.kind === "file") await remove(inner, call.path);
        await turn();
        return await inner.write(withBytes(call, bytes));
      },
    }),
  }),
  bugged({
    id: "N172",
    bug: "two uploads of one file at once are put together: the first half of one, the second of the other",
    killedBy: ["concurrency.one-file"],
    below: () => {
      const running = new Map<StorePath, Uint8Array>();
      return (inner) => ({
        async write(call) {
          const { bytes, error } = await collected(call);
          if (error !== undefined) throw error;
          const other = running.get(call.path);
          running.set(call.path, bytes);
          await turn();
          running.delete(call.path);
          const mixed =
            other === undefined ? bytes : Buffer.concat([other.subarray(0, bytes.length >> 1), bytes.subarray(Math.min(other.length, bytes.length >> 1))]);
          return await inner.write(withBytes(call, mixed));
        },
      });
    },
  }),
  bugged({
    id: "N173",
    bug: "a deleted file can be read once more",
    killedBy: ["concurrency.read-after-delete"],
    below: () => {
      const ghosts = new Map<StorePath, ReadReply>();
      return (inner) => ({
        async delete(call) {
          const entry = await at(inner, call.path);
          if (entry?.kind === "file")
            ghosts.set(
              call.path,
              await inner.read({
                operation: "read",
                path: call.path,
                signal: undefined,
                fresh: true,
                range: undefined,
                ifMatch: undefined,
                ifNoneMatch: undefined,
              }),
            );
          await inner.delete(call);
        },
        async read(call) {
          const ghost = ghosts.get(call.path);
          ghosts.delete(call.path);
          return await inner.read(call).catch((error: unknown) => ghost ?? Promise.reject(error as Error));
        },
      });
    },
  }),
  bugged({
    id: "N174",
    bug: "the first listing after a change is the one before",
    killedBy: ["concurrency.list-after-write"],
    below: () => {
      const before = new Map<StorePath, Page>();
      const changed = new Set<StorePath>();
      return (inner) => ({
        async write(call) {
          const entry = await inner.write(call);
          changed.add(parentOf(call.path));
          return entry;
        },
        async delete(call) {
          await inner.delete(call);
          changed.add(parentOf(call.path));
        },
        async list(call) {
          const old = before.get(call.path);
          if (old !== undefined && changed.delete(call.path)) return old;
          const page = await inner.list(call);
          before.set(call.path, page);
          return page;
        },
      });
    },
  }),
  bugged({
    id: "N175",
    bug: "every third read comes from a replica that is two versions behind",
    killedBy: ["concurrency.monotonic"],
    below: () => {
      const versions = new Map<StorePath, Uint8Array[]>();
      let reads = 0;
      return (inner) => ({
        async write(call) {
          const entry = await inner.write(call);
          versions.set(call.path, [...(versions.get(call.path) ?? []).slice(-2), await bytesAt(inner, call.path)]);
          return entry;
        },
        async read(call) {
          const reply = await inner.read(call);
          const old = versions.get(call.path)?.[0];
          if ((reads += 1) % 3 !== 0 || old === undefined || call.range !== undefined) return reply;
          await reply.body.close();
          return replyWith(reply, old);
        },
      });
    },
  }),
  bugged({
    id: "N176",
    bug: "readers at once share the range that was asked for last",
    killedBy: ["concurrency.readers"],
    below: () => {
      let last: ReadReply | undefined;
      return (inner) => ({
        async read(call) {
          const reply = await inner.read(call);
          const bytes = await drained(reply.body);
          last = replyWith(reply, bytes);
          await turn();
          return { ...last, body: replyWith(last, await last.body.all()).body };
        },
      });
    },
  }),
  bugged({
    id: "N177",
    bug: "more than a hundred calls at once are refused",
    killedBy: ["concurrency.beyond"],
    below: () => {
      let running = 0;
      return (inner) => ({
        async write(call) {
          running += 1;
          try {
            if (running > 100) throw new StoreError("unavailable", "there are too many calls");
            await turn();
            return await inner.write(call);
          } finally {
            running -= 1;
          }
        },
      });
    },
  }),
  bugged({
    id: "N178",
    bug: "a body whose file is deleted meanwhile ends early, as if it were complete",
    killedBy: ["concurrency.delete-during-read"],
    below: () => {
      const deleted = new Set<StorePath>();
      return (inner) => ({
        async delete(call) {
          await inner.delete(call);
          deleted.add(call.path);
        },
        async read(call) {
          const reply = await inner.read(call);
          const bytes = await drained(reply.body);
          let from = 0;
          const pull = (): Uint8Array | undefined => {
            if (from >= bytes.length || deleted.has(call.path)) return undefined;
            return bytes.subarray(from, (from += 50_000));
          };
          return { ...reply, body: byteStream({ length: null, pull }) };
        },
      });
    },
  }),
  bugged({
    id: "N179",
    bug: "a file that is being overwritten is not listed",
    killedBy: ["concurrency.list-during-writes"],
    below: () => {
      const hidden = new Set<StorePath>();
      return (inner) => ({
        async write(call) {
          if ((await at(inner, call.path)) !== undefined) hidden.add(call.path);
          try {
            await turn();
            return await inner.write(call);
          } finally {
            hidden.delete(call.path);
          }
        },
        async list(call) {
          const page = await inner.list(call);
          return { ...page, entries: page.entries.filter((entry) => !hidden.has(entry.path)) };
        },
      });
    },
  }),
];
