/** Runs of commands: bounded in time and output, ended with all their children, without a secret in sight. */
import { execFile } from "node:child_process";
import { chmod, mkdir, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { manualClock, readBytes } from "../../../src/index.ts";
import { run } from "../../../src/providers/plowshare/process.ts";
import type { Called } from "../../servers/plowshare/hosts.ts";
import { failureOf, lab } from "./lab.ts";
import type { Lab } from "./lab.ts";

/** Its name at the host, which is in the arguments of the command, once this call has got so far. */
async function uploadOf(l: Lab): Promise<string> {
  await expect.poll(() => l.hosts.calls("plowup").length, { timeout: 60_000, interval: 50 }).toBe(1);
  return String(l.hosts.calls("plowup")[0]?.args.at(-1));
}
const linesOf = async ({ processes }: Lab): Promise<string[]> => (await processes.running()).map(({ line }) => line);

/** What hangs would do so for a day: whatever is gone after some turns was ended. A process that has been killed may take a moment to go. */
async function nothingRuns(l: Lab): Promise<void> {
  await expect.poll(() => linesOf(l), { timeout: 60_000, interval: 20 }).toEqual([]);
}

test("PS5: -t and -r are always given, and a command that waits beyond its limit is killed with its children", async () => {
  await using l = await lab();
  const clock = manualClock(1e12);
  const store = l.open({ clock, retries: 3, waitMs: 1500, graceMs: 1000, minBytesPerSecond: 100 });
  l.hosts.fail("alpha", "up", "hang");
  const done = failureOf(store.write("/a", "x".repeat(200)));
  const name = await uploadOf(l);
  expect((l.hosts.calls("plowup")[0] as Called).args.join(" ")).toContain("-t 2 -r 0");
  // The command, and the child that it waits for.
  await expect.poll(() => linesOf(l), { timeout: 60_000, interval: 20 }).toEqual([expect.stringContaining(name), expect.stringMatching(/^sleep /)]);
  // waitMs + graceMs + 200 bytes at 100 a second.
  await clock.advance(4499);
  expect(await linesOf(l)).toHaveLength(2);
  await clock.advance(1);
  expect(await done).toMatchObject({ code: "timeout", transient: true, applied: false });
  await nothingRuns(l);
});

test("PS5: a download gets -t and -r too", async () => {
  await using l = await lab();
  const store = l.open({ retries: 3, waitMs: 1500 });
  await store.write("/a", "x");
  await readBytes(store, "/a");
  expect((l.hosts.calls("plowdown")[0] as Called).args.join(" ")).toContain("-t 2 -r 3");
});

test("a command that does not listen to SIGTERM is killed by force", async () => {
  await using l = await lab();
  const store = l.open({ graceMs: 1000, waitMs: 1000 });
  l.hosts.fail("alpha", "up", "stubborn");
  const stop = new AbortController();
  const done = failureOf(store.write("/a", "x", { signal: stop.signal }));
  const name = await uploadOf(l);
  expect(await linesOf(l)).toContainEqual(expect.stringContaining(name));
  stop.abort();
  expect((await done).code).toBe("aborted");
  await nothingRuns(l);
});

test("a child that outlives its command and holds its pipes holds nobody up, and ends", async () => {
  await using l = await lab();
  const store = l.open();
  l.hosts.fail("alpha", "up", "orphaned");
  expect((await failureOf(store.write("/a", "x"))).code).toBe("unknown");
  await nothingRuns(l);
});

test("output without an end is cut off", async () => {
  await using l = await lab();
  const store = l.open();
  l.hosts.fail("alpha", "up", "flood");
  expect((await failureOf(store.write("/a", "x"))).code).toBe("unknown");
  await nothingRuns(l);
});

test("a store that is closed with a deadline, and tools that are closed, end what hangs", async () => {
  await using l = await lab();
  const store = l.open();
  l.hosts.failAlways("alpha", "up", "hang");
  const writing = failureOf(store.write("/a", "x"));
  await uploadOf(l);
  await store.close({ signal: AbortSignal.abort() });
  expect((await writing).code).toBe("closed");
  await nothingRuns(l);

  l.hosts.forgetCalls();
  const tools = l.tools();
  await writeFile(join(l.scratch, "b"), "x");
  const uploading = failureOf(tools.upload("alpha", join(l.scratch, "b")));
  await uploadOf(l);
  await tools[Symbol.asyncDispose]();
  expect((await uploading).code).toBe("closed");
  expect((await failureOf(tools.modules())).code).toBe("closed");
  await nothingRuns(l);
});

test("the lab of these tests ends what hangs, on a clock that stands still, also what does not listen", async () => {
  const l = await lab({ alpha: {}, beta: {} });
  const store = l.open({ clock: manualClock(1e12), maxProcesses: 2, minCopies: 2, copies: 2 });
  l.hosts.failAlways("alpha", "up", "hang");
  l.hosts.failAlways("beta", "up", "stubborn");
  const writing = failureOf(store.write("/a", "x"));
  await expect.poll(() => l.hosts.calls("plowup").length, { timeout: 60_000, interval: 50 }).toBe(2);
  await l[Symbol.asyncDispose]();
  expect((await writing).code).toBe("closed");
  expect(await linesOf(l)).toEqual([]);
  expect(await stat(l.scratch).catch(() => "gone")).toBe("gone");
});

test("a download that grows past its file is stopped", async () => {
  await using l = await lab();
  const script = join(l.scratch, "endless");
  await writeFile(script, "#!/bin/sh\necho started\nsleep 1000\n");
  await chmod(script, 0o755);
  const clock = manualClock();
  let looks = 0;
  const running = run({
    file: script,
    args: [],
    cwd: l.scratch,
    environment: { PATH: "/usr/bin:/bin", ...l.processes.environment },
    limitMs: 1e9,
    maxOutputBytes: 100,
    signal: undefined,
    clock,
    tooMuch: async () => (looks += 1) === 3,
  });
  await clock.advance(3000);
  expect((await running).stopped).toBe("too-much");
  await nothingRuns(l);
});

test("PS30: without plowshare every command is a clear `config`, and what needs none still works", async () => {
  await using l = await lab();
  const store = l.open({ commandDirectory: join(l.scratch, "nowhere") });
  await store.mkdir("/folder");
  await store.write("/folder/empty", "");
  expect(await failureOf(store.write("/a", "x"))).toMatchObject({
    code: "config",
    applied: false,
    reason: expect.stringContaining("plowshare is not installed"),
  });
  expect(await readBytes(store, "/folder/empty")).toHaveLength(0);
  const notRunnable = join(l.scratch, "bin");
  await mkdir(notRunnable);
  await writeFile(join(notRunnable, "plowup"), "no program", { mode: 0o600 });
  const other = l.open({ commandDirectory: notRunnable });
  expect((await failureOf(other.write("/a", "x"))).code).toBe("config");
});

test("PS7: no password in the list of processes; it is in a file that only the user reads, and the file goes", async () => {
  await using l = await lab({ alpha: { login: "ann:s3cret word" } });
  // So slow that the command is there to be looked at, after it has used the password.
  const store = l.open({ credentials: { alpha: "ann:s3cret word" }, maxBytesPerSecond: 1000 });
  const stop = new AbortController();
  const done = failureOf(store.write("/a", "x".repeat(1_000_000), { signal: stop.signal }));
  await expect.poll(() => l.hosts.logins("alpha"), { timeout: 60_000, interval: 50 }).toBe(1);
  await expect.poll(() => linesOf(l), { timeout: 60_000, interval: 20 }).toEqual([expect.stringContaining("plowup"), expect.stringMatching(/^sleep /)]);
  for (const { line, environment } of await l.processes.running()) expect([line, ...environment].join(" ")).not.toContain("s3cret");
  const { args, surroundings } = l.hosts.calls("plowup")[0] as Called;
  expect([...args, ...Object.values(surroundings)].join(" ")).not.toContain("s3cret");
  const file = String(args.find((one) => one.startsWith("--plowsharerc="))).slice("--plowsharerc=".length);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(file, "utf8")).toContain('alpha/a = "ann:s3cret word"');
  stop.abort();
  expect((await done).code).toBe("aborted");
  // The host knows us by it.
  await store.write("/a", "x");
  await store.close();
  expect(await stat(file).catch(() => "gone")).toBe("gone");
  for (const name of await readdir(l.directory)) expect((await readFile(join(l.directory, name))).includes("s3cret")).toBe(false);
  const wrong = l.open({ credentials: { alpha: "ann:wrong" } });
  expect((await failureOf(wrong.write("/b", "x"))).code).toBe("unauthenticated");
});

