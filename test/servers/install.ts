/**
 * Installs the servers and clients that the tests run against, as far as they are absent, from Debian packages.
 *
 *     npm run servers:install            install what is missing (root, or sudo)
 *     npm run servers:install -- --check only say what is missing; exit 1 if anything is
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { absentOf, lookAgain, requirements, which } from "./requirements.ts";
import type { RequirementName } from "./requirements.ts";

const mark = "stratus servers:install";
const guard = "/usr/sbin/policy-rc.d";
/**
 * Run by a root shell, not by this process: if we are killed half-way, it still finishes and puts policy-rc.d back; if it is killed too, the
 * next run does. The guard keeps packages from starting daemons that would fight for port 80. Without packages it only puts back.
 */
const script = `
set -u
guard=${guard}
saved=${guard}.stratus-saved
mark='${mark}'
restore() {
  if [ -e "$guard" ] && grep -q "$mark" "$guard"; then
    if [ -e "$saved" ]; then mv -f "$saved" "$guard"; else rm -f "$guard"; fi
  fi
}
restore                                   # of a run that was killed before
[ $# -gt 0 ] || exit 0
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
if [ -e "$guard" ]; then cp -p "$guard" "$saved.new" && mv -f "$saved.new" "$saved"; fi
printf '#!/bin/sh\\n# %s: no daemon starts while this is here\\nexit 101\\n' "$mark" > "$guard.stratus-new"
chmod 755 "$guard.stratus-new" && mv -f "$guard.stratus-new" "$guard" || exit 1
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -q --no-install-recommends "$@"; }
fresh=no
for package in "$@"; do
  if ! apt-cache policy "$package" | grep -q '^  Candidate: [^(]'; then apt-get update -q || exit 1; fresh=yes; break; fi
done
install "$@" && exit 0
[ $fresh = yes ] && exit 1
apt-get update -q && install "$@"         # the lists may be older than what the mirror still has
`;

const names = Object.keys(requirements) as RequirementName[];

function absentPackages(): Map<string, string[]> {
  const packages = new Map<string, string[]>();
  for (const name of names) {
    for (const { what, debian } of absentOf(name)) packages.set(debian, [...(packages.get(debian) ?? []), `${what} for ${name}`]);
  }
  return packages;
}

function isDebian(): boolean {
  if (!existsSync("/etc/os-release") || which("apt-get") === undefined) return false;
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync("/etc/os-release", "utf8"));
}

/** How to become root: nothing before the command, `sudo`, or undefined when there is no way. */
function rootPrefix(): readonly string[] | undefined {
  if (process.getuid?.() === 0) return [];
  const sudo = which("sudo");
  if (sudo === undefined) return undefined;
  if (process.stdin.isTTY) return [sudo];
  return spawnSync(sudo, ["-n", "true"]).status === 0 ? [sudo, "-n"] : undefined; // Nobody there to type a password.
}

function byHand(reason: string, packages: Map<string, string[]>): number {
  console.error(`${reason} Install by hand, without letting the daemons start:`);
  for (const [debian, wanted] of packages) console.error(`  ${debian.padEnd(28)} ${wanted.join(", ")}`);
  console.error(`On Debian, as root:\n  apt-get install --no-install-recommends ${[...packages.keys()].join(" ")}`);
  return 1;
}

function main(): number {
  const packages = absentPackages();
  const guarded = existsSync(guard) && readFileSync(guard, "utf8").includes(mark);
  if (packages.size === 0 && !guarded) {
    console.log(`All servers and clients are installed (${names.join(", ")}): nothing to do.`);
    return 0;
  }
  if (process.argv.includes("--check")) {
    for (const [debian, wanted] of packages) console.log(`missing: ${debian.padEnd(28)} ${wanted.join(", ")}`);
    if (guarded) console.log(`left behind: ${guard} of an installation that was killed`);
    return 1;
  }
  if (!isDebian()) return byHand("This is not Debian (no apt-get): nothing was installed.", packages);
  const prefix = rootPrefix();
  if (prefix === undefined) {
    if (packages.size > 0) return byHand("Neither root nor sudo without a password: nothing was installed.", packages);
    console.error(`${guard} is left from an installation that was killed: as root, run npm run servers:install`);
    return 1;
  }
  if (packages.size === 0) console.log(`Puts ${guard} back, which an installation that was killed left behind.`);
  else console.log(`Will install with apt-get, without recommended packages and with no daemon started (policy-rc.d guards, then is put back):`);
  for (const [debian, wanted] of packages) console.log(`  ${debian.padEnd(28)} ${wanted.join(", ")}`);
  const [command, ...rest] = [...prefix, "sh", "-c", script, "stratus-install", ...packages.keys()];
  const run = spawnSync(command as string, rest, { stdio: "inherit" });
  lookAgain();
  const still = absentPackages();
  if (still.size > 0) return byHand(`apt-get ended with ${run.status ?? run.signal} and something is still missing.`, still);
  console.log("Everything is installed.");
  return 0;
}

process.exitCode = main();
