/** The pool on PostgreSQL: all that it does on SQLite (CM16), and several nodes on one catalogue. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { postgresCatalogue } from "../../src/catalogue/index.ts";
import type { Catalogue, Hold, Transaction } from "../../src/catalogue/index.ts";
import type { Pool } from "../../src/pool/index.ts";
import { startPostgres } from "../servers/postgres.ts";
import { notProvedBy } from "../servers/shared.ts";
import { postgresPlaces, usePostgres } from "../catalogue/postgres-server.ts";
import { bytes, failure, lab, sha } from "./lab.ts";
import { backupTests } from "./suite-backup.ts";
import { careTests } from "./suite-care.ts";
import { exchangeTests } from "./suite-exchange.ts";
import { progressTests } from "./suite-progress.ts";
import { fileTests } from "./suite-files.ts";

/** A catalogue over another one: `before` each question of a transaction, and what each `hold` gave. */
function watched(inner: Catalogue, see: { readonly before?: (sql: string) => Promise<void>; readonly held?: (hold: Hold | null) => unknown }): Catalogue {
  const inside = (tx: Transaction): Transaction => ({
    query: async (sql, ...values) => (await see.before?.(sql), await tx.query(sql, ...values)),
    run: async (sql, ...values) => (await see.before?.(sql), await tx.run(sql, ...values)),
    lock: (key) => tx.lock(key),
    free: (key) => tx.free(key),
  });
  return {
    kind: inner.kind,
    migrate: (component, migrations) => inner.migrate(component, migrations),
    query: (sql, ...values) => inner.query(sql, ...values),
    run: (sql, ...values) => inner.run(sql, ...values),
    transaction: (work) => inner.transaction((tx) => work(inside(tx))),
    hold: async (key) => {
      const hold = await inner.hold(key);
      see.held?.(hold);
      return hold;
    },
    close: () => inner.close(),
    [Symbol.asyncDispose]: () => inner.close(),
  };
}

const why = notProvedBy("postgres", "the pool on PostgreSQL");

describe.skipIf(why !== undefined)("CM16 on PostgreSQL", () => {
  const places = postgresPlaces(usePostgres(), "p");

  fileTests("postgres", places);
  careTests("postgres", places);
  exchangeTests("postgres", places);
  backupTests("postgres", places);
  progressTests("postgres", places);

  test("two nodes share a catalogue: what one uploads the other fetches, and each sends what it has", async () => {
    await using l = await lab(places);
    const one = await l.open({}, "one");
    const two = await l.open({}, "two");
    const texts = Array.from({ length: 8 }, (_, n) => `text ${n}`);
    await Promise.all(texts.map((text, n) => (n % 2 === 0 ? one : two).upload(text)));
    // The same bytes in both caches are one file, sent once.
    await Promise.all([one.upload("both"), two.upload("both")]);
    expect((await one.queues()).upload.files).toBe(9);
    expect(await failure(one.warmUp(sha("text 1")))).toMatchObject({ code: "not-uploaded" });
    await Promise.all([one.sync(), two.sync()]);
    await Promise.all([one.sync(), two.sync()]);
    expect((await two.queues()).upload.files).toBe(0);
    expect(await one.verify({ deep: true })).toMatchObject({ copies: 18, alive: 18, short: [] });
    for (const text of texts) for (const pool of [one, two]) expect(readFileSync(await pool.warmUp(sha(text)), "utf8")).toBe(text);
    await one.remove(sha("both"));
    expect(await failure(two.warmUp(sha("both")))).toMatchObject({ code: "unknown-hash" });
    expect(await one.collect({ graceMs: 0 })).toMatchObject({ collected: [sha("both")], deleted: 2 });
    await two.collect({ graceMs: 0 });
    expect(l.cachedFiles("two").some((name) => name.startsWith(sha("both").slice(0, 7)))).toBe(false);
    expect(await failure(l.open({}, "one"))).toMatchObject({ code: "conflict" });
  });

  test("uploads at one node while another collects lose nothing", async () => {
    await using l = await lab(places);
    const one = await l.open({}, "one");
    const two = await l.open({}, "two");
    const texts = Array.from({ length: 5 }, (_, n) => bytes(`racing ${n}`, 50));
    for (let round = 0; round < 5; round++) {
      await Promise.all(texts.map((text) => one.upload(text)));
      await one.sync();
      for (const text of texts) await one.remove(sha(text));
      await Promise.all([two.collect({ graceMs: 0 }), ...texts.map((text) => one.upload(text)), one.sync(), two.sync()]);
      await one.sync();
      for (const text of texts) for (const pool of [one, two]) expect(readFileSync(await pool.warmUp(sha(text)))).toEqual(text);
    }
    await l.clock.advance(200_000);
    await Promise.all([one.collect(), two.collect()]);
    expect(await two.verify({ deep: true })).toMatchObject({ copies: 10, alive: 10, short: [], lost: [] });
    expect((await Promise.all(Object.values(l.hosts).map((host) => host.files()))).flat()).toHaveLength(10);
  });

  test("a pool opens while another one looks after the uploads that its dead predecessor had under way", async () => {
    await using l = await lab(places);
    const before = await l.open({}, "two");
    await before.upload("sent by the dead one");
    await before.sync();
    await before.close();
    {
      // As a process that died leaves them.
      await using db = l.catalogueOf();
      expect(await db.run("update copy set state = 0")).toBe(2);
    }
    let opening: Promise<Pool> | undefined;
    const { promise: refused, resolve: refuse } = Promise.withResolvers<void>();
    const asking = watched(l.catalogueOf(), { held: (hold) => hold ?? refuse() });
    const sweeping = watched(l.catalogueOf(), {
      before: async (sql) => {
        if (opening !== undefined || !sql.startsWith("delete from copy where state")) return;
        opening = l.open({ catalogue: asking }, "two");
        await Promise.race([refused, opening]);
      },
    });
    await using one = await l.open({ catalogue: sweeping }, "one");
    expect(await (await opening)?.sync()).toMatchObject({ complete: 0, short: [] });
    await l.clock.advance(300_000);
    expect(await one.collect()).toMatchObject({ deleted: 2, failures: [] });
  });

  test("a pool whose connection broke goes on, but not with a directory that it may no longer hold", async () => {
    await using own = await startPostgres();
    await using l = await lab(() => (name) => postgresCatalogue({ connectionString: own.url, schema: name }));
    const pool = await l.open();
    const hash = await pool.upload("before");
    await own.crash();
    expect(await pool.exists(hash)).toBe(true);
    expect(await failure(pool.upload("after"))).toMatchObject({ code: "conflict" });
    expect(await failure(pool.sync())).toMatchObject({ code: "conflict" });
    await pool.close();
    const again = await l.open();
    expect(again.opened).toMatchObject({ missing: [] });
    expect(await again.upload("after")).toBe(sha("after"));
    expect(await again.sync()).toMatchObject({ complete: 2 });
  });
});
