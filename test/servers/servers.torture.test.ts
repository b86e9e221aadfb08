/** Each server starts, answers, can be paused, stops, and leaves nothing. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { cephUser } from "./ceph.ts";
import { s3Names, webdavNames } from "./connection.ts";
import type { WebDavName } from "./connection.ts";
import { connectionOf } from "./control.ts";
import { serverNames, startServer, startWebDav } from "./index.ts";
import type { Server } from "./index.ts";
import { s3Leftovers, webdavLeftovers } from "./leftovers.ts";
import { rawDav } from "./raw-dav.ts";
import { rawHttp } from "./raw-http.ts";
import { rawS3 } from "./raw-s3.ts";
import { rcloneChannel } from "./rclone-channel.ts";
import { missingFor } from "./requirements.ts";
import { notProved, useServer } from "./shared.ts";
import { traces } from "./traces.ts";

const scratch = mkdtempSync(join(tmpdir(), "stratus-servers-test-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/**
 * litmus: tests run and passed in each suite, as first measured (servers.md, section 2). A suite that isn't named isn't run: `http` would wait
 * 30 s for the 100 Continue that PHP's own server never sends.
 */
const litmus: Readonly<Record<WebDavName, Readonly<Record<string, readonly [run: number, passed: number]>>>> = {
  apache: { basic: [16, 16], copymove: [13, 13], props: [30, 30], locks: [41, 41], http: [4, 4] },
  lighttpd: { basic: [16, 16], copymove: [13, 13], props: [30, 20], locks: [41, 41], http: [4, 4] },
  sabredav: { basic: [16, 16], copymove: [13, 13], props: [30, 30], locks: [41, 41] },
  nginx: { basic: [16, 15], copymove: [13, 10], props: [14, 10], locks: [3, 2], http: [4, 4] },
  rclone: { basic: [16, 15], copymove: [13, 13], props: [14, 10], locks: [34, 30], http: [4, 4] },
};

