/** Random programs over a pool whose hosts fail and lose copies: as long as one true copy is left anywhere, the file comes back. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PoolError } from "../../src/pool/index.ts";
import type { Pool } from "../../src/pool/index.ts";
import { StoreError, readBytes } from "../../src/store/index.ts";
import { seededRandom } from "../../src/wrappers/seeded-random.ts";
import { bytes, lab, sha } from "./lab.ts";
import type { Lab } from "./lab.ts";

const texts = [0, 1, 150, 260, 333, 420, 500, 610].map((size, n) => bytes(`text ${n}`, size));
const CAPACITY = 1500;

/** Where the true bytes of a file are, as far as the pool can find them: "host path" for each copy, "cache". What an upload with a lost answer left is none. */
async function intact(l: Lab, pool: Pool, hash: string): Promise<string[]> {
  const known = new Set(
    (await pool.info(hash))?.uploads.filter(({ state }) => state === "stored" || state === "dead").map(({ host, url }) => `${host} ${url}`),
  );
  const found: string[] = [];
  for (const [name, { base, files }] of Object.entries(l.hosts))
    for (const path of await files()) if (known.has(`${name} ${path}`) && sha(await readBytes(base, path)) === hash) found.push(`${name} ${path}`);
  for (const file of l.cachedFiles())
    if (file.startsWith(hash.slice(0, 7)) && sha(readFileSync(join(l.base, "nodes/one/files", file))) === hash) found.push("cache");
  return found;
}

async function programOf(seed: number): Promise<string[]> {
  await using l = await lab(undefined, ["a", "b", "c", "d"]);
  const random = seededRandom(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const options = { capacityBytes: CAPACITY, copies: 2, random, eviction: pick(["size", "lru"] as const) };
  let pool = await l.open(options);
  const wanted = new Set<string>();
  const log: string[] = [];
  /** In this step. */
  const removing = new Set<string>();
  let failing = 0;
  for (const host of Object.values(l.hosts))
    host.fault = (call) => {
      if (random() >= failing) return undefined;
      if (call.operation === "write") return random() < 0.5 ? { when: "after" } : { when: "up", afterBytes: 50 };
      if (call.operation === "read") return { when: "down", afterBytes: 20 };
      return { code: "unavailable" };
    };
  /** Only where another true copy is left at a host that stays: what is wrong and not yet noticed must not be what a cache or a retired host is given up for. */
  const damage = async (): Promise<void> => {
    const hash = sha(pick(texts));
    const places = await intact(l, pool, hash);
    const place = pick(places.filter((each) => each !== "cache"));
    if (place === undefined || !places.some((each) => each !== place && /^[cd] /.test(each))) return;
    const [name = "", path = ""] = place.split(" ");
    const { base } = l.hosts[name] as { base: Parameters<typeof readBytes>[0] };
    log.push(`damage ${name}`);
    if (random() < 0.5) await base.delete(path);
    else await base.write(path, Buffer.alloc(Math.max(1, (await readBytes(base, path)).length), "#"));
  };
  const steps: readonly [string, (pool: Pool) => Promise<unknown>][] = [
    ["upload", async () => void wanted.add(await pool.upload(pick(texts), { name: pick(["x", "y"]) }))],
    ["upload", async () => void wanted.add(await pool.upload(pick(texts), { name: "z" }))],
    ["sync", () => pool.sync()],
    ["sync", () => pool.sync()],
    ["warm", () => pool.warmUp(sha(pick(texts)))],
    [
      "remove",
      async () => {
        const hash = sha(pick(texts));
        wanted.delete(hash);
        removing.add(hash);
        await pool.remove(hash);
      },
    ],
    ["collect", () => pool.collect({ graceMs: 0 })],
    ["verify", () => pool.verify({ deep: random() < 0.5 })],
    ["repair", () => pool.repair()],
    ["drain", () => pool.drain(pick(["a", "b"]))],
    ["activate", () => pool.activate(pick(["a", "b"]))],
    ["retire", () => pool.retire(pick(["a", "b"]))],
    ["damage", damage],
    ["damage", damage],
    ["time", () => l.clock.advance(pick([1000, 3_600_000]))],
    [
      "reopen",
      async () => {
        await pool.close();
        pool = await l.open(options);
        expect(pool.opened).toEqual({ adopted: [], missing: [] });
      },
    ],
  ];
  for (let n = 0; n < 60; n++) {
    failing = pick([0, 0, 0.1, 0.4]);
    // Two beside each other, but for those that close the pool or look at all of it.
    const chosen = [pick(steps), pick(steps)];
    const alone = chosen.find(([name]) => name === "reopen" || name === "damage" || name === "time");
    const now = alone === undefined ? chosen : [alone];
    removing.clear();
    log.push(now.map(([name]) => name).join(" + "));
    for (const each of await Promise.allSettled(now.map(([, step]) => step(pool))))
      if (each.status === "rejected" && !PoolError.is(each.reason) && !StoreError.is(each.reason))
        throw new Error(`seed ${seed}: ${log.join(", ")}`, { cause: each.reason });
    const onDisk = l.cachedFiles().reduce((sum, file) => sum + readFileSync(join(l.base, "nodes/one/files", file)).length, 0);
    expect([onDisk, pool.usedSpace <= CAPACITY * 0.9], `seed ${seed}: ${log.join(", ")}`).toEqual([pool.usedSpace, true]);
    for (const hash of wanted) {
      const where = `seed ${seed}, ${hash.slice(0, 7)}: ${log.join(", ")}`;
      if (await pool.exists(hash)) expect((await intact(l, pool, hash)).length, where).toBeGreaterThan(0);
      else {
        // Only where it was removed beside its upload.
        expect(removing, where).toContain(hash);
        wanted.delete(hash);
      }
    }
  }
  failing = 0;
  for (const name of ["a", "b"]) await pool.activate(name);
  await pool.sync();
  await pool.verify({ deep: true });
  await pool.sync();
  const repaired = await pool.repair();
  expect(repaired.failed, `seed ${seed}: ${log.join(", ")}`).toEqual([]);
  for (const hash of wanted) expect(sha(readFileSync(await pool.warmUp(hash))), `seed ${seed}: ${log.join(", ")}`).toBe(hash);
  await l.clock.advance(2 * 86_400_000);
  await pool.collect({ graceMs: 0 });
  expect(await pool.verify({ deep: true })).toMatchObject({ dead: 0, damaged: 0, unknown: 0, short: [], lost: [] });
  // Nothing is left at a host that the catalogue does not know.
  const objects = (await Promise.all(Object.values(l.hosts).map((host) => host.files()))).flat().length;
  expect(objects, `seed ${seed}: ${log.join(", ")}`).toBe((await pool.hosts()).reduce((sum, host) => sum + host.copies, 0));
  return log;
}

test("forty programs of sixty steps", { timeout: 600_000 }, async () => {
  const [first, last] = (process.env["STRATUS_SEEDS"] ?? "1-40").split("-").map(Number) as [number, number];
  for (let seed = first; seed <= last; seed++) expect(await programOf(seed)).not.toHaveLength(0);
});
