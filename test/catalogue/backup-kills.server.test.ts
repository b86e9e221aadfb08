/** Backups and restores that are killed, on PostgreSQL. */
import { describe, expect, test } from "vitest";
import { notProvedBy } from "../servers/shared.ts";
import { killedBackups, killedRestores } from "./backup-kills.ts";
import { usePostgres } from "./postgres-server.ts";

describe.skipIf(notProvedBy("postgres", "killed backups on PostgreSQL") !== undefined)("with a server", () => {
  const server = usePostgres();
  const kills = { steps: 8, moments: 4, seed: 2, rows: 300 };

  test("S3R25 S3R27 a backup that is killed leaves a whole one or none, and the older ones", { timeout: 300_000 }, async () => {
    const { runs, done } = await killedBackups({ ...kills, url: server.url });
    expect(done).toBeLessThan(runs);
  });

  test("S3R26 a restore that is killed leaves an empty catalogue, which can be restored again, or a whole one", { timeout: 300_000 }, async () => {
    const { runs, done } = await killedRestores({ ...kills, url: server.url });
    expect(done).toBeLessThan(runs);
  });
});
