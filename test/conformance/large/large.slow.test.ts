/** A 2 GiB stream of unknown length up and down in constant memory: the peak resident memory of the whole process stays below 200 MiB. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { notProved, useServer } from "../../servers/shared.ts";
import type { Found, Work } from "./child.ts";

const BYTES = 2 * 2 ** 30 + 12_345;

async function through(work: Work): Promise<Found> {
  const { stdout } = await promisify(execFile)(process.execPath, [new URL("child.ts", import.meta.url).pathname], { env: { ...process.env, WORK: JSON.stringify(work) } });
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
  asExpected(await through({ bytes: BYTES, s3: { endpoint, region, vendor: "ceph", bucket: "large-streams", createBucket: true, credentials: { accessKeyId, secretAccessKey } } }));
});

test.skipIf(notProved("apache") !== undefined)("2 GiB of unknown length through WebDAV and back stay below 200 MiB", { timeout: 600_000 }, async () => {
  const { url, username, password } = await useServer("apache");
  asExpected(await through({ bytes: BYTES, webdav: { url: `${url}large-streams`, username, password, server: "apache", createRoot: true } }));
});
