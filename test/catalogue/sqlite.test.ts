/** The catalogue on SQLite: what both keep, and what is of one file. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sqliteCatalogue } from "../../src/catalogue/index.ts";
import { scratch } from "../scratch.ts";
import { catalogueTests } from "./suite.ts";

const directory = (): string => mkdtempSync(join(scratch(), "catalogue-"));

catalogueTests("sqlite", async () => {
  const at = directory();
  return { open: () => sqliteCatalogue({ file: join(at, "catalogue.db") }), [Symbol.asyncDispose]: async () => rmSync(at, { recursive: true }) };
});

const migrations = [{ name: "t", statements: ["create table t(x {int} not null) {strict}"] }];

test("the constructor does nothing; the file is its owner's alone; a missing directory is config", async () => {
  const at = directory();
  await using db = sqliteCatalogue({ file: join(at, "c.db") });
  expect(existsSync(join(at, "c.db"))).toBe(false);
  await db.migrate("t", migrations);
  expect(statSync(join(at, "c.db")).mode & 0o777).toBe(0o600);
  expect(statSync(join(at, "c.db-wal")).mode & 0o777).toBe(0o600);
  await using absent = sqliteCatalogue({ file: join(at, "no", "c.db") });
  await expect(absent.migrate("t", migrations)).rejects.toMatchObject({ code: "config" });
  expect(() => sqliteCatalogue({ file: "" })).toThrow(expect.objectContaining({ code: "config" }));
  for (const cacheBytes of [-1, 0.5, NaN]) expect(() => sqliteCatalogue({ file: "x", cacheBytes })).toThrow(expect.objectContaining({ code: "config" }));
});

test("what is no catalogue stays as it is: a text, another program's database", async () => {
  const at = directory();
  writeFileSync(join(at, "text"), "not a database, but somebody's own words, and more of them than a header has. ".repeat(20));
  const before = readFileSync(join(at, "text"));
  await using text = sqliteCatalogue({ file: join(at, "text") });
  await expect(text.migrate("t", migrations)).rejects.toMatchObject({ code: "config" });
  expect(readFileSync(join(at, "text"))).toEqual(before);
  const script = `const D = require("better-sqlite3"); const d = new D(process.argv[1]); d.exec("create table files(x)"); d.close();`;
  execFileSync(process.execPath, ["-e", script, join(at, "foreign")]);
  const foreign = readFileSync(join(at, "foreign"));
  await using other = sqliteCatalogue({ file: join(at, "foreign") });
  await expect(other.migrate("t", migrations)).rejects.toMatchObject({ code: "config", message: expect.stringMatching(/another program/) });
  expect(readFileSync(join(at, "foreign"))).toEqual(foreign);
});

test("a second process is refused while the first lives, and finds what it committed after it was killed", async () => {
  const at = join(directory(), "c.db");
  const module = JSON.stringify(new URL("../../src/catalogue/index.ts", import.meta.url).href);
  const script = `
    import { sqliteCatalogue } from ${module};
    const db = sqliteCatalogue({ file: process.argv[1] });
    await db.migrate("t", ${JSON.stringify(migrations)});
    await db.run("insert into t(x) values(1)");
    void db.transaction(async (tx) => { await tx.run("insert into t(x) values(2)"); process.stdout.write("ready"); await new Promise(() => {}); });
    setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ["--no-warnings", "--input-type=module", "-e", script, at], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  await using second = sqliteCatalogue({ file: at });
  await expect(second.migrate("t", migrations)).rejects.toMatchObject({ code: "conflict", transient: false });
  child.kill("SIGKILL");
  await once(child, "exit");
  await second.migrate("t", migrations);
  expect(await second.query("select x from t")).toEqual([{ x: 1 }]);
  await using third = sqliteCatalogue({ file: at });
  await expect(third.migrate("t", migrations)).rejects.toMatchObject({ code: "conflict" });
});
