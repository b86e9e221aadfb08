/** PostgreSQL starts by itself, serves its own user alone, not as root, and leaves nothing. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { postgresCatalogue } from "../../src/catalogue/index.ts";
import { startPostgres } from "./postgres.ts";
import { notProvedBy } from "./shared.ts";
import { traces } from "./traces.ts";

describe.skipIf(notProvedBy("postgres", "the server PostgreSQL") !== undefined)("postgres", () => {
  test("starts, answers, refuses strangers, stops and leaves nothing", { timeout: 60_000 }, async () => {
    const server = await startPostgres();
    try {
      await using db = postgresCatalogue({ connectionString: server.url });
      expect(await db.query("select 1 as one")).toEqual([{ one: 1 }]);
      const wrong = new URL(server.url);
      const secret = wrong.password;
      wrong.password = "wrong";
      await using stranger = postgresCatalogue({ connectionString: wrong.href });
      await expect(stranger.query("select 1")).rejects.toMatchObject({ code: "unauthenticated" });
      const { processes } = traces(server.home);
      expect(processes.length).toBeGreaterThan(0);
      for (const pid of processes) {
        if (process.getuid?.() === 0) expect(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]).not.toBe("0");
        expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).not.toContain(secret);
      }
    } finally {
      await server.stop();
    }
    expect(traces(server.home)).toEqual({ processes: [], ports: [], directories: [] });
  });
});
