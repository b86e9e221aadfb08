/** Cache directories for tests: in memory where the machine has a file system for that, and gone afterwards. */
import { existsSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

const made: string[] = [];
afterAll(async () => {
  await Promise.all(made.splice(0).map((one) => rm(one, { recursive: true, force: true })));
});

export function cacheDirectory(): string {
  const base = process.platform === "linux" && existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const directory = mkdtempSync(join(base, "stratus-cache-test-"));
  made.push(directory);
  return directory;
}
