/** What the answers of the verbs say about a file, against each other and against its bytes: the law of entries, etags, hashes, ids (behaviours 70, 96, 111, 113). */
import { byCodePoint, equal, listAll, ok, pattern, pieces, readAll } from "../assert.ts";
import type { Check, CheckContext } from "../check.ts";
import { hashOf } from "../hash-of.ts";
import type { Entry, HashName } from "../../store/index.ts";
import { agrees, statOf, wellFormed } from "./entries.ts";
import { directory, put, rw, rwl } from "./look.ts";

/** With everything the store can keep, so that there is something to compare. */
function rich(t: CheckContext): { contentType?: string; metadata?: Record<string, string> } {
  return {
    ...(t.capabilities.writeContentType === false ? {} : { contentType: "text/x-rich" }),
    ...(t.capabilities.writeMetadata === false ? {} : { metadata: { colour: "green", number: "7" } }),
  };
}

/** The declared hashes are there, and whatever is there is that of the bytes. */
async function hashed(t: CheckContext, path: string, what: string): Promise<void> {
  const bytes = await readAll(t.store, path, { fresh: true });
  const stat = await statOf(t, path, bytes.length);
  for (const name of t.capabilities.hashes) ok(stat.hashes[name] !== undefined, `${what}: ${name} is declared, so stat tells it`, stat.hashes);
  for (const [name, hex] of Object.entries(stat.hashes)) equal(hex, hashOf(name as HashName, bytes), `${what}: ${name} is that of the bytes`);
}

/** One law of entries per verb that answers with one. */
function law(verb: string, needs: Check["needs"], answer: (t: CheckContext) => Promise<{ readonly entry: Entry; readonly path: string }>, why: string): Check {
  return {
    id: `metadata.entry.${verb}`,
    title: `the entry that ${verb} gives is well formed, and whatever is not null in it equals what stat says`,
    why,
    tier: "smoke",
    behaviours: [70, 96],
    guarantees: ["entry.law", "entry.shape"],
    rows: ["CF16"],
    kills: [`N50${["write", "read", "copy", "move", "mkdir"].indexOf(verb)}`],
    ...(needs === undefined ? {} : { needs }),
    async run(t) {
      const { entry, path } = await answer(t);
      wellFormed(entry, `the entry of ${verb}`);
      equal(entry.path as string, path, "its path is that of the result");
      agrees(entry, await statOf(t, path, entry.size ?? undefined), `the entry of ${verb}`);
      if (entry.kind === "file" && t.capabilities.etag) ok(entry.etag !== null, "etag is declared: every answer about a file carries one", entry);
    },
  };
}

