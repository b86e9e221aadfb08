/** Backups and restores that are killed, on SQLite; the long run, and every step, is backup-kills.server.torture.test.ts. */
import { expect, test } from "vitest";
import { killedBackups, killedRestores } from "./backup-kills.ts";

const kills = { url: "", steps: 14, moments: 5, seed: 1, rows: 300 };

test("S3R25 S3R27 a backup that is killed leaves a whole one or none, and the older ones", { timeout: 300_000 }, async () => {
  const { runs, done } = await killedBackups(kills);
  expect(runs).toBeGreaterThan(15);
  expect(done).toBeLessThan(runs);
});

test("S3R26 a restore that is killed leaves an empty catalogue, which can be restored again, or a whole one", { timeout: 300_000 }, async () => {
  const { runs, done } = await killedRestores(kills);
  expect(runs).toBeGreaterThan(15);
  expect(done).toBeLessThan(runs);
});
