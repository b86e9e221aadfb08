/**
 * `npm run package-checks`: the package as its users get it. Packs, lints the tarball, installs it into scratch projects on this Node and on the oldest one that
 * is promised, follows the README and docs/write-a-provider.md there, and installs the repository with npm 11 and 12. Ends with `N passed, N failed`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkExports } from "./package/exports.ts";
import { checkInstall } from "./package/install.ts";
import { checkScratch } from "./package/scratch.ts";
import { run } from "./tasks.ts";
import type { Outcome } from "./tasks.ts";

const directory = await mkdtemp(join(tmpdir(), "stratus-package-"));
try {
  const packed = await run({ name: "build and pack", command: "npm", args: ["pack", "--pack-destination", directory, "--json", "--foreground-scripts=false"] });
  const tarball = join(directory, /"filename": "([^"]+)"/.exec(packed.output)?.[1] ?? "missing.tgz");
  const outcomes: Outcome[] = [packed];
  if (packed.ok) {
    outcomes.push(
      ...(await Promise.all([
        run({ name: "publint", command: "publint", args: ["run", tarball, "--strict"] }),
        run({ name: "are the types wrong", command: "attw", args: [tarball, "--profile", "esm-only"] }),
        checkExports(tarball, directory),
      ])),
      ...(await checkScratch(tarball, directory)),
      ...(await checkInstall(directory)),
    );
  }
  const failed = outcomes.filter(({ ok }) => !ok).length;
  console.log(`${outcomes.length - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
