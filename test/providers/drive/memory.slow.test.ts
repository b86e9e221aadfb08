/** 256 MiB of unknown length up and down in constant memory, measured in a process of its own. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startDrive } from "../../servers/drive/index.ts";
import { authOf } from "./subject.ts";

test("a stream of 256 MiB needs less than 200 MiB", { timeout: 300_000 }, async () => {
  await using server = await startDrive();
  const bytes = 256 << 20;
  // In the environment, not in the process list: it holds secrets.
  const env = { ...process.env, WORK: JSON.stringify({ bytes, drive: { auth: authOf(server), rootUrl: server.url, tokenUrl: server.tokenUrl } }) };
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(new URL("memory-child.ts", import.meta.url))], { env });
  const found = JSON.parse(stdout) as { bytes: number; same: boolean; openedMib: number; writtenMib: number; peakMib: number };
  console.log(`peak resident memory: ${found.peakMib} MiB (open ${found.openedMib}, written ${found.writtenMib})`);
  expect(found).toMatchObject({ bytes, same: true });
  expect(found.peakMib).toBeLessThan(200);
});
