/** Conditions: only if absent, only if unchanged, only if changed, and races that exactly one may win (behaviours 77 to 82). */
import type { Entry } from "../../store/index.ts";
import { equal, ok, pattern, pieces, probed, readAll, recorded, rejects, rejectsType, sameBytes } from "../assert.ts";
import type { Check, CheckContext, SupportKey } from "../check.ts";
import { absent, base, stats } from "./base.ts";
import { holds, lists, put, rw, rwl, rwld } from "./look.ts";

/** The etag of the file as `stat` says it now; every condition needs one. */
async function etagOf(t: CheckContext, path: string): Promise<string> {
  const entry = await t.settled("read", () => t.store.stat(path, { fresh: true }));
  ok(entry.etag !== null, "a store that has conditions on etags tells etags", entry);
  return entry.etag;
}

/** An etag that no version of the file has or had. */
const never = "0-never-an-etag-of-anything";

/** Bodies small enough for a condition. */
function fits(t: CheckContext, length: number): number {
  return Math.min(length, t.capabilities.maxConditionalBytes);
}

const needs = (...keys: readonly SupportKey[]): readonly SupportKey[] => [...rwl, ...keys];

export const checks: readonly Check[] = [
  {
    id: "conditions.create",
    title: "ifAbsent creates a file once; the second time is already-exists and the first content stays",
    why: "Locks, uploads that must not overwrite and every first write of a sync stand on it. Ignored, it destroys exactly what it protects.",
    tier: "smoke",
    behaviours: [77],
    guarantees: ["write.ifAbsent"],
    rows: ["CF11"],
    kills: ["M54b"],
    needs: needs("writeIfAbsent"),
    async run(t) {
      const d = await base(t);
      const first = pattern(fits(t, 1000), "first");
      await t.store.write(`${d}/x/file`, first, { ifAbsent: true });
      await holds(t, `${d}/x/file`, first, "the first write with ifAbsent creates");
      for (const body of [pattern(fits(t, 1000), "second"), first, ""]) {
        const error = await rejects("already-exists", () => t.store.write(`${d}/x/file`, body, { ifAbsent: true }), "the second write with ifAbsent");
        equal(error.applied, false, "nothing was applied");
        await holds(t, `${d}/x/file`, first, "the first content stays");
      }
      await t.store.write(`${d}/x/empty`, "", { ifAbsent: true });
      await rejects("already-exists", () => t.store.write(`${d}/x/empty`, first, { ifAbsent: true }), "an empty file is a file");
      if (t.capabilities.strictHierarchy)
        await rejects(["already-exists", "is-a-directory"], () => t.store.write(`${d}/x`, first, { ifAbsent: true }), "a directory is there too");
      await lists(t, `${d}/x`, ["empty", "file"], "nothing else was made");
      if (t.capabilities.delete === false) return;
      await t.store.delete(`${d}/x/file`);
      await absent(t, `${d}/x/file`, "the deleted file");
      await t.settled("read", async () => void (await t.store.write(`${d}/x/file`, "again", { ifAbsent: true })));
      await holds(t, `${d}/x/file`, "again", "after a delete ifAbsent creates again");
    },
  },
  {
    id: "conditions.create.stream",
    title: "ifAbsent holds for streams too, and their bodies are let go when it is lost",
    why: "Large and unknown sizes go another way, by parts or sessions, and that way has its own commit, which many adapters forget to make conditional.",
    tier: "full",
    behaviours: [77, 80],
    guarantees: ["write.ifAbsent", "write.conditionalSize"],
    kills: ["M51b"],
    needs: needs("writeIfAbsent", "writeUnknownSize"),
    timeoutMs: 60_000,
    async run(t) {
      const d = await base(t);
      const part = Math.max(300_000, ...t.capabilities.sizeSteps.filter((step) => step <= 16 * 1024 * 1024));
      for (const length of new Set([fits(t, 1000), fits(t, part + 1)])) {
        const path = `${d}/x/f${length}`;
        const first = pattern(length, "first");
        await t.store.write(path, pieces(first, 100_000), { ifAbsent: true });
        await holds(t, path, first, "the first stream with ifAbsent creates");
        const body = pieces(pattern(length, "second"), 100_000);
        await rejects("already-exists", () => t.store.write(path, body, { ifAbsent: true }), "the second stream with ifAbsent");
        ok(body.closed || body.opened === 0, "its body is let go");
        await holds(t, path, first, "the first content stays");
      }
    },
  },
  {
    id: "conditions.create.during",
    title: "a file that appears while a body with ifAbsent is on its way is not overwritten",
    why: "Check-then-write looks at the beginning and writes at the end: everything that happens in between is lost. The body itself makes the competing write, so no luck is needed.",
    tier: "full",
    behaviours: [77, 81],
    guarantees: ["write.ifAbsent"],
    kills: ["M51"],
    needs: needs("writeIfAbsent"),
    async run(t) {
      const path = `${await base(t)}/during`;
      const other = await t.connect();
      const winner = pattern(fits(t, 500), "winner");
      const bytes = pattern(fits(t, 300_000), "loser");
      let competed = false;
      const body = recorded(bytes, Math.max(1, Math.ceil(bytes.length / 4)), async (offset) => {
        if (competed || offset === 0) return;
        competed = true;
        await other.write(path, winner);
      });
      await rejects("already-exists", () => t.store.write(path, body, { ifAbsent: true, size: bytes.length }), "a write that began first and ends second");
      ok(competed, "the competing write was made");
      await holds(t, path, winner, "the file that was there first stays");
    },
  },
  {
    id: "conditions.create.race",
    title: "of many writers with ifAbsent exactly one wins, and the file is the winner's",
    why: "Two winners are two owners of one lock. Apache's PUT with If-None-Match had two in 22 of 100 rounds.",
    tier: "full",
    behaviours: [81],
    guarantees: ["write.ifAbsent", "write.concurrent"],
    kills: ["M51"],
    needs: needs("writeIfAbsent"),
    timeoutMs: 120_000,
    async run(t) {
      const d = await base(t);
      const stores = [t.store, await t.connect(), await t.connect()];
      for (let round = 0; round < (t.tier === "torture" ? 50 : 12); round++) {
        const path = `${d}/x/lock${round}`;
        const outcomes = await Promise.all(
          Array.from({ length: 9 }, async (_, index) => {
            const bytes = pattern(fits(t, 200 + index), `w${index}`);
            const outcome: unknown = await stores[index % 3]!.write(path, bytes, { ifAbsent: true }).then(
              () => "won",
              (error: unknown) => error,
            );
            // A loser that may not tell yet is told to try again; everybody else hears that it exists.
            if (outcome !== "won") await rejects(["already-exists", "conflict"], Promise.reject(outcome), "a loser hears that the file exists");
            return outcome === "won" ? bytes : undefined;
          }),
        );
        const winners = outcomes.filter((bytes) => bytes !== undefined);
        equal(winners.length, 1, `round ${round}: exactly one of nine wins`);
        await holds(t, path, winners[0]!, `round ${round}: the file is the winner's`);
      }
    },
  },
  {
    id: "conditions.replace",
    title: "ifMatch replaces the version it names; a stale one, a wrong one and a missing file are precondition-failed and change nothing",
    why: "Lost updates: two editors save, the second one wins and nobody hears of it. On a missing file many services simply create.",
    tier: "smoke",
    behaviours: [78],
    guarantees: ["write.ifMatch", "entry.etag"],
    kills: ["M52", "M52b"],
    needs: needs("writeIfMatch"),
    async run(t) {
      const d = await base(t);
      const [one, two, three] = [pattern(fits(t, 700), "one"), pattern(fits(t, 800), "two"), pattern(fits(t, 700), "three")];
      await put(t, `${d}/x/file`, one);
      const first = await etagOf(t, `${d}/x/file`);
      const told = await t.store.write(`${d}/x/file`, two, { ifMatch: first });
      await holds(t, `${d}/x/file`, two, "the current etag replaces");
      const second = await etagOf(t, `${d}/x/file`);
      if (told.etag !== null) equal(told.etag, second, "the write tells the new etag");
      ok(second !== first, "other bytes have another etag", second);
      for (const [name, etag] of Object.entries({ stale: first, wrong: never, empty: "" })) {
        if (etag === "") {
          await t.store.write(`${d}/x/file`, three, { ifMatch: etag }).then(
            () => ok(false, "an empty etag is none"),
            () => {},
          );
          continue;
        }
        const error = await rejects("precondition-failed", () => t.store.write(`${d}/x/file`, three, { ifMatch: etag }), `a ${name} etag`);
        equal(error.applied, false, "nothing was applied");
        equal(error.transient, false, "and trying again does not help");
      }
      await holds(t, `${d}/x/file`, two, "the file is as it was");
      for (const etag of [first, second, never])
        await rejects("precondition-failed", () => t.store.write(`${d}/x/none`, three, { ifMatch: etag }), "a missing file");
      await lists(t, `${d}/x`, ["file"], "no file was created");
      await t.store.write(`${d}/x/file`, three, { ifMatch: second });
      await holds(t, `${d}/x/file`, three, "the current etag still replaces");
    },
  },
  {
    id: "conditions.replace.deleted",
    title: "the etag of a file that was deleted matches nothing, also when the same bytes were written again elsewhere",
    why: "If-Match on a missing object is where services differ most: 404, 412, or 200 and a new file.",
    tier: "full",
    behaviours: [78],
    guarantees: ["write.ifMatch"],
    kills: ["M52"],
    needs: [...rwld, "writeIfMatch"],
    async run(t) {
      const d = await base(t);
      const bytes = pattern(fits(t, 400), "deleted");
      await put(t, `${d}/x/file`, bytes);
      await put(t, `${d}/x/twin`, bytes);
      const etag = await etagOf(t, `${d}/x/file`);
      await t.store.delete(`${d}/x/file`);
      await absent(t, `${d}/x/file`, "the deleted file");
      await rejects("precondition-failed", () => t.store.write(`${d}/x/file`, bytes, { ifMatch: etag }), "a write with the etag of the deleted file");
      await lists(t, `${d}/x`, ["twin"], "the file was not made again");
    },
  },
  {
    id: "conditions.replace.during",
    title: "a version that changes while a body with ifMatch is on its way is not overwritten",
    why: "Compare-then-write compares at the beginning. Only a service that compares when it commits keeps the promise; what cannot is declared false.",
    tier: "full",
    behaviours: [78, 82],
    guarantees: ["write.ifMatch"],
    kills: ["M52d"],
    needs: needs("writeIfMatch"),
    async run(t) {
      const path = `${await base(t)}/during`;
      const other = await t.connect();
      await put(t, path, pattern(fits(t, 600), "first"));
      const etag = await etagOf(t, path);
      const winner = pattern(fits(t, 500), "winner");
      const bytes = pattern(fits(t, 300_000), "loser");
      let competed = false;
      const body = recorded(bytes, Math.max(1, Math.ceil(bytes.length / 4)), async (offset) => {
        if (competed || offset === 0) return;
        competed = true;
        await other.write(path, winner);
      });
      await rejects("precondition-failed", () => t.store.write(path, body, { ifMatch: etag, size: bytes.length }), "a write that began first and ends second");
      ok(competed, "the competing write was made");
      await holds(t, path, winner, "the version written in between stays");
    },
  },
  {
    id: "conditions.replace.race",
    title: "of many writers with one etag exactly one wins",
    why: "Up to five of ten won on Apache: each of the others was told that its bytes are stored.",
    tier: "full",
    behaviours: [78, 81],
    guarantees: ["write.ifMatch", "write.concurrent"],
    kills: ["M52d"],
    needs: needs("writeIfMatch"),
    timeoutMs: 120_000,
    async run(t) {
      const path = `${await base(t)}/race`;
      const stores = [t.store, await t.connect(), await t.connect()];
      await put(t, path, pattern(fits(t, 100), "start"));
      for (let round = 0; round < (t.tier === "torture" ? 50 : 12); round++) {
        const etag = await etagOf(t, path);
        const outcomes = await Promise.all(
          Array.from({ length: 9 }, async (_, index) => {
            const bytes = pattern(fits(t, 300 + index), `r${round}w${index}`);
            const outcome: unknown = await stores[index % 3]!.write(path, bytes, { ifMatch: etag }).then(
              () => "won",
              (error: unknown) => error,
            );
            if (outcome !== "won") await rejects(["precondition-failed", "conflict"], Promise.reject(outcome), "a loser hears that the file has changed");
            return outcome === "won" ? bytes : undefined;
          }),
        );
        const winners = outcomes.filter((bytes) => bytes !== undefined);
        equal(winners.length, 1, `round ${round}: exactly one of nine wins`);
        await holds(t, path, winners[0]!, `round ${round}: the file is the winner's`);
      }
    },
  },
  {
    id: "conditions.counter",
    title: "a counter that many increase by ifMatch ends at the sum",
    why: "The use that shows every lost update: five workers, ten increments each, and the file says fifty or somebody's was lost.",
    tier: "full",
    behaviours: [82],
    guarantees: ["write.ifMatch", "write.concurrent"],
    kills: ["M52d"],
    needs: needs("writeIfMatch"),
    timeoutMs: 120_000,
    async run(t) {
      const path = `${await base(t)}/counter`;
      const workers = 5;
      const each = 10;
      await put(t, path, "0");
      let lost = 0;
      await Promise.all(
        Array.from({ length: workers }, async (_, index) => {
          const store = index % 2 === 0 ? t.store : await t.connect();
          for (let done = 0; done < each;) {
            t.signal.throwIfAborted();
            await using result = await store.read(path, { fresh: true });
            const value = Number(await result.text());
            const etag = result.entry.etag ?? (await store.stat(path, { fresh: true })).etag;
            const outcome: unknown = await store.write(path, String(value + 1), { ifMatch: etag! }).then(
              () => "won",
              (error: unknown) => error,
            );
            if (outcome === "won") done++;
            else {
              lost++;
              await rejects(["precondition-failed", "conflict"], Promise.reject(outcome), "an increment that came too late");
            }
          }
        }),
      );
      await t.settled("read", async () => equal(new TextDecoder().decode(await readAll(t.store, path)), String(workers * each), "the counter"));
      t.note(`${lost} increments were tried again`);
    },
  },
  {
    id: "conditions.exclusive",
    title: "ifAbsent and ifMatch together are refused with TypeError",
    why: "They contradict each other: whichever an adapter drops, half of the callers lose their protection.",
    tier: "smoke",
    behaviours: [77, 156],
    guarantees: ["write.ifAbsent", "write.ifMatch"],
    kills: ["M53e"],
    needs: rw,
    async run(t) {
      const path = `${await base(t)}/both`;
      for (const body of [pattern(10, "both"), probed(() => undefined)])
        await rejectsType(() => t.store.write(path, body, { ifAbsent: true, ifMatch: never }), "both conditions at once");
      await rejectsType(() => t.store.write(path, "x", { ifMatch: 5 as unknown as string }), "an etag that is no string");
      await rejectsType(() => t.store.write(path, "x", { ifAbsent: "yes" as unknown as boolean }), "ifAbsent that is no boolean");
      await absent(t, path, "nothing was stored");
    },
  },
  {
    id: "conditions.large",
    title: "a write with a condition beyond the declared size is refused before any byte is taken",
    why: "Services that check conditions on single requests only cannot keep one for an upload of parts; done anyway it overwrites.",
    tier: "full",
    behaviours: [80],
    guarantees: ["write.conditionalSize"],
    kills: ["M51b", "M53d"],
    needs: needs("writeIfAbsent"),
    async run(t) {
      const path = `${await base(t)}/large`;
      const limit = t.capabilities.maxConditionalBytes;
      if (limit < t.capabilities.maxFileBytes && limit < Number.MAX_SAFE_INTEGER) {
        let given = 0;
        const body = probed(() => ((given += 1) > 100 ? undefined : new Uint8Array(1000)));
        const error = await rejects(
          ["too-large", "unsupported"],
          () => t.store.write(path, body, { ifAbsent: true, size: limit + 1 }),
          "a body of one byte more than a condition may have",
        );
        equal(error.applied, false, "nothing was applied");
        equal(body.bytes, 0, "no byte was taken");
        await absent(t, path, "nothing was stored");
      }
      const bytes = pattern(fits(t, 200_000), "large");
      await t.store.write(path, bytes, { ifAbsent: true });
      await holds(t, path, bytes, "within the limit the condition creates");
      await rejects("already-exists", () => t.store.write(path, bytes, { ifAbsent: true }), "and holds");
    },
  },
  {
    id: "conditions.read.match",
    title: "a read with ifMatch gives the version it names, else precondition-failed; ranges too",
    why: "A resumed download stands on it: without it the second half comes from another version.",
    tier: "smoke",
    behaviours: [79],
    guarantees: ["read.ifMatch", "entry.etag"],
    kills: ["M52e", "M54c"],
    needs: [...rw, "readIfMatch"],
    async run(t) {
      const path = `${await base(t)}/match`;
      const [one, two] = [pattern(900, "one"), pattern(900, "two")];
      await put(t, path, one);
      const first = await etagOf(t, path);
      await t.settled("read", async () => sameBytes(await readAll(t.store, path, { ifMatch: first }), one, "the current etag gives the bytes"));
      if (t.capabilities.readRange !== false)
        sameBytes(await readAll(t.store, path, { ifMatch: first, range: { offset: 100, length: 50 } }), one.subarray(100, 150), "and a range of them");
      await put(t, path, two);
      await holds(t, path, two, "the second version");
      for (const etag of [first, never]) {
        await rejects("precondition-failed", () => readAll(t.store, path, { ifMatch: etag }), "a stale or wrong etag");
        if (t.capabilities.readRange !== false)
          await rejects("precondition-failed", () => readAll(t.store, path, { ifMatch: etag, range: { offset: 100 } }), "a range with a stale or wrong etag");
      }
      await rejects(["not-found", "precondition-failed"], () => readAll(t.store, `${path}-none`, { ifMatch: first }), "a missing file");
    },
  },
  {
    id: "conditions.read.none",
    title: "a read with ifNoneMatch is not-modified while the etag is current, and gives the bytes otherwise",
    why: "Caches revalidate by it. Answered with bytes it costs the transfer, answered wrongly it serves the old version for ever.",
    tier: "smoke",
    behaviours: [79],
    guarantees: ["read.ifNoneMatch", "entry.etag"],
    rows: ["CF79"],
    kills: ["M52f", "M52h"],
    needs: [...rw, "readIfNoneMatch"],
    async run(t) {
      const path = `${await base(t)}/none`;
      const [one, two] = [pattern(900, "one"), pattern(901, "two")];
      await put(t, path, one);
      const first = await etagOf(t, path);
      const error = await rejects("not-modified", () => t.store.read(path, { ifNoneMatch: first }), "the current etag");
      equal(error.transient, false, "not-modified is not transient");
      await t.settled("read", async () => sameBytes(await readAll(t.store, path, { ifNoneMatch: never }), one, "another etag gives the bytes"));
      await put(t, path, two);
      await t.settled("read", async () =>
        sameBytes(await readAll(t.store, path, { ifNoneMatch: first }), two, "after a change the old etag gives the new bytes"),
      );
      const second = await etagOf(t, path);
      await rejects("not-modified", () => t.store.read(path, { ifNoneMatch: second }), "the new etag");
      await rejects("not-found", () => t.store.read(`${path}-missing`, { ifNoneMatch: first }), "a missing file");
    },
  },
  {
    id: "conditions.delete",
    title: "a delete with ifMatch deletes the version it names, else precondition-failed and nothing is deleted",
    why: "What a sync tool deletes is what it saw. A service that ignores the condition deletes what somebody wrote a second ago.",
    tier: "full",
    behaviours: [80],
    guarantees: ["delete.ifMatch", "entry.etag"],
    kills: ["M03", "M52g"],
    needs: [...rwld, "deleteIfMatch"],
    async run(t) {
      const d = await base(t);
      await put(t, `${d}/x/file`, pattern(100, "one"));
      await put(t, `${d}/x/keep`, pattern(5, "keep"));
      const first = await etagOf(t, `${d}/x/file`);
      await put(t, `${d}/x/file`, pattern(101, "two"));
      await holds(t, `${d}/x/file`, pattern(101, "two"), "the second version");
      for (const etag of [first, never]) {
        const error = await rejects("precondition-failed", () => t.store.delete(`${d}/x/file`, { ifMatch: etag }), "a stale or wrong etag");
        equal(error.applied, false, "nothing was applied");
      }
      await holds(t, `${d}/x/file`, pattern(101, "two"), "the file stays");
      await t.store.delete(`${d}/x/file`, { ifMatch: await etagOf(t, `${d}/x/file`) });
      await absent(t, `${d}/x/file`, "the current etag deletes");
      await lists(t, `${d}/x`, ["keep"], "and only this file");
    },
  },
  {
    id: "conditions.copy",
    title: "a copy with ifAbsent makes its target once; over anything that exists it is already-exists and nothing is changed",
    why: "Overwrite: F is ignored by some servers and obeyed for files only by others.",
    tier: "full",
    behaviours: [80],
    guarantees: ["copy.ifAbsent"],
    kills: ["M53c", "M54"],
    needs: needs("copy", "copyIfAbsent"),
    run: async (t) => onlyIfAbsent(t, "copy"),
  },
  {
    id: "conditions.move",
    title: "a move with ifAbsent moves onto nothing; over anything that exists it is already-exists, and both files stay",
    why: "A rename that overwrites in spite of the condition loses two files: the target's bytes and the source's name.",
    tier: "full",
    behaviours: [80],
    guarantees: ["move.ifAbsent"],
    kills: ["M53c"],
    needs: needs("move", "moveIfAbsent"),
    run: async (t) => onlyIfAbsent(t, "move"),
  },
  {
    id: "conditions.copy.race",
    title: "of many copies onto one name with ifAbsent exactly one wins",
    why: "Overwrite: F let several copies win on Apache and SabreDAV; each was told that its bytes are stored.",
    tier: "full",
    behaviours: [80, 81],
    guarantees: ["copy.ifAbsent"],
    kills: ["M51c"],
    needs: needs("copy", "copyIfAbsent"),
    timeoutMs: 120_000,
    run: async (t) => targetRace(t, "copy"),
  },
  {
    id: "conditions.move.race",
    title: "of many moves onto one name with ifAbsent exactly one wins, and the losers' files stay where they were",
    why: "rename(2) replaces: a check before it loses every file but the last, and none of the movers hears of it.",
    tier: "full",
    behaviours: [80, 81],
    guarantees: ["move.ifAbsent"],
    kills: ["M51d"],
    needs: needs("move", "moveIfAbsent"),
    timeoutMs: 120_000,
    run: async (t) => targetRace(t, "move"),
  },
];

