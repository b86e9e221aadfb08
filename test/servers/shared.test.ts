/** Sharing one instance of each server, leaving servers out, and the installer. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test, vi } from "vitest";
import { missing } from "./index.ts";
import { rawDav } from "./raw-dav.ts";
import { absentOf, requirements } from "./requirements.ts";
import type { RequirementName } from "./requirements.ts";
import { notProved, notProvedBy, notProvedLines, openHub, selection, useServer } from "./shared.ts";

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const apache = missing("apache") === undefined;

/** Runs a module text in a Node of its own, while this process goes on (it may be the hub). */
async function node(script: string, env: Readonly<Record<string, string>> = {}): Promise<{ status: number | null; out: string; said: string }> {
  const options = { encoding: "utf8", timeout: 60_000, env: { PATH: process.env["PATH"] ?? "", ...env } } as const;
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ["--input-type=module", "-e", script], options, (_, out, said) =>
      resolve({ status: child.exitCode, out: out.trim(), said }),
    );
  });
}
const shared = JSON.stringify(new URL("shared.ts", import.meta.url).href);

afterEach(() => vi.unstubAllEnvs());

describe("one instance for all", () => {
  test.skipIf(!apache)("of a test run: processes that inherit the environment get the same server, started once", { timeout: 60_000 }, async () => {
    vi.stubEnv("STRATUS_SERVERS_HUB", undefined);
    const hub = await openHub();
    const script = `import { useServer } from ${shared}; console.log(JSON.stringify(await useServer("apache")));`;
    const address = process.env["STRATUS_SERVERS_HUB"] as string;
    const [mine, again] = await Promise.all([useServer("apache"), useServer("apache")]);
    expect(again).toEqual(mine);
    const theirs = await node(script, { STRATUS_SERVERS_HUB: address });
    expect(JSON.parse(theirs.out)).toEqual(mine);
    await rawDav(mine).put("x", Buffer.from("shared"));
    expect(String(await rawDav(JSON.parse(theirs.out)).get("x"))).toBe("shared");

    // A stranger without the token is told nothing.
    const said = await new Promise<string>((resolve) => {
      const socket = connect({ host: "127.0.0.1", port: Number(address.split(":")[0]) });
      let text = "";
      socket.on("data", (part) => (text += part.toString())).once("close", () => resolve(text));
      socket.write(`${JSON.stringify({ token: "guess", name: "apache" })}\n`);
    });
    expect(said).toBe("");

    await hub.close();
    expect(
      await rawDav(mine)
        .get("x")
        .catch((error: NodeJS.ErrnoException) => error.code),
    ).toBe("ECONNREFUSED");
    const late = await node(script, { STRATUS_SERVERS_HUB: address });
    expect([late.status, late.said]).toEqual([1, expect.stringContaining("ECONNREFUSED")]);
  });

  test.skipIf(!apache)("of a plain script: its own, gone with it", { timeout: 60_000 }, async () => {
    const ran = await node(`import { useServer } from ${shared}; const a = await useServer("apache"); console.log(a === await useServer("apache"), a.url);`);
    expect([ran.status, ran.said]).toEqual([0, ""]);
    const [same, url] = ran.out.split(" ") as [string, string];
    expect(same).toBe("true");
    await vi.waitFor(async () => expect(await fetch(url).catch((error: Error) => (error.cause as NodeJS.ErrnoException).code)).toBe("ECONNREFUSED"), 5000);
  });

  test("a server that fails to start tells everyone who asks, and the end of the run", { timeout: 60_000 }, async () => {
    const script = `
      import { openHub, useServer } from ${shared};
      const hub = await openHub();
      for (let n = 0; n < 2; n += 1) console.log(await useServer("apache").catch((error) => error.message));
      console.log(await hub.close().catch((error) => error.message));`;
    const { out } = await node(script, { STRATUS_SERVERS_PATH: "/nonexistent" });
    expect(out.split("\n")).toEqual([1, 2, 3].map(() => expect.stringContaining("apache: no program apache2")));
  });
});

