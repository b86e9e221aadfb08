/** The index on disk: one owner, versions, damage, and what a killed process leaves. docs/formats/plowshare.md */
import { execFile } from "node:child_process";
import { mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { readText } from "../../../src/index.ts";
import { Contents } from "../../../src/providers/plowshare/contents.ts";
import { openDatabase, version } from "../../../src/providers/plowshare/format.ts";
import { openSqlite } from "../../../src/providers/plowshare/sqlite.ts";
import { failureOf, lab } from "./lab.ts";

const run = promisify(execFile);

test("a missing index is `config` on every verb, and is made only when asked", async () => {
  await using l = await lab();
  const store = l.open({ createRoot: false });
  for (const work of [store.stat("/"), store.list("/").toArray(), store.write("/a", "x"), store.delete("/a"), store.mkdir("/d"), store.space()])
    expect((await failureOf(work)).code).toBe("config");
  expect(await readdir(join(l.directory, "..")).then((names) => names.includes("index"))).toBe(false);
});

test("files and directories of the index are the user's alone", async () => {
  await using l = await lab();
  const store = l.open();
  await store.write("/a", "x");
  expect((await stat(l.directory)).mode & 0o777).toBe(0o700);
  for (const name of ["index.db", "owner.db", "owner.json", "FORMAT"]) expect((await stat(join(l.directory, name))).mode & 0o777, name).toBe(0o600);
  expect((await stat(join(l.directory, "run", "1"))).mode & 0o077).toBe(0);
});

test("everything is there again after closing and opening", async () => {
  await using l = await lab();
  const store = l.open();
  await store.write("/dir/a.txt", "text", { contentType: "text/plain", metadata: { key: "välue" }, modifiedMs: 1_234_567_890_123 });
  await store.mkdir("/empty");
  const before = await store.list("/", { recursive: true }).toArray();
  await store.close();
  const again = l.open();
  expect(await again.list("/", { recursive: true }).toArray()).toEqual(before);
  expect(await readText(again, "/dir/a.txt")).toBe("text");
});

test("stores of one process share an index; another process is told who has it", async () => {
  await using l = await lab();
  const [one, two] = [l.open(), l.open()];
  await one.write("/a", "x");
  expect(await readText(two, "/a")).toBe("x");
  await one.close();
  expect(await readText(two, "/a")).toBe("x");
  const program = `
    import { plowshare } from ${JSON.stringify(new URL("../../../src/providers/plowshare/index.ts", import.meta.url).href)};
    const store = plowshare({ directory: ${JSON.stringify(l.directory)}, hosts: ["alpha"], modules: ${JSON.stringify(l.hosts.modules)} });
    const error = await store.stat("/").then(() => undefined, (thrown) => thrown);
    console.log(JSON.stringify([error.code, error.transient, error.reason]));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program]);
  const [code, transient, reason] = JSON.parse(stdout) as [string, boolean, string];
  expect([code, transient]).toEqual(["conflict", false]);
  expect(reason).toContain(`by process ${process.pid}`);
  await two.close();
  expect(
    JSON.parse((await run(process.execPath, ["--input-type=module", "-e", program.replace("error.code, error.transient, error.reason", '"opened"')])).stdout),
  ).toEqual(["opened"]);
});

test("a directory of another program, a newer format and unknown features are refused untouched", async () => {
  await using l = await lab();
  await mkdir(l.directory);
  await writeFile(join(l.directory, "FORMAT"), "something else\n");
  expect((await failureOf(l.open().open())).reason).toBe("the index directory belongs to another program");
  await writeFile(join(l.directory, "FORMAT"), "stratus plowshare 2\n");
  expect((await failureOf(l.open().open())).reason).toMatch(/has format 2, this release knows 1/);
  await rm(join(l.directory, "FORMAT"));
  const foreign = openSqlite(join(l.directory, "index.db"));
  foreign.exec("create table theirs(x)");
  foreign.close();
  expect((await failureOf(l.open().open())).reason).toBe("index.db in the index directory belongs to another program");
  await rm(join(l.directory, "index.db"));
  const store = l.open();
  await store.open();
  await store.close();
  const db = openSqlite(join(l.directory, "index.db"));
  db.exec("update meta set value = 'wings' where key = 'features'");
  db.close();
  expect((await failureOf(l.open().open())).reason).toContain("wings");
});

test("a damaged index and one that was taken away are `corrupt`, and nothing is made in their place", async () => {
  await using l = await lab();
  const store = l.open();
  await store.write("/a", "x");
  await store.close();
  const path = join(l.directory, "index.db");
  const whole = await readFile(path);
  await writeFile(path, Buffer.concat([whole.subarray(0, 2000), Buffer.alloc(whole.length - 2000, 0x5a)]));
  expect((await failureOf(l.open().stat("/a"))).code).toBe("corrupt");
  await rm(path);
  expect((await failureOf(l.open().stat("/a"))).code).toBe("corrupt");
  expect((await readdir(l.directory)).includes("index.db")).toBe(false);
  await writeFile(path, whole);
  expect(await readText(l.open(), "/a")).toBe("x");
});

test("an older format is copied, then upgraded step by step; a step that fails changes nothing", async () => {
  await using l = await lab();
  const store = l.open();
  await store.mkdir("/kept");
  await store.close();
  const upgrades = {
    [version]: (exec: (sql: string) => void) => exec("alter table node add column colour text"),
    [version + 1]: (exec: (sql: string) => void) => exec("alter table missing add column x text"),
  };
  const options = { flush: false, createRoot: false, upgrades };
  expect(() => openDatabase(l.directory, { ...options, version: version + 2 })).toThrow(/no such table/);
  const db = openDatabase(l.directory, { ...options, version: version + 1 });
  expect(db.prepare("select name, colour from node where parent = 1").all()).toEqual([{ name: "kept", colour: null }]);
  db.close();
  expect(await readFile(join(l.directory, "FORMAT"), "utf8")).toBe(`stratus plowshare ${version + 1}\n`);
  // The copy of the first attempt: the second found the first step done.
  expect((await readdir(l.directory)).filter((name) => name.startsWith("index-before"))).toEqual([`index-before-${version + 2}.db`]);
  expect((await failureOf(l.open().stat("/kept"))).code).toBe("config");
});

test("closing while deletions wait does not wait for hosts, and loses none", async () => {
  await using l = await lab();
  const store = l.open();
  await store.write("/a", "x");
  l.hosts.failAlways("alpha", "del", "hang");
  await store.delete("/a");
  await expect.poll(() => l.hosts.calls("plowdel").length, { timeout: 60_000, interval: 50 }).toBe(1);
  await store.close();
  l.hosts.heal("alpha");
  const again = l.open();
  await again.open();
  await expect.poll(() => l.hosts.files("alpha").length, { timeout: 60_000, interval: 50 }).toBe(0);
});

/** Without a store over it. */
async function emptyIndex(scratch: string): Promise<{ readonly db: ReturnType<typeof openDatabase>; readonly contents: Contents }> {
  const directory = join(scratch, "other");
  await mkdir(directory);
  const db = openDatabase(directory, { flush: false, createRoot: true });
  return { db, contents: new Contents(db) };
}

test("ids are never used twice: a store that still knows a removal must not meet another upload under it", async () => {
  await using l = await lab();
  const { db, contents } = await emptyIndex(l.scratch);
  const link = { host: "alpha", url: "http://a.invalid/f", remove: null, admin: null };
  const [first = 0] = contents.landed(contents.startFlight("alpha", "x", 1, 1), [link], 1);
  contents.letGo([first], 2);
  expect(contents.isDue(first, 2)).toBe(true);
  contents.removed(first);
  const [second = 0] = contents.landed(contents.startFlight("alpha", "y", 1, 3), [link], 3);
  expect(second).toBeGreaterThan(first);
  expect([contents.isDue(first, 9), contents.isDue(second, 9)]).toEqual([false, false]);
  const content = contents.add(1, "00");
  contents.retain(content);
  contents.release(content, 4);
  expect(contents.add(1, "00")).toBeGreaterThan(content);
  db.close();
});

test("a host that is forgotten keeps what an upload of another store has just brought, and loses what was to be removed", async () => {
  await using l = await lab();
  const { db, contents } = await emptyIndex(l.scratch);
  const land = (url: string): number[] => contents.landed(contents.startFlight("alpha", "x", 1, 1), [{ host: "alpha", url, remove: null, admin: null }], 1);
  const [dropped = 0] = land("http://a.invalid/old");
  contents.letGo([dropped], 2);
  const held = land("http://a.invalid/new");
  contents.forgetHost("alpha");
  expect(contents.isDue(dropped, 9)).toBe(false);
  const content = contents.add(1, "00");
  contents.attach(content, held, 3);
  expect(contents.links(content)).toMatchObject([{ host: "alpha", url: "http://a.invalid/new" }]);
  db.close();
});

test("possible orphans are kept by their number: uploads that went well push none out, neither at once nor at the next opening", async () => {
  await using l = await lab();
  const { db, contents } = await emptyIndex(l.scratch);
  const upload = (name: string): number => contents.startFlight("alpha", name, 1, 1);
  contents.lost(upload("first"), 2);
  db.exec("update sqlite_sequence set seq = seq + 20000 where name = 'flight'");
  contents.landed(upload("well"), [], 2);
  contents.lost(upload("second"), 2);
  const running = upload("third");
  contents.recover(3);
  expect(contents.flights().map(({ name }) => name)).toEqual(["first", "second", "third"]);
  expect(contents.forgetFlight(running)).toBe(true);
  // The oldest goes when there are 10,000 newer ones.
  for (let n = 0; n < 9998; n++) contents.lost(upload("more"), 2);
  contents.recover(4);
  expect(contents.flights()).toHaveLength(10_000);
  contents.lost(upload("last"), 5);
  expect([contents.flights().length, contents.flights()[0]?.name]).toEqual([10_000, "second"]);
  db.close();
});
