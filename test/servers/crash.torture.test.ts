/** Nothing of a server outlives its runner, however the runner ends; two runners don't disturb each other. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Connection, ServerName } from "./connection.ts";
import { missing, serverNames } from "./index.ts";
import { rawDav } from "./raw-dav.ts";
import { rawS3 } from "./raw-s3.ts";
import { notProved } from "./shared.ts";
import { traces } from "./traces.ts";

const program = fileURLToPath(new URL("run.ts", import.meta.url));
const installed = serverNames.filter((name) => notProved(name) === undefined);
const gone = { processes: [], ports: [], directories: [] };

let base: string;
let runners: ChildProcess[];
beforeEach(() => {
  base = join(tmpdir(), `stratus-crash-${process.pid}-${Math.random().toString(36).slice(2)}`);
  runners = [];
});
afterEach(async () => {
  for (const runner of runners) runner.kill("SIGKILL");
  if (!existsSync(base)) return;
  await until(() => readdirSync(base).length === 0);
  rmdirSync(base); // Fails unless it is empty: everything below was removed by the keepers.
}, 30_000);

interface Runner {
  readonly process: ChildProcess;
  readonly connections: Promise<readonly Connection[]>;
  said(): string;
}
function run(names: readonly ServerName[], options: { readonly uid?: number; readonly gid?: number; readonly env?: Record<string, string> } = {}): Runner {
  const { env, ...as } = options;
  const child = spawn(process.execPath, [program, ...names], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", STRATUS_SERVERS_DIR: base, ...env },
    ...as,
  });
  runners.push(child);
  let said = "";
  child.stderr.on("data", (text: Buffer) => (said += text.toString("utf8")));
  const connections = new Promise<readonly Connection[]>((resolve, reject) => {
    const found: Connection[] = [];
    createInterface({ input: child.stdout }).on("line", (line) => {
      found.push(JSON.parse(line) as Connection);
      if (found.length === names.length) resolve(found);
    });
    child.once("exit", (code, signal) => reject(new Error(`run.ts ended with ${code ?? signal}: ${said}`)));
  });
  connections.catch(() => {}); // Not every test waits for them.
  return { process: child, connections, said: () => said };
}

async function until(condition: () => boolean, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${condition.toString()}`);
    await delay(20);
  }
}
const homes = (): string[] => (existsSync(base) ? readdirSync(base).map((name) => join(base, name)) : []);
async function nothingLeft(of: readonly string[]): Promise<void> {
  await until(() => of.every((home) => traces(home).directories.length === 0));
  await until(() => of.every((home) => traces(home).ports.length === 0), 2000);
  expect(of.map(traces)).toEqual(of.map(() => gone));
  await until(() => traces(base).processes.length === 0); // The keeper too.
}

async function put(to: Connection, text: string): Promise<void> {
  if (to.kind === "s3") await rawS3(to, "bucket").createBucket();
  await (to.kind === "s3" ? rawS3(to, "bucket") : rawDav(to)).put("x", Buffer.from(text));
}
async function get(from: Connection): Promise<string> {
  return String(await (from.kind === "s3" ? rawS3(from, "bucket") : rawDav(from)).get("x"));
}

describe.skipIf(installed.length === 0)("nothing stays", () => {
  test("after kill -9 of the runner, of any server", { timeout: 120_000 }, async () => {
    const runner = run(installed);
    const connections = await runner.connections;
    await Promise.all(connections.map(async (each) => put(each, each.name)));
    const own = connections.map((each) => each.home);
    for (const home of own) expect(traces(home).processes.length).toBeGreaterThan(0);
    for (const home of own) expect(traces(home).ports.length).toBeGreaterThan(0);
    runner.process.kill("SIGKILL");
    await nothingLeft(own);
  });

  for (const signal of ["SIGTERM", "SIGINT", "end of stdin"] as const) {
    test(`after ${signal}`, { timeout: 60_000 }, async () => {
      const runner = run(installed.filter((name) => name === "apache" || name === "sabredav"));
      const own = (await runner.connections).map((each) => each.home);
      const exit = once(runner.process, "exit");
      if (signal === "end of stdin") runner.process.stdin?.end();
      else runner.process.kill(signal);
      expect(await exit).toEqual([0, null]);
      await nothingLeft(own);
    });
  }

  test.skipIf(!installed.includes("ceph"))("after kill -9 in the middle of starting, at five moments", { timeout: 120_000 }, async () => {
    for (let n = 0; n < 10; n += 2) {
      const runner = run(["ceph"]);
      await until(() => homes().length > 0);
      await delay(n * 200);
      runner.process.kill("SIGKILL");
      await until(() => homes().length === 0);
      await until(() => traces(base).processes.length === 0);
    }
  });

  test.skipIf(!installed.includes("apache"))("when the keeper is killed too, once somebody starts a server again", { timeout: 60_000 }, async () => {
    const first = run(["apache"]);
    const [orphan] = (await first.connections) as readonly [Connection];
    const keeper = Number(readFileSync(join(orphan.home, "owner"), "utf8").split(" ")[0]);
    process.kill(keeper, "SIGKILL");
    first.process.kill("SIGKILL");
    await until(() => !existsSync(`/proc/${keeper}/cwd`));
    expect(await get(orphan).catch(String)).toBe("undefined"); // It answers: 404, so it does outlive a dead keeper ...
    const second = run(["apache"]);
    const [next] = (await second.connections) as readonly [Connection];
    expect(traces(orphan.home)).toEqual(gone); // ... until the next one sweeps.
    second.process.kill("SIGKILL");
    await nothingLeft([next.home]);
  });

  test.skipIf(!installed.includes("apache"))("stop() works when the keeper has been killed", { timeout: 60_000 }, async () => {
    const script = `
      import { readFileSync } from "node:fs";
      const { startServer } = await import(${JSON.stringify(new URL("index.ts", import.meta.url).href)});
      const server = await startServer("apache");
      process.kill(Number(readFileSync(server.home + "/owner", "utf8").split(" ")[0]), "SIGKILL");
      await server.stop();
      console.log(server.home);`;
    const done = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
      env: { PATH: process.env["PATH"] ?? "", STRATUS_SERVERS_DIR: base },
    });
    expect(done.stderr).toBe("");
    expect(traces(done.stdout.trim())).toEqual(gone);
  });

  test.skipIf(!installed.includes("apache"))(
    "a process that forgets to stop its server ends by itself, and the server with it",
    { timeout: 60_000 },
    async () => {
      const script = `
      const { startServer } = await import(${JSON.stringify(new URL("index.ts", import.meta.url).href)});
      console.log((await startServer("apache")).home);`;
      const done = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
        encoding: "utf8",
        timeout: 30_000,
        env: { PATH: process.env["PATH"] ?? "", STRATUS_SERVERS_DIR: base },
      });
      expect([done.status, done.stderr]).toEqual([0, ""]);
      await nothingLeft([done.stdout.trim()]);
    },
  );
});

describe.skipIf(process.getuid?.() !== 0 || !installed.includes("apache"))("a small disk", () => {
  test("is unmounted after kill -9 of the runner", { timeout: 60_000 }, async () => {
    const script = `
      const { startWebDav } = await import(${JSON.stringify(new URL("index.ts", import.meta.url).href)});
      console.log((await startWebDav("apache", { diskBytes: 1_000_000 })).home);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH: process.env["PATH"] ?? "", STRATUS_SERVERS_DIR: base },
    });
    runners.push(child);
    const [home] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const mounts = (): string => readFileSync("/proc/self/mounts", "utf8");
    expect(mounts()).toContain(home);
    child.kill("SIGKILL");
    await nothingLeft([home]);
    expect(mounts()).not.toContain(home);
  });
});

describe.skipIf(installed.length === 0)("two at once", () => {
  test("have servers, ports and data of their own; killing one leaves the other alone", { timeout: 120_000 }, async () => {
    const names = installed.filter((name) => name !== "swift-google"); // The same program as swift: two of them are plenty.
    const [left, right] = [run(names), run(names)];
    const [a, b] = await Promise.all([left.connections, right.connections]);
    expect(new Set([...a, ...b].map((each) => each.home)).size).toBe(2 * names.length);
    await Promise.all([...a.map(async (each) => put(each, "left")), ...b.map(async (each) => put(each, "right"))]);
    expect(await Promise.all(a.map(get))).toEqual(a.map(() => "left"));
    expect(await Promise.all(b.map(get))).toEqual(b.map(() => "right"));
    left.process.kill("SIGKILL");
    await until(() => a.every((each) => !existsSync(each.home)));
    expect(a.map((each) => traces(each.home))).toEqual(a.map(() => gone));
    expect(await Promise.all(b.map(get))).toEqual(b.map(() => "right"));
    right.process.kill("SIGKILL");
    await nothingLeft(b.map((each) => each.home));
  });
});

describe.skipIf(process.getuid?.() !== 0 || installed.length === 0)("as an ordinary user", () => {
  test("all of them start and answer", { timeout: 120_000 }, async () => {
    const runner = run(installed, { uid: 1, gid: 1 });
    const connections = await runner.connections;
    await Promise.all(connections.map(async (each) => put(each, each.name)));
    expect(await Promise.all(connections.map(get))).toEqual(connections.map((each) => each.name));
    for (const each of connections) {
      for (const pid of traces(each.home).processes) expect(readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(/^Uid:\s+1\s+1\s/m);
    }
    runner.process.kill("SIGKILL");
    await nothingLeft(connections.map((each) => each.home));
  });
});

describe("what goes wrong is said", () => {
  const nowhere = { STRATUS_SERVERS_PATH: "/nonexistent" };

  test("a server whose program is absent, with its package", async () => {
    expect(missing("apache") === undefined).toBe(installed.includes("apache"));
    const runner = run(["ceph", "apache"], { env: nowhere });
    expect(await once(runner.process, "exit")).toEqual([1, null]);
    expect(runner.said()).toMatch(/^ceph: no program radosgw, .*Debian: radosgw ceph-mon ceph-osd ceph-common; npm run servers:install/m);
    expect(runner.said()).toMatch(/^apache: no program apache2/m);
    expect(homes()).toEqual([]);
  });

  test("a name that is no server", async () => {
    const runner = run(["minio" as ServerName]);
    expect((await once(runner.process, "exit"))[0]).toBe(1);
    expect(runner.said()).toContain(`no server "minio"; there are ceph, swift`);
  });

  test.skipIf(!installed.includes("apache"))("a base directory that others can write to is refused", async () => {
    spawnSync("mkdir", ["-m", "777", base]);
    const runner = run(["apache"]);
    expect((await once(runner.process, "exit"))[0]).toBe(1);
    expect(runner.said()).toContain(`${base} is not a directory of this user alone`);
  });

  test("the end of a server's log, when it doesn't start", async () => {
    const { inHome } = await import("./home.ts");
    const homes: string[] = [];
    const failing = inHome("demo", async (home) => {
      homes.push(home.directory);
      const started = await home.start("sh", ["-c", "echo this is why >&2; exit 3"]);
      await home.ready("it listens", async () => false, started);
    });
    await expect(failing).rejects.toThrow(/demo: sh ended with 3 before it listens: this is why/);
    expect(homes.map(traces)).toEqual([gone]);
  });

  test("somebody took the port meanwhile: tried again elsewhere, three times in all", async () => {
    const { inHome } = await import("./home.ts");
    const homes: string[] = [];
    const failing = inHome("demo", async (home) => {
      homes.push(home.directory);
      await home.run("sh", ["-c", "echo bind: Address already in use; exit 1"]);
    });
    await expect(failing).rejects.toThrow(/Address already in use/);
    expect(new Set(homes).size).toBeGreaterThanOrEqual(2);
    expect(homes).toHaveLength(3);
    expect(homes.map(traces)).toEqual([gone, gone, gone]);
  });
});
