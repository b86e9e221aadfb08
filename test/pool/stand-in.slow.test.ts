/** CM29: the scenario of cloud-manager with stand-in plowup and plowdown on PATH, each file host a store of its own. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { sqliteCatalogue } from "../../src/catalogue/index.ts";
import { Pool } from "../../src/pool/index.ts";
import { plowshare, plowshareTools } from "../../src/providers/plowshare/index.ts";
import { scratch } from "../scratch.ts";
import { commands, fileHosts } from "../servers/plowshare/hosts.ts";
import { bytes, failure, sha } from "./lab.ts";

afterEach(() => vi.unstubAllEnvs());

test("CM29 three file hosts by commands on PATH: sync, eviction, a dead host, repair, and a second node that reads the plain links", async () => {
  vi.stubEnv("PATH", `${commands}:${process.env["PATH"]}`);
  const base = mkdtempSync(join(scratch(), "pool-plowshare-"));
  const names = ["alpha", "beta", "gamma"];
  const hosts = await fileHosts(join(base, "hosts"), Object.fromEntries(names.map((name) => [name, {}])));
  const common = { modules: hosts.modules, retries: 0, waitMs: 5000 };
  const store = (name: string) => plowshare({ ...common, directory: join(base, name), createRoot: true, hosts: [name], copies: 1, name, flush: false });
  const open = (node: string, more: object = {}) =>
    Pool.open({
      catalogue: sqliteCatalogue({ file: join(base, `${node}.db`), flush: false }),
      directory: join(base, node),
      capacityBytes: 10_000,
      hosts: Object.fromEntries(names.map((name) => [name, store(name)])),
      copies: 2,
      ...more,
    });
  try {
    const texts = [bytes("first", 4000), bytes("second", 4500), bytes("third", 4600)];
    const links: { readonly host_name: string; readonly url: string }[] = [];
    {
      await using pool = await open("one");
      expect(await pool.dump()).toBeNull();
      for (const [n, text] of texts.entries()) {
        const path = join(base, `file ${n}.bin`);
        writeFileSync(path, text);
        expect(await pool.uploadFile(path)).toBe(sha(text));
        expect(await pool.uploadFile(path)).toBe(sha(text));
        expect(await pool.sync()).toMatchObject({ complete: 1, copies: 2, short: [] });
      }
      expect(await failure(pool.upload(Buffer.alloc(9001)))).toMatchObject({ code: "too-large" });
      expect(await failure(pool.warmUp(sha("never")))).toMatchObject({ code: "unknown-hash" });
      for (const text of texts) expect(readFileSync(await pool.warmUp(sha(text)))).toEqual(text);
      expect(names.map((name) => hosts.files(name).length).reduce((a, b) => a + b)).toBe(6);
      // One dies for good.
      for (const verb of ["up", "down", "del", "probe"] as const) hosts.failAlways("alpha", verb, "exit 3");
      hosts.lose("alpha");
      for (const text of texts) expect(readFileSync(await pool.warmUp(sha(text)))).toEqual(text);
      await pool.drain("alpha");
      expect((await pool.repair()).failed).toEqual([]);
      await pool.retire("alpha", { abandon: true });
      for (const name of ["beta", "gamma"]) expect(hosts.files(name)).toHaveLength(3);
      const dump = JSON.parse((await pool.dump()) as string) as { readonly filehash: string }[];
      expect(dump.map(({ filehash }) => filehash).toSorted()).toEqual(texts.map((text) => sha(text)).toSorted());
    }
    // As cloud-manager itself kept them: links of plowup, for whoever has plowdown.
    const outside = join(base, "outside.bin");
    writeFileSync(outside, "from elsewhere");
    await using tools = plowshareTools(common);
    for (const host of ["beta", "gamma"]) links.push({ host_name: host, url: (await tools.upload(host, outside)).url });
    hosts.lose("beta");
    mkdirSync(join(base, "fetched"));
    await using second = await open("two", {
      hosts: { other: store("other") },
      copies: 1,
      openLink: async (_host: string, url: string) => {
        const { path } = await tools.download(url, join(base, "fetched"));
        const content = readFileSync(path);
        rmSync(path);
        return (async function* () {
          yield content;
        })();
      },
    });
    const entry = { version: "0.2", filename: "1234567_outside.bin", filesize: "14", filehash: sha("from elsewhere"), datetime: "1394470466", uploads: links };
    expect(await second.load(JSON.stringify([entry]), { confirmation: "block" })).toMatchObject({ added: 1, copies: 2 });
    expect(readFileSync(await second.warmUp(sha("from elsewhere")), "utf8")).toBe("from elsewhere");
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});
