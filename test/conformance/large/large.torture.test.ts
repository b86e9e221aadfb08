/** A 2 GiB stream of unknown length up and down in constant memory: the peak resident memory of the whole process stays below 200 MiB. */
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { notProved, useServer } from "../../servers/shared.ts";
import type { Found, Work } from "./child.ts";

const BYTES = 2 * 2 ** 30 + 12_345;
const run = promisify(execFile);
const root = new URL("../../../", import.meta.url).pathname;
/** The package as its users run it, as JavaScript: reading TypeScript alone takes Node 29 MiB. Below the repository, so that the SDKs are found. */
const built = join(root, ".cache", `large-${process.pid}`);

beforeAll(async () => {
  await mkdir(join(built, "node_modules"), { recursive: true });
  await run(
    process.execPath,
    [
      join(root, "node_modules/typescript/bin/tsc"),
      "-p",
      join(root, "tsconfig.build.json"),
      "--outDir",
      join(built, "dist"),
      "--noCheck",
      "--declaration",
      "false",
      "--declarationMap",
      "false",
      "--isolatedDeclarations",
      "false",
    ],
    { cwd: root },
  );
  await writeFile(join(built, "child.js"), stripTypeScriptTypes(await readFile(join(import.meta.dirname, "child.ts"), "utf8")));
  await writeFile(join(built, "package.json"), await readFile(join(root, "package.json")));
  await symlink(built, join(built, "node_modules/stratus"));
});
afterAll(() => rm(built, { recursive: true, force: true }));

async function through(work: Work): Promise<Found> {
  const { stdout } = await run(process.execPath, [join(built, "child.js")], { env: { ...process.env, WORK: JSON.stringify(work) } });
  return JSON.parse(stdout) as Found;
}

function asExpected(found: Found): void {
  console.log(`2 GiB up and down: peak ${found.peakMib} MiB`);
  expect(found.same).toBe(true);
  expect(found.bytes).toBe(BYTES);
  expect(found.peakMib).toBeLessThan(200);
}

test.skipIf(notProved("ceph") !== undefined)("2 GiB of unknown length through S3 and back stay below 200 MiB", { timeout: 600_000 }, async () => {
  const { endpoint, region, accessKeyId, secretAccessKey } = await useServer("ceph");
  asExpected(
    await through({
      bytes: BYTES,
      s3: { endpoint, region, vendor: "ceph", bucket: "large-streams", createBucket: true, credentials: { accessKeyId, secretAccessKey } },
    }),
  );
});

test.skipIf(notProved("apache") !== undefined)("2 GiB of unknown length through WebDAV and back stay below 200 MiB", { timeout: 600_000 }, async () => {
  const { url, username, password } = await useServer("apache");
  asExpected(await through({ bytes: BYTES, webdav: { url: `${url}large-streams`, username, password, server: "apache", createRoot: true } }));
});
