/** A project of somebody else's: installs the tarball, on this Node and on the oldest one, and does what the pages say. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assertion, run } from "../tasks.ts";
import type { Outcome } from "../tasks.ts";

/** The oldest Node that engines promise, exactly. */
const OLDEST = "22.19.0";

const SMOKE = `
import assert from "node:assert/strict";
import { StoreError, copyBetween, readText, stack } from "stratus";
import { createStore } from "stratus/author";
import { memory } from "stratus/memory";
import { local } from "stratus/local";
import { s3 } from "stratus/s3";
import { webdav } from "stratus/webdav";
import { limit, prefix, readOnly, retry } from "stratus/wrappers";
import { Pool, postgresCatalogue, sqliteCatalogue } from "stratus/pool";
import { Repository } from "stratus/repository";
import * as long from "stratus/providers/memory";
import * as suite from "stratus/conformance";

assert.equal(typeof createStore, "function");
assert.equal(long.memory, memory);
assert.equal(typeof suite.conformance, "function");
const store = stack(memory(), prefix("/a"), limit({ concurrency: 2 }), retry());
await store.write("/b.txt", "hello");
assert.equal(await readText(store, "/b.txt"), "hello");
const disk = local({ directory: process.argv[2], createRoot: true });
await copyBetween(store, "/", disk, "/", { verify: true });
assert.equal(await readText(disk, "/b.txt"), "hello");
await assert.rejects(stack(memory(), readOnly()).write("/x", ""), { code: "unsupported" });
// The SDKs are not installed here: each is named with the command that installs it, and nothing else breaks.
for (const [store, sdk] of [[s3({ bucket: "bbb", region: "us-east-1", credentials: { accessKeyId: "k", secretAccessKey: "s" } }), "@aws-sdk/client-s3"], [webdav({ url: "http://127.0.0.1:1/" }), "webdav"]])
  await assert.rejects(store.open(), (error) => StoreError.is(error) && error.code === "config" && error.operation === "open" && error.message.includes("npm install") && error.message.includes(sdk));
const pool = await Pool.open({ catalogue: sqliteCatalogue({ file: process.argv[2] + ".db" }), directory: process.argv[2] + ".cache", capacityBytes: 1000, hosts: { a: memory() } });
const hash = await pool.upload("hello");
assert.equal((await pool.sync()).complete, 1);
assert.equal(hash, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
await pool.close();
const repo = await Repository.create({ catalogue: sqliteCatalogue({ file: process.argv[2] + ".repo.db" }), store: memory(), directory: process.argv[2] + ".repo" });
const id = await repo.addFile("/a.txt.gz");
await repo.write(id, "hello");
await repo.publish(id);
await repo.unlink(id);
assert.equal(await repo.text(id), "hello");
await repo.close();
await assert.rejects(postgresCatalogue().query("select 1"), (error) => StoreError.is(error) && error.code === "config" && error.message.includes("npm install pg"));
console.log("ok on", process.version);
`;

export async function checkScratch(tarball: string, directory: string): Promise<Outcome[]> {
  const at = join(directory, "project");
  await mkdir(at);
  await writeFile(join(at, "package.json"), JSON.stringify({ name: "scratch", private: true, type: "module", allowScripts: { node: true } }));
  const installed = await run({
    name: "install the tarball",
    command: "npm",
    args: ["install", "--no-audit", tarball, `node@${OLDEST}`, "typescript@7", "@types/node@24", "fast-check@4"],
    cwd: at,
  });
  if (!installed.ok) return [installed];
  const oldest = join(at, "node_modules/.bin/node");
  await writeFile(join(at, "smoke.js"), SMOKE);
  // As a reader has it: from the page in the package, and nothing else.
  const page = await readFile(join(at, "node_modules/stratus/docs/write-a-provider.md"), "utf8");
  for (const [, file = "", code = ""] of page.matchAll(/<!-- examples\/acme\/(\S+) -->\n+```ts\n([\s\S]*?)```/g)) await writeFile(join(at, file), code);
  await writeFile(join(at, "broken.ts"), (await readFile(join(at, "provider.ts"), "utf8")).replace("offset: Number(first ?? 0),", "offset: 0,"));
  await writeFile(join(at, "broken-suite.ts"), (await readFile(join(at, "suite.ts"), "utf8")).replace("./provider.ts", "./broken.ts"));
  await writeFile(
    join(at, "runner.test.ts"),
    'import { describe, test } from "node:test";\nimport { conformance } from "stratus/conformance";\nimport subject from "./suite.ts";\nconformance({ describe, test }, { ...subject, tier: "smoke" });\n',
  );
  await writeFile(
    join(at, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        target: "es2024",
        lib: ["es2024", "esnext.disposable"],
        module: "nodenext",
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        allowImportingTsExtensions: true,
        types: ["node"],
      },
      include: ["*.ts"],
    }),
  );
  const stratus = join(at, "node_modules/stratus/dist/cli/stratus.js");
  return [
    installed,
    await version(oldest),
    ...(await Promise.all([
      run({ name: `smoke on Node ${OLDEST}`, command: oldest, args: ["smoke.js", join(at, "disk-old")], cwd: at }),
      run({ name: "smoke on this Node", command: process.execPath, args: ["smoke.js", join(at, "disk-new")], cwd: at }),
      run({ name: "the worked example type-checks", command: join(at, "node_modules/.bin/tsc"), args: [], cwd: at }),
      run({
        name: `the worked example passes from the shell on Node ${OLDEST}`,
        command: oldest,
        args: [stratus, "conformance", "./suite.ts", "--tier", "smoke"],
        cwd: at,
      }),
      run({ name: "the worked example passes under node:test", command: process.execPath, args: ["--test", "runner.test.ts"], cwd: at }),
    ])),
    await told(at, stratus),
  ];
}

function version(oldest: string): Promise<Outcome> {
  return assertion(`node@${OLDEST} is that`, async () => {
    const { output } = await run({ name: "its version", command: oldest, args: ["--version"], quiet: true });
    return output.trim() === `v${OLDEST}` ? [] : [output];
  });
}

/** Who has a bug is told which check failed, why it matters and how to replay it. */
function told(at: string, stratus: string): Promise<Outcome> {
  return assertion("a provider with a bug is told which check failed, why, and how to replay it", async () => {
    const { ok, output } = await run({
      name: "(expected to fail)",
      command: process.execPath,
      args: [stratus, "conformance", "./broken-suite.ts", "--tier", "smoke", "--check", "ranges"],
      cwd: at,
      quiet: true,
    });
    const wanted = [/ranges\.[\w.-]+/, /must hold/, /why/, /--check ranges\.[\w.-]+ --seed \d+/];
    return [...(ok ? ["it passed"] : []), ...wanted.filter((pattern) => !pattern.test(output)).map((pattern) => `nothing like ${pattern} in:\n${output}`)];
  });
}
