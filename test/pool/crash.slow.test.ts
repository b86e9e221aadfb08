/** A pool stops at any moment: what it acknowledged is there afterwards, and nothing else is left behind. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { sqliteCatalogue } from "../../src/catalogue/index.ts";
import { Pool } from "../../src/pool/index.ts";
import { local } from "../../src/providers/local/index.ts";
import { manualClock } from "../../src/store/index.ts";
import { stopping } from "../catalogue/stopping.ts";
import { scratch } from "../scratch.ts";
import { bytes, lab, sha } from "./lab.ts";
import type { Lab } from "./lab.ts";

const small = bytes("small", 300);
const large = bytes("large", 700);
const texts = [small, large, Buffer.from("tiny"), bytes("other", 500)] as const;

/** Each line is acknowledged when the next one begins. `wanted`: hashes that must be there; `gone`: that may not be any more. */
async function program(pool: Pool, wanted: Set<string>): Promise<void> {
  const put = async (body: Buffer): Promise<void> => void wanted.add(await pool.upload(body, { name: "same name" }));
  await put(small);
  await put(large);
  await pool.sync();
  wanted.delete(sha(large));
  await pool.remove(sha(large));
  await pool.collect({ graceMs: 0 });
  await put(texts[2]);
  await put(large);
  await pool.sync();
  await put(texts[3]);
  await pool.warmUp(sha(small)).catch(() => {});
  await pool.sync();
  await pool.warmUp(sha(small));
  await pool.drain("a");
  await pool.repair();
  await pool.retire("a");
  await pool.dump();
  await pool.collect({ graceMs: 0 });
}

async function afterwards(l: Lab, wanted: ReadonlySet<string>, options: object): Promise<void> {
  const pool = await l.open(options);
  // Until what a dead request may still do is over.
  await l.clock.advance(300_000);
  expect(pool.opened.missing).toEqual([]);
  expect(pool.usedSpace).toBeLessThanOrEqual(1080);
  await pool.sync();
  for (const hash of wanted) expect(sha(readFileSync(await pool.warmUp(hash)))).toBe(hash);
  await pool.repair();
  await pool.collect({ graceMs: 0 });
  // No copy that nobody knows, none that is missing, no file without a row.
  expect(await pool.verify({ deep: true })).toMatchObject({ dead: 0, damaged: 0, unknown: 0, short: [], lost: [] });
  const known = (await Promise.all(texts.map((text) => pool.info(sha(text))))).flatMap((info) => info?.uploads.map(({ host, url }) => `${host} ${url}`) ?? []);
  const there = (await Promise.all(Object.entries(l.hosts).map(async ([name, host]) => (await host.files()).map((path) => `${name} ${path}`)))).flat();
  expect(there.toSorted()).toEqual(known.toSorted());
  expect(readdirSync(join(l.base, "nodes/one/incoming"))).toEqual([]);
  const cached = l.cachedFiles().reduce((sum, name) => sum + readFileSync(join(l.base, "nodes/one/files", name)).length, 0);
  expect(cached).toBe(pool.usedSpace);
  await pool.close();
}

test("CM28 by a catalogue that was put in, stopped before and after every single step of a long program", { timeout: 600_000 }, async () => {
  let last = Infinity;
  let runs = 0;
  for (let at = 1; at <= last; at++) {
    for (const after of [false, true]) {
      await using l = await lab();
      const options = { capacityBytes: 1200, copies: 2, maxTransfers: 1 };
      const inner = l.catalogueOf();
      const { catalogue, stopped, steps, isStopped } = stopping(inner, at, after);
      for (const host of Object.values(l.hosts)) host.fault = () => (isStopped() ? { hang: true } : undefined);
      const wanted = new Set<string>();
      const pool = Pool.open({
        catalogue,
        directory: join(l.base, "nodes", "one"),
        hosts: Object.fromEntries(Object.entries(l.hosts).map(([name, { store }]) => [name, store])),
        clock: l.clock,
        random: () => 0.5,
        ...options,
      });
      const done = pool
        .then((open) => program(open, wanted))
        .then(
          () => "done" as const,
          (error: unknown) => (isStopped() ? ("done" as const) : Promise.reject(error)),
        );
      if ((await Promise.race([done, stopped])) === "done") last = Math.min(last, steps());
      runs++;
      await inner.close();
      for (const host of Object.values(l.hosts)) host.fault = undefined;
      try {
        await afterwards(l, wanted, options);
      } catch (error) {
        throw new Error(`stopped ${after ? "after" : "before"} step ${at}: ${String(error)}`, { cause: error });
      }
    }
  }
  expect(runs).toBeGreaterThan(200);
});

test("killed at random moments, five times over one directory: every acknowledged file is there with the right hash", { timeout: 300_000 }, async () => {
  const base = mkdtempSync(join(scratch(), "pool-kill-"));
  for (const name of ["a", "b", "c"]) mkdirSync(join(base, name));
  const wanted = new Set<string>();
  try {
    for (let round = 0; round < 5; round++) {
      const child = spawn(process.execPath, ["--no-warnings", new URL("crash-child.ts", import.meta.url).pathname, base, String(round)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const exited = once(child, "exit");
      let lines = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        const [what, hash] = line.split(" ") as [string, string];
        if (what === "put") wanted.add(hash);
        if (what === "removing") wanted.delete(hash);
        if (++lines === 20 + round * 7) setTimeout(() => child.kill("SIGKILL"), round * 3);
      }
      expect(await exited).toEqual([null, "SIGKILL"]);
      const clock = manualClock(Date.now() + 3_600_000);
      const pool = await Pool.open({
        catalogue: sqliteCatalogue({ file: join(base, "catalogue.db"), flush: false }),
        directory: join(base, "cache"),
        capacityBytes: 20_000,
        hosts: Object.fromEntries(["a", "b", "c"].map((name) => [name, local({ directory: join(base, name), name })])),
        copies: 2,
        clock,
      });
      expect(pool.opened.missing).toEqual([]);
      expect(pool.usedSpace).toBeLessThanOrEqual(18_000);
      for (const hash of wanted) expect(sha(readFileSync(await pool.warmUp(hash)))).toBe(hash);
      await pool.sync();
      await clock.advance(300_000);
      await pool.collect({ graceMs: 0 });
      expect(await pool.verify()).toMatchObject({ dead: 0, damaged: 0, unknown: 0, lost: [] });
      // As the stores show it: the local one hides the temporary files of writes that were killed.
      const copies = (await pool.hosts()).reduce((sum, host) => sum + host.copies, 0);
      let objects = 0;
      for (const name of ["a", "b", "c"]) {
        await using store = local({ directory: join(base, name) });
        objects += (await store.list("/", { recursive: true }).toArray()).filter(({ kind }) => kind === "file").length;
      }
      expect(objects).toBe(copies);
      await pool.close();
    }
    expect(wanted.size).toBeGreaterThan(20);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});
