/**
 * 10,000 small files through the pool onto a local disk, beside `git annex add` and `copy` to a directory remote, which keep files by their hash as well, and beside `rclone copy`. The pool flushes
 * each file and its name into its cache before it acknowledges; rclone flushes nothing.
 */
import { spawn } from "node:child_process";
import { copyFile, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { Pool, sqliteCatalogue } from "../src/pool/index.ts";
import { local } from "../src/providers/local/index.ts";
import type { Figure } from "./figure.ts";
import { scaled } from "./scale.ts";

export async function smallFiles(report: (figure: Figure) => void, base: string): Promise<void> {
  const count = scaled(10_000, 200);
  const source = join(base, "source");
  for (const name of ["source", "host", "rclone"]) await mkdir(join(base, name), { recursive: true });
  for (let n = 0; n < count; n++) await writeFile(join(source, `f${n}`), `small file ${n} `.repeat(100));
  const names = (await readdir(source)).map((name) => join(source, name));
  const start = performance.now();
  {
    const hosts = { host: local({ directory: join(base, "host"), name: "host", flush: false }) };
    const catalogue = sqliteCatalogue({ file: join(base, "small.db"), flush: false });
    await using pool = await Pool.open({ catalogue, directory: join(base, "small"), capacityBytes: 1e9, hosts, copies: 1, maxTransfers: 8 });
    const line = names.values();
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (const file of line) await pool.upload(await readFile(file));
      }),
    );
    const done = await pool.sync();
    if (done.complete !== count) throw new Error(`${done.complete} of ${count} files arrived`);
  }
  const ours = count / ((performance.now() - start) / 1000);
  const value = {
    name: `${count.toLocaleString("en-US")} small files through a flushed cache and catalogue to one host`,
    value: ours,
    unit: "files/s",
    goal: null,
    met: null,
  };
  for (const [against, perSecond] of [
    ["git annex add + copy, of a tenth of them", await annexed(base, names.slice(0, count / 10))],
    ["rclone copy", rate(count, await timed("rclone", ["copy", "--transfers", "8", "--config", "/dev/null", source, join(base, "rclone")]))],
  ] as const) {
    report(perSecond === undefined ? { ...value, against: `${against}: not on this machine`, ratio: NaN } : { ...value, against, ratio: ours / perSecond });
  }
}

function rate(count: number, seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : count / seconds;
}

/** Files per second, added to a repository, where they were put before, and copied to a remote. */
async function annexed(base: string, files: readonly string[]): Promise<number | undefined> {
  const [cwd, host] = [join(base, "annex"), join(base, "annex-host")];
  for (const directory of [cwd, host]) await mkdir(directory);
  // A repository of nobody: what the user has set for git does not count.
  const env = { ...process.env, HOME: base, GIT_CONFIG_NOSYSTEM: "1", GIT_AUTHOR_NAME: "bench", GIT_AUTHOR_EMAIL: "bench@localhost" };
  const as = { cwd, env: { ...env, GIT_COMMITTER_NAME: env.GIT_AUTHOR_NAME, GIT_COMMITTER_EMAIL: env.GIT_AUTHOR_EMAIL } };
  for (const [command, ...args] of [
    ["git", "init", "--quiet", "--initial-branch=main"],
    ["git-annex", "init", "--quiet"],
    ["git-annex", "initremote", "--quiet", "host", "type=directory", `directory=${host}`, "encryption=none"],
  ] as const)
    if ((await timed(command, args, as)) === undefined) return undefined;
  for (const file of files) await copyFile(file, join(cwd, basename(file)));
  const [add, copy] = [
    await timed("git-annex", ["add", "--quiet", "--jobs=8", "."], as),
    await timed("git-annex", ["copy", "--quiet", "--jobs=8", "--to=host"], as),
  ];
  // It takes the right to write from what it keeps, from its directories too: nobody could remove them.
  await timed("chmod", ["-R", "u+w", cwd, host]);
  return add === undefined || copy === undefined ? undefined : rate(files.length, add + copy);
}

/** Seconds. Undefined where there is no such program. */
function timed(command: string, args: readonly string[], as: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {}): Promise<number | undefined> {
  return new Promise((done, fail) => {
    const start = performance.now();
    const child = spawn(command, args, { ...as, stdio: ["ignore", "ignore", "inherit"] });
    child.on("error", (error: NodeJS.ErrnoException) => (error.code === "ENOENT" ? done(undefined) : fail(error)));
    child.on("close", (code) => (code === 0 ? done((performance.now() - start) / 1000) : fail(new Error(`${command} ended with ${code}`))));
  });
}
