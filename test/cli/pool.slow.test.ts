/** PW10: `stratus pool` from end to end, as processes of its own; and a PostgreSQL catalogue without the package pg. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cli, node, source } from "../conformance-suite/spawn.ts";
import { sha } from "../pool/lab.ts";

const time = { timeout: 300_000 };
let dir = "";
const at = (name: string): string => join(dir, name);
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "stratus-pool-cli-"));
  for (const name of ["a", "b", "backups"]) mkdirSync(at(name));
  const head = `import { Pool, postgresCatalogue, sqliteCatalogue } from "${source}/pool/index.ts";\nimport { local } from "${source}/providers/local/index.ts";\n`;
  const pool = (node: string): string =>
    `${head}const at = (name) => ${JSON.stringify(`${dir}/`)} + name;
export default () => Pool.open({ catalogue: sqliteCatalogue({ file: at("${node}.db") }), directory: at("${node}"), capacityBytes: 1000, copies: 2,
  hosts: { a: local({ directory: at("a"), name: "a" }), b: local({ directory: at("b"), name: "b" }) } });\n`;
  writeFileSync(at("one.ts"), pool("first"));
  writeFileSync(at("two.ts"), pool("second"));
  const options = pool("first")
    .replace("export default () => Pool.open(", "export default () => (")
    .replace("copies: 2,", `copies: 2, backupStore: local({ directory: at("backups"), name: "backups" }),`);
  writeFileSync(at("options.ts"), options);
  writeFileSync(at("nothing.ts"), "export default () => 7;\n");
  writeFileSync(at("talk.txt"), "a talk");
  writeFileSync(
    at("no-pg.ts"),
    `import { registerHooks } from "node:module";
registerHooks({ resolve: (asked, context, next) => { if (asked !== "pg") return next(asked, context); throw Object.assign(new Error("Cannot find package 'pg'"), { code: "ERR_MODULE_NOT_FOUND" }); } });
const { postgresCatalogue } = await import("${source}/pool/index.ts");
await postgresCatalogue({ connectionString: "postgres://u:hidden@127.0.0.1:1/x" }).query("select 1").then(() => console.log("opened"), (error) => console.log(error.code, error.message));
`,
  );
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const run = async (...args: string[]): Promise<{ readonly out: string; readonly err: string; readonly code: number | null }> => {
  const { stdout, stderr, code } = await node([cli, "pool", ...args]);
  return { out: stdout, err: stderr, code };
};
const json = async (...args: string[]): Promise<any> => {
  const { out } = await run(...args, "--json");
  expect(out.endsWith("\n") && !out.slice(0, -1).includes("\n"), out).toBe(true);
  return JSON.parse(out);
};

test("PW10 every command says what it did, for people and as JSON", time, async () => {
  const hash = sha("a talk");
  expect(await run("upload", at("one.ts"), at("talk.txt"))).toEqual({ out: `${hash}  ${at("talk.txt")}\n`, err: "", code: 0 });
  expect(await json("upload", at("one.ts"), at("talk.txt"))).toEqual([{ file: at("talk.txt"), hash }]);
  expect(await json("status", at("one.ts"))).toMatchObject({ capacity: 1000, used: 6, queues: { upload: { files: 1, bytes: 6 } } });
  expect(await json("sync", at("one.ts"))).toMatchObject({ complete: 1, copies: 2, short: [] });
  const status = await run("status", at("one.ts"));
  expect(status).toMatchObject({ err: "", code: 0 });
  expect(status.out).toMatch(/^cache +6 of 1000 bytes \(0\.6 %\)\nuploads +0 files[^]*\nhost +state[^]*\na +active +1 +0\nb +active +1 +0\n$/);
  const dump = await run("dump", at("one.ts"));
  expect(JSON.parse(dump.out)).toMatchObject([{ version: "0.2", filehash: hash }]);
  expect(await run("dump", at("one.ts"))).toEqual({ out: "", err: "", code: 0 });
  writeFileSync(at("dump.json"), dump.out);
  expect(await json("load", at("two.ts"), at("dump.json"), "--confirmation", "mark")).toEqual({ added: 1, known: 0, copies: 2 });
  expect(await run("download", at("two.ts"), hash, at("again.txt"))).toEqual({ out: `${at("again.txt")}\n`, err: "", code: 0 });
  expect(readFileSync(at("again.txt"), "utf8")).toBe("a talk");
  rmSync(at("a"), { recursive: true });
  mkdirSync(at("a"));
  expect(await run("verify", at("one.ts"))).toEqual({ out: `2 copies: 1 alive, 1 dead, 0 damaged, 0 unknown\nshort ${hash}\n`, err: "", code: 1 });
  expect(await json("repair", at("one.ts"))).toEqual({ short: 1, repaired: 1, copies: 1, elsewhere: 0, failed: [] });
  expect(await json("verify", at("one.ts"), "--deep")).toMatchObject({ alive: 2, short: [] });
});

test("PW10 files that are to go, and hosts out of service and back", time, async () => {
  const hash = sha("a talk");
  const hosts = await run("hosts", at("one.ts"));
  expect(hosts.out).toMatch(
    /^host  state     copies  uploads  downloads  errors  last error\na     active         1        2[^]*\nb     active         1        1[^]*\n$/,
  );
  expect(await json("drain", at("one.ts"), "b")).toEqual({ host: "b", state: "draining" });
  expect(await run("retire", at("one.ts"), "a")).toMatchObject({ code: 1, err: expect.stringContaining("drain it and repair first") });
  expect(await run("activate", at("one.ts"), "b")).toEqual({ out: "b is active\n", err: "", code: 0 });
  expect(await run("drain", at("one.ts"), "nobody")).toMatchObject({ code: 1, err: expect.stringContaining("no such host") });
  expect(await run("remove", at("one.ts"), hash)).toEqual({ out: `removed ${hash}\n`, err: "", code: 0 });
  expect(await run("remove", at("one.ts"), hash)).toMatchObject({ code: 1 });
  // The place of the copy that died, which was made anew elsewhere.
  expect(await run("collect", at("one.ts"))).toEqual({ out: "0 files collected, 0 busy, 1 objects deleted\n", err: "", code: 0 });
  expect(await json("collect", at("one.ts"), "--grace", "0")).toMatchObject({ collected: [hash], deleted: 2, failures: [] });
  expect(await json("retire", at("one.ts"), "b", "--abandon")).toEqual({ host: "b", state: "retired", copies: 0 });
  expect(await json("hosts", at("one.ts"))).toMatchObject([
    { name: "a", state: "active", copies: 0 },
    { name: "b", state: "retired" },
  ]);
  expect(await run("collect", at("one.ts"), "--grace", "soon")).toMatchObject({ code: 2 });
});

test("PW10 backup, backups, restore: a lost catalogue comes back, by a module that gives options", time, async () => {
  expect(await run("backup", at("one.ts"))).toMatchObject({ code: 1, err: expect.stringContaining("no backupStore") });
  writeFileSync(at("kept.txt"), "kept");
  await run("upload", at("options.ts"), at("kept.txt"));
  expect(await run("sync", at("options.ts"))).toMatchObject({ code: 1 });
  await run("activate", at("one.ts"), "b");
  expect(await run("sync", at("options.ts"))).toMatchObject({ code: 0 });
  expect(await run("backup", at("options.ts"))).toMatchObject({
    code: 0,
    err: "",
    out: expect.stringMatching(/^pool\.\S+\.jsonl\.gz  \d+ rows, \d+ bytes\n$/),
  });
  const { name, removed } = await json("backup", at("options.ts"), "--keep", "1");
  expect(removed).toHaveLength(1);
  expect(await json("backups", at("options.ts"))).toMatchObject([{ name }]);
  expect((await run("backups", at("options.ts"))).out).toMatch(/^name +made +bytes\npool\.\S+ +\S+ +\d+\n$/);
  writeFileSync(at("late.txt"), "late");
  await run("upload", at("options.ts"), at("late.txt"));
  expect(await run("restore", at("options.ts"))).toMatchObject({ code: 1, err: expect.stringContaining("not empty") });
  for (const file of readdirSync(dir)) if (file.startsWith("first.db")) rmSync(at(file));
  expect(await run("restore", at("options.ts"), "--name", "nothing")).toMatchObject({ code: 1, err: expect.stringContaining("no backup of this name") });
  expect(await run("restore", at("two.ts"))).toMatchObject({ code: 2, err: expect.stringContaining("opens the Pool itself") });
  expect(await json("restore", at("options.ts"), "--name", name)).toEqual({ adopted: [sha("late")], missing: [] });
  expect(await run("sync", at("options.ts"))).toMatchObject({ code: 0, out: expect.stringContaining("1 files complete") });
  await run("download", at("one.ts"), sha("kept"), at("kept again.txt"));
  expect(readFileSync(at("kept again.txt"), "utf8")).toBe("kept");
  expect(await run("verify", at("options.ts"), "--deep")).toMatchObject({ code: 0 });
  expect(await run("backup", at("options.ts"), "--keep", "0")).toMatchObject({ code: 2 });
});

test("PW10 on a terminal long work says on stderr how far it is; with --json, or elsewhere, nothing", time, async () => {
  writeFileSync(
    at("terminal.ts"),
    `process.stderr.isTTY = true; process.stderr.columns = 90;
const { main } = await import("${source}/cli/main.ts");
process.exitCode = await main(process.argv.slice(2));\n`,
  );
  const terminal = (...args: string[]) => node([at("terminal.ts"), "pool", ...args]);
  const shown = await terminal("verify", at("options.ts"));
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+ copies: /) });
  expect(shown.stderr).toMatch(/^(?:\r\u001b\[2Kstratus pool verify: \d+ of \d+ · \d+ s)+\r\u001b\[2K$/);
  expect(await terminal("verify", at("options.ts"), "--json")).toMatchObject({ code: 0, stderr: "" });
  expect(await run("verify", at("options.ts"))).toMatchObject({ code: 0, err: "" });
});

test("what is refused: 1 with the reason; what is wrong with the command: 2", time, async () => {
  const unknown = await run("download", at("one.ts"), sha("no"), at("none"), "--json");
  expect(unknown).toMatchObject({ code: 1, err: expect.stringContaining("the pool has no such file") });
  expect(JSON.parse(unknown.out)).toMatchObject({ error: "unknown-hash", causes: [] });
  for (const args of [
    [],
    ["fly", at("one.ts")],
    ["sync"],
    ["sync", at("nothing.ts")],
    ["sync", at("absent.ts")],
    ["upload", at("one.ts")],
    ["sync", at("one.ts"), "--deep"],
    ["dump", at("one.ts"), "--limit", "x"],
  ])
    expect((await run(...args)).code, args.join(" ")).toBe(2);
  expect((await run("--help")).out).toContain("import-cloudmanager <module> <database>");
});

test("a PostgreSQL catalogue without pg names the package and its command", time, async () => {
  expect((await node([at("no-pg.ts")])).stdout).toBe("config a PostgreSQL catalogue needs the package pg: npm install pg\n");
});
