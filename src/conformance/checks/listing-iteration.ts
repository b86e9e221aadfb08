/** How a listing is iterated: lazily, more than once, left early, stopped by a signal or by an error of the caller (behaviours 98, 99). */
import { equal, fail, names, ok, rejects } from "../assert.ts";
import type { Check } from "../check.ts";
import { lists, many, put, rwl } from "./look.ts";

export const iteration: readonly Check[] = [
  {
    id: "listing.iteration.lazy",
    title: "a listing that nobody iterates asks nothing and fails nowhere",
    why: "A listing that starts when it is made rejects a promise that nobody holds, and that ends the process.",
    tier: "smoke",
    behaviours: [98],
    guarantees: ["list.lazy"],
    kills: ["N82"],
    needs: ["list"],
    async run(t) {
      const listing = t.store.list("/w-missing");
      const pages = t.store.list("/w-missing").pages();
      const rejections: unknown[] = [];
      const watch = (reason: unknown): void => void rejections.push(reason);
      process.on("unhandledRejection", watch);
      try {
        for (let turn = 0; turn < 5; turn += 1) await new Promise((next) => setImmediate(next));
      } finally {
        process.off("unhandledRejection", watch);
      }
      equal(rejections, [], "making a listing starts nothing");
      await rejects("not-found", () => listing.toArray(), "the error comes when it is iterated");
      await rejects(
        "not-found",
        async () => {
          for await (const page of pages) fail("a missing directory has no page", "", page);
        },
        "likewise by pages",
      );
    },
  },
  {
    id: "listing.iteration.again",
    title: "each iteration of one listing is a new one, and two at once do not disturb each other",
    why: "A listing that shares its cursor between iterations gives each half of the directory to somebody else.",
    tier: "smoke",
    behaviours: [98],
    guarantees: ["list.lazy"],
    rows: ["CF18"],
    kills: ["N62"],
    needs: rwl,
    async run(t) {
      const all = await many(t, "/w", 6);
      await lists(t, "/w", all, "the fixture is listed");
      const listing = t.store.list("/w");
      equal(names(await listing.toArray()), all, "the first time");
      await put(t, "/w/later", "later");
      await t.settled("list", async () => equal(names(await listing.toArray()), [...all, "later"], "the second time, it shows what came since"));
      const left: string[] = [];
      const right: string[] = [];
      const one = listing[Symbol.asyncIterator]();
      for await (const entry of listing) {
        left.push(...names([entry]));
        const next = await one.next();
        if (next.done !== true) right.push(...names([next.value]));
      }
      equal(
        [left.sort(), right.sort()],
        [
          [...all, "later"],
          [...all, "later"],
        ],
        "two iterations side by side have all entries each",
      );
    },
  },
  {
    id: "listing.iteration.break",
    title: "leaving a listing early leaves nothing behind, and the store goes on working",
    why: "An iteration that is left without its return() keeps a connection or a directory handle; after some hundred of those nothing opens any more.",
    tier: "smoke",
    behaviours: [98],
    guarantees: ["list.lazy"],
    kills: ["N83"],
    needs: rwl,
    async run(t) {
      const all = await many(t, "/w", 5);
      await lists(t, "/w", all, "the fixture is listed");
      for (let round = 0; round < 40; round += 1) {
        let seen = 0;
        for await (const entry of t.store.list("/w")) {
          ok(entry.kind === "file", "an entry came");
          seen += 1;
          break;
        }
        equal(seen, 1, "one entry was taken");
      }
      await lists(t, "/w", all, "afterwards the whole listing is there");
    },
  },
  {
    id: "listing.iteration.caller-error",
    title: "an error thrown inside the loop comes out unchanged and ends the listing",
    why: "Listings with callbacks wrap or swallow what the callback throws, and go on listing.",
    tier: "smoke",
    behaviours: [98],
    guarantees: ["list.lazy"],
    kills: ["N84"],
    needs: rwl,
    async run(t) {
      const all = await many(t, "/w", 4);
      await lists(t, "/w", all, "the fixture is listed");
      const mine = new Error("of the caller");
      let seen = 0;
      try {
        for await (const entry of t.store.list("/w")) {
          seen += entry.path.length > 0 ? 1 : 0;
          throw mine;
        }
        fail("the error of the loop comes out", "it", "nothing");
      } catch (error) {
        ok(error === mine, "the very error that was thrown", error);
      }
      equal(seen, 1, "the loop ended at once");
      await lists(t, "/w", all, "the store still lists");
    },
  },
  {
    id: "listing.iteration.concurrent",
    title: "many listings at once are all whole",
    why: "Adapters that keep the current page in the client mix the pages of two listings.",
    tier: "full",
    behaviours: [97, 144],
    guarantees: ["list.whole"],
    kills: ["N85"],
    needs: rwl,
    async run(t) {
      const dirs = ["/w/a", "/w/b", "/w/c"];
      const expected = new Map<string, string[]>();
      for (const [index, dir] of dirs.entries()) {
        expected.set(dir, await many(t, dir, 5 + index));
        await lists(t, dir, expected.get(dir)!, "the fixture is listed");
      }
      const asked = Array.from({ length: 24 }, (_, index) => dirs[index % dirs.length]!);
      const found = await Promise.all(asked.map(async (dir) => names(await t.store.list(dir).toArray())));
      for (const [index, dir] of asked.entries()) equal(found[index], expected.get(dir), `listing ${index} of ${dir}`);
    },
  },
  {
    id: "listing.iteration.fresh",
    title: "a listing with `fresh` and one without say the same about a store that nobody changes",
    why: "Options for caches are forwarded by adapters as query parameters, and become a filter.",
    tier: "full",
    behaviours: [97],
    guarantees: ["list.children"],
    kills: ["N86"],
    needs: rwl,
    async run(t) {
      const all = await many(t, "/w", 5);
      await lists(t, "/w", all, "asked freshly");
      await lists(t, "/w", all, "asked as it comes", { fresh: false });
    },
  },
];
