/** A large body of unknown length goes up and comes down in constant memory: 256 MiB, in a process of its own. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { MIB } from "./at.ts";
import { startDropbox } from "../../servers/dropbox/index.ts";

const SESSION = "files/upload_session";

test.each([
  // ⌈n / 8 MiB⌉ requests: the first piece begins the session, the last one goes with the commit.
  { told: false, length: "unknown", requests: 32 },
  // Four pieces at once, and two requests more.
  { told: true, length: "known", requests: 34 },
])("256 MiB of $length length, below 200 MiB of memory, of which some 100 are Node and the code", { timeout: 600_000 }, async ({ told, requests }) => {
  await using server = await startDropbox();
  const work = { origin: server.origin, accessToken: server.account("ann").accessToken, bytes: 256 * MIB, told };
  const child = new URL("memory-child.ts", import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [child], { env: { ...process.env, WORK: JSON.stringify(work) } });
  const { size, same, peakMib } = JSON.parse(stdout) as { size: number; same: boolean; peakMib: number };
  expect({ size, same }).toEqual({ size: 256 * MIB, same: true });
  expect(peakMib).toBeLessThan(200);
  expect(server.routes.filter((route) => route.startsWith(SESSION))).toHaveLength(requests);
});
