/** S3R32: `stratus repo` from end to end, as processes of its own. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cli, node, source } from "../conformance-suite/spawn.ts";
import { sha } from "../repository/lab.ts";

const time = { timeout: 300_000 };
let dir = "";
const at = (name: string): string => join(dir, name);
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "stratus-repo-cli-"));
  for (const name of ["store", "backups"]) mkdirSync(at(name));
  writeFileSync(
    at("repo.ts"),
    `import { sqliteCatalogue } from "${source}/repository/index.ts";
import { local } from "${source}/providers/local/index.ts";
const at = (name) => ${JSON.stringify(`${dir}/`)} + name;
export default () => ({ catalogue: sqliteCatalogue({ file: at("repo.db") }), store: local({ directory: at("store"), name: "store" }), directory: at("local"), host: "here", backupStore: local({ directory: at("backups"), name: "backups" }), backupsBeforeDelete: 0 });\n`,
  );
  writeFileSync(at("nothing.ts"), "export default () => 7;\n");
  writeFileSync(at("wrong.ts"), "export default () => ({ catalogue: {}, store: {}, directory: '' });\n");
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const run = async (command: string, ...args: string[]): Promise<{ readonly out: string; readonly err: string; readonly code: number | null }> => {
  const { stdout, stderr, code } = await node([cli, "repo", command, at("repo.ts"), ...args]);
  return { out: stdout, err: stderr, code };
};
const json = async (command: string, ...args: string[]): Promise<any> => {
  const { out } = await run(command, ...args, "--json");
  expect(out.endsWith("\n") && !out.slice(0, -1).includes("\n"), out).toBe(true);
  return JSON.parse(out);
};

test("S3R32 create, add, tag, publish, upload, list, find, get, expire, purge, verify, gc, status, for people and as JSON", time, async () => {
  expect(await run("list")).toMatchObject({ code: 1, err: expect.stringContaining("create it, or restore its backup") });
  expect(await run("create")).toEqual({ out: "created\n", err: "", code: 0 });
  expect(await run("create")).toMatchObject({ code: 1, err: expect.stringContaining("has a repository already") });
  writeFileSync(at("a.txt"), "first");
  writeFileSync(at("b.txt"), "second");
  const first = await run("add", "/docs/a.txt", at("a.txt"), "--tag", "red", "--publish");
  expect(first).toEqual({ out: "id  state      version  bytes  bucket  path\n 1  published        1      5  main    /docs/a.txt\n", err: "", code: 0 });
  expect(await json("add", "/docs/a.txt", at("b.txt"), "--move", "--key", "/key")).toMatchObject([
    { id: 2, state: "unpublished", key: "/key", sha256: sha("second") },
  ]);
  expect(existsSync(at("b.txt"))).toBe(false);
  expect(await run("add", "/x", at("a.txt"), "--key", "/key")).toMatchObject({ code: 1, err: expect.stringContaining("has a file with this key") });
  expect(await json("upload", "2")).toMatchObject([{ state: "unpublished", uploadedMs: expect.any(Number) }]);
  expect(await run("get", "/docs/a.txt", at("got"))).toEqual({ out: `${at("got")}\n`, err: "", code: 0 });
  expect(readFileSync(at("got"), "utf8")).toBe("first");
  expect(await json("publish", "/docs/a.txt")).toMatchObject([{ id: 2, state: "published", version: 2 }]);
  await run("get", "/docs/a.txt", at("got"));
  expect(readFileSync(at("got"), "utf8")).toBe("second");
  expect(await json("tag", "2", "green", "--date", "2013-04-24T07:00Z", "--granularity", "day")).toEqual({
    id: 2,
    tags: ["day=2013-04-24", "green", "month=2013-04", "week=2013-W17"],
  });
  expect((await run("tag", "2", "green", "--remove")).out).toBe("2  day=2013-04-24 month=2013-04 week=2013-W17\n");
  expect(await run("tag", "/docs/a.txt", "paper", "--path")).toMatchObject({ code: 0 });
  expect((await json("find", "--all", "paper")).map(({ id }: { id: number }) => id)).toEqual([2]);
  expect((await json("find", "--any", "red", "--any", "paper", "--exclude", "day=2013-04-24", "--unpublished")).map(({ id }: { id: number }) => id)).toEqual([
    1,
  ]);
  expect(await run("find", "--exclude", "red")).toMatchObject({ code: 1 });
  expect((await run("list", "--under", "/docs", "--state", "published", "--limit", "1")).out).toMatch(/^id .*\n 1  published .*\/docs\/a\.txt\n$/);
  expect(await run("gc", "--grace", "0")).toMatchObject({ code: 0, out: expect.stringContaining("1 superseded expired") });
  expect(await json("purge", "1")).toEqual([{ id: 1, deleted: true, failure: null }]);
  expect(await run("purge", "2")).toMatchObject({ code: 1, err: expect.stringContaining("expire it first") });
  expect(await run("verify")).toEqual({ out: "1 objects: 1 good, 0 missing, 0 wrong, 0 unknown\n", err: "", code: 0 });
  const [object = ""] = readdirSync(at("store"), { recursive: true, encoding: "utf8" }).filter((name) => name.includes("-key"));
  writeFileSync(join(at("store"), object), "sEcond");
  expect(await run("verify", "--deep")).toMatchObject({ code: 1, out: expect.stringContaining("wrong 2 /docs/a.txt: copies on here") });
  expect(await run("status")).toMatchObject({ code: 1 });
  expect(await json("verify", "--repair")).toMatchObject({ wrong: [{ file: 2 }], repaired: { repaired: [2] } });
  expect(await run("verify", "--deep")).toMatchObject({ code: 0 });
  const status = await run("status");
  expect(status).toMatchObject({ err: "", code: 0 });
  expect(status.out).toMatch(/published +1 +6\n[^]*objects +1 stored[^]*\nhost +active[^]*\nhere +yes +1 +6 +-\n$/);
  expect(await json("expire", "/docs/a.txt")).toMatchObject([{ id: 2, state: "expired" }]);
  expect(await run("get", "/docs/a.txt", at("none"))).toMatchObject({ code: 1, out: "", err: expect.stringContaining("no published version") });
});

test("S3R32 on a terminal long work says on stderr how far it is", time, async () => {
  writeFileSync(
    at("terminal.ts"),
    `process.stderr.isTTY = true; process.stderr.columns = 90;
const { main } = await import("${source}/cli/main.ts");
process.exitCode = await main(process.argv.slice(2));\n`,
  );
  const shown = await node([at("terminal.ts"), "repo", "verify", at("repo.ts"), "--deep"]);
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+ objects: /) });
  expect(shown.stderr).toMatch(/^(?:\r\u001b\[2Kstratus repo verify: \d+ of \d+ · \d+ B of \d+ B · \d+ s)+\r\u001b\[2K$/);
  expect(await node([at("terminal.ts"), "repo", "verify", at("repo.ts"), "--json"])).toMatchObject({ code: 0, stderr: "" });
});

test("S3R32 S3R25 backup, backups, restore, unknown: a lost catalogue comes back", time, async () => {
  expect(await run("backup")).toMatchObject({ code: 0, err: "", out: expect.stringMatching(/^repository\.\S+\.jsonl\.gz  \d+ rows, \d+ bytes\n$/) });
  const { name } = await json("backup", "--keep", "1");
  expect(await json("backups")).toMatchObject([{ name }]);
  const before = (await run("list")).out;
  writeFileSync(at("late.txt"), "late");
  await run("add", "/late", at("late.txt"), "--publish");
  expect(await run("restore")).toMatchObject({ code: 1, err: expect.stringContaining("not empty") });
  for (const file of readdirSync(dir)) if (file.startsWith("repo.db")) rmSync(at(file));
  expect(await run("restore", "--name", "nothing")).toMatchObject({ code: 1, err: expect.stringContaining("no backup of this name") });
  expect(await run("restore", "--name", name)).toMatchObject({ code: 0, err: "" });
  expect((await run("list")).out).toBe(before);
  const unknown = await run("unknown");
  expect(unknown).toMatchObject({ code: 1, out: expect.stringMatching(/^bucket +bytes +modified +path\nmain +4 +\S+ +\/[0-9a-f-]*late/) });
  expect(await json("unknown", "--remove")).toMatchObject({ removed: 1, failures: [] });
  expect(await run("unknown")).toEqual({ out: "", err: "", code: 0 });
  expect(await run("verify", "--deep")).toMatchObject({ code: 0 });
  expect(await run("backup", "--keep", "0")).toMatchObject({ code: 2 });
});

test("what is wrong with the command is 2", time, async () => {
  for (const args of [
    [],
    ["fly", at("repo.ts")],
    ["list"],
    ["list", at("nothing.ts")],
    ["list", at("wrong.ts")],
    ["list", at("absent.ts")],
    ["add", at("repo.ts"), "/x"],
    ["list", at("repo.ts"), "--deep"],
    ["list", at("repo.ts"), "--limit", "x"],
    ["purge", at("repo.ts"), "/docs/a.txt"],
    ["gc", at("repo.ts"), "--grace", "-1"],
  ])
    expect((await node([cli, "repo", ...args])).code, args.join(" ")).toBe(2);
  expect((await node([cli, "repo", "--help"])).stdout).toContain("publish <module> <file>...");
});
