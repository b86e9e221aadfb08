/** Only if it is this version: `ifMatch` of write (behaviours 78, 81, 82). */
import { equal, ok, pattern, readAll, recorded, rejects } from "../assert.ts";
import type { Check } from "../check.ts";
import { hasCode } from "../../store/index.ts";
import type { Store } from "../../store/index.ts";
import { absent, base } from "./base.ts";
import { holds, lists, put, rwld } from "./look.ts";
import { etagOf, never, fits, needs } from "./conditions-help.ts";

export const checks: readonly Check[] = [
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
            const seen = await counted(store, path);
            if (seen === undefined) continue;
            const outcome: unknown = await store.write(path, String(seen.value + 1), { ifMatch: seen.etag }).then(
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
];

/** Undefined: it was written while it was read, which a read may say. */
async function counted(store: Store, path: string): Promise<{ readonly value: number; readonly etag: string } | undefined> {
  try {
    await using result = await store.read(path, { fresh: true });
    const value = Number(await result.text());
    const etag = result.entry.etag ?? (await store.stat(path, { fresh: true })).etag;
    return { value, etag: etag! };
  } catch (error) {
    if (!hasCode(error, "conflict")) throw error;
    return undefined;
  }
}
