/** Several processes on one PostgreSQL catalogue, killed at random moments: nothing acknowledged is lost, nothing is left behind, no lock stays. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { postgresCatalogue } from "../../src/catalogue/index.ts";
import { Pool } from "../../src/pool/index.ts";
import { local } from "../../src/providers/local/index.ts";
import { manualClock } from "../../src/store/index.ts";
import { scratch } from "../scratch.ts";
import { startPostgres } from "../servers/postgres.ts";
import { notProvedBy } from "../servers/shared.ts";
import { sha } from "./lab.ts";

const names = ["a", "b", "c"];
const nodes = ["one", "two", "three"];

describe.skipIf(notProvedBy("postgres", "the pool's processes on PostgreSQL") !== undefined)("three processes", () => {
  test("work side by side and are killed, twice", { timeout: 400_000 }, async () => {
    await using server = await startPostgres();
    const base = mkdtempSync(join(scratch(), "pool-kill-pg-"));
    for (const name of names) mkdirSync(join(base, name));
    const wanted = new Set<string>();
    /** Put in by one while another took it out: nobody can say which came last. */
    const touched = new Map<string, Set<string>>();
    try {
      for (let round = 0; round < 2; round++) {
        touched.clear();
        await Promise.all(
          nodes.map(async (node, n) => {
            const script = new URL("crash-child.ts", import.meta.url).pathname;
            const child = spawn(process.execPath, ["--no-warnings", script, base, String(round * 3 + n), server.url, node], {
              stdio: ["ignore", "pipe", "inherit"],
            });
            const exited = once(child, "exit");
            let lines = 0;
            for await (const line of createInterface({ input: child.stdout })) {
              const [what, hash] = line.split(" ") as [string, string];
              touched.set(hash, (touched.get(hash) ?? new Set()).add(what));
              if (what === "put") wanted.add(hash);
              else wanted.delete(hash);
              if (++lines === 15 + round * 6 + n * 5) setTimeout(() => child.kill("SIGKILL"), n * 3);
            }
            expect(await exited).toEqual([null, "SIGKILL"]);
          }),
        );
        const clock = manualClock(Date.now() + 3_600_000);
        const pools = await Promise.all(
          nodes.map((node) =>
            Pool.open({
              catalogue: postgresCatalogue({ connectionString: server.url }),
              directory: join(base, node),
              capacityBytes: 20_000,
              hosts: Object.fromEntries(names.map((name) => [name, local({ directory: join(base, name), name })])),
              copies: 2,
              clock,
            }),
          ),
        );
        for (const pool of pools) {
          expect(pool.opened.missing).toEqual([]);
          await pool.sync();
        }
        // Once all are up and have sent what each of them had, every one of them has everything.
        for (const pool of pools) await pool.sync();
        for (const hash of wanted) {
          if ((touched.get(hash)?.size ?? 0) > 1 && !(await (pools[0] as Pool).exists(hash))) wanted.delete(hash);
          else for (const pool of pools) expect(sha(readFileSync(await pool.warmUp(hash)))).toBe(hash);
        }
        await clock.advance(300_000);
        for (const pool of pools) await pool.collect({ graceMs: 0 });
        expect(await (pools[1] as Pool).verify({ deep: true })).toMatchObject({ dead: 0, damaged: 0, unknown: 0, short: [], lost: [] });
        let objects = 0;
        for (const name of names) {
          await using store = local({ directory: join(base, name) });
          objects += (await store.list("/", { recursive: true }).toArray()).filter(({ kind }) => kind === "file").length;
        }
        expect(objects).toBe((await (pools[0] as Pool).hosts()).reduce((sum, host) => sum + host.copies, 0));
        await Promise.all(pools.map((pool) => pool.close()));
      }
      expect(wanted.size).toBeGreaterThan(10);
    } finally {
      rmSync(base, { recursive: true, force: true });
    }
  });
});