function runLitmus(suites: readonly string[], url: string, username: string, password: string): Record<string, readonly [number, number]> {
  const env = { ...process.env, TESTS: suites.join(" ") };
  const { stdout } = spawnSync("litmus", ["-k", url, username, password], { cwd: scratch, encoding: "utf8", timeout: 60_000, env });
  const summaries = [...stdout.matchAll(/summary for `(\w+)': of (\d+) tests run: (\d+) passed/g)];
  return Object.fromEntries(summaries.map(([, suite, run, passed]) => [suite as string, [Number(run), Number(passed)] as const]));
}

const names: readonly string[] = ["plain.txt", "ä ö/ü+%&=?#'.bin", "e\u0301 and \u00e9", "deep/er/file"];

async function roundTrip(server: Server): Promise<void> {
  const raw = server.kind === "s3" ? rawS3(server, "bucket") : rawDav(server, "bucket");
  if ("createBucket" in raw) await raw.createBucket();
  else await raw.mkdir("");
  const other = await rcloneChannel(server, "bucket");
  for (const name of names) {
    const bytes = Buffer.from(`bytes of ${name}`);
    await raw.put(name, bytes);
    expect(await raw.get(name), name).toEqual(bytes);
    expect(await other.get(name), `${name} by rclone`).toEqual(bytes);
    const changed = Buffer.concat([bytes, Buffer.alloc(200_000, 0xff)]);
    await other.put(name, changed);
    expect(changed.equals((await raw.get(name)) ?? Buffer.alloc(0)), `${name} written by rclone`).toBe(true);
  }
  for (const channel of [raw, other]) {
    expect(await channel.list("")).toEqual(["deep", "e\u0301 and \u00e9", "plain.txt", "ä ö"]);
    expect(await channel.list("deep")).toEqual(["er"]);
    expect(await channel.list("absent")).toEqual([]);
    expect(await channel.get("absent")).toBeUndefined();
    expect(await channel.get("deep/absent")).toBeUndefined();
  }
  await raw.delete("plain.txt");
  expect(await other.get("plain.txt")).toBeUndefined();
}

async function leftovers(server: Server): Promise<void> {
  if (server.kind === "s3") {
    expect(await s3Leftovers(server, "bucket")).toEqual([]);
    await rawS3(server, "bucket").request("POST", "half/done", { uploads: "" });
    expect(await s3Leftovers(server, "bucket", "half/")).toHaveLength(1);
    expect(await s3Leftovers(server, "bucket", "other/")).toEqual([]);
    await rawS3(server, "bucket").destroy();
    return;
  }
  expect(await webdavLeftovers(server)).toEqual([]);
  await rawDav(server, "bucket").put("deep/.stratus-1a2b.tmp", Buffer.from("x"));
  expect(await webdavLeftovers(server)).toEqual(["bucket/deep/.stratus-1a2b.tmp"]);
  expect(await webdavLeftovers(server, "bucket/ä ö")).toEqual([]);
}

async function refusesStrangers(server: Server): Promise<void> {
  if (server.kind === "s3") {
    const stranger = rawS3({ ...server, secretAccessKey: "wrong" }, "bucket");
    expect((await stranger.request("GET", undefined)).status).toBe(403);
  } else {
    expect((await rawDav({ ...server, password: "wrong" }).request("PROPFIND", "/", { depth: "0" })).status).toBe(401);
    expect((await rawHttp(server.url, "GET", new URL(server.url).pathname)).status).toBe(401);
  }
}

async function pauses(server: Server): Promise<void> {
  const origin = server.kind === "s3" ? server.endpoint : server.url;
  const ask = async (timeoutMs: number): Promise<number> => (await rawHttp(origin, "GET", "/", { timeoutMs })).status;
  await server.pause();
  await expect(ask(300)).rejects.toThrow(/abort|timeout/i);
  await server.resume();
  expect(await ask(30_000)).toBeGreaterThanOrEqual(200);
}

/** A server must not run as root, and its secrets must not be in a process list. */
function runsPrivately(server: Server): void {
  const secret = server.kind === "s3" ? server.secretAccessKey : server.password;
  const processes = traces(server.home).processes;
  expect(processes.length).toBeGreaterThan(0);
  for (const pid of processes) {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    expect(/^Uid:\s+(\d+)\s+(\d+)/m.exec(status)?.slice(1, 3), `process ${pid}`).not.toContain("0");
    expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).not.toContain(secret);
  }
}

for (const name of serverNames) {
  const why = notProved(name);
  describe.skipIf(why !== undefined)(`${name}${why === undefined ? "" : ` (NOT PROVED: ${why})`}`, () => {
    test(`${name} starts, answers, pauses, stops and leaves nothing`, { timeout: 120_000 }, async () => {
      const server: Server = await startServer(name);
      try {
        expect(server.name).toBe(name);
        expect(JSON.parse(JSON.stringify(server))).toEqual(connectionOf(server));
        await roundTrip(server);
        await leftovers(server);
        await refusesStrangers(server);
        await pauses(server);
        if (process.getuid?.() === 0) runsPrivately(server);
      } finally {
        await server.stop();
      }
      expect(traces(server.home)).toEqual({ processes: [], ports: [], directories: [] });
      await server.stop(); // Twice is no error.
    });

    if (name in litmus) {
      test.skipIf(missingFor("litmus") !== undefined)(`litmus finds ${name} as sane as ever`, { timeout: 120_000 }, async () => {
        await using server = await startServer(name as WebDavName);
        const expected = litmus[name as WebDavName];
        expect(runLitmus(Object.keys(expected), server.url, server.username, server.password)).toEqual(expected);
        if (server.digestUrl !== undefined) {
          expect(runLitmus(Object.keys(expected), server.digestUrl, server.username, server.password)).toEqual(expected);
          const raw = rawDav(server, "x", { url: server.digestUrl, digest: true });
          await raw.put("y/z", Buffer.from("by digest"));
          expect(await raw.list("y")).toEqual(["z"]);
          expect(readFileSync(join(server.digestDirectory as string, "x/y/z"), "utf8")).toBe("by digest");
          const config = `url = "${server.digestUrl}x/y/z"\nuser = "${server.username}:${server.password}"\ndigest\nsilent\n`;
          expect(spawnSync("curl", ["--config", "-"], { input: config, encoding: "utf8" }).stdout).toBe("by digest");
        }
        await rawDav(server).put("seen on disk", Buffer.from("x"));
        expect(readdirSync(server.directory)).toContain("seen on disk");
      });
    }
  });
}

describe.skipIf(notProved("ceph") !== undefined)("ceph drills", () => {
  test("a quota refuses with QuotaExceeded, and can be lifted; a crash of the gateway loses nothing", { timeout: 180_000 }, async () => {
    await using ceph = await startServer("ceph");
    const small = rawS3(await cephUser(ceph, "small", 100_000), "small");
    await small.createBucket();
    const answer = await small.request("PUT", "big", {}, {}, Buffer.alloc(200_000));
    expect([answer.status, answer.body.toString()]).toEqual([403, expect.stringContaining("QuotaExceeded")]);

    const raw = rawS3(ceph, "bucket");
    await raw.createBucket();
    await ceph.quota(100_000);
    expect((await raw.request("PUT", "big", {}, {}, Buffer.alloc(200_000))).status).toBe(403);
    await ceph.quota(undefined);
    expect((await raw.request("PUT", "big", {}, {}, Buffer.alloc(200_000))).status).toBe(200);

    await ceph.crash();
    expect((await raw.get("big"))?.byteLength).toBe(200_000);
    await ceph.pause(); // The new gateway, not the dead one.
    await expect(rawHttp(ceph.endpoint, "GET", "/", { timeoutMs: 300 })).rejects.toThrow(/abort|timeout/i);
    await ceph.resume();
    const { home } = ceph;
    await ceph.stop();
    expect(traces(home)).toEqual({ processes: [], ports: [], directories: [] });
    expect(existsSync(home)).toBe(false);
  });
});

describe.skipIf(notProved("ceph") !== undefined || missingFor("s3cmd") !== undefined)("the raw S3 channel", () => {
  const odd = [
    "a//b",
    "/leading",
    "trailing/",
    "./dot",
    "x/../y",
    "tab\there",
    "100%25",
    "a+b c",
    "'\"<>&",
    "[]{}^\\|`",
    "\u{1f600}",
    "\u{fffd}",
    "z".repeat(1024),
  ];

  test("agrees with s3cmd on odd keys, in both directions", { timeout: 120_000 }, async () => {
    const ceph = await useServer("ceph");
    const raw = rawS3(ceph, "odd-keys");
    await raw.createBucket();
    const config = join(scratch, "s3cfg");
    const host = new URL(ceph.endpoint).host;
    writeFileSync(
      config,
      `[default]\naccess_key = ${ceph.accessKeyId}\nsecret_key = ${ceph.secretAccessKey}\nhost_base = ${host}\nhost_bucket = ${host}\nuse_https = False\n`,
      {
        mode: 0o600,
      },
    );
    const s3cmd = (args: readonly string[], input?: string) => {
      const done = spawnSync("s3cmd", ["--config", config, "--quiet", ...args], { input, encoding: "utf8", timeout: 30_000 });
      if (done.status !== 0) throw new Error(`s3cmd ${args.join(" ")}: ${done.stderr}`);
      return done.stdout;
    };
    for (const key of odd) await raw.put(key, Buffer.from(`bytes of ${key}`));
    expect(await raw.keys()).toEqual([...odd].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    for (const key of odd) {
      expect(String(await raw.get(key))).toBe(`bytes of ${key}`);
      if (!key.endsWith("/")) expect(s3cmd(["get", `s3://odd-keys/${key}`, "-"]), key).toBe(`bytes of ${key}`);
    }
    s3cmd(["put", "-", "s3://odd-keys/back//and forth%2F+"], "written by s3cmd");
    expect(String(await raw.get("back//and forth%2F+"))).toBe("written by s3cmd");
    await raw.destroy();
    expect((await raw.request("GET", undefined)).status).toBe(404);
  });

  test.each(s3Names.filter((name) => notProved(name) === undefined))("pages through lists and open uploads of %s", { timeout: 120_000 }, async (name) => {
    const raw = rawS3(await useServer(name), "many-keys", "", 5);
    await raw.createBucket();
    const keys = Array.from({ length: 12 }, (_, n) => `d/${String(n).padStart(2, "0")} +%`);
    await Promise.all(keys.map(async (key) => raw.put(key, Buffer.from(key))));
    await Promise.all(keys.map(async (key) => raw.request("POST", key, { uploads: "" })));
    expect(await raw.keys()).toEqual(keys);
    expect(await raw.list("d")).toHaveLength(12);
    expect((await raw.openUploads()).map((upload) => upload.replace(/ \(.*/, ""))).toEqual(keys);
    await raw.destroy();
  });
});

describe("a full disk", () => {
  /** What each answers to a PUT that doesn't fit, and how many of its bytes it then gives back: SabreDAV says Created and has a part. */
  const answers: Readonly<Record<WebDavName, readonly [status: number, kept: number | undefined]>> = {
    apache: [507, undefined],
    lighttpd: [500, undefined],
    sabredav: [201, 999_424],
    nginx: [500, undefined],
    rclone: [405, undefined],
  };
  for (const name of webdavNames) {
    const why = notProved(name);
    test.skipIf(why !== undefined || process.getuid?.() !== 0)(`of ${name}`, { timeout: 60_000 }, async () => {
      const server = await startWebDav(name, { diskBytes: 1_000_000 });
      try {
        const raw = rawDav(server);
        await raw.put("fits", Buffer.alloc(500, 1));
        const { status } = await raw.request("PUT", "beyond", {}, Buffer.alloc(3_000_000, 2));
        expect([status, (await raw.get("beyond"))?.byteLength]).toEqual(answers[name]);
        expect((await raw.get("fits"))?.byteLength).toBe(500);
      } finally {
        await server.stop();
      }
      expect(traces(server.home)).toEqual({ processes: [], ports: [], directories: [] });
      expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(server.home);
    });
  }
});

describe.skipIf(notProved("swift-google") !== undefined)("swift-google", () => {
  test("takes region auto and no other, as Google Storage does", { timeout: 60_000 }, async () => {
    await using swift = await startServer("swift-google");
    expect(swift.region).toBe("auto");
    expect((await rawS3({ ...swift, region: "us-east-1" }, "bucket").request("PUT", undefined)).status).toBe(400);
    expect((await rawS3(swift, "bucket").request("PUT", undefined)).status).toBe(200);
  });
});
