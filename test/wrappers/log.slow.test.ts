/** CF107: 20 processes write 2,000 records each to one log, and all are in it. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { LogRecord } from "../../src/wrappers/index.ts";

const WRITERS = 20;
const RECORDS = 2000;

test("CF107: 20 writers of 2,000 records each: all are in the log, each whole and in its writer's order", { timeout: 300_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), "stratus-log-"));
  try {
    const file = join(directory, "calls.log");
    const writer = new URL("log-writer.ts", import.meta.url).pathname;
    const codes = await Promise.all(
      Array.from(
        { length: WRITERS },
        (_, i) =>
          new Promise<number | null>((done, fail) => {
            const child = spawn(process.execPath, [writer, file, `writer-${i}`, String(RECORDS)], { stdio: ["ignore", "inherit", "inherit"] });
            child.on("error", fail);
            child.on("close", done);
          }),
      ),
    );
    expect(codes).toEqual(Array.from({ length: WRITERS }, () => 0));
    const lines = (await readFile(file, "utf8")).split("\n");
    expect(lines.pop()).toBe("");
    const seen = new Map<string, number>();
    let switches = 0;
    let last = "";
    for (const line of lines) {
      const { log, path } = JSON.parse(line) as LogRecord;
      const next = seen.get(log) ?? 0;
      expect(path?.startsWith(`/${log}-${next}-x`), `${log} ${next}`).toBe(true);
      seen.set(log, next + 1);
      if (log !== last) switches++;
      last = log;
    }
    expect([...seen.values()]).toEqual(Array.from({ length: WRITERS }, () => RECORDS));
    // They really wrote at the same time.
    expect(switches).toBeGreaterThan(WRITERS);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
