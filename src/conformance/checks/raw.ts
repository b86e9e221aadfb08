/** The second channel: what the store wrote another client reads, and what that client wrote the store reads (behaviours 8, 11, 13, 15; B11). */
import { equal, listAll, names, ok, binary, pattern, pieces, sameBytes, show } from "../assert.ts";
import type { Check, CheckContext, SupportKey } from "../check.ts";
import type { SecondChannel } from "../subject.ts";
import { hasCode } from "../../store/index.ts";
import { gone, holds, lists, outcome, put, rw, rwl, rwld } from "./look.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The other client reads exactly this. */
async function rawHolds(t: CheckContext, raw: SecondChannel, path: string, bytes: Uint8Array, what: string): Promise<void> {
  await t.settled("read", async () => {
    const found = await raw.get(path);
    ok(found !== undefined, `${what}: the other client finds ${JSON.stringify(path)}`, found);
    sameBytes(found, bytes, what);
  });
}

/** Both directions for a family of names; what the store refuses as a name is refused, and never found under another one. */
function family(id: string, title: string, why: string, behaviours: readonly number[], kills: readonly string[], list: readonly string[]): Check {
  return {
    id: `raw.names.${id}`,
    title,
    why,
    tier: "full",
    behaviours,
    guarantees: ["path.kept", "raw.same"],
    rows: ["CF95"],
    kills,
    needs: rwl,
    offers: ["raw"],
    timeoutMs: 60_000,
    async run(t) {
      const raw = await t.raw();
      let stored = 0;
      for (const [index, name] of list.entries()) {
        const mine = `/w/mine/${name}`;
        const { error } = await outcome(t.store.write(mine, pattern(40, `mine ${index}`)));
        if (error !== undefined) {
          ok(hasCode(error, "invalid-path"), `${JSON.stringify(name)} is stored or refused as a name`, error);
          t.note(`${JSON.stringify(name)} is refused: ${show(error)}`);
          continue;
        }
        stored += 1;
        await rawHolds(t, raw, mine, pattern(40, `mine ${index}`), `${JSON.stringify(name)}, written by the store`);
        const theirs = `/w/theirs/${name}`;
        await raw.put(theirs, pattern(50, `theirs ${index}`));
        await holds(t, theirs, pattern(50, `theirs ${index}`), `${JSON.stringify(name)}, written by the other client`);
      }
      ok(stored > 0, "at least one of the names is stored", list);
      await t.settled("list", async () => {
        const mine = names(await listAll(t.store, "/w/mine", { fresh: true }));
        equal(mine.length, stored, "the store lists each of them once");
        equal(names(await listAll(t.store, "/w/theirs", { fresh: true })), mine, "and those of the other client under the same names");
        equal([...(await raw.list("/w/mine"))].sort(), [...mine].sort(), "the other client lists what the store wrote, under the same names");
      });
    },
  };
}

const reading: readonly SupportKey[] = rw;