test("PS7, PS28: a password that a command tells on its error output is not told on", async () => {
  await using l = await lab({ alpha: { login: "ann:s3cret" } });
  const store = l.open({ credentials: { alpha: "ann:s3cret" } });
  l.hosts.fail("alpha", "up", "leak 4");
  const error = await failureOf(store.write("/a", "x"));
  expect(error.code).toBe("unauthenticated");
  const told = [error.message, (error.cause as Error).message, JSON.stringify(error), error.stack].join("\n");
  expect(told).not.toContain("s3cret");
  expect(told).not.toContain("/d/secret");
  expect(told).toContain("***");
});

test("PS19: neither the user's plowshare.conf nor a .curlrc nor the environment reaches a command", async () => {
  await using l = await lab();
  const home = join(l.scratch, "home");
  await mkdir(join(home, ".config", "plowshare"), { recursive: true });
  await writeFile(join(home, ".config", "plowshare", "plowshare.conf"), "[General]\ncaptchamethod = prompt\nprintf = broken\ntimeout = 1\n");
  await writeFile(join(home, ".curlrc"), "proxy = 127.0.0.1:1\n");
  const before = { ...process.env };
  Object.assign(process.env, { HOME: home, XDG_CONFIG_HOME: join(home, ".config"), AWS_SECRET_ACCESS_KEY: "s3cret" });
  try {
    const store = l.open();
    await store.write("/a", "x");
    expect(await readBytes(store, "/a")).toEqual(new Uint8Array(Buffer.from("x")));
  } finally {
    for (const key of ["HOME", "XDG_CONFIG_HOME", "AWS_SECRET_ACCESS_KEY"]) {
      if (before[key] === undefined) delete process.env[key];
      else process.env[key] = before[key];
    }
  }
  for (const { surroundings, args } of l.hosts.calls()) {
    expect(Object.values(surroundings).join(" ")).not.toContain(home);
    expect(surroundings["SECRETS"] ?? "").toBe("");
    expect(args).toContain("--no-curlrc");
    expect(args).toContain("--no-plowsharerc");
  }
});

