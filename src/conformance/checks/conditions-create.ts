/** Only if nothing is there: `ifAbsent` of write (behaviours 77, 80, 81). */
import { equal, ok, pattern, pieces, probed, recorded, rejects, rejectsType } from "../assert.ts";
import type { Check } from "../check.ts";
import { absent, base } from "./base.ts";
import { holds, lists, rw } from "./look.ts";
import { never, fits, needs } from "./conditions-help.ts";

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
];
