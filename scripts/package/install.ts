/** The repository on a fresh machine: npm ci with npm 11 and 12 brings the pinned Node, and where it was left out the scripts say so. */
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { assertion, run } from "../tasks.ts";
import type { Outcome } from "../tasks.ts";

const root = new URL("../../", import.meta.url);
const execute = promisify(execFile);

interface Manifest {
  allowScripts?: unknown;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** Only what is needed to see which Node the scripts get: installing everything three times would prove no more. */
async function repository(directory: string, name: string, change: (manifest: Manifest) => void): Promise<string> {
  const at = join(directory, name);
  await mkdir(at);
  const manifest = JSON.parse(await readFile(new URL("package.json", root), "utf8")) as Manifest;
  change(manifest);
  const { node } = manifest.devDependencies;
  await writeFile(join(at, "package.json"), JSON.stringify({ ...manifest, dependencies: {}, peerDependencies: {}, devDependencies: { node } }));
  await cp(new URL("scripts/run.js", root), join(at, "scripts/run.js"));
  await writeFile(join(at, "scripts/hello.ts"), "console.log(`hello from ${process.version as string}`);\n");
  return at;
}

/** The machine's own Node and npm, without this repository's: what a newcomer has. */
async function newcomer(): Promise<{ readonly path: string; readonly version: string }> {
  const path = (process.env["PATH"] ?? "")
    .split(":")
    .filter((part) => !part.includes("node_modules"))
    .join(":");
  const { stdout } = await execute("node", ["--version"], { env: { ...process.env, PATH: path } });
  return { path, version: stdout.trim() };
}

export async function checkInstall(directory: string): Promise<Outcome[]> {
  const { path, version } = await newcomer();
  const env = { PATH: path, npm_config_loglevel: "error", npm_config_cache: join(directory, "npm-cache") };
  const pinned = (JSON.parse(await readFile(new URL("package.json", root), "utf8")) as Manifest).devDependencies["node"];
  // npm 12 itself wants a newer Node than the newcomer may have, so it runs on this one; what it installs is the same.
  const npm12 = join(directory, "npm12");
  await mkdir(npm12);
  const got = await run({ name: "get npm 12", command: "npm", args: ["install", "--prefix", npm12, "--no-audit", "npm@12"], env });
  const ways: readonly (readonly [string, string, readonly string[]])[] = [
    [`npm of this machine, on Node ${version}`, "npm", []],
    ["npm 12", process.execPath, [join(npm12, "node_modules/npm/bin/npm-cli.js")]],
  ];
  const outcomes: Outcome[] = [got];
  for (const [title, command, first] of ways) {
    outcomes.push(
      await assertion(`${title}: scripts run on the pinned Node`, async () => {
        const at = await repository(directory, `with-${outcomes.length}`, () => {});
        await execute(command, [...first, "install", "--no-audit"], { cwd: at, env: { ...process.env, ...env } });
        const { stdout } = await execute(join(at, "node_modules/.bin/node"), ["scripts/run.js", "scripts/hello"], { cwd: at, env: { ...process.env, ...env } });
        return stdout.trim() === `hello from v${pinned}` ? [] : [stdout];
      }),
    );
  }
  outcomes.push(
    await assertion("npm 12 without allowScripts: the scripts say plainly that Node is too old, and why", async () => {
      const at = await repository(directory, "without", (manifest) => delete manifest.allowScripts);
      await execute(process.execPath, [join(npm12, "node_modules/npm/bin/npm-cli.js"), "install", "--no-audit"], {
        cwd: at,
        env: { ...process.env, ...env },
      }).catch(() => {});
      const { stdout } = await execute(join(at, "node_modules/.bin/node"), ["--version"], { env: { ...process.env, ...env } }).catch(() => ({ stdout: "" }));
      if (stdout !== "") return [`node ${stdout.trim()} was installed all the same`];
      if (Number(/^v(\d+)/.exec(version)?.[1]) >= 24) return [];
      const said = await run({ name: "(expected to fail)", command: "node", args: ["scripts/run.js", "scripts/hello"], cwd: at, env, quiet: true });
      return !said.ok && said.output.includes("Stratus needs Node 22.19") && said.output.includes("allowScripts") ? [] : [said.output];
    }),
  );
  return outcomes;
}