test("PS20: curl is called without --insecure, and as plowshare calls it where that is asked for; a configuration of one's own gets through", async () => {
  await using l = await lab();
  const curlConfig = join(l.scratch, "curl.conf");
  await writeFile(curlConfig, "cacert = /etc/ssl/certs/ca-certificates.crt\n");
  const bin = join(l.scratch, "it's a bin");
  await mkdir(bin);
  await writeFile(join(bin, "curl"), "#!/bin/sh\nprintf '%s\\n' \"$@\"\n", { mode: 0o700 });
  const environment = { ...l.processes.environment, PATH: `relative:${bin}:${process.env["PATH"]}` };
  const store = l.open({ curlConfig, environment });
  await store.write("/a", "x");
  const { args, surroundings } = l.hosts.calls("plowup")[0] as Called;
  expect(args).toContain(`--curlrc=${curlConfig}`);
  expect(await readFile(join(l.hosts.root, "curlrc-seen"), "utf8")).toContain("cacert");
  const given = ["-q", "--insecure", "-k", "--data", "a b\tc'\"*", "", "-kk", "http://a.invalid/"];
  const { stdout } = await promisify(execFile)(surroundings["PLOWSHARE_CURL"] as string, given);
  expect(stdout.split("\n")).toEqual([...given.filter((one) => one !== "--insecure" && one !== "-k"), ""]);
  l.hosts.forgetCalls();
  await l.open({ checkCertificates: false, environment }).write("/b", "x");
  expect(l.hosts.calls("plowup")[0]?.surroundings["PLOWSHARE_CURL"] ?? "").toBe("");
});

test("PS8: shared sessions log in once for two files, others for each", async () => {
  await using l = await lab({ alpha: { login: "ann:pw" }, beta: { login: "ann:pw" } });
  const credentials = { alpha: "ann:pw", beta: "ann:pw" };
  const store = l.open({ credentials, hosts: ["alpha"] });
  await store.write("/a", "x");
  await store.write("/b", "x");
  expect(l.hosts.logins("alpha")).toBe(1);
  const other = l.open({ credentials, hosts: ["beta"], sessions: "session" });
  await other.write("/c", "x");
  await other.write("/d", "x");
  expect(l.hosts.logins("beta")).toBe(2);
});

test("PS6: --max-rate is passed on, and a transfer takes no less than it allows", async () => {
  await using l = await lab();
  const store = l.open({ maxBytesPerSecond: 100_000 });
  const began = performance.now();
  await store.write("/a", Buffer.alloc(150_000, 1));
  // Never faster than the limit by more than 20 %; how much slower is the machine's business.
  expect(performance.now() - began).toBeGreaterThan(1500 * 0.8);
  expect(l.hosts.calls("plowup")[0]?.args).toContain("--max-rate=100000");
});

test("PS28: a quiet run says nothing to people", async () => {
  await using l = await lab();
  const store = l.open();
  await store.write("/a", "x");
  for (const { args } of l.hosts.calls()) expect(args.slice(0, 2)).toEqual(["-q", "--no-color"]);
});
