/** The same tests for both databases. `place` gives an empty one; what is opened there again finds what was left. */
import { describe, expect, test } from "vitest";
import type { Catalogue, Migration, Transaction } from "../../src/catalogue/index.ts";

export interface Place extends AsyncDisposable {
  open(): Catalogue;
}

const first: Migration = {
  name: "things",
  statements: [
    "create table thing(id {id}, name {text} not null unique, size {int} not null, weight {real}) {strict}",
    "create index thing_size on thing(size)",
  ],
};
const second: Migration = { name: "colours", statements: ["alter table thing add column colour {text}", "update thing set colour = 'grey'"] };
const third: Migration = { name: "broken", statements: ["create table other(id {id}) {strict}", "insert into absent(x) values(1)"] };

const names = async (db: Catalogue): Promise<string[]> =>
  (await db.query<{ readonly name: string }>("select name from thing order by name")).map(({ name }) => name);
const add = (db: Catalogue | Transaction, name: string, size = 1): Promise<number> => db.run("insert into thing(name, size) values(?, ?)", name, size);

export function catalogueTests(kind: string, place: () => Promise<Place>): void {
  const opened = async (at: Place): Promise<Catalogue> => {
    const db = at.open();
    await db.migrate("test", [first]);
    return db;
  };

  describe(`a catalogue on ${kind}`, () => {
    test("CM16 keeps rows, numbers and texts, and gives them back in the order of their bytes", async () => {
      await using at = await place();
      await using db = await opened(at);
      expect(db.kind).toBe(kind);
      for (const name of ["b", "a", "Z", "ä", "a'; drop table thing; --", "😀"]) expect(await add(db, name, Number.MAX_SAFE_INTEGER)).toBe(1);
      expect(await names(db)).toEqual(["Z", "a", "a'; drop table thing; --", "b", "ä", "😀"]);
      await db.run("update thing set weight = ? where name = ?", 0.1, "a");
      expect(await db.query("select size, weight from thing where name = ?", "a")).toEqual([{ size: Number.MAX_SAFE_INTEGER, weight: 0.1 }]);
      expect(await db.query("select cast(coalesce(sum(size), 0) as {int}) as total from thing where name in ('a', 'q')")).toEqual([
        { total: Number.MAX_SAFE_INTEGER },
      ]);
      const [row] = await db.query<{ readonly id: number }>("insert into thing(name, size) values(?, ?) returning id", "c", 2);
      expect(typeof row?.id).toBe("number");
    });

    test("refuses what one of the two could not keep, and a row that is there", async () => {
      await using at = await place();
      await using db = await opened(at);
      for (const bad of ["nul\0", "\ud800"]) await expect(add(db, bad)).rejects.toThrow(TypeError);
      for (const bad of [2 ** 53, NaN, Infinity]) await expect(add(db, "x", bad)).rejects.toThrow(TypeError);
      await expect(db.query("select {wrong}")).rejects.toThrow(TypeError);
      await expect(db.query("select 'why?'")).rejects.toThrow(TypeError);
      await add(db, "x");
      await expect(add(db, "x")).rejects.toMatchObject({ code: "already-exists", applied: false });
      expect(await names(db)).toEqual(["x"]);
    });

    test("a transaction is all or nothing, and nobody sees half of it", async () => {
      await using at = await place();
      await using db = await opened(at);
      const boom = new Error("boom");
      let escaped: Transaction | undefined;
      const failed = db.transaction(async (tx) => {
        escaped = tx;
        await add(tx, "a");
        throw boom;
      });
      await expect(failed).rejects.toBe(boom);
      expect(await names(db)).toEqual([]);
      await expect(escaped?.run("delete from thing")).rejects.toThrow(TypeError);
      await expect(db.transaction(async (tx) => (await add(tx, "a"), await add(tx, "a")))).rejects.toMatchObject({ code: "already-exists" });
      expect(await names(db)).toEqual([]);
      await expect(db.transaction(() => names(db).then(String))).rejects.toThrow(TypeError);
      const seen: string[][] = [];
      const inside = db.transaction(async (tx) => {
        await add(tx, "a");
        await new Promise((done) => setTimeout(done, 20));
        await add(tx, "b");
        return "result";
      });
      for (let n = 0; n < 3; n++) seen.push(await names(db));
      expect(await inside).toBe("result");
      for (const rows of seen) expect([[], ["a", "b"]]).toContainEqual(rows);
      expect(await names(db)).toEqual(["a", "b"]);
    });

    test("twenty transactions at once that read and add lose nothing", async () => {
      await using at = await place();
      await using db = await opened(at);
      await add(db, "sum", 0);
      const one = async (tx: Transaction): Promise<void> => {
        const [row] = await tx.query<{ readonly size: number }>("select size from thing where name = ? {for update}", "sum");
        await new Promise((done) => setImmediate(done));
        await tx.run("update thing set size = ? where name = ?", (row?.size ?? 0) + 1, "sum");
      };
      await Promise.all(Array.from({ length: 20 }, () => db.transaction(one)));
      expect(await db.query("select size from thing")).toEqual([{ size: 20 }]);
      let running = 0;
      let most = 0;
      const locked = async (tx: Transaction): Promise<void> => {
        await tx.lock("one at a time");
        most = Math.max(most, ++running);
        await new Promise((done) => setImmediate(done));
        running--;
      };
      await Promise.all(Array.from({ length: 8 }, () => db.transaction(locked)));
      expect(most).toBe(1);
    });

    test("CM15 upgrades an old catalogue with all rows kept, once, and at most to the step that works", async () => {
      await using at = await place();
      {
        await using old = await opened(at);
        for (let n = 0; n < 100; n++) await add(old, `n${n}`, n);
      }
      {
        await using db = at.open();
        const broken = db.migrate("test", [first, second, third]);
        await expect(broken).rejects.toMatchObject({ code: "unknown" });
        await expect(db.query("select * from other")).rejects.toMatchObject({ code: "unknown" });
      }
      await using db = at.open();
      await db.migrate("test", [first, second]);
      await db.migrate("test", [first, second]);
      await db.migrate("another component", [{ name: "its own", statements: ["create table mine(id {id}) {strict}"] }]);
      expect(await db.query("select count(*) as n, min(colour) as a, max(colour) as b, cast(sum(size) as {int}) as s from thing")).toEqual([
        { n: 100, a: "grey", b: "grey", s: 4950 },
      ]);
      expect(await db.query("select component, version, name from catalogue_migration order by component, version")).toEqual([
        { component: "another component", version: 1, name: "its own" },
        { component: "test", version: 1, name: "things" },
        { component: "test", version: 2, name: "colours" },
      ]);
    });

    test("refuses a newer catalogue, one of another history and another program's; nothing in it changes", async () => {
      await using at = await place();
      {
        await using db = at.open();
        await db.migrate("test", [first, second]);
        await add(db, "kept");
      }
      {
        await using db = at.open();
        await expect(db.migrate("test", [first])).rejects.toMatchObject({ code: "config", message: expect.stringMatching(/version 2, this release knows 1/) });
      }
      {
        await using db = at.open();
        await expect(db.migrate("test", [{ ...first, name: "not things" }, second, third])).rejects.toMatchObject({ code: "config" });
        expect(await names(db)).toEqual(["kept"]);
        await db.run("drop table catalogue_migration");
      }
      await using db = at.open();
      await expect(db.migrate("test", [first, second])).rejects.toMatchObject({ code: "config", message: expect.stringMatching(/another program/) });
    });

    test("a hold keeps others out until it is let go, or the catalogue closes", async () => {
      await using at = await place();
      await using db = await opened(at);
      const mine = await db.hold("a");
      expect(mine).toMatchObject({ key: "a", lost: false });
      expect(await db.hold("a")).toBeNull();
      const other = await db.hold("b");
      expect(other).not.toBeNull();
      await mine?.[Symbol.asyncDispose]();
      const again = await db.hold("a");
      expect(again).not.toBeNull();
      expect(await db.transaction((tx) => tx.free("a"))).toBe(false);
      expect(await db.transaction((tx) => tx.free("c"))).toBe(true);
      expect(await db.hold("c")).not.toBeNull();
      // A second letting go of the first is not one of the second.
      await mine?.[Symbol.asyncDispose]();
      expect(await db.hold("a")).toBeNull();
    });

    test("a closed catalogue refuses everything, waits for what runs, and closes twice", async () => {
      await using at = await place();
      const db = await opened(at);
      const running = db.transaction(async (tx) => {
        await add(tx, "late");
        await new Promise((done) => setTimeout(done, 20));
        return "done";
      });
      await Promise.resolve();
      await new Promise((done) => setTimeout(done, 5));
      const closing = db.close();
      expect(await running).toBe("done");
      await Promise.all([closing, db.close()]);
      for (const call of [
        () => db.query("select 1"),
        () => db.run("delete from thing"),
        () => db.transaction(async () => 1),
        () => db.hold("a"),
        () => db.migrate("test", [first]),
      ])
        await expect(call()).rejects.toMatchObject({ code: "closed" });
      await using again = await opened(at);
      expect(await names(again)).toEqual(["late"]);
    });
  });
}
