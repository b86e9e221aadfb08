/** The repository on PostgreSQL: all that it does on SQLite, and several machines on one catalogue. */
import { describe, expect, test } from "vitest";
import { notProvedBy } from "../servers/shared.ts";
import { postgresPlaces, usePostgres } from "../catalogue/postgres-server.ts";
import { failure, lab, published } from "./lab.ts";
import { backupTests } from "./suite-backup.ts";
import { careTests } from "./suite-care.ts";
import { drillTests } from "./suite-drills.ts";
import { progressTests } from "./suite-progress.ts";
import { stateTests } from "./suite-states.ts";
import { workTests } from "./suite-work.ts";

const why = notProvedBy("postgres", "the repository on PostgreSQL");

describe.skipIf(why !== undefined)("on PostgreSQL", () => {
  const places = postgresPlaces(usePostgres(), "r");

  stateTests("postgres", places);
  workTests("postgres", places);
  careTests("postgres", places);
  backupTests("postgres", places);
  progressTests("postgres", places);
  drillTests("postgres", places);

  test("S3R21 several machines: a lock of one keeps the changes of the others out, but not its own, and falls when it closes", async () => {
    await using l = await lab(places);
    const one = await l.create({}, "one");
    const two = await l.open({}, "two");
    const id = await published(one, "/a", "a");
    const lock = await one.lock(id);
    expect(await failure(two.lock(id, { mode: "nowait" }))).toMatchObject({ code: "locked" });
    expect(await two.lock(id, { mode: "skip" })).toBeNull();
    for (const work of [() => two.expire(id), () => two.tagFile(id, "x"), () => two.transaction(async (t) => t.expire(id))])
      expect(await failure(work())).toMatchObject({ code: "locked", file: id });
    expect(await two.text(id)).toBe("a");
    await one.expire(id);
    expect(await two.collect({ graceMs: 0 })).toMatchObject({ collected: [] });
    await lock[Symbol.asyncDispose]();
    await two.publish(id);
    await one.lock(id);
    await one.close();
    await two.expire(id);
    expect(await two.info(id)).toMatchObject({ state: "expired" });
  });

  test("several machines publish versions of one path at once: each has a number of its own, and one is the newest for all", async () => {
    await using l = await lab(places);
    const repos = [await l.create({}, "one"), await l.open({}, "two"), await l.open({}, "three")];
    const ids = await Promise.all(repos.flatMap((repo, n) => [0, 1, 2].map((m) => published(repo, "/p", `${n} ${m}`))));
    for (const repo of repos) expect((await repo.versions("/p")).map(({ version }) => version)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
    const reports = await Promise.all(repos.map((repo) => repo.maintainDatabase({ graceMs: 0 })));
    const again = await repos[0]?.maintainDatabase({ graceMs: 0 });
    const newest = await repos[0]?.get("/p");
    expect([...reports, again].flatMap((report) => report?.expired ?? []).toSorted((a, b) => a - b)).toEqual(
      ids.filter((id) => id !== newest?.id).toSorted((a, b) => a - b),
    );
    // A copy on a host that is in service is somebody who may want it.
    expect((await repos[1]?.find())?.length).toBe(9);
  });

  test("nothing is deleted that another machine wants again: publishing, fetching and collecting the same expired files at once", async () => {
    await using l = await lab(places);
    const one = await l.create({ publishedStaleMs: 0 }, "one");
    const two = await l.open({}, "two");
    for (let round = 0; round < 5; round++) {
      const ids = await Promise.all(Array.from({ length: 6 }, (_, n) => published(one, `/r${round}/${n}`, `${round} ${n}`)));
      for (const id of ids) {
        await one.expire(id);
        await one.unlink(id);
      }
      const wanted = await Promise.allSettled([
        ...ids.slice(0, 3).map((id) => two.publish(id)),
        ...ids.slice(3).map((id) => two.text(id)),
        one.collect({ graceMs: 0 }),
        two.collect({ graceMs: 0 }),
      ]);
      for (const [n, id] of ids.entries()) {
        const outcome = wanted[n] as PromiseSettledResult<unknown>;
        if (outcome.status === "fulfilled") expect(await one.text(id)).toBe(`${round} ${n}`);
        else expect(outcome.reason).toMatchObject({ code: expect.stringMatching(/^(unknown-file|locked)$/) });
      }
    }
    await l.clock.advance(300_000);
    await one.collect({ graceMs: 0 });
    const { objects } = await one.verify({ deep: true });
    expect(await l.main.objects()).toHaveLength(objects);
    expect(await two.verify()).toMatchObject({ good: objects });
  });
});
