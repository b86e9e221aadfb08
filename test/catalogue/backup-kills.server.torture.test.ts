/** Backups and restores that are killed at every step and at many moments, on both databases; a fresh seed each time, which is printed. */
import { describe, expect, test } from "vitest";
import { notProvedBy } from "../servers/shared.ts";
import { killedBackups, killedRestores } from "./backup-kills.ts";
import { usePostgres } from "./postgres-server.ts";

const seed = Number(process.env["STRATUS_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const kills = { steps: Infinity, moments: 100, seed, rows: 5000 };
const time = { timeout: 3_600_000 };

test("on SQLite", time, async () => {
  console.log(`seed ${seed}`);
  for (const work of [killedBackups, killedRestores]) {
    const { runs, done } = await work({ ...kills, url: "" });
    console.log(`${work.name}: ${runs} runs, ${done} done all the same`);
    expect(done).toBeLessThan(runs);
  }
});

describe.skipIf(notProvedBy("postgres", "killed backups on PostgreSQL") !== undefined)("with a server", () => {
  const server = usePostgres();
  test("on PostgreSQL", time, async () => {
    for (const work of [killedBackups, killedRestores]) {
      const { runs, done } = await work({ ...kills, url: server.url });
      console.log(`${work.name}: ${runs} runs, ${done} done all the same`);
      expect(done).toBeLessThan(runs);
    }
  });
});
