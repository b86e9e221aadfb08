/** S3R29: the drills of docs/drills.md, the same for both databases. Each ends as the page says, with hashes compared. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import type { Repository } from "../../src/repository/index.ts";
import { borrow, readBytes } from "../../src/store/index.ts";
import { bytes } from "../pool/lab.ts";
import { lab, md5, published, sha } from "./lab.ts";
import type { Lab, Places } from "./lab.ts";
import { restored } from "./suite-backup.ts";

const texts: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from({ length: 7 }, (_, n) => [`/data/${n}.bin`, bytes(`file ${n}`, 1 + n * 500).toString()]),
);

async function filled(repo: Repository): Promise<void> {
  for (const [path, text] of Object.entries(texts)) await published(repo, path, text);
}
async function expectAll(repo: Repository, but: readonly string[] = []): Promise<void> {
  for (const [path, text] of Object.entries(texts)) {
    if (but.includes(path)) continue;
    const file = await repo.get(path);
    expect(file, path).toMatchObject({ state: "published", sha256: sha(text), md5: md5(text) });
    expect(sha(await repo.text(file as { readonly id: number }))).toBe(sha(text));
  }
}
async function emptyBucket(l: Lab): Promise<void> {
  for (const path of await l.main.objects()) await l.main.base.delete(path);
}
const copyless = async (repo: Repository, path: string): Promise<void> => repo.unlink((await repo.get(path)) as { readonly id: number });

export function drillTests(kind: string, places?: Places): void {
  describe(`drills on ${kind}`, () => {
    test("S3R29 the catalogue is lost: restored from the backup store, with an empty disk", async () => {
      await using l = await lab(places);
      await using backupStore = memory();
      const repo = await l.create({ backupStore: borrow(backupStore) });
      await filled(repo);
      await repo.backup();
      await published(repo, "/after the backup", "unknown to it");
      await repo.close();
      rmSync(join(l.base, "hosts"), { recursive: true });
      await using again = await restored(l, backupStore, "new machine");
      expect(await again.verify({ deep: true })).toMatchObject({ objects: 7, good: 7, missing: [], wrong: [] });
      await expectAll(again);
      const unknown = await again.unknownObjects();
      expect(unknown).toHaveLength(1);
      // The bytes are there: they are added again, and the nameless object goes.
      const source = l.source(await readBytes(l.main.base, unknown[0]?.path as string));
      await again.publish(await again.addLocalFile("/after the backup", source));
      expect(await again.removeUnknownObjects(unknown)).toMatchObject({ removed: 1, failures: [] });
      expect(await again.unknownObjects()).toEqual([]);
    });

    test("S3R29 an object is lost, another is damaged: found, and sent again from a local copy", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      await filled(repo);
      const objects = await l.main.objects();
      const [lost, damaged] = ["/data/2.bin", "/data/5.bin"].map((path) => objects.find((object) => object.includes(path.slice(6, 12))) as string);
      await l.main.base.delete(lost as string);
      await l.main.base.write(damaged as string, bytes("other", 2501));
      const report = await repo.verify({ deep: true });
      expect(report.missing).toMatchObject([{ path: "/data/2.bin", copies: ["one"] }]);
      expect(report.wrong).toMatchObject([{ path: "/data/5.bin", copies: ["one"] }]);
      expect(await repo.repair()).toMatchObject({ repaired: [report.missing[0]?.file, report.wrong[0]?.file], elsewhere: [], failures: [] });
      expect(await repo.verify({ deep: true })).toMatchObject({ objects: 7, good: 7 });
      for (const path of Object.keys(texts)) await copyless(repo, path);
      await expectAll(repo);
    });

    test("S3R29 the bucket is lost: everything a host has is sent again, what no host has is named", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      await filled(repo);
      await copyless(repo, "/data/3.bin");
      await emptyBucket(l);
      const report = await repo.verify();
      expect(report).toMatchObject({ objects: 7, good: 0 });
      expect(report.missing.filter(({ copies }) => copies.length === 0).map(({ path }) => path)).toEqual(["/data/3.bin"]);
      const lost = (await repo.get("/data/3.bin"))?.id as number;
      expect(await repo.repair()).toMatchObject({ elsewhere: [lost], failures: [] });
      expect((await repo.verify({ deep: true })).missing.map(({ file }) => file)).toEqual([lost]);
      await expectAll(repo, ["/data/3.bin"]);
      // Somebody has it still: it becomes a new version.
      await repo.publish(await repo.addLocalFile("/data/3.bin", l.source(texts["/data/3.bin"] as string)));
      await repo.maintainDatabase();
      await repo.purge(lost);
      expect(await repo.verify({ deep: true })).toMatchObject({ missing: [], wrong: [], unknown: [] });
      await expectAll(repo);
    });

    test("S3R29 catalogue and bucket are lost at once: from the backup store and the disk of a host", async () => {
      await using l = await lab(places);
      await using backupStore = memory();
      const repo = await l.create({ backupStore: borrow(backupStore) });
      await filled(repo);
      await repo.backup();
      await repo.close();
      await emptyBucket(l);
      await using again = await restored(l, backupStore);
      expect(again.opened).toMatchObject({ missing: [], orphans: [] });
      expect((await again.verify()).missing).toHaveLength(7);
      expect(await again.repair()).toMatchObject({ repaired: { length: 7 }, elsewhere: [], failures: [] });
      expect(await again.verify({ deep: true })).toMatchObject({ objects: 7, good: 7 });
      await again.close();
      // And on a machine that has nothing.
      const fresh = await l.open({ catalogue: l.catalogueOf("restored"), directory: join(l.base, "hosts", "fresh"), host: "fresh" });
      await expectAll(fresh);
    });
  });
}
