/** PostgreSQL starts by itself, serves its own user alone, not as root, and leaves nothing. */
import { existsSync, readFileSync } from "node:fs";
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
      // A process of a connection that has just been closed may end at any moment.
      let looked = 0;
      for (const pid of traces(server.home).processes) {
        const [status, command] = ["status", "cmdline"].map((file) =>
          existsSync(`/proc/${pid}/${file}`) ? readFileSync(`/proc/${pid}/${file}`, "utf8") : undefined,
        );
        if (status === undefined || command === undefined || command === "") continue;
        looked += 1;
        if (process.getuid?.() === 0) expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).not.toBe("0");
        expect(command).not.toContain(secret);
      }
      expect(looked).toBeGreaterThan(0);
    } finally {
      await server.stop();
    }
    expect(traces(server.home)).toEqual({ processes: [], ports: [], directories: [] });
  });
});