async function onlyIfAbsent(t: CheckContext, verb: "copy" | "move"): Promise<void> {
  const d = await base(t);
  const call = (from: string, to: string): Promise<Entry> => t.store[verb](`${d}/x/${from}`, `${d}/x/${to}`, { ifAbsent: true });
  const contents = { source: pattern(300, "source"), target: pattern(301, "target"), "dir/inside": pattern(302, "inside") };
  for (const [name, bytes] of Object.entries(contents)) await put(t, `${d}/x/${name}`, bytes);
  await put(t, `${d}/x/empty`, "");
  for (const to of ["target", "empty", ...(t.capabilities.strictHierarchy ? ["dir"] : [])]) {
    const error = await rejects("already-exists", () => call("source", to), `onto ${to}, which exists`);
    equal(error.applied, false, "nothing was applied");
  }
  for (const [name, bytes] of Object.entries(contents)) await holds(t, `${d}/x/${name}`, bytes, `${name} is as it was`);
  await call("source", "deep/new");
  await holds(t, `${d}/x/deep/new`, contents.source, "onto nothing it succeeds, missing parents included");
  if (verb === "move") await absent(t, `${d}/x/source`, "and the source is gone");
  else await holds(t, `${d}/x/source`, contents.source, "and the source stays");
  await rejects("not-found", () => call("none", "other"), "a missing source");
  await stats(t, `${d}/x/target`, (entry) => equal(entry.size, 301, "the target is as it was"));
  await lists(t, `${d}/x`, ["deep", "dir", "empty", ...(verb === "move" ? [] : ["source"]), "target"], "nothing else was made");
}

