/** Many calls, many connections, and what one of them sees of the others (behaviours 134 to 140, 144). */
import { byCodePoint, equal, fail, listAll, names, ok, pattern, readAll, rejects, sameBytes, show } from "../assert.ts";
import type { Check, CheckContext } from "../check.ts";
import type { ErrorCode, Store } from "../../store/index.ts";
import { StoreError, hasCode } from "../../store/index.ts";
import { gone, holds, lists, many, outcome, put, rw, rwl, rwld, sizeFor } from "./look.ts";

/** What a read may end with while the file is overwritten, by what atomicWrites declares. */
function legalForReaders(t: CheckContext): readonly ErrorCode[] {
  return t.capabilities.atomicWrites === "native" ? ["conflict"] : ["conflict", "not-found", "unavailable", "integrity"];
}

/** Content that says what it is: a whole version, or for atomicWrites false a cut one. */
function isWhole(t: CheckContext, bytes: Uint8Array, versions: readonly Uint8Array[]): boolean {
  if (versions.some((version) => version.length === bytes.length && Buffer.compare(version, bytes) === 0)) return true;
  return t.capabilities.atomicWrites === false && versions.some((version) => Buffer.compare(version.subarray(0, bytes.length), bytes) === 0);
}

export const checks: readonly Check[] = [
  {
    id: "concurrency.distinct-files",
    title: "forty files written at once are all there, each with its own bytes",
    why: "A client that keeps the state of a running upload in one place, or an index that is read, changed and written back, loses all but the last.",
    tier: "smoke",
    behaviours: [134],
    guarantees: ["write.concurrent"],
    kills: ["M63"],
    needs: rwl,
    async run(t) {
      const all = Array.from({ length: 40 }, (_, index) => `f${String(index).padStart(2, "0")}`);
      await Promise.all(all.map((name, index) => t.store.write(`/w/${name}`, pattern(4096 + index, name))));
      await lists(t, "/w", all, "all of them are listed");
      for (const [index, name] of all.entries()) await holds(t, `/w/${name}`, pattern(4096 + index, name), `${name} has its own bytes`);
    },
  },
  {
    id: "concurrency.distinct-directories",
    title: "files written at once into different directories are all where they belong",
    why: "The parent that is looked up for one is used for the other.",
    tier: "full",
    behaviours: [134],
    guarantees: ["write.concurrent", "write.parents"],
    kills: ["M63"],
    needs: rwl,
    async run(t) {
      const all = Array.from({ length: 24 }, (_, index) => index);
      await Promise.all(all.map((index) => t.store.write(`/w/d${index % 6}/e${index % 4}/f${index}`, pattern(200, `f${index}`))));
      for (const index of all) await holds(t, `/w/d${index % 6}/e${index % 4}/f${index}`, pattern(200, `f${index}`), `file ${index}`);
      await lists(t, "/w", ["d0", "d1", "d2", "d3", "d4", "d5"], "six directories");
    },
  },
  {
    id: "concurrency.one-file",
    title: "of ten writes to one file at once, the file is one of them, whole, and stands in its directory once",
    why: "Parts of two uploads are put together into a third file; drives keep ten files of one name.",
    tier: "smoke",
    behaviours: [135],
    guarantees: ["write.concurrent", "write.replaces"],
    kills: ["N172"],
    needs: rwl,
    async run(t) {
      for (let round = 0; round < 4; round += 1) {
        const versions = Array.from({ length: 10 }, (_, index) => pattern(20_000 + index * 7, `r${round}v${index}`));
        const results = await Promise.all(versions.map((version) => outcome(t.store.write("/w/f", version))));
        // Without native atomic writes the look at what was stored may meet the other writer's file, or a server that stumbles over both.
        const lost: readonly ErrorCode[] = t.capabilities.atomicWrites === "native" ? ["conflict"] : ["conflict", "integrity", "unavailable"];
        for (const { error } of results)
          if (error !== undefined) await rejects(lost, Promise.reject(error), "a write that lost a race ends in conflict, if at all");
        ok(
          results.some(({ error }) => error === undefined),
          "at least one write succeeds",
          results.map(({ error }) => show(error)),
        );
        await t.settled("read", async () => {
          const bytes = await readAll(t.store, "/w/f", { fresh: true });
          if (!versions.some((version) => version.length === bytes.length && Buffer.compare(version, bytes) === 0)) {
            sameBytes(bytes, versions[0]!, "the file is one of the versions, whole");
            fail("the file is one of the versions, whole");
          }
          equal((await t.store.stat("/w/f")).size, bytes.length, "stat says the size of that version");
        });
        await lists(t, "/w", ["f"], "it stands in its directory once");
      }
    },
  },
  {
    id: "concurrency.one-file.connections",
    title: "two connections that write one file in turns each find what was written last",
    why: "The second client keeps the upload url, the etag or the id of the first version, and writes beside it.",
    tier: "full",
    behaviours: [135, 137],
    guarantees: ["consistency.declared"],
    kills: ["N33"],
    needs: rw,
    async run(t) {
      const other = await t.connect();
      for (let round = 0; round < 8; round += 1) {
        const writer = round % 2 === 0 ? t.store : other;
        const content = pattern(1000 + round, `round ${round}`);
        await writer.write("/w/f", content);
        await holds(t, "/w/f", content, `round ${round}: the writer reads it`, writer);
        await holds(t, "/w/f", content, `round ${round}: the other one reads it`, writer === other ? t.store : other);
      }
    },
  },
  {
    id: "concurrency.readers-during-overwrite",
    title: "readers during overwrites see a whole version, never half of two",
    why: "A file that is written in place, or served from two requests, is half old and half new; no error, no wrong length, and every checksum fails a year later.",
    tier: "smoke",
    behaviours: [136],
    guarantees: ["read.oneVersion", "write.atomic"],
    kills: ["M64", "N237"],
    needs: rw,
    timeoutMs: 120_000,
    async run(t) {
      const size = sizeFor(t, 200_000) - 8_000;
      const versions = Array.from({ length: 8 }, (_, index) => pattern(size + index * 1000, `v${index}`));
      await put(t, "/w/f", versions[0]!);
      const state = { writing: true };
      const writer = (async () => {
        try {
          for (const version of versions.slice(1)) await t.store.write("/w/f", version);
        } finally {
          state.writing = false;
        }
      })();
      let reads = 0;
      let lost = 0;
      const reader = async (): Promise<void> => {
        while (state.writing) {
          const { value: bytes, error } = await outcome(readAll(t.store, "/w/f", { fresh: true }));
          reads += 1;
          if (error !== undefined) {
            await rejects(legalForReaders(t), Promise.reject(error), "a read during an overwrite");
            lost += 1;
          } else if (bytes !== undefined && !isWhole(t, bytes, versions)) {
            sameBytes(bytes, versions.find((version) => version[0] === bytes[0]) ?? versions[0]!, "a read during an overwrite gives one version, whole");
            fail("a read during an overwrite gives one version, whole");
          }
          // A turn of its own: readers must not starve the writer of a store in memory.
          await new Promise((next) => setImmediate(next));
        }
      };
      await Promise.all([writer, reader(), reader(), reader()]);
      await holds(t, "/w/f", versions.at(-1)!, "in the end the last version is there");
      t.note(`${reads} reads during ${versions.length - 1} overwrites, ${lost} of them refused`);
    },
  },
  {
    id: "concurrency.slow-reader",
    title: "a read that began before an overwrite ends with the version it began with, or in conflict",
    why: "The slow reader is the one that gets half of each: its second request goes to the new object.",
    tier: "smoke",
    behaviours: [136],
    guarantees: ["read.oneVersion"],
    kills: ["M64"],
    needs: rw,
    async run(t) {
      const before = pattern(sizeFor(t, 400_000), "before");
      const after = pattern(sizeFor(t, 400_000), "after");
      await put(t, "/w/f", before);
      await using result = await t.store.read("/w/f");
      const chunks: Uint8Array[] = [];
      const { error } = await outcome(
        (async () => {
          let overwritten = false;
          for await (const chunk of result) {
            chunks.push(chunk.slice());
            if (!overwritten) {
              overwritten = true;
              await t.store.write("/w/f", after);
            }
          }
        })(),
      );
      const bytes = Buffer.concat(chunks);
      if (error !== undefined) await rejects(legalForReaders(t), Promise.reject(error), "a read that was overtaken by an overwrite");
      // What had been sent before the overwrite is of the old version; a body that ends by itself is of one version as a whole.
      else if (!isWhole(t, bytes, [before, after])) sameBytes(bytes, before, "the whole of one version");
      await holds(t, "/w/f", after, "the new version is there");
    },
  },
  {
    id: "concurrency.missing-during-write",
    title: "while a new file is written, others find nothing or the whole file",
    why: "A reader that comes early sees a file of size 0, and takes it for the result.",
    tier: "full",
    behaviours: [136, 64],
    guarantees: ["write.atomic"],
    kills: ["M22"],
    needs: rwl,
    async run(t) {
      const content = pattern(60_000, "early");
      const state = { done: false };
      const watcher = (async () => {
        let looks = 0;
        while (!state.done) {
          const { value: bytes, error } = await outcome(readAll(t.store, "/w/f"));
          if (error !== undefined) await rejects(["not-found", ...legalForReaders(t)], Promise.reject(error), "a read before the file is there");
          else if (bytes !== undefined && !isWhole(t, bytes, [content])) sameBytes(bytes, content, "an early reader sees the whole file");
          looks += 1;
          await new Promise((next) => setImmediate(next));
        }
        return looks;
      })();
      // Its error is told below; a write that fails first must not leave it unhandled.
      watcher.catch(() => {});
      let offset = 0;
      const body = {
        async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
          for (; offset < content.length; offset += 10_000) {
            for (let turn = 0; turn < 5; turn += 1) await new Promise((next) => setImmediate(next));
            yield content.subarray(offset, offset + 10_000);
          }
        },
      };
      try {
        await t.store.write("/w/f", body, { size: content.length });
      } finally {
        state.done = true;
      }
      ok((await watcher) > 0, "somebody looked while the file was written");
      await holds(t, "/w/f", content, "the file is there");
    },
  },
  {
    id: "concurrency.read-after-write",
    title: "another connection reads what was written, new and overwritten, within the declared time",
    why: "A store that calls itself strong and answers from a replica or a cache gives the old bytes to exactly those who asked because they were told of the new ones.",
    tier: "smoke",
    behaviours: [137, 138],
    guarantees: ["consistency.declared"],
    kills: ["N33"],
    needs: rw,
    async run(t) {
      const other = await t.connect();
      for (let version = 0; version < 6; version += 1) {
        const content = pattern(500 + version, `version ${version}`);
        await t.store.write("/w/f", content);
        await holds(t, "/w/f", content, `version ${version}, by the other connection`, other);
      }
    },
  },
  {
    id: "concurrency.read-after-overwrite",
    title: "the bytes, the size and the etag after an overwrite are the new ones, at once where reads are strong",
    why: "One stale answer after an overwrite is enough: it is the one that a cache keeps.",
    tier: "smoke",
    behaviours: [137, 138],
    guarantees: ["consistency.declared", "write.replaces"],
    kills: ["M62"],
    needs: rw,
    async run(t) {
      for (let version = 0; version < 10; version += 1) {
        const content = pattern(300 + version, `version ${version}`);
        const written = await t.store.write("/w/f", content);
        await holds(t, "/w/f", content, `read after write ${version}`);
        await t.settled("read", async () => {
          const stat = await t.store.stat("/w/f");
          equal(stat.size, content.length, `stat after write ${version}`);
          if (written.etag !== null) equal(stat.etag, written.etag, `the etag after write ${version}`);
        });
      }
    },
  },
  {
    id: "concurrency.read-after-delete",
    title: "a read, a stat and a listing after a delete find nothing, at once where the store is strong",
    why: "Keep-alive of deleted files: a cache or a replica that answers a moment longer brings back what was deleted for a reason.",
    tier: "smoke",
    behaviours: [138, 133],
    guarantees: ["consistency.declared", "delete.gone"],
    kills: ["N173"],
    needs: rwld,
    async run(t) {
      for (let round = 0; round < 8; round += 1) {
        await put(t, "/w/f", `round ${round}`);
        await holds(t, "/w/f", `round ${round}`, "it was there");
        await t.store.delete("/w/f");
        await t.settled("read", () => rejects("not-found", () => t.store.read("/w/f"), `read after delete ${round}`));
        await gone(t, "/w/f", `after delete ${round}`);
      }
    },
  },
  {
    id: "concurrency.list-after-write",
    title: "a listing, also by another connection, has what was written and not what was deleted, within the declared time",
    why: 'Listings come from an index that lags behind: who moves "everything that is listed" leaves the newest files behind.',
    tier: "smoke",
    behaviours: [138],
    guarantees: ["consistency.declared"],
    kills: ["N174"],
    needs: rwld,
    async run(t) {
      const other = await t.connect();
      const there: string[] = [];
      for (let round = 0; round < 8; round += 1) {
        const name = `f${round}`;
        await t.store.write(`/w/${name}`, name);
        there.push(name);
        await lists(t, "/w", there, `after write ${round}`);
        await lists(t, "/w", there, `after write ${round}, by the other connection`, { store: other });
        if (round % 3 === 2) {
          const old = there.shift()!;
          await t.store.delete(`/w/${old}`);
          await lists(t, "/w", there, `after delete ${round}`);
          await lists(t, "/w", there, `after delete ${round}, by the other connection`, { store: other });
        }
      }
    },
  },
  {
    id: "concurrency.negative",
    title: "a path that was asked for before it existed is found once it is written, also by another connection",
    why: '"Not found" is remembered: S3 itself did so for years, and every negative cache without its own writes still does.',
    tier: "smoke",
    behaviours: [139],
    guarantees: ["consistency.declared"],
    kills: ["M61"],
    needs: rwl,
    async run(t) {
      const other = await t.connect();
      for (let round = 0; round < 4; round += 1) {
        const path = `/w/d${round}/f`;
        for (const store of [t.store, other]) {
          await rejects("not-found", () => store.stat(path), "before: stat");
          await rejects("not-found", () => store.read(path), "before: read");
        }
        const content = pattern(200, `round ${round}`);
        await t.store.write(path, content);
        await holds(t, path, content, "after: the writer finds it");
        // A cache may remember what it was told of other clients' files: they are asked for freshly. Its own it knows.
        const size = async (store: Store, fresh: boolean): Promise<void> => equal((await store.stat(path, { fresh })).size, content.length, "after: stat");
        await t.settled("read", () => size(t.store, false));
        await t.settled("read", () => size(other, true));
        await holds(t, path, content, "after: the other connection finds it", other);
        await lists(t, `/w/d${round}`, ["f"], "after: the other connection lists it", { store: other });
      }
    },
  },
  {
    id: "concurrency.monotonic",
    title: "a reader never sees an older version after a newer one where reads are strong",
    why: "Two replicas answer in turns: a file that goes back in time makes every watcher act twice.",
    tier: "full",
    behaviours: [138, 142],
    guarantees: ["consistency.declared"],
    kills: ["N175"],
    needs: rw,
    timeoutMs: 60_000,
    async run(t) {
      const other = await t.connect();
      const versions = 30;
      const text = (version: number): string => `version ${String(version).padStart(6, "0")} `.repeat(20);
      await put(t, "/w/f", text(0));
      const state = { acknowledged: 0 };
      const writer = (async () => {
        for (let version = 1; version <= versions; version += 1) {
          await t.store.write("/w/f", text(version));
          state.acknowledged = version;
        }
      })();
      const reader = async (store: typeof t.store, who: string): Promise<void> => {
        let last = 0;
        while (state.acknowledged < versions) {
          const atLeast = state.acknowledged;
          const { value, error } = await outcome(store.read("/w/f", { fresh: true }).then((result) => result.text()));
          if (error !== undefined) await rejects(legalForReaders(t), Promise.reject(error), "a read during overwrites");
          const found = /^version (\d{6}) /.exec(value ?? "")?.[1];
          if (found !== undefined && t.capabilities.consistency.read === "strong") {
            ok(Number(found) >= atLeast, `${who} sees what was acknowledged before it asked`, { found, acknowledged: atLeast });
            ok(Number(found) >= last, `${who} never goes back`, { found, last });
            last = Number(found);
          } else if (value !== undefined) ok(found !== undefined && value === text(Number(found)), "what is read is a version, whole", value);
          await new Promise((next) => setImmediate(next));
        }
      };
      await Promise.all([writer, reader(t.store, "the writer's connection"), reader(other, "the other connection")]);
      await holds(t, "/w/f", text(versions), "in the end the last version", other);
    },
  },
  {
    id: "concurrency.storm",
    title: "a storm of reads, writes, deletes and listings ends in clean answers: whole files with their own bytes, or typed errors",
    why: "Under load one file's bytes come back under another's name: connections that are reused too early, buffers that are shared.",
    tier: "full",
    behaviours: [140, 136],
    guarantees: ["write.concurrent", "read.oneVersion"],
    kills: ["M65"],
    needs: rwld,
    timeoutMs: 180_000,
    async run(t) {
      const keys = Array.from({ length: 12 }, (_, index) => `/w/k${index}`);
      const calls = t.tier === "torture" ? 3000 : 400;
      const allowed: readonly ErrorCode[] = ["not-found", ...legalForReaders(t)];
      const header = (key: string, version: number): string => `<${key}:${String(version).padStart(6, "0")}>`;
      const whole = (key: string, text: string): void => {
        const match = /^<([^:]+):(\d{6})>/.exec(text);
        ok(match !== null, `${key}: what is read begins with a name`, text.slice(0, 40));
        equal(match[1], key, `${key}: what is read is its own content`);
        const block = header(key, Number(match[2]));
        ok(text === block.repeat(text.length / block.length), `${key}: what is read is one version, whole`, text.slice(0, 80));
      };
      let version = 0;
      const counts: Record<string, number> = {};
      const worker = async (): Promise<void> => {
        for (let step = 0; step < calls / 8; step += 1) {
          const key = keys[Math.floor(t.random() * keys.length)]!;
          const dice = t.random();
          version += 1;
          const mine = version;
          const size = 1 + Math.floor(t.random() * 600);
          const what = dice < 0.4 ? "write" : dice < 0.75 ? "read" : dice < 0.85 ? "delete" : dice < 0.95 ? "stat" : "list";
          const { value, error } = await outcome<unknown>(
            what === "write"
              ? t.store.write(key, header(key, mine).repeat(size))
              : what === "read"
                ? t.store.read(key).then((result) => result.text())
                : what === "delete"
                  ? t.store.delete(key)
                  : what === "stat"
                    ? t.store.stat(key)
                    : listAll(t.store, "/w"),
          );
          const end = error === undefined ? "success" : StoreError.is(error) ? error.code : "no StoreError";
          counts[`${what} ${end}`] = (counts[`${what} ${end}`] ?? 0) + 1;
          if (error !== undefined) {
            const legal = what === "write" || what === "delete" ? (["conflict", "not-found"] as const) : allowed;
            await rejects([...legal], Promise.reject(error), `${what} in a storm`);
          } else if (what === "read" && t.capabilities.atomicWrites !== false) whole(key, value as string);
          else if (what === "list") {
            const found = names(value as Awaited<ReturnType<typeof listAll>>);
            equal(new Set(found).size, found.length, "a listing in a storm has each name once");
            ok(
              found.every((name) => /^k\d+$/.test(name)),
              "and only names that were written",
              found,
            );
          }
        }
      };
      await Promise.all(Array.from({ length: 8 }, worker));
      t.note(
        Object.entries(counts)
          .sort(([left], [right]) => byCodePoint(left, right))
          .map(([what, count]) => `${what} ${count}`)
          .join(", "),
      );
      // After the storm every file says what it is.
      await t.settled("list", async () => {
        for (const entry of await listAll(t.store, "/w")) {
          const text = new TextDecoder().decode(await readAll(t.store, entry.path));
          equal(text.length, entry.size, `${entry.path}: the listing has the size of what is read`);
          whole(entry.path, text);
        }
      });
    },
  },
  {
    id: "concurrency.readers",
    title: "thirty readers of one file at once all read it whole, ranges included",
    why: "One shared position, one shared buffer, one connection for all.",
    tier: "smoke",
    behaviours: [55],
    guarantees: ["read.whole"],
    kills: ["N176"],
    needs: rw,
    async run(t) {
      const content = pattern(90_000, "shared");
      await put(t, "/w/f", content);
      const ranged = t.capabilities.readRange !== false;
      const reads = Array.from({ length: 30 }, (_, index) => (ranged && index % 3 === 1 ? { offset: index * 1000, length: 777 } : undefined));
      const found = await Promise.all(reads.map((range) => readAll(t.store, "/w/f", range === undefined ? {} : { range })));
      for (const [index, range] of reads.entries()) {
        sameBytes(found[index]!, range === undefined ? content : content.subarray(range.offset, range.offset + range.length), `reader ${index}`);
      }
    },
  },
  {
    id: "concurrency.beyond",
    title: "ten times as many calls at once as `concurrency` names are all served",
    why: "A pool without a queue refuses, or waits for a connection that a waiting call holds.",
    tier: "full",
    behaviours: [144, 134],
    guarantees: ["write.concurrent"],
    kills: ["N177"],
    needs: rwl,
    timeoutMs: 120_000,
    async run(t) {
      const count = Math.min(400, Math.max(50, t.capabilities.concurrency * 10));
      const all = Array.from({ length: count }, (_, index) => `f${String(index).padStart(3, "0")}`);
      await Promise.all(all.map((name) => t.store.write(`/w/${name}`, pattern(100, name))));
      const found = await Promise.all(all.map((name) => t.settled("read", () => readAll(t.store, `/w/${name}`))));
      for (const [index, name] of all.entries()) sameBytes(found[index]!, pattern(100, name), name);
      await lists(t, "/w", all, "all are listed");
    },
  },
  {
    id: "concurrency.connections",
    title: "five connections that write, read and list at once do not disturb each other",
    why: "State that belongs to a connection is kept in a variable of the module.",
    tier: "full",
    behaviours: [137, 140],
    guarantees: ["consistency.declared", "write.concurrent"],
    kills: ["M63"],
    needs: rwl,
    timeoutMs: 60_000,
    async run(t) {
      const stores = [t.store, ...(await Promise.all(Array.from({ length: 4 }, () => t.connect())))];
      await Promise.all(
        stores.map(async (store, index) => {
          for (let round = 0; round < 6; round += 1) {
            await store.write(`/w/c${index}/f${round}`, pattern(800 + round, `c${index}f${round}`));
            await holds(t, `/w/c${index}/f${round}`, pattern(800 + round, `c${index}f${round}`), `connection ${index}, round ${round}`, store);
          }
        }),
      );
      for (const [index, store] of stores.entries()) {
        await lists(t, "/w", ["c0", "c1", "c2", "c3", "c4"], `connection ${index} sees all directories`, { store });
        await lists(t, `/w/c${(index + 1) % 5}`, ["f0", "f1", "f2", "f3", "f4", "f5"], `connection ${index} sees the files of its neighbour`, { store });
      }
    },
  },
  {
    id: "concurrency.delete-during-read",
    title: "a file that is deleted while it is read gives its whole bytes or an error, never a short result",
    why: "The connection is closed by the server, and the client takes the end for the end.",
    tier: "full",
    behaviours: [136, 59],
    guarantees: ["read.broken"],
    kills: ["N178"],
    needs: rwld,
    async run(t) {
      const content = pattern(sizeFor(t, 500_000), "deleted");
      await put(t, "/w/f", content);
      await using result = await t.store.read("/w/f");
      const chunks: Uint8Array[] = [];
      let deleted = false;
      const { error } = await outcome(
        (async () => {
          for await (const chunk of result) {
            chunks.push(chunk.slice());
            if (!deleted) {
              deleted = true;
              await t.store.delete("/w/f");
            }
          }
        })(),
      );
      if (error === undefined) sameBytes(Buffer.concat(chunks), content, "the whole file");
      else ok(hasCode(error, "conflict", "not-found", "unavailable", "integrity"), "or an error that says that it broke off", error);
      await gone(t, "/w/f", "the file");
    },
  },
  {
    id: "concurrency.list-during-writes",
    title: "a listing during writes has every file that was there throughout, once, and no other names",
    why: "Rename over an existing file: for a moment the directory has neither the old entry nor the new one, or both.",
    tier: "full",
    behaviours: [97, 138],
    guarantees: ["list.whole", "list.once"],
    kills: ["N179"],
    needs: rwl,
    timeoutMs: 60_000,
    async run(t) {
      const stable = await many(t, "/w", 15);
      await lists(t, "/w", stable, "the fixture is listed");
      const state = { writing: true };
      const writer = (async () => {
        try {
          for (let round = 0; round < 25; round += 1) {
            await t.store.write(`/w/new${round % 5}`, pattern(100 + round, "new"));
            // Files that were there are overwritten too: they do not vanish for it where writes are atomic.
            if (t.capabilities.atomicWrites === "native") await t.store.write(`/w/${stable[round % 15]!}`, pattern(30 + round, "over"));
          }
        } finally {
          state.writing = false;
        }
      })();
      writer.catch(() => {});
      let looks = 0;
      while (state.writing) {
        const found = names(await listAll(t.store, "/w", { fresh: true }));
        looks += 1;
        equal(new Set(found).size, found.length, "each name once");
        const expected = new Set(found);
        equal(
          stable.filter((name) => !expected.has(name)),
          [],
          "what was there throughout is listed",
        );
        equal(
          found.filter((name) => !stable.includes(name) && !/^new[0-4]$/.test(name)),
          [],
          "and nothing that nobody wrote",
        );
        await new Promise((next) => setImmediate(next));
      }
      await writer;
      t.note(`${looks} listings during 25 rounds of writes`);
      await lists(t, "/w", [...stable, "new0", "new1", "new2", "new3", "new4"].sort(byCodePoint), "in the end all of them");
    },
  },
];
