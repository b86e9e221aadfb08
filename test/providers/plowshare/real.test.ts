/**
 * The same behaviours against a real plowshare, where there is one. The host is on a loopback port, the module is ours. Where there is none, the first test says so and
 * what was not run.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readBytes, readText } from "../../../src/index.ts";
import { plowshareBy } from "../../../src/providers/plowshare/by.ts";
import { plowshare, plowshareTools } from "../../../src/providers/plowshare/index.ts";
import type { PlowshareOptions } from "../../../src/providers/plowshare/index.ts";
import { run } from "../../../src/providers/plowshare/process.ts";
import type { Runner } from "../../../src/providers/plowshare/process.ts";
import { loopbackHost } from "../../servers/plowshare/real/loopback.ts";
import type { LoopbackHost } from "../../servers/plowshare/real/loopback.ts";
import { certificateFor } from "../../servers/real-names.ts";
import { failureOf } from "./lab.ts";
import { realCommands } from "./real-commands.ts";

const commandDirectory = realCommands();

test("is a real plowshare on this machine?", () => {
  const { log } = console;
  log(
    commandDirectory === undefined
      ? "NOT RUN: no plowshare on this machine (STRATUS_PLOWSHARE, PATH). The tests of real.test.ts and real-conformance.slow.test.ts ran against nothing; all others ran against the stand-in commands of test/servers/plowshare."
      : `plowshare of ${commandDirectory}`,
  );
  if (process.env["STRATUS_PLOWSHARE"] !== undefined) expect(commandDirectory).toBe(process.env["STRATUS_PLOWSHARE"]);
});

interface Real extends AsyncDisposable {
  readonly host: LoopbackHost;
  /** File with the certificate of who signed the host's. */
  readonly authority: string | undefined;
  readonly scratch: string;
  readonly common: Omit<PlowshareOptions, "directory" | "hosts">;
  open(options?: Partial<PlowshareOptions>): ReturnType<typeof plowshare>;
}
async function real(secure = false): Promise<Real> {
  const base = await mkdtemp(join(tmpdir(), "stratus-plowshare-real-"));
  const tls = secure ? await certificateFor(["localhost"], base) : undefined;
  const host = await loopbackHost(base, tls);
  const scratch = join(base, "scratch");
  await mkdir(scratch);
  const common = { modules: host.modules, commandDirectory, environment: { STRATUS_LOOPBACK_HOST: host.url }, retries: 0, waitMs: 5000 };
  const stores: AsyncDisposable[] = [];
  return {
    host,
    authority: tls?.ca,
    scratch,
    common,
    open(options = {}) {
      const store = plowshare({ directory: join(base, "index"), createRoot: true, hosts: ["loopback"], ...common, ...options });
      stores.push(store);
      return store;
    },
    async [Symbol.asyncDispose]() {
      for (const store of stores) await store[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
      await rm(base, { recursive: true, force: true });
    },
  };
}

describe.runIf(commandDirectory !== undefined)("against a real plowshare", () => {
  test("write, read, overwrite, copy, delete", async () => {
    await using r = await real();
    const store = r.open();
    await store.write("/a: b;c/ü.txt", "first");
    expect(await readText(store, "/a: b;c/ü.txt")).toBe("first");
    await store.write("/a: b;c/ü.txt", "second");
    await store.copy("/a: b;c/ü.txt", "/copy");
    await store.delete("/a: b;c", { recursive: true });
    await store.layers.plowshare.flush();
    expect(r.host.files.size).toBe(1);
    expect(await readText(store, "/copy")).toBe("second");
    await store.delete("/copy");
    await store.layers.plowshare.flush();
    expect(r.host.files.size).toBe(0);
    expect(await store.layers.plowshare.status()).toMatchObject({ orphans: [], possibleOrphans: [], pendingRemovals: 0 });
  });

  test("empty files need no host; a large one comes back whole", async () => {
    await using r = await real();
    const store = r.open();
    await store.write("/empty", "");
    expect(await readBytes(store, "/empty")).toHaveLength(0);
    const large = Buffer.alloc(3_000_000, "large ");
    await store.write("/large", large);
    expect(Buffer.from(await readBytes(store, "/large")).equals(large)).toBe(true);
  });

  test("dead links, wrong bytes, refusals", async () => {
    await using r = await real();
    const store = r.open();
    await store.write("/a", "text");
    for (const [id, file] of r.host.files) r.host.files.set(id, { ...file, bytes: Buffer.from("TEXT") });
    expect((await failureOf(readBytes(store, "/a"))).code).toBe("integrity");
    r.host.files.clear();
    expect((await failureOf(readBytes(store, "/a"))).code).toBe("corrupt");
    expect(await store.layers.plowshare.verify()).toMatchObject({ links: 1, dead: 1, lost: ["/a"] });
    for (const [status, code] of [
      [413, "too-large"],
      [401, "unauthenticated"],
      [429, "timeout"],
      [500, "unknown"],
    ] as const) {
      r.host.refuse.set("upload", [status]);
      expect((await failureOf(store.write("/b", "x"))).code, String(status)).toBe(code);
    }
    r.host.refuse.set("d", [403]);
    await store.write("/c", "x");
    await store.delete("/c");
    await store.layers.plowshare.flush();
    expect((await store.layers.plowshare.status()).orphans).toHaveLength(1);
  });

  test("verify and the commands themselves", async () => {
    await using r = await real();
    const store = r.open();
    await store.write("/a", "text");
    expect(await store.layers.plowshare.verify()).toMatchObject({ links: 1, alive: 1 });
    await using tools = plowshareTools({ ...r.common, hostOptions: { loopback: { folder: "box" } } });
    await writeFile(join(r.scratch, "x y.txt"), "tools");
    const { url, remove, admin } = await tools.upload("loopback", join(r.scratch, "x y.txt"), { name: "n.txt" });
    expect(admin).toMatch(/^adm-/);
    expect(await tools.modules()).toEqual(["loopback"]);
    expect(await tools.moduleFor(url)).toBe("loopback");
    expect(await tools.probe(url)).toMatchObject({ name: "n.txt", size: 5 });
    expect(await tools.finalUrl(url)).toContain("/bytes/");
    expect(await tools.list(`${r.host.url}/folder/box`)).toEqual([{ url, name: "n.txt" }]);
    const { path } = await tools.download(url, r.scratch);
    expect(await readFile(path, "utf8")).toBe("tools");
    expect(await tools.remove(remove ?? "")).toBe("removed");
    expect(await tools.remove(remove ?? "")).toBe("dead");
  });

  test("credentials reach the module by the settings file", async () => {
    await using r = await real();
    const store = r.open({ credentials: { loopback: "ann:s3cret word" } });
    await store.write("/a", "text");
    expect(await readText(store, "/a")).toBe("text");
  });

  test("PS20: a certificate that nobody signed is refused, unless it is said otherwise", async () => {
    await using r = await real(true);
    const trusting = r.open({ checkCertificates: false });
    await trusting.write("/a", "text");
    const store = r.open();
    expect(await failureOf(readText(store, "/a"))).toMatchObject({ code: "unavailable" });
    expect(await failureOf(store.write("/b", "text"))).toMatchObject({ code: "unavailable" });
    expect(await store.layers.plowshare.verify()).toMatchObject({ links: 1, alive: 0, dead: 0, lost: [] });
    expect(r.host.files.size).toBe(1);
    const config = join(r.scratch, "curl.conf");
    await writeFile(config, `cacert = "${r.authority}"\n`);
    const knowing = r.open({ curlConfig: config });
    expect(await readText(knowing, "/a")).toBe("text");
    await knowing.write("/b", "text");
    await knowing.delete("/b");
    await knowing.layers.plowshare.flush();
    expect(r.host.files.size).toBe(1);
  });

  test("PS6: a transfer is held to its rate within 20 %", async () => {
    await using r = await real();
    const bytes = Buffer.alloc(40_000_000, 1);
    await r.open().write("/a", bytes);
    const took = async (work: () => Promise<unknown>): Promise<number> => {
      const began = performance.now();
      await work();
      return performance.now() - began;
    };
    // Never faster; how much slower is the machine's business. Large, because curl looks at its pace now and then only.
    const held = r.open({ maxBytesPerSecond: 10_000_000 });
    expect(await took(() => readBytes(held, "/a"))).toBeGreaterThan(4000 * 0.8);
    expect(await took(() => held.write("/b", bytes))).toBeGreaterThan(4000 * 0.8);
  });

  test("PS28: the commands say nothing to people", async () => {
    await using r = await real();
    const said: string[] = [];
    const listening: Runner = async (options) => {
      const ended = await run(options);
      said.push(ended.stderr);
      return ended;
    };
    await using store = plowshareBy(listening, { directory: join(r.scratch, "index"), createRoot: true, hosts: ["loopback"], ...r.common });
    await store.write("/a", "text");
    expect(await readText(store, "/a")).toBe("text");
    await store.layers.plowshare.verify();
    await store.delete("/a");
    await store.layers.plowshare.flush();
    expect(said).toEqual(["", "", "", ""]);
  });
});
