/** 256 MiB of unknown length up and down: the peak resident memory of the process that does it stays below 200 MiB. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startSugarSync } from "../../servers/sugarsync/index.ts";
import type { Found, Work } from "./memory-child.ts";

const BYTES = 2 ** 28 + 12_345;

test("256 MiB stream through in constant memory", { timeout: 300_000 }, async () => {
  await using server = await startSugarSync();
  const { accessKeyId, privateAccessKey } = server.application;
  const { refreshToken } = server.account("ann@example.org");
  const work: Work = { bytes: BYTES, options: { url: server.url, accessKeyId, privateAccessKey, refreshToken } };
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, "memory-child.ts")], {
    env: { ...process.env, WORK: JSON.stringify(work) },
  });
  const found = JSON.parse(stdout) as Found;
  console.log(`256 MiB up and down: peak ${found.peakMib} MiB`);
  expect(found).toMatchObject({ bytes: BYTES, same: true });
  expect(found.peakMib).toBeLessThan(200);
});
