/** Conditions of reads and deletes (behaviours 79, 80). */
import { equal, pattern, readAll, rejects, sameBytes } from "../assert.ts";
import type { Check } from "../check.ts";
import { absent, base } from "./base.ts";
import { holds, lists, put, rw, rwld } from "./look.ts";
import { etagOf, never } from "./conditions-help.ts";

export const checks: readonly Check[] = [
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
];
