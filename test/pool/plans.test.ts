/** What is done with one file of a pool costs the same whatever its catalogue and its cache hold. */
import { expect, test } from "vitest";
import { noting, wideSteps } from "../catalogue/plans.ts";
import type { Asked } from "../catalogue/plans.ts";
import { bytes, lab, sha } from "./lab.ts";

const SMALL = ["host", "node", "meter", "fact", "file_queued", "file_unconfirmed", "copy_sending", "leaving"];

for (const eviction of ["size", "lru"] as const)
  test(`no question about one file looks at all files, eviction by ${eviction}`, async () => {
    await using l = await lab();
    const asked: Asked[] = [];
    const inner = l.catalogueOf();
    const pool = await l.open({ catalogue: noting(inner, asked), capacityBytes: 1000, eviction });
    // What opening costs is asked of each file here.
    asked.length = 0;
    const hashes: string[] = [];
    for (let n = 0; n < 6; n++) {
      hashes.push(await pool.upload(bytes(`file ${n}`, 300)));
      await pool.sync();
    }
    expect(await pool.onCache(hashes[0] as string)).toBe(false);
    await pool.warmUp(hashes[0] as string);
    await pool.info(hashes[1] as string);
    await pool.queues();
    await pool.dump();
    await pool.confirm(hashes, "mark");
    await pool.remove(hashes[2] as string);
    await pool.collect({ graceMs: 0 });
    expect(await pool.exists(sha(bytes("file 2", 300)))).toBe(false);
    expect(asked.length).toBeGreaterThan(100);
    expect(await wideSteps(inner, asked, SMALL)).toEqual([]);
  });

test("a question that looks at all files is noticed", async () => {
  await using l = await lab();
  await (await l.open()).close();
  await using db = l.catalogueOf();
  const all = "select id from file where name = ?";
  const node = "select file from cached where node = ?";
  expect(
    await wideSteps(
      db,
      [all, node, "select id from file where hash = ?"].map((sql) => ({ sql, values: ["x"] })),
      SMALL,
    ),
  ).toEqual([`SCAN file: ${all}`, expect.stringContaining(node)]);
});