async function targetRace(t: CheckContext, verb: "copy" | "move"): Promise<void> {
  const d = await base(t);
  const stores = [t.store, await t.connect()];
  for (let round = 0; round < (t.tier === "torture" ? 30 : 8); round++) {
    const sources = Array.from({ length: 6 }, (_, index) => ({ path: `${d}/r${round}/s${index}`, bytes: pattern(100 + index, `r${round}s${index}`) }));
    for (const { path, bytes } of sources) await put(t, path, bytes);
    const target = `${d}/r${round}/target`;
    const won = await Promise.all(
      sources.map(async ({ path }, index) => {
        const outcome: unknown = await stores[index % 2]![verb](path, target, { ifAbsent: true }).then(
          () => "won",
          (error: unknown) => error,
        );
        if (outcome !== "won") await rejects(["already-exists", "conflict"], Promise.reject(outcome), "a loser hears that the target exists");
        return outcome === "won";
      }),
    );
    equal(won.filter(Boolean).length, 1, `round ${round}: exactly one of six wins`);
    for (const [index, { path, bytes }] of sources.entries()) {
      if (won[index]) await holds(t, target, bytes, `round ${round}: the target is the winner's`);
      if (verb === "move" && won[index]) await absent(t, path, `round ${round}: the winner's source is gone`);
      else await holds(t, path, bytes, `round ${round}: a source that was not moved is as it was`);
    }
  }
}
