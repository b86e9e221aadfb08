/** The format on disk: creation, upgrades, refusals. */
import { copyFileSync, existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openDatabase, version } from "../../../src/wrappers/caching/format.ts";
import { readText } from "../../../src/store/index.ts";
import { bench } from "./bench.ts";
import { cacheDirectory } from "./cache-directory.ts";

/** A directory of version 1 as the first release leaves it: with a pending file, a pending delete and a pending move. */
async function madeByVersion1(): Promise<ReturnType<typeof bench>> {
  const b = bench({ uploadDelayMs: 1e9, maxDelayMs: 1e9, flushOnClose: false });
  await b.base.write("/old", "old");
  await b.base.write("/d/x", "x");
  await b.store.write("/a", "small");
  await b.store.write("/b", new Uint8Array(100_000).fill(3));
  await b.cache.pause();
  await b.store.delete("/old");
  await b.store.move("/d", "/e");
  await b.store.close();
  return b;
}

describe("upgrades", () => {
  test("each step is one transaction; a copy is kept; what was pending is pending", async () => {
    const b = await madeByVersion1();
    expect(version).toBe(1);
    const steps = {
      1: (exec: (sql: string) => void) => exec("alter table node add column color text"),
      2: (exec: (sql: string) => void) => exec("create table more(id integer primary key) strict"),
    };
    const db = openDatabase(b.directory, { version: 3, upgrades: steps });
    expect(db.pragma("user_version", { simple: true })).toBe(3);
    expect(db.prepare("select count(*) as n from node where dirty = 1 and color is null").get()).toEqual({ n: 3 });
    db.close();
    expect(readFileSync(join(b.directory, "FORMAT"), "utf8")).toBe("stratus cache 3\n");
    expect(existsSync(join(b.directory, "journal-before-3.db"))).toBe(true);
    // This release does not know it, and leaves it alone.
    const again = b.again();
    await expect(again.store.open()).rejects.toMatchObject({ code: "config" });
  });

  test("one that fails leaves the old version whole, and the next opening goes on from where it came", async () => {
    const b = await madeByVersion1();
    const broken = {
      1: (exec: (sql: string) => void) => exec("alter table node add column color text"),
      2: (exec: (sql: string) => void) => {
        exec("create table more(id integer primary key) strict");
        throw new Error("made up");
      },
    };
    expect(() => openDatabase(b.directory, { version: 3, upgrades: broken })).toThrow("made up");
    const db = openDatabase(b.directory, { version: 3, upgrades: { 2: (exec) => exec("create table more(id integer primary key) strict") } });
    expect(db.pragma("user_version", { simple: true })).toBe(3);
    db.close();
  });

  test("a directory of version 1 opens, and what was pending arrives", async () => {
    const b = await madeByVersion1();
    await using again = b.again();
    expect(await readText(again.store, "/a")).toBe("small");
    expect(await readText(again.store, "/e/x")).toBe("x");
    await again.cache.flush();
    expect(readdirSync(join(b.directory, "content"))).toHaveLength(1);
    expect((await again.base.list("/", { recursive: true }).toArray()).map(({ path }) => path as string)).toEqual(["/a", "/b", "/e", "/e/x"]);
  });
});

describe("refusals", () => {
  test("the database of another program: config, and not a byte of it changes", () => {
    const directory = cacheDirectory();
    const other = openDatabase(cacheDirectory());
    other.exec("pragma user_version = 0");
    other.exec("vacuum");
    other.close();
    writeFileSync(join(directory, "journal.db"), "this is no database, but longer than the header of one would be".repeat(20));
    const before = readFileSync(join(directory, "journal.db"));
    expect(() => openDatabase(directory)).toThrow(expect.objectContaining({ code: "corrupt" }));
    expect(Buffer.compare(readFileSync(join(directory, "journal.db")), before)).toBe(0);
  });

  test("a journal that needs a feature which is not known: config", () => {
    const directory = cacheDirectory();
    const db = openDatabase(directory);
    db.exec("insert into meta(key, value) values('features', 'encrypted')");
    db.close();
    expect(() => openDatabase(directory)).toThrow(expect.objectContaining({ code: "config" }));
  });

  test("a lost journal beside its FORMAT: corrupt", () => {
    const directory = cacheDirectory();
    openDatabase(directory).close();
    const lost = cacheDirectory();
    copyFileSync(join(directory, "FORMAT"), join(lost, "FORMAT"));
    expect(() => openDatabase(lost)).toThrow(expect.objectContaining({ code: "corrupt" }));
  });
});