describe("servers that are left out or absent", () => {
  test("STRATUS_SERVERS selects", () => {
    vi.stubEnv("STRATUS_SERVERS", undefined);
    expect(selection()).toEqual({ names: expect.arrayContaining(["ceph", "swift-google", "rclone"]), eager: false });
    vi.stubEnv("STRATUS_SERVERS", "ceph, apache");
    expect(selection()).toEqual({ names: ["ceph", "apache"], eager: true });
    expect(notProved("nginx")).toBe("STRATUS_SERVERS leaves out nginx");
    expect(notProvedLines()).toContain("NOT PROVED: provider webdav on nginx (STRATUS_SERVERS leaves out nginx)");
    expect(notProvedLines()).toContain("NOT PROVED: provider s3 on swift (STRATUS_SERVERS leaves out swift)");
    vi.stubEnv("STRATUS_SERVERS", "all");
    expect(selection().names).toHaveLength(8);
    vi.stubEnv("STRATUS_SERVERS", "none");
    expect(notProvedLines()).toHaveLength(8);
    vi.stubEnv("STRATUS_SERVERS", "cehp");
    expect(() => selection()).toThrow(/no server "cehp"; there are ceph/);
  });

  test("an absent server is named with its provider; in CI it is a failure", () => {
    vi.stubEnv("STRATUS_SERVERS", undefined);
    vi.stubEnv("STRATUS_SERVERS_PATH", "/nonexistent");
    vi.stubEnv("CI", undefined);
    expect(notProved("ceph")).toMatch(/^ceph: no program radosgw/);
    const lines = notProvedLines();
    expect(lines).toHaveLength(8);
    expect(lines[0]).toMatch(/^NOT PROVED: provider s3 on ceph \(ceph: no program radosgw, .*npm run servers:install\)\)$/);
    vi.stubEnv("CI", "true");
    expect(() => notProved("ceph")).toThrow(/in CI every server must be there/);
    expect(() => notProvedBy("bsdtar", "archives")).toThrow(/^bsdtar: no program bsdtar .*libarchive-tools.*in CI every program must be there/);
    vi.stubEnv("CI", "false");
    expect(notProved("ceph")).toBeDefined();
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    expect(notProvedBy("bsdtar", "archives")).toMatch(/^bsdtar: no program bsdtar/);
    expect(warned.mock.calls).toEqual([[expect.stringMatching(/^NOT PROVED: archives \(bsdtar: no program bsdtar/)]]);
    warned.mockRestore();
  });

  test("the global setup refuses to start in CI without them, and warns at the end elsewhere", { timeout: 60_000 }, async () => {
    const script = `const { default: setup } = await import(${JSON.stringify(new URL("global-setup.ts", import.meta.url).href)}); await (await setup())();`;
    const ci = await node(script, { STRATUS_SERVERS_PATH: "/nonexistent", CI: "1" });
    expect([ci.status, ci.said]).toEqual([1, expect.stringMatching(/in CI every server must be there:\nceph: no program radosgw/)]);
    const home = await node(script, { STRATUS_SERVERS_PATH: "/nonexistent" });
    expect(home.status).toBe(0);
    expect(home.said.match(/^NOT PROVED: /gm)).toHaveLength(8);
  });
});

describe("npm run servers:install", () => {
  const install = (args: readonly string[], env: Readonly<Record<string, string>> = {}, as: { uid?: number; gid?: number } = {}) => {
    const done = spawnSync(process.execPath, [here("install.ts"), ...args], {
      encoding: "utf8",
      timeout: 60_000,
      env: { PATH: process.env["PATH"] ?? "", ...env },
      ...as,
    });
    return { status: done.status, said: done.stdout + done.stderr };
  };
  const complete = (Object.keys(requirements) as RequirementName[]).every((name) => absentOf(name).length === 0);

  test.skipIf(!complete)("does nothing when everything is there", () => {
    expect(install([])).toEqual({ status: 0, said: expect.stringMatching(/^All servers and clients are installed \(ceph, .*\): nothing to do\.\n$/) });
    expect(install(["--check"]).status).toBe(0);
  });

  test("--check lists what is missing with its package, and installs nothing", () => {
    const { status, said } = install(["--check"], { STRATUS_SERVERS_PATH: "/nonexistent" });
    expect(status).toBe(1);
    expect(said).toMatch(/^missing: radosgw +program radosgw for ceph, program radosgw-admin for ceph$/m);
    expect(said).toMatch(/^missing: apache2 +program apache2 for apache/m);
    expect(said).not.toContain("Will install");
  });

  test("elsewhere than on Debian it says exactly what to install", () => {
    const { status, said } = install([], { STRATUS_SERVERS_PATH: "/nonexistent" });
    expect(status).toBe(1);
    expect(said).toMatch(/^This is not Debian/);
    expect(said).toMatch(/^ {2}apt-get install --no-install-recommends radosgw ceph-mon ceph-osd ceph-common .*apache2.*$/m);
  });

  test.skipIf(process.getuid?.() !== 0)("without root and sudo it says the same, and changes nothing", () => {
    const path = mkdtempSync(join(tmpdir(), "stratus-path-"));
    try {
      symlinkSync("/bin/false", join(path, "apt-get"));
      spawnSync("chmod", ["755", path]);
      const { status, said } = install([], { STRATUS_SERVERS_PATH: path }, { uid: 1, gid: 1 });
      expect(status).toBe(1);
      expect(said).toMatch(/^Neither root nor sudo/);
    } finally {
      rmSync(path, { recursive: true });
    }
  });
});
