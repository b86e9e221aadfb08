/** A pool over file hosts that know only links, WebDAV on Apache and S3 on Ceph: one dies for good, nothing is lost, and another node takes over from a dump. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sqliteCatalogue } from "../../src/catalogue/index.ts";
import { Pool } from "../../src/pool/index.ts";
import { plowshare } from "../../src/providers/plowshare/index.ts";
import { s3 } from "../../src/providers/s3/index.ts";
import { webdav } from "../../src/providers/webdav/index.ts";
import { borrow } from "../../src/store/index.ts";
import { scratch } from "../scratch.ts";
import { startServer } from "../servers/index.ts";
import { commands, fileHosts } from "../servers/plowshare/hosts.ts";
import { notProved, useServer } from "../servers/shared.ts";
import { bytes, sha } from "./lab.ts";

const why = notProved("ceph") ?? notProved("apache");

describe.skipIf(why !== undefined)(`three hosts${why === undefined ? "" : ` (NOT PROVED: ${why})`}`, () => {
  test("one host dies for good, files stay readable, repair restores the copies, a second node loads the dump and downloads everything", async () => {
    const base = mkdtempSync(join(scratch(), "pool-three-"));
    const apache = await startServer("apache");
    const ceph = await useServer("ceph");
    const links = await fileHosts(join(base, "hosts"), { alpha: {} });
    const bucket = `pool-${randomBytes(6).toString("hex")}`;
    const { endpoint, region, accessKeyId, secretAccessKey } = ceph;
    await using dav = webdav({ url: `${apache.url}pool/`, username: apache.username, password: apache.password, server: "apache", createRoot: true });
    await using objects = s3({ bucket, endpoint, region, vendor: "ceph", createBucket: true, credentials: { accessKeyId, secretAccessKey } });
    await using files = plowshare({
      directory: join(base, "index"),
      createRoot: true,
      hosts: ["alpha"],
      copies: 1,
      modules: links.modules,
      commandDirectory: commands,
      retries: 0,
      waitMs: 5000,
    });
    const open = (node: string) =>
      Pool.open({
        catalogue: sqliteCatalogue({ file: join(base, `${node}.db`) }),
        directory: join(base, node),
        capacityBytes: 3_000_000,
        hosts: { dav: borrow(dav), objects: borrow(objects), files: borrow(files) },
        copies: 2,
      });
    try {
      const texts = [Buffer.alloc(0), ...Array.from({ length: 11 }, (_, n) => bytes(`file ${n}`, 1 + n * 40_000))];
      await using pool = await open("one");
      for (const text of texts) await pool.upload(text, { name: "same name.bin" });
      expect(await pool.sync()).toMatchObject({ complete: 12, copies: 24, short: [] });
      expect(await pool.verify({ deep: true })).toMatchObject({ copies: 24, alive: 24, short: [] });
      const before = await pool.hosts();
      for (const { copies } of before) expect(copies).toBeGreaterThan(0);

      await apache.stop();
      expect(await pool.verify()).toMatchObject({ dead: 0, unknown: before.find(({ name }) => name === "dav")?.copies, lost: [] });
      await using empty = await open("two");
      await empty.load((await pool.dump()) as string);
      for (const text of texts) expect(sha(readFileSync(await empty.warmUp(sha(text))))).toBe(sha(text));
      await pool.drain("dav");
      expect((await pool.repair()).failed).toEqual([]);
      await pool.retire("dav", { abandon: true });
      expect(await pool.verify({ deep: true })).toMatchObject({ copies: 24, alive: 24, short: [], lost: [] });

      // Its links are those after the repair: the second host may go as well.
      await using third = await open("three");
      const json = JSON.stringify(
        await Promise.all(
          texts.map(async (text) => {
            const info = await pool.info(sha(text));
            const uploads = info?.uploads.map(({ host, url }) => ({ host_name: host, url }));
            return { version: "0.2", filename: "1234567_x", filesize: text.length, filehash: sha(text), datetime: "1", uploads };
          }),
        ),
      );
      expect(await third.load(json)).toMatchObject({ added: 12, copies: 24 });
      for (const text of texts) {
        await third.download(sha(text), join(base, "out"));
        expect(sha(readFileSync(join(base, "out")))).toBe(sha(text));
      }
    } finally {
      await apache.stop();
      rmSync(base, { recursive: true, force: true });
    }
  });
});
