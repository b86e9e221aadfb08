/** Cache directories for tests, gone after the file. */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll } from "vitest";
import { scratch } from "../../scratch.ts";

const made: string[] = [];
afterAll(async () => {
  await Promise.all(made.splice(0).map((one) => rm(one, { recursive: true, force: true })));
});

export function cacheDirectory(): string {
  const directory = mkdtempSync(join(scratch(), "cache-"));
  made.push(directory);
  return directory;
}