export const checks: readonly Check[] = [
  {
    id: "raw.written",
    title: "what the store writes another client reads, byte for byte, and lists",
    why: "Every adapter can read what it wrote itself, wrong encodings and wrong prefixes included: they are wrong both ways.",
    tier: "smoke",
    behaviours: [1, 38],
    guarantees: ["raw.same", "read.whole"],
    kills: ["N211"],
    needs: rwl,
    offers: ["raw"],
    async run(t) {
      const raw = await t.raw();
      await put(t, "/w/f", pattern(5000, "raw"));
      await put(t, "/w/d/g", "in d");
      await rawHolds(t, raw, "/w/f", pattern(5000, "raw"), "the file");
      await rawHolds(t, raw, "/w/d/g", bytesOf("in d"), "the file in a directory");
      await t.settled("list", async () => equal([...(await raw.list("/w"))].sort(), ["d", "f"], "the listing of the other client"));
    },
  },
  {
    id: "raw.planted",
    title: "what another client wrote the store reads, states and lists",
    why: "Files made by other tools are why people connect a store at all.",
    tier: "smoke",
    behaviours: [1, 96],
    guarantees: ["raw.same", "list.children"],
    kills: ["N212"],
    needs: rwl,
    offers: ["raw"],
    async run(t) {
      const raw = await t.raw();
      await raw.put("/w/f", pattern(4321, "planted"));
      await raw.put("/w/d/g", bytesOf("in d"));
      await holds(t, "/w/f", pattern(4321, "planted"), "the file");
      await holds(t, "/w/d/g", "in d", "the file in a directory");
      await t.settled("read", async () => {
        const entry = await t.store.stat("/w/f");
        equal([entry.kind, entry.size], ["file", 4321], "stat");
        equal((await t.store.stat("/w/d")).kind, "directory", "its directory is one");
      });
      await lists(t, "/w", ["d", "f"], "the listing");
      await t.settled("list", async () => equal((await listAll(t.store, "/w")).find((entry) => entry.path === "/w/f")?.size, 4321, "the size in the listing"));
    },
  },
  {
    id: "raw.binary",
    title: "all 256 byte values pass unchanged between the store and another client, both ways",
    why: "A text decoder on the way in and an encoder on the way out cancel each other for the store itself.",
    tier: "smoke",
    behaviours: [38],
    guarantees: ["raw.same", "read.whole"],
    kills: ["N213"],
    needs: reading,
    offers: ["raw"],
    async run(t) {
      const raw = await t.raw();
      await put(t, "/w/mine", binary(10_000));
      await rawHolds(t, raw, "/w/mine", binary(10_000), "written by the store");
      await raw.put("/w/theirs", binary(9_999, "theirs"));
      await holds(t, "/w/theirs", binary(9_999, "theirs"), "written by the other client");
    },
  },
  {
    id: "raw.empty",
    title: "an empty file is an empty file for the other client, both ways",
    why: "A space, a newline or an empty chunk in place of nothing is invisible from one side.",
    tier: "full",
    behaviours: [31],
    guarantees: ["raw.same"],
    kills: ["N214"],
    needs: reading,
    offers: ["raw"],
    async run(t) {
      const raw = await t.raw();
      await put(t, "/w/mine", new Uint8Array(0));
      await rawHolds(t, raw, "/w/mine", new Uint8Array(0), "written by the store");
      await raw.put("/w/theirs", new Uint8Array(0));
      await holds(t, "/w/theirs", new Uint8Array(0), "written by the other client");
      await t.settled("read", async () =>
        equal([(await t.store.stat("/w/theirs")).kind, (await t.store.stat("/w/theirs")).size], ["file", 0], "a file, not a directory"),
      );
    },
  },
  {
    id: "raw.stream",
    title: "a streamed upload, and uploads of every size at which they change their way, are plain bytes for the other client",
    why: "Framing of chunked signatures and of multipart bodies has ended up in the files themselves.",
    tier: "full",
    behaviours: [32, 41],
    guarantees: ["raw.same"],
    kills: ["N215"],
    needs: rw,
    offers: ["raw"],
    timeoutMs: 240_000,
    async run(t) {
      const raw = await t.raw();
      const steps = t.capabilities.sizeSteps.filter((size) => size <= (t.tier === "torture" ? 2 ** 30 : 2 ** 25));
      for (const size of [100_000, ...steps.flatMap((step) => [step, step + 1])]) {
        const content = pattern(size, `size ${size}`);
        await t.store.write("/w/f", pieces(content, 60_000), t.capabilities.writeUnknownSize === false ? { size } : {});
        await rawHolds(t, raw, "/w/f", content, `${size} bytes`);
      }
    },
  },
  {
    id: "raw.overwritten",
    title: "an overwrite by the other client is seen by the store: bytes, size, listing; and the other way round",
    why: "An entry that is kept from the last write of one's own answers for a file that somebody else replaced.",
    tier: "smoke",
    behaviours: [137, 61],
    guarantees: ["raw.same", "consistency.declared"],
    kills: ["N216"],
    needs: rwl,
    offers: ["raw"],
    async run(t) {
      const raw = await t.raw();
      await put(t, "/w/f", pattern(100, "mine"));
      await holds(t, "/w/f", pattern(100, "mine"), "by the store");
      await raw.put("/w/f", pattern(2345, "theirs"));
      await holds(t, "/w/f", pattern(2345, "theirs"), "by the other client");
      await t.settled("read", async () => equal((await t.store.stat("/w/f", { fresh: true })).size, 2345, "its size"));
      await t.settled("list", async () =>
        equal(
          (await listAll(t.store, "/w", { fresh: true })).map((entry) => entry.size),
          [2345],
          "its entry in the listing",
        ),
      );
      await put(t, "/w/f", pattern(50, "mine again"));
      await rawHolds(t, raw, "/w/f", pattern(50, "mine again"), "by the store again");
    },
  },
  {
    id: "raw.etag",
    title: "a change by the other client changes the etag",
    why: "An etag of one's own book-keeping stays, and every reader with a copy is told that nothing changed.",
    tier: "full",
    behaviours: [78],
    guarantees: ["entry.etag", "raw.same"],
    kills: ["N217"],
    needs: rw,
    offers: ["raw"],
    async run(t) {
      const raw = await t.raw();
      await put(t, "/w/f", "version 1");
      const before = (await t.store.stat("/w/f")).etag;
      await raw.put("/w/f", bytesOf("version 2"));
      await holds(t, "/w/f", "version 2", "the new bytes");
      const after = (await t.store.stat("/w/f", { fresh: true })).etag;
      if (before === null && after === null) return equal(t.capabilities.etag, false, "a store that tells no etag declares none");
      ok(before !== after, "other bytes of the same length, another etag", { before, after });
      if (t.capabilities.readIfNoneMatch !== false && before !== null) {
        await using result = await t.store.read("/w/f", { ifNoneMatch: before });
        equal(await result.text(), "version 2", "and a conditional read brings them");
      }
    },
  },
  {
    id: "raw.deleted",
    title: "what the store deletes is gone for the other client; what it moves is at the new path only",
    why: "A delete that hides a file in the adapter's own index leaves it where everybody else still sees it.",
    tier: "smoke",
    behaviours: [127, 121],
    guarantees: ["raw.same", "delete.gone"],
    kills: ["N218"],
    needs: [...rwld, "move", "copy"],
    offers: ["raw"],
    async run(t) {
      const raw = await t.raw();
      await put(t, "/w/a", "deleted");
      await put(t, "/w/b", "moved");
      await put(t, "/w/c", "copied");
      await t.store.delete("/w/a");
      await t.store.move("/w/b", "/w/b-moved");
      await t.store.copy("/w/c", "/w/c-copied");
      await gone(t, "/w/a", "for the store");
      await t.settled("read", async () => equal(await raw.get("/w/a"), undefined, "the deleted file is gone for the other client"));
      await t.settled("read", async () => equal(await raw.get("/w/b"), undefined, "and so is the source of the move"));
      await rawHolds(t, raw, "/w/b-moved", bytesOf("moved"), "the target of the move");
      await rawHolds(t, raw, "/w/c-copied", bytesOf("copied"), "the target of the copy");
      await t.settled("list", async () => equal([...(await raw.list("/w"))].sort(), ["b-moved", "c", "c-copied"], "the listing of the other client"));
    },
  },
  {
    id: "raw.clean",
    title: "after writes, failed writes, copies, moves and deletes the other client sees the files and nothing else",
    why: "Temporary names, markers and book-keeping that the adapter hides from its own listings fill everybody else's.",
    tier: "full",
    behaviours: [102, 68],
    guarantees: ["raw.same", "write.failed"],
    kills: ["N219"],
    needs: [...rwld, "move", "copy"],
    offers: ["raw"],
    async run(t) {
      const raw = await t.raw();
      await put(t, "/w/d/a", pattern(3000, "a"));
      await put(t, "/w/d/a", pattern(200, "again"));
      await t.store.copy("/w/d/a", "/w/d/b");
      await t.store.move("/w/d/b", "/w/d/c");
      await outcome(t.store.write("/w/d/short", "12", { size: 3 }));
      await outcome(t.store.write("/w/d/wrong", "12", { expect: { md5: "0".repeat(32) } }));
      await outcome(t.store.write("/w/d/aborted", "12", { signal: AbortSignal.abort() }));
      await put(t, "/w/d/gone", "x");
      await t.store.delete("/w/d/gone");
      await t.settled("list", async () => equal([...(await raw.list("/w/d"))].sort(), ["a", "c"], "the other client sees two files"));
      await t.settled("list", async () => equal([...(await raw.list("/w"))].sort(), ["d"], "in one directory"));
    },
  },
  family(
    "percent",
    "names with percent signs are the same for the store and another client",
    'Decoded once too often on both ways, "100%25" and "100%" are one file for the store and two for everybody else.',
    [8, 10],
    ["N231"],
    ["100%", "a%20b", "a%2Fb", "%25", "%", "a%zz", "%41", "%c3%a4"],
  ),
  family(
    "plus",
    "names with spaces and plus signs are the same for the store and another client",
    '"+" is a space in a query and a plus in a path; adapters that mix the two are consistent with themselves.',
    [2, 11],
    ["N232"],
    ["a b", "a+b", "a%2Bb", "a  b", "+", "a +b"],
  ),
  family(
    "query",
    "names with # ? & = ; are the same for the store and another client",
    "What follows # or ? is no part of a path in a URL: the file is stored under the part before it, and found there again.",
    [11],
    ["N233"],
    ["a#b", "a?b", "a&b", "a=b", "a;b", "#", "a?b=c#d", "a?versionId=1"],
  ),
  family(
    "quotes",
    "names with quotes, brackets, angles and backslashes are the same for the store and another client",
    "Names travel in XML, JSON and headers; each of the three has its own way to be wrong.",
    [6, 11, 12],
    ["N220"],
    ["a'b", 'a"b', "a<b>", "a&amp;b", "[a]", "{a}", "a\\b", "a|b", "a^b", "a`b", "~a", "!a$", "a*b", "a,b", "a:b", "(a)", "a@b"],
  ),
  family(
    "unicode",
    "names in other scripts are the same for the store and another client",
    "UTF-8 read as Latin-1 and written as Latin-1 is right again for whoever did both.",
    [13, 14],
    ["N221"],
    ["ä", "é è", "漢字", "かな", "Ωmega", "عربى", "\u{1f600}", "\u{1f1e9}\u{1f1ea}", "a\u200db", "\u{10ffff}"],
  ),
  family(
    "dots",
    "names with dots and spaces at their ends are the same for the store and another client",
    'Trimmed on the way in and on the way out alike, "a." and "a" are one file for the store.',
    [2, 23],
    ["N234"],
    ["a.", ".a", "..a", "a..", "...", ".a.", "a .", "a. b"],
  ),
  {
    id: "raw.normalisation",
    title: "composed and decomposed names are held as declared, also by the other client",
    why: "A name that is composed on the way in and listed as it is is a file that the other client cannot find, and that is uploaded again on each run.",
    tier: "full",
    behaviours: [15],
    guarantees: ["path.distinct", "raw.same"],
    kills: ["N235"],
    needs: rwl,
    offers: ["raw"],
    async run(t) {
      const raw = await t.raw();
      const composed = "\u00e9";
      const decomposed = "e\u0301";
      await put(t, `/w/c/${composed}`, "composed");
      await t.store.write(`/w/d/${decomposed}`, "decomposed");
      const { normalisation } = t.capabilities;
      const inC = normalisation === "nfd" ? decomposed : composed;
      const inD = normalisation === "kept" || normalisation === "nfd" ? decomposed : composed;
      await rawHolds(t, raw, `/w/c/${inC}`, bytesOf("composed"), `normalisation is "${normalisation}": the composed name`);
      await rawHolds(t, raw, `/w/d/${inD}`, bytesOf("decomposed"), `normalisation is "${normalisation}": the decomposed name`);
      await t.settled("list", async () => {
        equal([...(await raw.list("/w/c"))], [inC], "the other client lists the one");
        equal([...(await raw.list("/w/d"))], [inD], "and the other");
      });
    },
  },
  {
    id: "raw.many",
    title: "forty files written by the other client are all listed by the store, and the other way round",
    why: "Counts are what differs first when one side hides something.",
    tier: "full",
    behaviours: [97, 138],
    guarantees: ["raw.same", "list.whole"],
    kills: ["N212"],
    needs: rwl,
    offers: ["raw"],
    async run(t) {
      const raw = await t.raw();
      const all = Array.from({ length: 40 }, (_, index) => `f${String(index).padStart(2, "0")}`);
      for (const name of all) await raw.put(`/w/theirs/${name}`, bytesOf(name));
      await lists(t, "/w/theirs", all, "those of the other client");
      for (const name of all) await t.store.write(`/w/mine/${name}`, name);
      await t.settled("list", async () => equal([...(await raw.list("/w/mine"))].sort(), all, "those of the store"));
    },
  },
];
