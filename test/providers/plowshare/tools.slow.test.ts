/** The commands for links that no store knows. */
import { chmod, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Commands } from "../../../src/providers/plowshare/commands.ts";
import { settingsOf } from "../../../src/providers/plowshare/options.ts";
import { run } from "../../../src/providers/plowshare/process.ts";
import { Surroundings } from "../../../src/providers/plowshare/surroundings.ts";
import { commands } from "../../servers/plowshare/hosts.ts";
import { failureOf, lab } from "./lab.ts";
import type { Lab } from "./lab.ts";

async function fileIn({ scratch }: Lab, name: string, text = "the bytes"): Promise<string> {
  await writeFile(join(scratch, name), text);
  return join(scratch, name);
}

test("PS1, PS9, PS12, PS13, PW9: up, down, probe and delete", async () => {
  await using l = await lab();
  const tools = l.tools();
  const { url, remove, admin } = await tools.upload("alpha", await fileIn(l, "a: b;c.txt"), { name: "report.txt" });
  expect([url, remove, admin]).toEqual([
    expect.stringMatching(/^http:.*\/report\.txt$/),
    expect.stringMatching(/^http:.*\/d\//),
    expect.stringMatching(/^adm-/),
  ]);
  expect(await tools.probe(url)).toEqual({ name: "report.txt", size: 9, hash: expect.stringMatching(/^[0-9a-f]{32}$/), status: 0 });
  const { path, bytes } = await tools.download(url, l.scratch);
  expect([path, bytes, await readFile(path, "utf8")]).toEqual([join(l.scratch, "report.txt"), 9, "the bytes"]);
  expect(await tools.remove(remove ?? "")).toBe("removed");
  expect(await tools.remove(remove ?? "")).toBe("dead");
  expect((await failureOf(tools.probe(url))).code).toBe("corrupt");
  expect((await failureOf(tools.download(url, l.scratch))).code).toBe("corrupt");
  l.hosts.fail("alpha", "probe", "exit 3");
  expect((await failureOf(tools.probe(url))).code).toBe("unavailable");
});

test("PS3: empty and missing files and directories are refused before a command is started", async () => {
  await using l = await lab();
  const tools = l.tools();
  expect((await failureOf(tools.upload("alpha", await fileIn(l, "empty", "")))).code).toBe("unsupported");
  expect((await failureOf(tools.upload("alpha", join(l.scratch, "missing")))).code).toBe("config");
  expect((await failureOf(tools.upload("alpha", l.scratch))).code).toBe("unsupported");
  expect((await failureOf(tools.upload("alpha", await fileIn(l, "a"), { name: "x:y" }))).code).toBe("config");
  expect(l.hosts.calls()).toEqual([]);
});

test("a name that leads out of the place of the call is refused before anything is made or overwritten", async () => {
  await using l = await lab();
  const tools = l.tools();
  const file = await fileIn(l, "a.txt", "new bytes");
  const [fresh, there] = [join(l.scratch, "fresh.txt"), await fileIn(l, "there.txt", "old bytes")];
  // From the place of a call, which lies deep in the temporary directory, to a file of the test.
  const outside = (path: string): string => `${"../".repeat(32)}${path.slice(1)}`;
  for (const path of [fresh, there]) expect((await failureOf(tools.upload("alpha", file, { name: outside(path) }))).code).toBe("config");
  expect((await readdir(l.scratch)).sort()).toEqual(["a.txt", "there.txt"]);
  expect(await readFile(there, "utf8")).toBe("old bytes");
  expect(l.hosts.calls()).toEqual([]);
});

test("an upload that leaves open whether the host has the file says so", async () => {
  await using l = await lab();
  const file = await fileIn(l, "a.txt");
  const applied = async (fault: string, retries = 0): Promise<unknown> => {
    l.hosts.fail("alpha", "up", fault, retries + 1);
    return (await failureOf(l.tools({ retries }).upload("alpha", file))).applied;
  };
  expect([await applied("silent 0"), await applied("silent 1"), await applied("silent 3"), await applied("late 3"), await applied("twice")]).toEqual(
    Array.from({ length: 5 }, () => "unknown"),
  );
  expect([await applied("exit 12"), await applied("exit 2")]).toEqual([false, false]);
  // Tried again by plowup: the first may have landed.
  l.hosts.fail("alpha", "up", "silent 3");
  l.hosts.fail("alpha", "up", "exit 12");
  expect((await failureOf(l.tools({ retries: 1 }).upload("alpha", file))).applied).toBe("unknown");
  const tools = l.tools();
  l.hosts.forgetCalls();
  l.hosts.fail("alpha", "up", "hang");
  const cut = failureOf(tools.upload("alpha", file));
  await expect.poll(() => l.hosts.calls("plowup").length, { timeout: 60_000, interval: 50 }).toBe(1);
  await tools[Symbol.asyncDispose]();
  expect(await cut).toMatchObject({ code: "closed", applied: "unknown" });
});

test("PS9: a file of the name at the target is refused, replaced, or kept beside; PS10: it is never taken for a part", async () => {
  await using l = await lab({ alpha: { resume: true } });
  const tools = l.tools();
  const { url } = await tools.upload("alpha", await fileIn(l, "a.txt", "new bytes"), { name: "a.txt" });
  const inbox = join(l.scratch, "inbox");
  await mkdir(inbox);
  await writeFile(join(inbox, "a.txt"), "old bytes");
  expect((await failureOf(tools.download(url, inbox))).code).toBe("already-exists");
  expect((await tools.download(url, inbox, { existing: "keep-both" })).path).toBe(join(inbox, "a.txt.1"));
  expect(await readFile(join(inbox, "a.txt"), "utf8")).toBe("old bytes");
  await tools.download(url, inbox, { existing: "replace" });
  expect(await readFile(join(inbox, "a.txt"), "utf8")).toBe("new bytes");
  // PW8: the wanted name, spaces and all.
  expect((await tools.download(url, inbox, { name: "what I want.txt" })).path).toBe(join(inbox, "what I want.txt"));
  expect((await failureOf(tools.download(url, inbox, { name: "../a" }))).code).toBe("invalid-path");
  expect((await readdir(inbox)).sort()).toEqual(["a.txt", "a.txt.1", "what I want.txt"]);
});

test("PS11: the final address without a transfer", async () => {
  await using l = await lab();
  const tools = l.tools();
  const { url } = await tools.upload("alpha", await fileIn(l, "a"), { name: "a.bin" });
  expect(await tools.finalUrl(url)).toBe("http://alpha.cdn.invalid/a.bin");
  expect(l.hosts.calls("plowdown")[0]?.args).toContain("--skip-final");
});

test("PS14: folders with names, also what lies deeper", async () => {
  await using l = await lab();
  const tools = l.tools({ hostOptions: { alpha: { folder: "box" } } });
  const one = await tools.upload("alpha", await fileIn(l, "a"), { name: "one.bin" });
  const two = await tools.upload("alpha", await fileIn(l, "b"), { name: "two.bin", hostOptions: { folder: "box/deep" } });
  expect(await tools.list("http://alpha.host.invalid/folder/box")).toEqual([{ url: one.url, name: "one.bin" }]);
  expect((await tools.list("http://alpha.host.invalid/folder/box", { recursive: true })).map(({ url }) => url).sort()).toEqual([one.url, two.url].sort());
  expect((await failureOf(tools.list("http://alpha.host.invalid/folder/none"))).code).toBe("not-found");
});

test("PS5: -t and -r of the options go to every command that knows them, and to no other", async () => {
  await using l = await lab({ alpha: { remote: true } });
  const tools = l.tools({ retries: 3, waitMs: 1500, hostOptions: { alpha: { folder: "box" } } });
  const { url, remove } = await tools.upload("alpha", await fileIn(l, "a"), { name: "a.bin" });
  await tools.uploadFrom("alpha", "http://somewhere.invalid/file.iso");
  await tools.finalUrl(url);
  await tools.download(url, l.scratch);
  await tools.list("http://alpha.host.invalid/folder/box");
  await tools.probe(url);
  await tools.remove(remove ?? "");
  const limits = l.hosts
    .calls()
    .map(({ command, args }) => [command, ...args.filter((word, n) => [word, args[n - 1]].some((one) => one === "-t" || one === "-r"))]);
  expect(limits).toEqual([
    ["plowup", "-t", "2", "-r", "3"],
    ["plowup", "-t", "2", "-r", "3"],
    ["plowdown", "-t", "2", "-r", "3"],
    ["plowdown", "-t", "2", "-r", "3"],
    ["plowlist", "-t", "2"],
    ["plowprobe"],
    ["plowdel"],
  ]);
  l.hosts.fail("alpha", "up", "exit 10 60");
  expect((await failureOf(tools.uploadFrom("alpha", "http://somewhere.invalid/file.iso"))).code).toBe("timeout");
  l.hosts.fail("alpha", "up", "silent 3", 4);
  expect((await failureOf(tools.uploadFrom("alpha", "http://somewhere.invalid/file.iso"))).applied).toBe("unknown");
});

test("PS15, PS16: modules are those of the given directory, and the one of a link is known", async () => {
  await using l = await lab({ alpha: {}, beta: {} });
  const tools = l.tools();
  expect(await tools.modules()).toEqual(["alpha", "beta"]);
  expect(await tools.moduleFor("http://beta.host.invalid/f/1/x")).toBe("beta");
  expect((await failureOf(tools.moduleFor("http://unknown.invalid/f/1/x"))).code).toBe("config");
  const none = l.tools({ modules: join(l.scratch, "none") });
  expect((await failureOf(none.modules())).reason).toContain("no directory of plowshare modules");
});

test("PS27: modules are installed by their user; plowmod is never run and nothing is written to their directory", async () => {
  await using l = await lab();
  const before = await readdir(l.hosts.modules, { recursive: true });
  const store = l.open();
  await store.write("/a", "x");
  expect(await readdir(l.hosts.modules, { recursive: true })).toEqual(before);
  expect(new Set(l.hosts.calls().map(({ command }) => command))).toEqual(new Set(["plowup"]));
});

test("PS17: a list of links is marked as it is done, and goes on where it stopped", async () => {
  await using l = await lab();
  const tools = l.tools();
  const one = await tools.upload("alpha", await fileIn(l, "a"), { name: "one.bin" });
  const two = await tools.upload("alpha", await fileIn(l, "b"), { name: "two.bin" });
  const dead = "http://alpha.host.invalid/f/dead/x";
  const list = await fileIn(l, "links.txt", `# mine\n${one.url}\n${dead}\n${two.url}\n`);
  const inbox = join(l.scratch, "inbox");
  await mkdir(inbox);
  l.hosts.fail("alpha", "down", "ok");
  l.hosts.fail("alpha", "down", "ok");
  l.hosts.fail("alpha", "down", "exit 3");
  const first = await tools.downloadList(list, inbox);
  expect(first.files.map(({ path }) => path)).toEqual([join(inbox, "one.bin")]);
  // The first failure of several: 113.
  expect(first.failure?.code).toBe("corrupt");
  expect(await readFile(list, "utf8")).toBe(`# mine\n#OK ${one.url}\n#NOTFOUND ${dead}\n${two.url}\n`);
  const second = await tools.downloadList(list, inbox);
  expect([second.files.map(({ path }) => path), second.failure]).toEqual([[join(inbox, "two.bin")], null]);
});

test("PS18: programs before and after get their arguments", async () => {
  await using l = await lab();
  const tools = l.tools();
  const hook = join(l.scratch, "hook");
  await writeFile(hook, `#!/bin/sh\nprintf '%s|' "$@" >> '${l.scratch}/hooked'\necho >> '${l.scratch}/hooked'\n`);
  await chmod(hook, 0o755);
  const { url } = await tools.upload("alpha", await fileIn(l, "a"), { name: "a.bin", runBefore: hook });
  await tools.download(url, l.scratch, { runBefore: hook, runAfter: hook });
  expect((await readFile(join(l.scratch, "hooked"), "utf8")).split("\n")).toEqual([
    "alpha|a.bin|a.bin|",
    `alpha|${url}|cookies|`,
    `alpha|${url}|cookies|http://alpha.cdn.invalid/a.bin|a.bin|`,
    "",
  ]);
});

test("PS21: a template of JSON gives one line that parses for each file", async () => {
  await using l = await lab();
  const settings = settingsOf({ modules: l.hosts.modules, commandDirectory: commands });
  const all = new Commands(settings, await Surroundings.make(join(l.scratch, "run"), settings), run);
  await using place = await all.surroundings.place();
  for (const name of ["a.bin", "b.bin"]) await writeFile(join(place.directory, name), name);
  l.hosts.fail("alpha", "up", "odd-admin", 2);
  const template = '--printf={"url":"%U","remove":"%D","admin":"%A","bytes":%s,"percent":"%%"}%n';
  const { stdout } = await all.run("plowup", [template, "alpha", "a.bin", "b.bin"], { place, signal: undefined });
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toMatchObject([
    { bytes: 5, percent: "%", admin: 'quote " and back\\slash' },
    { bytes: 5, percent: "%", url: expect.stringMatching(/b\.bin$/) },
  ]);
  // An unknown token is a wrong command line.
  expect((await all.run("plowup", ["--printf=%z", "alpha", "a.bin"], { place, signal: undefined })).code).toBe(15);
});

test("PS22: the host fetches an address by itself; what comes later is pending", async () => {
  await using l = await lab({ alpha: { remote: true }, later: { remote: true, async: true }, not: {} });
  const tools = l.tools();
  const source = "http://somewhere.invalid/file.iso";
  expect(await tools.uploadFrom("alpha", source)).toMatchObject({ url: expect.stringContaining("alpha") });
  expect(await tools.uploadFrom("later", source)).toBe("pending");
  expect((await failureOf(tools.uploadFrom("not", source))).code).toBe("config");
});

test("PS23: the name at the host is the wanted one, or follows a format", async () => {
  await using l = await lab();
  const tools = l.tools();
  const file = await fileIn(l, "a.txt");
  expect((await tools.probe((await tools.upload("alpha", file, { name: "n.txt" })).url)).name).toBe("n.txt");
  // The MD5 of "the bytes".
  const { url } = await tools.upload("alpha", file, { name: "n.txt", nameFormat: "%g-%h.%x" });
  expect((await tools.probe(url)).name).toBe("n-ab48e870377e5d9fbe11663949e229b0.txt");
});

test("PS24: below the wanted free space nothing is downloaded", async () => {
  await using l = await lab();
  const tools = l.tools();
  const { url } = await tools.upload("alpha", await fileIn(l, "a"));
  expect((await failureOf(tools.download(url, l.scratch, { minFreeBytes: 2 ** 60 }))).code).toBe("config");
  await tools.download(url, l.scratch, { minFreeBytes: 1024 });
});

test("PS25: an address that no module knows is downloaded only when asked for", async () => {
  await using l = await lab();
  const tools = l.tools();
  await writeFile(join(l.hosts.root, "plain", "page.html"), "plain");
  const url = "http://plain.invalid/page.html";
  expect((await failureOf(tools.download(url, l.scratch))).code).toBe("config");
  expect(await readFile((await tools.download(url, l.scratch, { plainLinks: true })).path, "utf8")).toBe("plain");
});

test("PS26: options of modules come from the file; the command line comes before [Plowup], and that before [General]", async () => {
  await using l = await lab();
  const tools = l.tools({ hostOptions: { alpha: { folder: "from-file" } } });
  const file = await fileIn(l, "a");
  await tools.upload("alpha", file, { name: "one.bin" });
  await tools.upload("alpha", file, { name: "two.bin", hostOptions: { folder: "from-line" } });
  expect(await tools.list("http://alpha.host.invalid/folder/from-file")).toMatchObject([{ name: "one.bin" }]);
  expect(await tools.list("http://alpha.host.invalid/folder/from-line")).toMatchObject([{ name: "two.bin" }]);
  const settings = settingsOf({ modules: l.hosts.modules, commandDirectory: commands });
  const all = new Commands(settings, await Surroundings.make(join(l.scratch, "run"), settings), run);
  await using place = await all.surroundings.place();
  await writeFile(join(place.directory, "c.bin"), "c");
  await writeFile(join(l.scratch, "conf"), "[General]\nalpha/folder = general\n\n[Plowup]\nalpha/folder = section\n");
  const { args } = { args: ["--printf=%u%n", `--plowsharerc=${join(l.scratch, "conf")}`, "alpha", "c.bin"] };
  const common = { cwd: place.directory, environment: place.environment, limitMs: 60_000, maxOutputBytes: 1000, signal: undefined, clock: settings.clock };
  await run({ file: join(commands, "plowup"), args, ...common });
  expect(await tools.list("http://alpha.host.invalid/folder/section")).toMatchObject([{ name: "c.bin" }]);
});

test("what is no link never reaches a command", async () => {
  await using l = await lab();
  const tools = l.tools();
  for (const url of ["", "-x", "file:///etc/passwd", "http://a b", "http://a.invalid/http://b.invalid/", "http://a.invalid/\n", 'http://a.invalid/"'])
    expect((await failureOf(tools.probe(url))).code, url).toBe("invalid-path");
  expect(l.hosts.calls()).toEqual([]);
});
