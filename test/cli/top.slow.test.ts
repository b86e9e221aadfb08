/** `stratus top` from end to end, as processes of its own (CF100); and statistics without @opentelemetry/api. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { stack } from "../../src/store/index.ts";
import { caching } from "../../src/wrappers/index.ts";
import { cli, node, source } from "../conformance-suite/spawn.ts";

const time = { timeout: 300_000 };
let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "stratus-top-"));
  const head = `import { memory } from "${source}/providers/memory/index.ts";\nimport { stack } from "${source}/store/index.ts";\nimport { stats } from "${source}/wrappers/index.ts";\n`;
  const job = (last: string): string =>
    `${head}export default async () => {\n  const store = stack(memory(), stats());\n  await store.write("/f", "text");\n  await store.stat("/none").catch(() => {});\n  ${last}\n};\n`;
  write("job.ts", job("return { store, work: new Promise((done) => setTimeout(done, 300)) };"));
  write("fails.ts", job('return { store, work: (async () => { throw new Error("no luck") })() };'));
  write("plain.ts", job("return store;"));
  write("nothing.ts", "export default () => 7;\n");
  write(
    "no-otel.ts",
    `import { registerHooks } from "node:module";
registerHooks({ resolve: (asked, context, next) => { if (asked !== "@opentelemetry/api") return next(asked, context); throw Object.assign(new Error("Cannot find package '@opentelemetry/api'"), { code: "ERR_MODULE_NOT_FOUND" }); } });
const { memory } = await import("${source}/providers/memory/index.ts");
const { stack } = await import("${source}/store/index.ts");
const { stats } = await import("${source}/wrappers/index.ts");
await using plain = stack(memory(), stats());
await plain.write("/f", "text");
await using store = stack(memory(), stats({ openTelemetry: true }));
await store.open().then(() => console.log("opened"), (error) => console.log(error.code, error.message));
`,
  );
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const write = (name: string, text: string): void => writeFileSync(join(dir, name), text);

test("CF100: the three views once, as text and as JSON", time, async () => {
  const once = async (...args: string[]): Promise<string> => (await node([cli, "top", join(dir, "job.ts"), "--once", ...args])).stdout;
  expect(await once()).toMatch(/^up 4 B.*, down 0 B, 2 calls, 1 failed \(not-found 1\)\n$/);
  expect(JSON.parse(await once("--json"))).toMatchObject({ calls: 2, failed: 1 });
  expect(await once("--view", "errors")).toMatch(/stat not-found ×1/);
  expect(JSON.parse(await once("--view", "errors", "--json"))).toMatchObject([{ code: "not-found", count: 1 }]);
  expect(await once("--view", "pending")).toBe("nothing is pending\n");
});

test("CF100, CF30: what an earlier process left pending is seen, and stays; a stack that cannot be opened is one line", time, async () => {
  const directory = join(dir, "cache");
  const module = join(dir, "cached.ts");
  const head = `import { memory } from "${source}/providers/memory/index.ts";\nimport { stack } from "${source}/store/index.ts";\nimport { caching } from "${source}/wrappers/index.ts";\n`;
  writeFileSync(module, `${head}export default () => stack(memory(), caching({ directory: ${JSON.stringify(directory)} }));\n`);
  const store = stack(memory(), caching({ directory, uploadDelayMs: 3_600_000, maxDelayMs: 3_600_000 }));
  await store.write("/a", "pending");
  const owned = await node([cli, "top", module, "--once", "--view", "pending"]);
  expect([owned.code, owned.stdout, owned.stderr]).toEqual([2, "", expect.stringMatching(/^stratus top: caching open: .*\n$/)]);
  await store.close({ signal: AbortSignal.abort() });
  for (let look = 0; look < 2; look++)
    expect(JSON.parse((await node([cli, "top", module, "--once", "--view", "pending", "--json"])).stdout)).toMatchObject([
      { layer: "caching", path: "/a", size: 7 },
    ]);
});

test("the view ends with the work, after --for, and says when the work failed", time, async () => {
  const whole = await node([cli, "top", join(dir, "job.ts"), "--interval", "10s"]);
  expect([whole.code, whole.stdout.trim().split("\n").length]).toEqual([0, 2]);
  const short = await node([cli, "top", join(dir, "plain.ts"), "--for", "100ms", "--json"]);
  expect(short.code).toBe(0);
  for (const line of short.stdout.trim().split("\n")) expect(JSON.parse(line)).toMatchObject({ calls: 2 });
  const failing = await node([cli, "top", join(dir, "fails.ts")]);
  expect([failing.code, failing.stderr]).toEqual([1, "stratus top: the work failed: no luck\n"]);
});

test("wrong use is said in one line, exit code 2", time, async () => {
  for (const [args, text] of [
    [[], "one module is needed"],
    [[join(dir, "nothing.ts")], "gives no store"],
    [[join(dir, "job.ts"), "--view", "all", "--once"], 'there is no view "all"'],
    [[join(dir, "job.ts"), "--for", "soon"], "--for is a time"],
    [[join(dir, "job.ts"), "--colour"], "Unknown option"],
  ] as const) {
    const ran = await node([cli, "top", ...args]);
    expect([ran.code, ran.stderr.split("\n")[0]]).toEqual([2, expect.stringContaining(text)]);
  }
  expect((await node([cli, "top", "--help"])).stdout).toContain("stratus top <module>");
});

test("without @opentelemetry/api the statistics work, and asking for it is `config` with the install command", time, async () => {
  const ran = await node([join(dir, "no-otel.ts")]);
  expect(ran.stdout).toMatch(/^config .*npm install @opentelemetry\/api/);
});
