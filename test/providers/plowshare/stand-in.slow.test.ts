/** The stand-in commands have the traps of the real ones (reference/servers.md, section 6): what the provider guards against is there to be met. */
import { execFile } from "node:child_process";
import { mkdir, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commands } from "../../servers/plowshare/hosts.ts";
import { lab } from "./lab.ts";
import type { Lab } from "./lab.ts";

interface Said {
  readonly code: number | string | null;
  readonly out: string;
  readonly err: string;
}
function call({ scratch, hosts, processes }: Lab, command: string, args: readonly string[], killAfterMs = 60_000): Promise<Said> {
  return new Promise((done) => {
    execFile(
      join(commands, command),
      args,
      {
        cwd: scratch,
        env: { PATH: process.env["PATH"], HOME: scratch, XDG_CONFIG_HOME: join(hosts.root, "..", "config"), TMPDIR: scratch, ...processes.environment },
        timeout: killAfterMs,
      },
      (error, out, err) => done({ code: error === null ? 0 : (error.code ?? error.signal ?? null), out, err }),
    );
  });
}
async function home(traits: Parameters<typeof lab>[0]): Promise<Lab> {
  const l = await lab(traits);
  const config = join(l.hosts.root, "..", "config", "plowshare");
  await mkdir(config, { recursive: true });
  await symlink(l.hosts.modules, join(config, "modules.d"));
  await writeFile(join(l.scratch, "a.bin"), "0123456789");
  return l;
}
const url = async (l: Lab, host = "alpha", file = "a.bin"): Promise<string> => (await call(l, "plowup", ["-q", "--printf=%u", host, file])).out;

test("uploads: markers before the link, colours, skipped files, names that split", async () => {
  await using l = await home({ alpha: { limit: 100 } });
  const plain = await call(l, "plowup", ["alpha", "a.bin"]);
  expect(plain.out.split("\n").map((line) => line.split(" ")[0])).toEqual(["#DEL", "#ADM", expect.stringMatching(/^http/), ""]);
  expect(plain.err).toContain("\u001b[");
  expect((await call(l, "plowup", ["--no-color", "alpha", "a.bin"])).err).not.toContain("\u001b[");
  await writeFile(join(l.scratch, "empty"), "");
  await writeFile(join(l.scratch, "a:b"), "x");
  await writeFile(join(l.scratch, "c\\d"), "x");
  for (const file of ["empty", "missing", ".", "a:b", "c\\d"])
    expect(await call(l, "plowup", ["-q", "alpha", file]), file).toEqual({ code: 0, out: "", err: "" });
  await writeFile(join(l.scratch, "e;f"), "x");
  expect((await call(l, "plowup", ["-q", "--printf=%f", "alpha", "e;f"])).out).toBe('"e;f"');
  expect((await call(l, "plowup", ["-q", "--printf=%f", "alpha", "a.bin:dir/else.bin"])).out).toBe("else.bin");
  await writeFile(join(l.scratch, "big"), "x".repeat(200));
  const codes = [];
  for (const args of [["nohost", "a.bin"], ["--nothing", "alpha", "a.bin"], ["--printf=%z", "alpha", "a.bin"], ["alpha", "big"], ["alpha"]])
    codes.push((await call(l, "plowup", ["-q", ...args])).code);
  expect(codes).toEqual([2, 15, 15, 14, 15]);
});

test("waits for ever without -t, ends with 5 with it, and on SIGTERM; tries used up are 6", async () => {
  await using l = await home({ alpha: {} });
  l.hosts.failAlways("alpha", "up", "exit 10 60");
  expect((await call(l, "plowup", ["-q", "alpha", "a.bin"], 1500)).code).not.toBe(0);
  expect((await call(l, "plowup", ["-q", "-t", "5", "alpha", "a.bin"])).code).toBe(5);
  l.hosts.failAlways("alpha", "up", "exit 3");
  expect((await call(l, "plowup", ["-q", "alpha", "a.bin"])).code).toBe(3);
  expect((await call(l, "plowup", ["-q", "-r", "1", "alpha", "a.bin"])).code).toBe(6);
  l.hosts.heal("alpha");
  const link = await url(l);
  l.hosts.failAlways("alpha", "down", "exit 3");
  expect((await call(l, "plowdown", ["-q", link])).code).toBe(6);
  // As it was seen: not 3.
  expect((await call(l, "plowdown", ["-q", "-r", "0", link])).code).toBe(1);
  expect(l.hosts.calls("plowdown")).toHaveLength(2);
});

test("a file at the target is taken for the first part: wrong bytes, exit 0", async () => {
  await using l = await home({ alpha: { resume: true } });
  const link = await url(l);
  await writeFile(join(l.scratch, "a.bin"), "WRONG67");
  expect((await call(l, "plowdown", ["-q", "--printf=%s", link])).code).toBe(0);
  expect(await readFile(join(l.scratch, "a.bin"), "utf8")).toBe("WRONG67789");
  expect((await call(l, "plowdown", ["-q", "--printf=%s", link])).out).toBe("0");
  expect((await call(l, "plowdown", ["-q", "-x", link])).out).toBe("./a.bin.1\n");
});

