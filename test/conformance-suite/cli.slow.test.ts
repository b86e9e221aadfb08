/** `stratus conformance` from end to end: a process of its own, modules as users write them, exit codes as documented. CF111 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseReport, runName } from "../../src/conformance/index.ts";
import { cli, fixture, node, source } from "./spawn.ts";
import type { Ran } from "./spawn.ts";

const time = { timeout: 180_000 };
let dir = "";

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "ct-cli-"));
  mkdirSync(join(dir, "files/photos"), { recursive: true });
  writeFileSync(join(dir, "files/photos/cat.jpg"), "a cat");
  writeFileSync(join(dir, "files/ct-2001010101-abcdefgh"), "looks like the suite's own and is not of this run");
  write("memory.ts", `import { memory } from "${source}/providers/memory/index.ts";\nexport default () => memory();\n`);
  write(
    "disk.ts",
    `import { local } from "${source}/providers/local/index.ts";\nexport default () => local({ directory: ${JSON.stringify(join(dir, "files"))}, flush: false });\n`,
  );
  write(
    "acme.ts",
    `export { buggySubject as subject } from "${import.meta.dirname}/buggy-subject.ts";\nimport { buggySubject } from "${import.meta.dirname}/buggy-subject.ts";\nexport default buggySubject();\n`,
  );
  write(
    "careless.ts",
    `import { local } from "${source}/providers/local/index.ts";\nexport default { name: "careless", open: (place) => local({ directory: ${JSON.stringify(join(dir, "files"))}, flush: false }) };\n`,
  );
  write(
    "careful.ts",
    `import { local } from "${source}/providers/local/index.ts";\nimport { spawn } from "node:child_process";
import { mkdirSync, rmdirSync } from "node:fs";\nconst at = (place) => ${JSON.stringify(join(dir, "files"))} + "/" + place.id;\nexport default { name: "careful", open: (place) => local({ directory: at(place), createRoot: true, flush: false }), remove: async (place) => rmdirSync(at(place)) };\n`,
  );
  write("made.ts", `import { memory } from "${source}/providers/memory/index.ts";\nexport default memory();\n`);
  write("nothing.ts", "export const other = 1;\n");
  write("wrong.ts", "export default 7;\n");
  write("throws.ts", "throw new Error('not today');\n");
  write("down.ts", `export default { name: "down", open: () => { throw new Error("connect ECONNREFUSED 127.0.0.1:1") } };\n`);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function write(name: string, text: string): void {
  writeFileSync(join(dir, name), text);
}
async function stratus(...args: string[]): Promise<Ran> {
  const ran = await node([cli, "conformance", ...args], { cwd: dir });
  // Whatever came out: nothing stays behind on this machine.
  expect(ran.left).toEqual([]);
  return ran;
}
function userFiles(): string[] {
  return readdirSync(join(dir, "files"), { recursive: true }).map(String).sort();
}
const untouched = ["ct-2001010101-abcdefgh", "photos", "photos/cat.jpg"];

test("a store that holds: exit code 0, a matrix, and the three reports", time, async () => {
  const ran = await stratus("./memory.ts", "--tier", "smoke", "--json", "out/c.json", "--html", "out/r.html", "--markdown", "out/m.md");
  expect(ran.stderr).toContain("✓ Names: ");
  expect(ran.stdout).toMatch(/\n {2}Names +\d+✓\n/);
  expect(ran.code).toBe(0);
  const report = parseReport(readFileSync(join(dir, "out/c.json"), "utf8"), "c.json");
  expect(report).toMatchObject({ schema: 1, module: "./memory.ts", diff: null });
  expect(report.subjects[0]).toMatchObject({ name: "memory", tier: "smoke", notRun: [] });
  expect(report.subjects[0]?.stacks[0]?.declared).toMatchObject({ read: "native", maxFileBytes: Infinity });
  expect(report.subjects[0]?.outcomes.every((outcome) => outcome.status === "pass" && outcome.calls >= 0 && outcome.doc.startsWith("docs/checks/"))).toBe(true);
  expect(readFileSync(join(dir, "out/m.md"), "utf8")).toContain("| Names | ");
  expect(readFileSync(join(dir, "out/r.html"), "utf8")).toContain("<title>Conformance: all holds</title>");
});

test("a bug: exit code 1, the check by name, why, and a replay line that works as it stands", time, async () => {
  const ran = await stratus("./acme.ts", "--tier", "smoke", "--check", "writes");
  expect(ran.code).toBe(1);
  expect(ran.stdout).toContain("writes.overwrite does not hold: ");
  expect(ran.stdout).toMatch(/why: {8}\S/);
  const replay = /npx stratus conformance (\S+ --check writes\.overwrite --seed \d+)/.exec(ran.stdout)?.[1] ?? "";
  expect(replay).not.toBe("");
  const again = await stratus(...replay.split(" "));
  expect(again.code).toBe(1);
  expect(again.stdout).toContain("writes.overwrite does not hold: ");
  expect(again.stdout).toMatch(/\n {2}all +1✗\n/);
});

test("a function of nothing gets folders of its own in the user's store, and leaves it as it was", time, async () => {
  const ran = await stratus("./disk.ts", "--tier", "smoke", "--check", "writes", "--check", "listing", "--check", "copy-move");
  expect(ran.stdout).not.toContain("could not be tried");
  expect(ran.stdout).not.toContain("clean-up");
  expect(userFiles()).toEqual(untouched);
  expect(readFileSync(join(dir, "files/photos/cat.jpg"), "utf8")).toBe("a cat");
  expect(ran.code).toBe(0);
});

test("two suites at once on one account do not meet, also with one seed: both hold, and both leave it as it was (CF114)", time, async () => {
  const run = (): Promise<Ran> =>
    node([cli, "conformance", "./disk.ts", "--tier", "smoke", "--check", "writes", "--check", "listing", "--seed", "7"], { cwd: dir });
  for (const ran of await Promise.all([run(), run()])) {
    expect(ran.stdout).not.toContain("does not hold");
    expect(ran.stdout).not.toContain("clean-up");
    expect(ran.code).toBe(0);
  }
  expect(userFiles()).toEqual(untouched);
});

test("live: a subject that ignores its place is refused before anything is written", time, async () => {
  const ran = await stratus("./careless.ts", "--live", "--rate", "1000", "--tier", "smoke");
  expect(ran.code).toBe(2);
  expect(ran.stderr).toMatch(/`open` must keep each place/);
  expect(userFiles()).toEqual(untouched);
});

test("live: places are emptied and removed, the budget ends the run, and what was not run is said", time, async () => {
  const whole = await stratus("./careful.ts", "--live", "--rate", "100000", "--tier", "smoke", "--check", "writes", "--json", "live.json");
  expect(whole.stdout).not.toContain("does not hold");
  expect(whole.code).toBe(0);
  expect(userFiles()).toEqual(untouched);
  const calls =
    parseReport(readFileSync(join(dir, "live.json"), "utf8"), "live.json").subjects[0]?.outcomes.reduce((sum, outcome) => sum + outcome.calls, 0) ?? 0;
  expect(calls).toBeGreaterThan(12);

  const short = await stratus(
    "./careful.ts",
    "--live",
    "--rate",
    "100000",
    "--max-requests",
    "12",
    "--tier",
    "smoke",
    "--check",
    "writes",
    "--json",
    "live.json",
  );
  expect(short.code).toBe(2);
  expect(short.stdout).toMatch(/\d+ not run/);
  const report = parseReport(readFileSync(join(dir, "live.json"), "utf8"), "live.json").subjects[0];
  expect(report?.outcomes.reduce((sum, outcome) => sum + outcome.calls, 0)).toBeLessThanOrEqual(13);
  expect(report?.notRun.length).toBeGreaterThan(0);
  expect(report?.outcomes.at(-1)).toMatchObject({ status: "infra-error", failures: [{ kind: "harness", what: "the budget of 12 requests is used up" }] });
  expect(userFiles()).toEqual(untouched);
});

test("live: the rate is kept", time, async () => {
  const start = performance.now();
  const ran = await stratus("./careful.ts", "--live", "--rate", "20", "--tier", "smoke", "--check", "writes.overwrite", "--json", "rate.json");
  const calls = parseReport(readFileSync(join(dir, "rate.json"), "utf8"), "rate.json").subjects[0]?.outcomes[0]?.calls ?? 0;
  expect(ran.code).toBe(0);
  expect(performance.now() - start).toBeGreaterThan((calls - 1) * 50);
});

test("a check that vanished since the baseline fails; newly failing and fixed ones are told", time, async () => {
  await stratus("./memory.ts", "--tier", "smoke", "--json", "base.json");
  const text = readFileSync(join(dir, "base.json"), "utf8");
  const same = await stratus("./memory.ts", "--tier", "smoke", "--baseline", "base.json");
  expect(same.code).toBe(0);
  writeFileSync(join(dir, "base.json"), text.replace(/"check": "writes\.overwrite"/, '"check": "writes.once-upon-a-time"'));
  const gone = await stratus("./memory.ts", "--tier", "smoke", "--baseline", "base.json");
  expect(gone.code).toBe(1);
  expect(gone.stdout).toContain("writes.once-upon-a-time of memory");
  // With a filter nothing was meant to be there.
  const filtered = await stratus("./memory.ts", "--tier", "smoke", "--check", "names", "--baseline", "base.json");
  expect(filtered.code).toBe(0);
});

test.each([
  [["./missing.ts"], /there is no file .*missing\.ts/],
  [["stratus-no-such-package"], /could not be loaded/],
  [["./nothing.ts"], /no default export/],
  [["./wrong.ts"], /is no subject/],
  [["./made.ts"], /made already/],
  [["./throws.ts"], /not today/],
  [["./memory.ts", "--tier", "huge"], /no tier "huge"/],
  [["./memory.ts", "--check", "no.such.check"], /no check, group or beginning of an id is "no\.such\.check"/],
  [["./memory.ts", "--stack", "cached"], /no stack "cached"/],
  [["./memory.ts", "--seed", "x"], /--seed must be a number/],
  [["./memory.ts", "--fast"], /--fast/],
  [["./memory.ts", "--rate", "5"], /belong to --live/],
  [["./memory.ts", "--baseline", "nothing.ts"], /baseline cannot be read/],
  [["./memory.ts", "./disk.ts"], /one module at a time/],
  [["explain", "writes.nothing"], /no check "writes\.nothing"/],
  [[], /no module given/],
] as const)("wrong arguments %j: exit code 2 and one clear line", time, async (args, message) => {
  const ran = await stratus(...args);
  expect(ran.stderr).toMatch(message);
  expect(ran.stdout).toBe("");
  expect(ran.code).toBe(2);
});

test("a service that is down is exit code 2, not a wall of failures of the store", time, async () => {
  const whole = await stratus("./down.ts", "--tier", "smoke");
  expect(whole.stdout.match(/could not be tried: the subject could not open a store/g)).toHaveLength(3);
  expect(whole.stdout).toMatch(/0 pass, 3 could not be tried, \d{2,} not run/);
  expect(whole.code).toBe(2);
  const ran = await stratus("./down.ts", "--tier", "smoke", "--check", "writes.overwrite");
  expect(ran.stdout).toContain("writes.overwrite could not be tried: the subject could not open a store: connect ECONNREFUSED");
  expect(ran.code).toBe(2);
});

test("an installed package of the user's project is found by its name", time, async () => {
  const home = join(dir, "node_modules/acme-store");
  mkdirSync(home, { recursive: true });
  // Only for import: a resolution as `require` does it would not find it.
  writeFileSync(join(home, "package.json"), JSON.stringify({ name: "acme-store", type: "module", exports: { "./suite": { import: "./suite.js" } } }));
  writeFileSync(join(home, "suite.js"), `import { memory } from "${source}/providers/memory/index.ts";\nexport const subject = () => memory();\n`);
  const ran = await stratus("acme-store/suite", "--check", "names.nested");
  expect(ran.stdout).toMatch(/1 pass/);
  expect(ran.code).toBe(0);
});

test("list and explain say what the suite demands", time, async () => {
  const list = await stratus("list", "writes");
  expect(list.stdout).toMatch(/^Writes\n/);
  expect(list.stdout).toMatch(/writes\.overwrite +smoke/);
  expect(list.code).toBe(0);
  const explained = await stratus("explain", "writes.overwrite");
  expect(explained.stdout).toMatch(/Why: \S/);
  expect(explained.stdout).toContain("docs/checks/writes.md#writes.overwrite");
});

test("the probe finds a claim that is not kept, and leaves nothing behind", time, async () => {
  const honest = await stratus("probe", "./disk.ts", "--json", "probe.json");
  expect(userFiles()).toEqual(untouched);
  expect(JSON.parse(readFileSync(join(dir, "probe.json"), "utf8"))).toMatchObject({
    subject: "disk",
    findings: expect.arrayContaining([expect.objectContaining({ key: "read", verdict: "kept" })]) as unknown,
  });
  expect(honest.code).toBe(0);
  write(
    "liar.ts",
    `import { forwarding } from "${import.meta.dirname}/buggy-subject.ts";\nimport { memorySubject } from "${import.meta.dirname}/memory-subject.ts";\nimport { layer } from "${source}/store/index.ts";\nexport default memorySubject({ name: "liar" }, (store) => layer("liar", (inner) => ({ backend: forwarding(inner, { write: (call) => inner.write({ ...call, ifAbsent: false }) }) }))(store));\n`,
  );
  const liar = await stratus("probe", "./liar.ts");
  expect(liar.stdout).toMatch(/✗ writeIfAbsent +native +the condition is kept/);
  expect(liar.stdout).toMatch(/✓ writeIfMatch/);
  expect(liar.code).toBe(1);
});

test("clean removes old places and nothing else, and only when told to", time, async () => {
  for (const name of ["ct-2001010101-abcdefgh-1", "ct-2001010101-abcdefgh-2"]) mkdirSync(join(dir, "files", name, "x/y"), { recursive: true });
  const young = runName();
  mkdirSync(join(dir, "files", young));
  mkdirSync(join(dir, "files/ct-of-mine"));
  try {
    const shown = await stratus("clean", "./disk.ts");
    expect(shown.stdout).toBe("would remove /ct-2001010101-abcdefgh-1\nwould remove /ct-2001010101-abcdefgh-2\n--yes removes them\n");
    expect(userFiles()).toContain("ct-2001010101-abcdefgh-1/x/y");
    expect((await stratus("clean", "./disk.ts", "--hours", "0")).code).toBe(2);
    expect((await stratus("clean", "./careful.ts")).code).toBe(2);
    const done = await stratus("clean", "./disk.ts", "--yes");
    expect(done.code).toBe(0);
    expect(userFiles()).toEqual([...untouched, "ct-of-mine", young].sort());
  } finally {
    rmSync(join(dir, "files", young), { recursive: true });
    rmSync(join(dir, "files/ct-of-mine"), { recursive: true });
  }
});

test("outcomes of a runner become one report; what was planned and not run is no success", time, async () => {
  const reports = join(dir, "ndjson");
  await node(["--test", "--test-name-pattern=writes", fixture("node-test.ts")], { env: { SUBJECT: "bug", STRATUS_REPORT: reports } });
  const merged = await stratus("report", reports, "--html", "merged.html", "--json", "merged.json");
  expect(merged.stdout).toContain("writes.overwrite does not hold: ");
  expect(merged.stdout).toMatch(/\d+ not run/);
  expect(merged.code).toBe(1);
  expect(parseReport(readFileSync(join(dir, "merged.json"), "utf8"), "merged.json").subjects).toMatchObject([{ name: "acme" }]);
  expect(readFileSync(join(dir, "merged.html"), "utf8")).toContain("planned, not run");
  expect((await stratus("report", join(dir, "files"))).code).toBe(2);
});

test("Ctrl-C stops after the running check, and the places are gone", time, async () => {
  const child = spawn(process.execPath, [cli, "conformance", "./disk.ts", "--tier", "full"], { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  const begun = new Promise<void>((done) => child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()).includes("✓ Names") && done()));
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise<number | null>((done) => child.once("close", done));
  // One that ends by itself is seen as such, not waited for.
  await Promise.race([begun, ended]);
  child.kill("SIGINT");
  expect(await ended, text).toBe(2);
  expect(text).toMatch(/stopping after this check/);
  expect(text).toMatch(/\d{3} not run/);
  expect(userFiles()).toEqual(untouched);
});

test("whoever reads only the beginning of what is printed does not end the run: it cleans up and says how it ended", time, async () => {
  const child = spawn(process.execPath, [cli, "conformance", "./acme.ts", "--tier", "smoke", "--check", "writes", "--json", "out/head.json"], { cwd: dir });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  child.stdout.destroy();
  expect(await new Promise((done) => child.once("close", done)), errors).toBe(1);
  expect(errors).not.toMatch(/EPIPE/);
  expect(parseReport(readFileSync(join(dir, "out/head.json"), "utf8"), "out/head.json").subjects[0]?.outcomes.length).toBeGreaterThan(5);
});

test("a Node that is too old is told so, and nothing else is loaded", time, async () => {
  const old = `data:text/javascript,${encodeURIComponent('Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.4" } });')}`;
  const ran = await node(["--import", old, cli, "conformance", "list"], { cwd: dir });
  expect(ran.stderr).toMatch(/^stratus needs Node 22\.19 or newer\. This is Node 18\.20\.4 \(/);
  expect(ran.stdout).toBe("");
  expect(ran.code).toBe(2);
});
