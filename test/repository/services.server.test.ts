/** A repository over real services: S3 on Ceph, WebDAV on Apache. Two machines on one PostgreSQL catalogue, from the first file to a restored backup. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { s3 } from "../../src/providers/s3/index.ts";
import { webdav } from "../../src/providers/webdav/index.ts";
import { Repository, postgresCatalogue } from "../../src/repository/index.ts";
import type { RepositoryOptions } from "../../src/repository/index.ts";
import { manualClock } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { usePostgres } from "../catalogue/postgres-server.ts";
import { scratch } from "../scratch.ts";
import { notProved, notProvedBy, useServer } from "../servers/shared.ts";
import { failure, sha } from "./lab.ts";

/** Gives stores over one place, anew for each name: a repository closes the one that it was given. */
type Places = () => Promise<(name: string) => Store>;

const unique = (): string => randomBytes(6).toString("hex");

const services: Readonly<Record<"ceph" | "apache", Places>> = {
  ceph: async () => {
    const { endpoint, region, accessKeyId, secretAccessKey } = await useServer("ceph");
    const prefix = `repository-${unique()}`;
    return (name) => s3({ bucket: `${prefix}-${name}`, endpoint, region, vendor: "ceph", createBucket: true, credentials: { accessKeyId, secretAccessKey } });
  },
  apache: async () => {
    const { url, username, password } = await useServer("apache");
    const prefix = `repository-${unique()}`;
    return (name) => webdav({ url: `${url}${prefix}-${name}/`, username, password, server: "apache", createRoot: true });
  },
};

const MiB = 1 << 20;
/** So many bytes that nothing repeats in them. */
const large = randomBytes(17 * MiB);

