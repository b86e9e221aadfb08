/** The exports of package.json against what is in the tarball, and no type of an SDK in what they declare. */
import { execFile } from "node:child_process";
import { mkdir, readFile, readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { assertion } from "../tasks.ts";
import type { Outcome } from "../tasks.ts";

type Target = string | { readonly types: string; readonly default: string };
const SDKS = /from "(@aws-sdk|@smithy|undici|webdav|fast-check|opendal|vitest|pg")|import\("(@aws-sdk|@smithy|undici|webdav|fast-check|pg")/;

export function checkExports(tarball: string, directory: string): Promise<Outcome> {
  return assertion("exports are what is shipped, without types of SDKs", async () => {
    const at = join(directory, "unpacked");
    await mkdir(at);
    await promisify(execFile)("tar", ["-xzf", tarball, "-C", at]);
    const root = join(at, "package");
    const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      readonly exports: Record<string, Target>;
      readonly bin: Record<string, string>;
    };
    const files = new Set(await readdir(root, { recursive: true }));
    const wrong: string[] = [];
    const declared: string[] = [];
    for (const [entry, target] of Object.entries(manifest.exports)) {
      const wanted = typeof target === "string" ? [target] : [target.types, target.default];
      for (const file of wanted) if (!files.has(file.slice(2))) wrong.push(`${entry} names ${file}, which is not in the package`);
      if (typeof target !== "string") declared.push(join(root, target.types));
    }
    for (const file of Object.values(manifest.bin)) if (!files.has(file)) wrong.push(`bin names ${file}, which is not in the package`);
    for (const file of files) if (/(^|\/)test\/|\.test\.|(^|\/)node_modules\//.test(file)) wrong.push(`${file} is no business of users`);
    for (const file of await reachable(declared))
      if (SDKS.test(await readFile(file, "utf8"))) wrong.push(`${file.slice(root.length)} declares a type of an SDK`);
    return wrong;
  });
}

/** All declaration files that the entries lead to. */
async function reachable(entries: readonly string[]): Promise<Set<string>> {
  const seen = new Set<string>();
  const next = [...entries];
  for (let file = next.pop(); file !== undefined; file = next.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const [, specifier = ""] of (await readFile(file, "utf8")).matchAll(/(?:from|import) ?\(?"(\.[^"]+)"/g))
      next.push(resolve(dirname(file), specifier.replace(/\.(ts|js)$/, ".d.ts")));
  }
  return seen;
}
