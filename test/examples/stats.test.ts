/** The code of docs/wrappers/stats.md does what it says. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stack } from "stratus";
import { memory } from "stratus/memory";
import { stats } from "stratus/wrappers";
import { backup } from "../../examples/stats/backup.ts";
import { metricsServer } from "../../examples/stats/metrics.ts";
import { parsePrometheus } from "../broken-layers/support/prometheus-parser.ts";

test("the metrics server answers with a valid page, JSON, and text", async () => {
  await using store = stack(memory(), stats());
  await store.write("/f", "text");
  await store.stat("/none").catch(() => {});
  const server = metricsServer(store);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    const get = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`)).text();
    expect(parsePrometheus(await get("/metrics")).get("stratus_operation_errors_total")?.samples[0]?.value).toBe(1);
    expect(JSON.parse(await get("/stats"))).toMatchObject({ calls: 2, up: { bytes: 4 } });
    expect(JSON.parse(await get("/pending"))).toEqual([]);
    expect(await get("/")).toMatch(/^up 4 B.*2 calls, 1 failed \(not-found 1\)\n.*stat not-found/);
  } finally {
    await new Promise((done) => server.close(done));
  }
});

test("the backup shows what it does, and says at the end what it did", async () => {
  const directory = await mkdtemp(join(tmpdir(), "stratus-backup-"));
  try {
    for (let i = 0; i < 3; i++) await writeFile(join(directory, `${i}.txt`), "0123456789");
    const lines: string[] = [];
    const output = { write: (line: string) => lines.push(line) };
    expect(await backup(directory, join(directory, "../", `${directory.split("/").at(-1)}-copy`), output)).toMatch(/^up 30 B/);
    expect(lines.at(-1)).toMatch(/^up 30 B/);
  } finally {
    await rm(directory, { recursive: true, force: true });
    await rm(`${directory}-copy`, { recursive: true, force: true });
  }
});
