/** The catalogue on PostgreSQL: what both keep, and what several processes and a broken connection do to it. */
import { describe, expect, test } from "vitest";
import { postgresCatalogue } from "../../src/catalogue/index.ts";
import { startPostgres } from "../servers/postgres.ts";
import { notProvedBy } from "../servers/shared.ts";
import { usePostgres } from "./postgres-server.ts";
import { catalogueTests } from "./suite.ts";

const why = notProvedBy("postgres", "the catalogue on PostgreSQL");

describe.skipIf(why !== undefined)("with a server", () => {
  const server = usePostgres();
  let schemas = 0;
  const schema = (): string => `t${(schemas += 1)}`;

  catalogueTests("postgres", async () => {
    const name = schema();
    return { open: () => postgresCatalogue({ connectionString: server.url, schema: name }), [Symbol.asyncDispose]: async () => {} };
  });

  const migrations = [{ name: "t", statements: ["create table t(x {int} primary key) {strict}"] }];

  test("two that start at once make the tables once", async () => {
    const name = schema();
    const all = Array.from({ length: 4 }, () => postgresCatalogue({ connectionString: server.url, schema: name }));
    await Promise.all(all.map((each) => each.migrate("t", migrations)));
    for (const each of all) expect(await each.query("select version from catalogue_migration")).toEqual([{ version: 1 }]);
    await Promise.all(all.map((each) => each.close()));
  });

  test("rows that another transaction has locked are skipped, and holds are kept out of other connections", async () => {
    const name = schema();
    await using one = postgresCatalogue({ connectionString: server.url, schema: name });
    await using two = postgresCatalogue({ connectionString: server.url, schema: name });
    await one.migrate("t", migrations);
    for (const x of [1, 2, 3]) await one.run("insert into t(x) values(?)", x);
    await one.transaction(async (tx) => {
      expect(await tx.query("select x from t where x = 2 {for update}")).toHaveLength(1);
      expect(await two.query("select x from t order by x {for update skip locked}")).toEqual([{ x: 1 }, { x: 3 }]);
    });
    const hold = await one.hold("key");
    expect(await two.hold("key")).toBeNull();
    await using other = postgresCatalogue({ connectionString: server.url, schema: schema() });
    expect(await other.hold("key")).not.toBeNull();
    await hold?.[Symbol.asyncDispose]();
    expect(await two.hold("key")).not.toBeNull();
  });

  test("a deadlock is run again", async () => {
    await using db = postgresCatalogue({ connectionString: server.url, schema: schema() });
    await db.migrate("t", migrations);
    await db.run("insert into t(x) values(1), (2)");
    let runs = 0;
    const both = Promise.withResolvers<void>();
    const swap = (a: number, b: number): Promise<void> =>
      db.transaction(async (tx) => {
        await tx.query("select x from t where x = ? {for update}", a);
        if (++runs === 2) both.resolve();
        await both.promise;
        await tx.query("select x from t where x = ? {for update}", b);
      });
    await Promise.all([swap(1, 2), swap(2, 1)]);
    // The one that was undone may be back before the other has what it waited for: then they meet again.
    expect(runs).toBeGreaterThan(2);
  });

  test("wrong passwords and absent servers say so without the password", async () => {
    const wrong = new URL(server.url);
    wrong.password = "secret-word";
    for (const [connectionString, code] of [
      [wrong.href, "unauthenticated"],
      ["postgres://u:secret-word@127.0.0.1:1/x", "unavailable"],
    ] as const) {
      await using db = postgresCatalogue({ connectionString });
      const error: unknown = await db.migrate("t", migrations).then(
        () => undefined,
        (failure: unknown) => failure,
      );
      expect(error).toMatchObject({ code });
      expect(JSON.stringify(error) + String(error) + String((error as Error).cause)).not.toContain("secret-word");
    }
    expect(() => postgresCatalogue({ schema: 'a"; drop' })).toThrow(expect.objectContaining({ code: "config" }));
  });

  test("a server that crashes ends what runs, takes nothing that was committed, and is used again after its start", async () => {
    await using own = await startPostgres();
    await using db = postgresCatalogue({ connectionString: own.url });
    await db.migrate("t", migrations);
    await db.run("insert into t(x) values(1)");
    const hold = await db.hold("key");
    const running = db.transaction(async (tx) => {
      await tx.run("insert into t(x) values(2)");
      await own.crash();
      await tx.run("insert into t(x) values(3)");
    });
    await expect(running).rejects.toMatchObject({ code: "unavailable" });
    expect(hold?.lost).toBe(true);
    expect(await db.query("select x from t")).toEqual([{ x: 1 }]);
    expect(await db.hold("key")).not.toBeNull();
  });
});
