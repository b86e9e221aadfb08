/** A cache directory that is damaged: a typed error, or no effect; never wrong bytes, and nothing else lost (cache.md 1.7, disk faults). */
import { copyFileSync, existsSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { allWell, copyOf, files, leave, lookAt, open, remove, temporary } from "./left-behind.ts";
import type { Seen } from "./left-behind.ts";

const torture = process.env["STRATUS_TIER"] === "torture";
const left = temporary();
const closed = temporary();
beforeAll(async () => {
  await leave(left);
  await leave(closed, true);
});
afterAll(() => remove(left, closed));

const isFine = (verdict: string): boolean => !verdict.startsWith("WRONG") && !verdict.startsWith("NOT TYPED");
function verdicts(seen: Seen | string): readonly string[] {
  return typeof seen === "string" ? [seen] : Object.values(seen);
}
async function damaged(harm: (directory: string) => void, look: (seen: Seen | string) => void, from = left): Promise<void> {
  const copy = copyOf(from);
  try {
    harm(copy);
    look(await lookAt(copy));
  } finally {
    remove(copy);
  }
}
/** The content files and what they hold. */
function contentFiles(directory: string): string[] {
  return readdirSync(join(directory, "content"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
/** The content file of a path: the one that holds its bytes. */
function contentOf(directory: string, path: string): string {
  const found = contentFiles(directory).find((file) => Buffer.compare(readFileSync(file), files[path] as Buffer) === 0);
  if (found === undefined) throw new Error(`${path} is in no file`);
  return found;
}

test("undamaged, everything acknowledged is there, and what was deleted is not", async () => {
  await damaged(
    () => {},
    (seen) => expect(seen).toEqual(allWell),
  );
});

test.each(["journal.db", "journal.db-wal"])("one byte changed anywhere in %s: right bytes or a typed error", { timeout: 3_600_000 }, async (name) => {
  const from = name === "journal.db" ? closed : left;
  const size = statSync(join(from, name)).size;
  // The first hundred are the header; after that, steps that meet every offset within a page in the long run.
  const step = torture ? 13 : Math.max(97, Math.ceil(size / 60) | 1);
  let detected = 0;
  let tried = 0;
  for (let at = 0; at < size; at += at < 100 ? (torture ? 1 : 9) : step) {
    await damaged(
      (directory) => {
        const file = join(directory, name);
        const bytes = readFileSync(file);
        bytes[at] = (bytes[at] as number) ^ 0x5a;
        writeFileSync(file, bytes);
      },
      (seen) => {
        tried += 1;
        if (verdicts(seen).join() !== verdicts(allWell).join()) detected += 1;
        // A log ends at its first bad frame: what was acknowledged later is lost, and the version before it is seen.
        const older = name === "journal.db-wal" ? ["WRONG BYTES: 16 of them", "WRONG BYTES: 13 of them"] : [];
        const paths = typeof seen === "string" ? { all: seen } : seen;
        for (const [path, verdict] of Object.entries(paths))
          expect(isFine(verdict) || (["/f", "/gone"].includes(path) && older.includes(verdict)), `byte ${at}: ${JSON.stringify(seen)}`).toBe(true);
      },
      from,
    );
  }
  console.log(`${name}: ${tried} bytes changed, ${detected} noticed`);
  expect(tried).toBeGreaterThan(20);
});

test("a log that was cut at any place: what was acknowledged before it, whole", { timeout: 3_600_000 }, async () => {
  const size = statSync(join(left, "journal.db-wal")).size;
  expect(size).toBeGreaterThan(4096);
  for (let at = 0; at < size; at += torture ? 509 : Math.ceil(size / 25)) {
    await damaged(
      (directory) => truncateSync(join(directory, "journal.db-wal"), at),
      (seen) => {
        if (typeof seen === "string") return expect(["corrupt", "config"], `cut at ${at}`).toContain(seen);
        // An older version of /f is whole as well.
        const { "/f": replaced, "/gone": gone, ...others } = seen;
        expect(
          Object.values(others).every((verdict) => verdict === "ok" || verdict === "not-found"),
          `cut at ${at}: ${JSON.stringify(seen)}`,
        ).toBe(true);
        expect([replaced, gone].every((verdict) => verdict !== undefined && !verdict.startsWith("NOT TYPED"))).toBe(true);
      },
    );
  }
});

test.each([0, 1, 100, 4096, 10_000])("a journal that was cut to %i bytes is `corrupt`, and nothing is deleted", async (bytes) => {
  const copy = copyOf(left);
  try {
    truncateSync(join(copy, "journal.db"), bytes);
    rmSync(join(copy, "journal.db-wal"), { force: true });
    const before = contentFiles(copy).length;
    expect(await lookAt(copy)).toBe("corrupt");
    expect(contentFiles(copy).length).toBe(before);
  } finally {
    remove(copy);
  }
});

test("no journal although there is content: `corrupt`, and nothing is deleted", async () => {
  const copy = copyOf(left);
  try {
    rmSync(join(copy, "journal.db"));
    rmSync(join(copy, "journal.db-wal"), { force: true });
    const before = contentFiles(copy).length;
    expect(await lookAt(copy)).toBe("corrupt");
    expect(contentFiles(copy).length).toBe(before);
  } finally {
    remove(copy);
  }
});

test.each<[string, (file: string) => void]>([
  ["missing", (file) => rmSync(file)],
  ["cut", (file) => truncateSync(file, 100)],
  ["empty", (file) => truncateSync(file, 0)],
  ["longer", (file) => writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.from("x")]))],
])("a pending content file that is %s: `corrupt` for its reader, the others are well", async (_, harm) => {
  await damaged(
    (directory) => harm(contentOf(directory, "/g")),
    (seen) => expect(seen).toEqual({ ...allWell, "/g": "corrupt" }),
  );
});

test("one byte of a content file changed by a power failure is noticed before anybody gets it", async () => {
  await damaged(
    (directory) => {
      const file = contentOf(directory, "/d/e/b");
      const bytes = readFileSync(file);
      bytes[2500] = (bytes[2500] as number) ^ 1;
      writeFileSync(file, bytes);
      const database = new Database(join(directory, "journal.db"));
      database.exec("update session set boot = 'another kernel'");
      database.close();
    },
    (seen) => expect(seen).toEqual({ ...allWell, "/d/e/b": "corrupt" }),
  );
});

test("one byte of a content file changed by the disk is noticed with verifyReads, in whole reads and in ranges", async () => {
  const copy = copyOf(left);
  try {
    const file = contentOf(copy, "/d/e/b");
    const bytes = readFileSync(file);
    bytes[2500] = (bytes[2500] as number) ^ 1;
    writeFileSync(file, bytes);
    const store = await open(copy);
    await expect(store.read("/d/e/b", { range: { offset: 0, length: 10 } }).then((result) => result.bytes())).rejects.toMatchObject({ code: "corrupt" });
    await expect(store.read("/d/e/b").then((result) => result.bytes())).rejects.toMatchObject({ code: "corrupt" });
    expect((await (await store.read("/g")).bytes()).length).toBe(files["/g"]?.length);
    await store.close({ signal: AbortSignal.abort() });
  } finally {
    remove(copy);
  }
});

test("what is pending and torn stays, is told, and can be brought out", async () => {
  const copy = copyOf(left);
  try {
    truncateSync(contentOf(copy, "/g"), 100);
    const store = await open(copy);
    await expect(store.read("/g").then((result) => result.bytes())).rejects.toMatchObject({ code: "corrupt" });
    expect(store.layers.caching.state("/g")).toMatchObject({ state: "parked", error: { code: "corrupt" } });
    const out = join(copy, "brought-out");
    await store.layers.caching.exportTo("/g", out);
    expect(readFileSync(out).length).toBe(100);
    await store.close({ signal: AbortSignal.abort() });
  } finally {
    remove(copy);
  }
});

test.each<[string, (directory: string) => void]>([
  ["a format of a newer version", (directory) => writeFileSync(join(directory, "FORMAT"), "stratus cache 2\n")],
  ["a format of another program", (directory) => writeFileSync(join(directory, "FORMAT"), "somebody else's files\n")],
  ["a newer version in the journal", (directory) => change(directory, "pragma user_version = 9999")],
  ["a feature that nobody knows", (directory) => change(directory, "insert or replace into meta(key, value) values('features', 'time-travel')")],
])("%s: `config`, and nothing is touched", async (_, harm) => {
  const copy = copyOf(left);
  try {
    harm(copy);
    const before = contentFiles(copy).length;
    const journal = join(copy, "journal.db");
    const copied = join(copy, "journal-before");
    copyFileSync(journal, copied);
    expect(await lookAt(copy)).toBe("config");
    expect(contentFiles(copy).length).toBe(before);
    expect(readFileSync(journal).equals(readFileSync(copied))).toBe(true);
  } finally {
    remove(copy);
  }
});

test("a database of another application is `config`, and untouched", async () => {
  const directory = temporary();
  try {
    const database = new Database(join(directory, "journal.db"));
    database.exec("create table accounts(id integer primary key); insert into accounts values(1); pragma user_version = 1");
    database.close();
    const before = readFileSync(join(directory, "journal.db"));
    expect(await lookAt(directory)).toBe("config");
    expect(readFileSync(join(directory, "journal.db")).equals(before)).toBe(true);
  } finally {
    remove(directory);
  }
});

test("files of others in the directory stay", async () => {
  const copy = copyOf(left);
  try {
    const foreign = [join(copy, "notes.txt"), join(copy, "content", "notes.txt")];
    for (const file of foreign) writeFileSync(file, "mine");
    expect(await lookAt(copy)).toEqual(allWell);
    expect(foreign.every((file) => existsSync(file))).toBe(true);
  } finally {
    remove(copy);
  }
});

function change(directory: string, sql: string): void {
  const database = new Database(join(directory, "journal.db"));
  database.exec(sql);
  database.pragma("wal_checkpoint(TRUNCATE)");
  database.close();
}