test("links: dead ones, several at once, what is none, one inside of another", async () => {
  await using l = await home({ alpha: {} });
  const link = await url(l);
  const dead = "http://alpha.host.invalid/f/dead/x";
  await mkdir(join(l.scratch, "out"));
  const several = await call(l, "plowdown", ["-q", "-o", "out", dead, link]);
  expect([several.code, several.out]).toEqual([113, "out/a.bin\n"]);
  expect(await call(l, "plowprobe", ["-q", dead])).toMatchObject({ code: 13, out: "" });
  expect((await call(l, "plowprobe", ["-q", "nothing"])).code).toBe(2);
  const removal = (await call(l, "plowup", ["-q", "--printf=%d", "alpha", "a.bin"])).out;
  expect((await call(l, "plowdel", ["-q", link])).code).toBe(11);
  expect((await call(l, "plowdel", ["-q", removal.replace(/\d+$/, "0")])).code).toBe(12);
  expect((await call(l, "plowdel", ["-q", removal])).code).toBe(0);
  expect((await call(l, "plowdel", ["-q", removal])).code).toBe(13);
  const unknown = [];
  for (const [command, option] of [
    ["plowdel", "-t"],
    ["plowdel", "-r"],
    ["plowprobe", "-t"],
    ["plowprobe", "-r"],
    ["plowlist", "-r"],
  ] as const)
    unknown.push((await call(l, command, ["-q", option, "5", link])).code);
  expect(unknown).toEqual([15, 15, 15, 15, 15]);
  expect((await call(l, "plowdown", ["-q", "-o", "out", "--printf=%u", `http://outer.invalid/?u=${link}`])).out).toBe(link);
});

test("a name of 255 and more is cut, a slash becomes another sign", async () => {
  await using l = await home({ alpha: {} });
  const out = join(l.scratch, "out");
  await mkdir(out);
  const arrives = async (name: string): Promise<string[]> => {
    const link = await call(l, "plowup", ["-q", "--printf=%u", "--name", name, "alpha", "a.bin"]);
    expect(await call(l, "plowdown", ["-q", "-o", "out", link.out])).toMatchObject({ code: 0 });
    const names = await readdir(out);
    for (const one of names) await rm(join(out, one));
    return names;
  };
  expect(await arrives("n".repeat(300))).toEqual(["n".repeat(254)]);
  expect(await arrives("n".repeat(254))).toEqual(["n".repeat(254)]);
  expect(await arrives("a/b/c.bin")).toEqual(["a_b_c.bin"]);
});

test("names that do not arrive as they are: a new line is skipped, a comma brings quotes, a quote becomes %22, a destination loses its directory", async () => {
  await using l = await home({ alpha: {} });
  const named = async (file: string, argument = file): Promise<Said> => {
    await writeFile(join(l.scratch, file), "x");
    return await call(l, "plowup", ["-q", "--printf=%f %u", "alpha", argument]);
  };
  expect(await named("two\nlines")).toEqual({ code: 0, out: "", err: "" });
  expect(l.hosts.files("alpha")).toEqual([]);
  for (const [file, shown] of [
    ["a,b", '"a,b"'],
    ["a;b", '"a;b"'],
    ["a b", "a b"],
  ] as const)
    expect((await named(file)).out, file).toMatch(new RegExp(`^${shown} http:`));
  expect((await named("plain", "plain:some/where/else.bin")).out).toMatch(/^else\.bin http:/);
  const [, link = ""] = (await named('q"uote')).out.split(" ");
  expect((await call(l, "plowprobe", ["-q", "--printf=%f", link])).out).toBe("q%22uote");
});

test("the user's own settings change what happens, unless they are switched off", async () => {
  await using l = await home({ alpha: {} });
  await writeFile(join(l.scratch, ".curlrc"), "proxy = 127.0.0.1:1\n");
  expect((await call(l, "plowup", ["-q", "alpha", "a.bin"])).code).toBe(3);
  expect((await call(l, "plowup", ["-q", "--no-curlrc", "alpha", "a.bin"])).code).toBe(0);
  await writeFile(join(l.hosts.root, "..", "config", "plowshare", "plowshare.conf"), "[Plowup]\nprintf = mine\n[General]\nprintf = other\n");
  expect((await call(l, "plowup", ["-q", "--no-curlrc", "alpha", "a.bin"])).out).toBe("mine");
  expect((await call(l, "plowup", ["-q", "--no-curlrc", "--no-plowsharerc", "--printf=%%", "alpha", "a.bin"])).out).toBe("%");
});
