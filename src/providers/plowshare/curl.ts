/**
 * Plowshare calls curl with `--insecure`, always, and after the user's configuration file, so that nothing in a file can take it back. It lets itself be named another
 * curl, though (PLOWSHARE_CURL): this one is the same without that argument.
 */
import { constants } from "node:fs";
import { access, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { StoreError } from "../../store/index.ts";

/** Made in `directory`: its path. Undefined where `path` has no curl, which plowshare will say. @throws StoreError `config` where the directory runs no programs */
export async function checkingCurl(directory: string, path: string): Promise<string | undefined> {
  const curl = await found(path);
  if (curl === undefined) return undefined;
  const file = join(directory, "curl");
  await writeFile(file, scriptFor(curl), { mode: 0o700, flag: "wx" });
  if (await runs(file)) return file;
  throw new StoreError("config", "programs in the directory of the index cannot be run (noexec?), so certificates cannot be checked: see checkCertificates", {
    applied: false,
  });
}

async function found(path: string): Promise<string | undefined> {
  for (const directory of path.split(delimiter)) {
    // A relative one would mean another curl in each working directory.
    if (!directory.startsWith("/")) continue;
    const file = join(directory, "curl");
    if (await runs(file)) return file;
  }
  return undefined;
}

async function runs(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function scriptFor(curl: string): string {
  return `#!/bin/sh
left=$#
while [ "$left" -gt 0 ]; do
  one=$1
  shift
  case $one in
    --insecure | -k) ;;
    *) set -- "$@" "$one" ;;
  esac
  left=$((left - 1))
done
exec '${curl.replaceAll("'", "'\\''")}' "$@"
`;
}