for (const [server, places] of Object.entries(services) as [keyof typeof services, Places][]) {
  const why = notProved(server) ?? notProvedBy("postgres", "the repository over real services");
  describe.skipIf(why !== undefined)(`a repository over ${server}${why === undefined ? "" : ` (NOT PROVED: ${why})`}`, () => {
    const postgres = usePostgres();

    async function site() {
      const base = mkdtempSync(join(scratch(), "repository-services-"));
      mkdirSync(join(base, "hosts"));
      const clock = manualClock(Date.now());
      const place = await places();
      const schema = `services_${unique()}`;
      const options = (host: string, catalogue = schema): RepositoryOptions => ({
        catalogue: postgresCatalogue({ connectionString: postgres.url, schema: catalogue, maxConnections: 3 }),
        store: place("files"),
        backupStore: place("backups"),
        backupsBeforeDelete: 0,
        directory: join(base, "hosts", host),
        host,
        clock,
      });
      const objects = async (store: Store): Promise<string[]> =>
        (await store.list("/", { recursive: true }).toArray()).filter(({ kind }) => kind === "file").map(({ path }) => path);
      return { base, clock, place, schema, options, objects, [Symbol.dispose]: () => rmSync(base, { recursive: true, force: true }) };
    }

    test("added, published and uploaded on two machines, read on the other, expired, purged and collected", { timeout: 300_000 }, async () => {
      using at = await site();
      await using one = await Repository.create(at.options("one"));
      await using two = await Repository.open(at.options("two"));
      await using raw = at.place("files");
      writeFileSync(join(at.base, "large.bin"), large);
      const big = await one.addLocalFile("/films/große Datei +%20 ü.bin", join(at.base, "large.bin"), { move: true });
      const text = await one.addFile("/texts/a.txt.gz");
      await one.write(text, "first ");
      await one.append(text, "second");
      const empty = await one.addFile("/empty");
      await one.write(empty, "");
      for (const id of [big, text, empty]) await one.publish(id);
      const other = await two.addFile("/texts/a.txt.gz");
      await two.write(other, "of the second machine");
      await two.upload(other);
      // Sent and not published: everybody can read it, and the current version is the other one.
      expect(await one.text(other)).toBe("of the second machine");
      expect(await one.get("/texts/a.txt.gz")).toMatchObject({ id: text, local: true });
      await two.download(big, join(at.base, "got.bin"));
      expect(sha(readFileSync(join(at.base, "got.bin")))).toBe(sha(large));
      expect([await two.text(text), await two.text(empty)]).toEqual(["first second", ""]);
      await two.publish(other);
      expect(await one.get("/texts/a.txt.gz")).toMatchObject({ id: other, version: 2 });
      expect(await at.objects(raw)).toHaveLength(4);
      expect(await one.verify({ deep: true })).toMatchObject({ objects: 4, good: 4, missing: [], wrong: [], unknown: [] });

      // A transaction that is rolled back leaves no object.
      const attempt = two.transaction(async (t) => {
        const id = await t.addFile("/rolled/back");
        await t.write(id, "sent");
        await t.publish(id);
        throw new Error("changed my mind");
      });
      await expect(attempt).rejects.toThrow("changed my mind");
      expect(await at.objects(raw)).toHaveLength(4);

      await one.expire(empty);
      expect(await one.purge(empty)).toEqual({ deleted: true, failure: null });
      expect(await at.objects(raw)).toHaveLength(3);
      // The superseded version, once neither machine has it.
      expect(await two.maintainDatabase({ graceMs: 0 })).toMatchObject({ expired: [text], failures: [] });
      for (const repo of [one, two]) await repo.unlink(text);
      await two.collect({ graceMs: 0 });
      await at.clock.advance(1000);
      await one.collect({ graceMs: 0 });
      expect(await at.objects(raw)).toHaveLength(2);
      expect(await failure(one.info(text))).toMatchObject({ code: "unknown-file" });
      expect(await one.unknownObjects()).toEqual([]);
    });

    test("a missing and a wrong object are found, and repaired from local copies; without one a download says so", { timeout: 300_000 }, async () => {
      using at = await site();
      await using one = await Repository.create(at.options("one"));
      await using two = await Repository.open(at.options("two"));
      await using raw = at.place("files");
      const ids: number[] = [];
      for (const name of ["kept", "gone", "same size", "other size", "lost"]) {
        const id = await one.addFile(`/${name}`);
        await one.write(id, `the bytes of ${name}`);
        await one.publish(id);
        ids.push(id);
      }
      const [, gone = 0, sameSize = 0, otherSize = 0, lost = 0] = ids;
      const paths = await at.objects(raw);
      const path = (name: string): string => paths.find((each) => each.includes(name)) as string;
      await raw.delete(path("gone"));
      await raw.delete(path("lost"));
      await raw.write(path("same size"), "THE BYTES OF same size");
      await raw.write(path("other size"), "x");
      await one.unlink(lost);
      const quick = await two.verify();
      expect(quick.missing.map(({ file, copies }) => [file, copies])).toEqual([
        [gone, ["one"]],
        [lost, []],
      ]);
      expect(quick.wrong.map(({ file }) => file)).toContain(otherSize);
      const deep = await two.verify({ deep: true });
      expect(deep).toMatchObject({ objects: 5, good: 1, unknown: [] });
      expect(deep.wrong.map(({ file }) => file)).toEqual([sameSize, otherSize]);
      expect(await failure(two.text(sameSize))).toMatchObject({ code: "object-wrong" });
      expect(await failure(two.text(gone))).toMatchObject({ code: "object-missing" });
      expect(await two.repair()).toMatchObject({ repaired: [], elsewhere: [gone, sameSize, otherSize, lost] });
      expect(await one.repair()).toMatchObject({ repaired: [gone, sameSize, otherSize], elsewhere: [lost], failures: [] });
      expect(await two.text(sameSize)).toBe("the bytes of same size");
      expect(await one.verify({ deep: true })).toMatchObject({ objects: 5, good: 4, missing: [{ file: lost }], wrong: [] });
    });

    test("the catalogue into a backup there, rotated, and back on another machine; what came later is unknown", { timeout: 300_000 }, async () => {
      using at = await site();
      {
        await using one = await Repository.create(at.options("one"));
        for (let n = 0; n < 20; n++) {
          const id = await one.addFile(`/f${n}`);
          await one.write(id, `text ${n}`);
          await one.publish(id);
          await one.tagFile(id, n % 2 === 0 ? "even" : "odd");
        }
        const names = [await one.backup({ keep: 2 }), await one.backup({ keep: 2 }), await one.backup({ keep: 2 })].map(({ name }) => name);
        expect((await one.backups()).map(({ name }) => name)).toEqual(names.slice(1).toReversed());
        const late = await one.addFile("/late");
        await one.write(late, "late");
        await one.publish(late);
      }
      const restoredIn = `services_${unique()}`;
      await using again = await Repository.restore(at.options("three", restoredIn));
      const odd = await again.findTagged({ all: ["odd"] });
      expect(odd).toHaveLength(10);
      for (const file of odd) expect(await again.text(file)).toBe(`text ${file.path.slice(2)}`);
      expect(await again.verify({ deep: true })).toMatchObject({ objects: 20, good: 20 });
      const unknown = await again.unknownObjects();
      expect(unknown).toMatchObject([{ bucket: "main", size: 4 }]);
      expect(await again.removeUnknownObjects(unknown)).toEqual({ removed: 1, known: 0, failures: [] });
      expect(await again.unknownObjects()).toEqual([]);
      expect(await failure(Repository.restore(at.options("four", restoredIn)))).toMatchObject({ name: "BackupError", code: "not-empty" });
    });
  });
}
