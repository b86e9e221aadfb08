/** The package as its users run it, as JavaScript: reading TypeScript alone takes Node 29 MiB. Below the repository, so that the SDKs are found. */
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import type { Found, Work } from "./child.ts";

const run = promisify(execFile);
const root = new URL("../../../", import.meta.url).pathname;
const LIMIT_MIB = 200;

export interface Built extends AsyncDisposable {
  /** Streams so many bytes up and down in a process of its own. @throws where they differ, or took `LIMIT_MIB` or more */
  through(work: Work): Promise<void>;
}

export async function build(): Promise<Built> {
  const built = join(root, ".cache", `large-${process.pid}`);
  await mkdir(join(built, "node_modules"), { recursive: true });
  const flags = { noCheck: true, declaration: false, declarationMap: false, isolatedDeclarations: false };
  const args = [
    "-p",
    join(root, "tsconfig.build.json"),
    "--outDir",
    join(built, "dist"),
    ...Object.entries(flags).flatMap(([key, value]) => [`--${key}`, String(value)]),
  ];
  await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), ...args], { cwd: root });
  await writeFile(join(built, "child.js"), stripTypeScriptTypes(await readFile(join(import.meta.dirname, "child.ts"), "utf8")));
  await writeFile(join(built, "package.json"), await readFile(join(root, "package.json")));
  await symlink(built, join(built, "node_modules/stratus"));
  return {
    async through(work) {
      // In the environment, not in the list of processes: it holds secrets.
      const { stdout } = await run(process.execPath, [join(built, "child.js")], { env: { ...process.env, WORK: JSON.stringify(work) } });
      const { openMib, writtenMib, peakMib, ...found } = JSON.parse(stdout) as Found;
      console.log(`${(work.bytes / 2 ** 30).toFixed(2)} GiB up and down: peak ${peakMib} MiB (open ${openMib}, written ${writtenMib})`);
      expect(found).toEqual({ bytes: work.bytes, same: true });
      expect(peakMib).toBeLessThan(LIMIT_MIB);
    },
    [Symbol.asyncDispose]: () => rm(built, { recursive: true, force: true }),
  };
}