export const entries: readonly Check[] = [
  law(
    "write",
    rw,
    async (t) => ({ entry: await put(t, "/w/f", pattern(321, "law"), rich(t)), path: "/w/f" }),
    "The answer to a PUT is put together from what was sent; a weak or quoted etag in it never matches again, and every conditional write after it fails.",
  ),
  law(
    "read",
    rw,
    async (t) => {
      await put(t, "/w/f", pattern(321, "law"), rich(t));
      await using result = await t.store.read("/w/f");
      equal((await result.bytes()).length, 321, "the bytes came");
      return { entry: result.entry, path: "/w/f" };
    },
    "The headers of a GET are read by other code than those of a HEAD: a compressing server gives another etag and no length.",
  ),
  law(
    "copy",
    [...rw, "copy"],
    async (t) => {
      await put(t, "/w/f", pattern(321, "law"), rich(t));
      return { entry: await t.store.copy("/w/f", "/w/copy"), path: "/w/copy" };
    },
    "Adapters answer a copy with the entry of the source, whose time and etag the copy does not have.",
  ),
  law(
    "move",
    [...rw, "move"],
    async (t) => {
      await put(t, "/w/f", pattern(321, "law"), rich(t));
      return { entry: await t.store.move("/w/f", "/w/moved"), path: "/w/moved" };
    },
    "Adapters answer a move with the entry of the source, path included.",
  ),
  law(
    "mkdir",
    ["mkdir"],
    async (t) => ({ entry: await directory(t, "/w/dir"), path: "/w/dir" }),
    "The answer for a new directory is made up, and says size 4,096 or a content type where stat says nothing.",
  ),
  {
    id: "metadata.entry.range",
    title: "the entry of a ranged read is that of the whole file",
    why: "Content-Length of a 206 is that of the part: callers that trust it truncate the file, caches remember a fingerprint that is not that of the file.",
    tier: "smoke",
    behaviours: [56, 70],
    guarantees: ["entry.law", "read.range.told"],
    kills: ["N101"],
    needs: [...rw, "readRange"],
    async run(t) {
      await put(t, "/w/f", pattern(1000, "range"));
      const stat = await statOf(t, "/w/f", 1000);
      await using result = await t.store.read("/w/f", { range: { offset: 100, length: 50 } });
      wellFormed(result.entry, "the entry of a ranged read");
      agrees(result.entry, stat, "the entry of a ranged read");
      equal([result.offset, (await result.bytes()).length], [100, 50], "offset and length are those of the part");
    },
  },
  {
    id: "metadata.entry.immutable",
    title: "an entry that a caller changes changes nobody else's",
    why: "Entries are shared between callers and kept by caches; one caller that sorts or annotates them would change what the others see.",
    tier: "full",
    behaviours: [44, 96],
    guarantees: ["entry.shape"],
    kills: ["N42"],
    needs: rwl,
    async run(t) {
      await put(t, "/w/f", pattern(9, "shared"), rich(t));
      const before = structuredClone(await statOf(t, "/w/f", 9));
      for (const entry of [await t.store.stat("/w/f"), ...(await listAll(t.store, "/w"))]) {
        for (const change of [
          () => Object.assign(entry, { size: 77, etag: "changed" }),
          () => Object.assign(entry.hashes, { md5: "changed" }),
          () => Object.assign(entry.metadata ?? {}, { colour: "changed" }),
        ]) {
          try {
            change();
          } catch (error) {
            ok(error instanceof TypeError, "a frozen entry says so", error);
          }
        }
      }
      equal(structuredClone(await t.store.stat("/w/f")), before, "stat says what it said before");
      const [entry] = await listAll(t.store, "/w");
      equal(entry?.size, 9, "so does the listing");
    },
  },
  {
    id: "metadata.entry.clone",
    title: "an entry survives JSON and structuredClone unchanged",
    why: "Entries travel to workers, databases and browsers: getters, Dates and undefined do not arrive.",
    tier: "full",
    behaviours: [96],
    guarantees: ["entry.shape"],
    kills: ["N08"],
    needs: rw,
    async run(t) {
      await put(t, "/w/f", "json", rich(t));
      const entry = await statOf(t, "/w/f", 4);
      equal(JSON.parse(JSON.stringify(entry)) as unknown, structuredClone(entry) as unknown, "JSON keeps every member");
      equal(structuredClone(entry), { ...entry }, "structuredClone keeps every member");
    },
  },
  {
    id: "metadata.stat.basic",
    title: 'stat with detail "basic" says kind, size, time and etag as stat with full detail does',
    why: "The cheap question is answered from another place (a listing, a HEAD without headers), and differs.",
    tier: "smoke",
    behaviours: [96],
    guarantees: ["stat.detail", "entry.law"],
    kills: ["N102"],
    needs: rw,
    async run(t) {
      await put(t, "/w/f", pattern(55, "basic"), rich(t));
      const full = await statOf(t, "/w/f", 55);
      const basic = await t.store.stat("/w/f", { detail: "basic" });
      wellFormed(basic, "the basic entry");
      for (const key of ["path", "kind", "size", "modifiedMs", "etag"] as const) equal(basic[key], full[key], `basic: ${key}`);
      agrees(basic, full, "the basic entry");
    },
  },
  {
    id: "metadata.stat.directory",
    title: "stat of a directory says directory and size 0, and nothing that only files have",
    why: 'lighttpd says a folder has 4,096 bytes, marker objects have a content type and the hash of nothing; callers that add up sizes or copy "files" fall for both.',
    tier: "smoke",
    behaviours: [85, 96],
    guarantees: ["stat.directory", "entry.shape"],
    kills: ["N53"],
    needs: ["mkdir", "write"],
    async run(t) {
      await directory(t, "/w/dir");
      await put(t, "/w/other/f", "f");
      for (const path of ["/", "/w", "/w/dir", "/w/other"]) {
        const entry = await statOf(t, path);
        equal(entry.kind, "directory", `${path} is a directory`);
        equal(entry.size, 0, `${path} has size 0`);
        equal({ ...entry.hashes }, {}, `${path} has no hashes`);
        equal(entry.contentType, null, `${path} has no content type`);
      }
    },
  },
  {
    id: "metadata.stat.root",
    title: "the root is always there, and is a directory",
    why: "A flat store has no object for its root, and an empty bucket has no key; health checks that stat the root then say that the store is gone.",
    tier: "smoke",
    behaviours: [85],
    guarantees: ["stat.root"],
    kills: ["N103"],
    async run(t) {
      const entry = await statOf(t, "/");
      equal([entry.path as string, entry.kind, entry.size], ["/", "directory", 0], "path, kind and size of the root");
    },
  },
  {
    id: "metadata.etag.changes",
    title: "other bytes of the same length have another etag",
    why: "Etags made of size and a time in seconds do not change when a file is rewritten quickly: readers keep the old bytes for ever, and conditional writes overwrite what they never saw.",
    tier: "smoke",
    behaviours: [78, 113],
    guarantees: ["entry.etag"],
    kills: ["N27"],
    needs: rw,
    async run(t) {
      const seen = new Map<string, number>();
      for (let version = 0; version < 12; version += 1) {
        await put(t, "/w/f", `version ${String(version).padStart(4, "0")}`);
        const { etag } = await statOf(t, "/w/f", 12);
        if (t.capabilities.etag) ok(etag !== null, "etag is declared: stat tells one", etag);
        if (etag === null) return t.note("the store tells no etag");
        ok(!seen.has(etag), `version ${version} does not have the etag of version ${seen.get(etag)}`, etag);
        seen.set(etag, version);
      }
    },
  },
  {
    id: "metadata.etag.stable",
    title: "the etag of an unchanged file is the same in every answer, however often it is asked",
    why: "Load-balanced servers give each node's own etag, compressing ones another per encoding; every revalidation then downloads the file again.",
    tier: "smoke",
    behaviours: [78, 96],
    guarantees: ["entry.etag", "entry.law"],
    kills: ["N104"],
    needs: rwl,
    async run(t) {
      const written = await put(t, "/w/f", pattern(999, "etag"));
      const { etag } = await statOf(t, "/w/f", 999);
      if (t.capabilities.etag) ok(etag !== null && written.etag !== null, "etag is declared: write and stat tell one", { etag, written: written.etag });
      if (written.etag !== null) equal(written.etag, etag, "write");
      for (let round = 0; round < 4; round += 1) {
        equal((await t.store.stat("/w/f")).etag, etag, "stat");
        await using result = await t.store.read("/w/f");
        if (result.entry.etag !== null || t.capabilities.etag) equal(result.entry.etag, etag, "read");
        await result.bytes();
        await t.settled("list", async () => equal((await listAll(t.store, "/w"))[0]?.etag, etag, "list"));
      }
    },
  },
  {
    id: "metadata.etag.recreated",
    title: "a file that was deleted and written again with other bytes has another etag",
    why: "Etags made of an inode and a size come back when the disk reuses the inode.",
    tier: "full",
    behaviours: [78],
    guarantees: ["entry.etag"],
    kills: ["N27"],
    needs: [...rw, "delete"],
    async run(t) {
      const etags = new Set<string>();
      for (let round = 0; round < 8; round += 1) {
        const entry = await put(t, "/w/f", `round ${round}`);
        const etag = entry.etag ?? (await statOf(t, "/w/f", 7)).etag;
        if (etag === null) {
          equal(t.capabilities.etag, false, "a store that tells no etag declares none");
          return;
        }
        ok(!etags.has(etag), `round ${round}: an etag of other bytes came back`, etag);
        etags.add(etag);
        await t.store.delete("/w/f");
      }
    },
  },
  {
    id: "metadata.hashes.bytes",
    title: "after a write of bytes the declared hashes are there and right",
    why: "Hashes of the encoded form, of the request, or of the last part are returned as if they were those of the file.",
    tier: "smoke",
    behaviours: [111, 113],
    guarantees: ["entry.hashes"],
    kills: ["N105"],
    needs: rw,
    async run(t) {
      await put(t, "/w/f", pattern(5000, "hash"));
      await hashed(t, "/w/f", "after a write of bytes");
      await put(t, "/w/empty", new Uint8Array(0));
      await hashed(t, "/w/empty", "of an empty file");
    },
  },
  {
    id: "metadata.hashes.stream",
    title: "after a write of a stream the declared hashes are there and right",
    why: "A streamed upload takes another way through the service, on which the hash is often missing or that of its parts.",
    tier: "full",
    behaviours: [111],
    guarantees: ["entry.hashes"],
    kills: ["N105"],
    needs: [...rw, "writeUnknownSize"],
    async run(t) {
      await put(t, "/w/f", pieces(pattern(30_000, "hash"), 1000));
      await hashed(t, "/w/f", "after a write of a stream");
    },
  },
  {
    id: "metadata.hashes.overwrite",
    title: "after an overwrite the hashes are those of the new bytes",
    why: "A hash kept as metadata beside the file is not written again when the file is.",
    tier: "smoke",
    behaviours: [111],
    guarantees: ["entry.hashes"],
    kills: ["N28"],
    needs: rw,
    async run(t) {
      await put(t, "/w/f", pattern(500, "old"));
      await hashed(t, "/w/f", "before");
      await put(t, "/w/f", pattern(500, "new"));
      await hashed(t, "/w/f", "after an overwrite of the same length");
    },
  },
  {
    id: "metadata.hashes.copy",
    title: "after a copy and a move the hashes are those of the bytes",
    why: "Copies by parts have the hash of the parts, and a copied hash property belongs to whatever was at the target.",
    tier: "full",
    behaviours: [111],
    guarantees: ["entry.hashes"],
    kills: ["N28"],
    needs: [...rw, "copy", "move"],
    async run(t) {
      await put(t, "/w/f", pattern(700, "source"));
      await put(t, "/w/target", pattern(700, "target"));
      await hashed(t, "/w/target", "the target before");
      await t.store.copy("/w/f", "/w/target");
      await t.settled("read", () => hashed(t, "/w/target", "after a copy over a file"));
      await t.store.move("/w/target", "/w/moved");
      await t.settled("read", () => hashed(t, "/w/moved", "after a move"));
    },
  },
  {
    id: "metadata.hashes.steps",
    title: "at every size at which uploads change their way the declared hashes are there and right",
    why: "An S3 etag is the MD5 of small objects only: taken for a hash, it is wrong from the first multipart upload on.",
    tier: "full",
    behaviours: [111, 32],
    guarantees: ["entry.hashes"],
    kills: ["N106"],
    needs: rw,
    timeoutMs: 240_000,
    async run(t) {
      const steps = t.capabilities.sizeSteps.filter((size) => size <= (t.tier === "torture" ? 2 ** 30 : 2 ** 25));
      for (const step of [...steps, 70_000]) {
        for (const size of [step, step + 1]) {
          await put(t, "/w/f", pattern(size, `step ${size}`));
          await hashed(t, "/w/f", `${size} bytes`);
        }
      }
    },
  },
  {
    id: "metadata.id.stable",
    title: "the id of a file is the same in every answer, and no two files share one",
    why: "Ids of drives are what caches key by: one that changes looks like another file, one that is shared mixes two.",
    tier: "full",
    behaviours: [96, 118],
    guarantees: ["entry.law"],
    kills: ["N107"],
    needs: rwl,
    async run(t) {
      const paths = ["/w/a", "/w/b", "/w/c"];
      for (const path of paths) await put(t, path, "same bytes");
      const first = await Promise.all(paths.map((path) => statOf(t, path, 10)));
      const second = await Promise.all(paths.map((path) => statOf(t, path, 10)));
      equal(
        second.map((entry) => entry.id),
        first.map((entry) => entry.id),
        "asked again, the ids are the same",
      );
      const told = first.flatMap((entry) => (entry.id === null ? [] : [entry.id]));
      equal(new Set(told).size, told.length, "no two files share an id");
      const listed = (await listAll(t.store, "/w")).sort((left, right) => byCodePoint(left.path, right.path));
      for (const [index, entry] of listed.entries()) if (entry.id !== null) equal(entry.id, first[index]?.id, "the listing tells the id of stat");
    },
  },
];
