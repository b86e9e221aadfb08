/**
 * What each server and verification client needs on this machine, and which Debian package brings it.
 *
 *     const absent = absentOf("ceph"); // [] or [{ what: "program radosgw", debian: "radosgw" }, ...]
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, readdirSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** One thing that must be there: a program, a file, or a module of PHP. */
export interface Requirement {
  readonly debian: string;
  readonly program?: string;
  readonly file?: string;
  readonly phpModule?: string;
}
export interface Absent {
  readonly what: string;
  readonly debian: string;
}

const apache = "/usr/lib/apache2/modules/mod_dav_fs.so";
const lighttpdWebdav = "/usr/lib/lighttpd/mod_webdav.so";
const lighttpdAuth = "/usr/lib/lighttpd/mod_authn_file.so";
const nginxDavExt = "/usr/lib/nginx/modules/ngx_http_dav_ext_module.so";
const sabre = "/usr/share/php/Sabre/autoload.php";

const postgresPrograms = ["initdb", "postgres"] as const;
/** Debian keeps them out of PATH, by version; newest first. */
const postgresDirectories = (): readonly string[] => {
  try {
    return readdirSync("/usr/lib/postgresql")
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => `/usr/lib/postgresql/${version}/bin`);
  } catch {
    return []; // None is installed.
  }
};

/** Every subject of `absentOf`: the servers by name, and the verification clients. */
export const requirements = {
  ceph: [
    { debian: "radosgw", program: "radosgw" },
    { debian: "radosgw", program: "radosgw-admin" },
    { debian: "ceph-mon", program: "ceph-mon" },
    { debian: "ceph-osd", program: "ceph-osd" },
    { debian: "ceph-common", program: "ceph" },
    { debian: "ceph-common", program: "ceph-authtool" },
    { debian: "ceph-common", program: "monmaptool" },
  ],
  swift: [
    { debian: "swift-proxy", program: "swift-proxy-server" },
    { debian: "swift-account", program: "swift-account-server" },
    { debian: "swift-container", program: "swift-container-server" },
    { debian: "swift-object", program: "swift-object-server" },
    { debian: "swift", program: "swift-ring-builder" },
    { debian: "python3", program: "python3" },
    { debian: "memcached", program: "memcached" },
  ],
  apache: [
    { debian: "apache2", program: "apache2" },
    { debian: "apache2-utils", program: "htpasswd" },
    { debian: "apache2", file: apache },
  ],
  lighttpd: [
    { debian: "lighttpd", program: "lighttpd" },
    { debian: "lighttpd", file: lighttpdAuth },
    { debian: "lighttpd-mod-webdav", file: lighttpdWebdav },
  ],
  sabredav: [
    { debian: "php-cli", program: "php" },
    { debian: "php-xml", phpModule: "dom" },
    { debian: "php-mbstring", phpModule: "mbstring" },
    { debian: "php-sqlite3", phpModule: "pdo_sqlite" },
    { debian: "php-sabre-dav", file: sabre },
  ],
  nginx: [
    { debian: "nginx-light", program: "nginx" },
    { debian: "libnginx-mod-http-dav-ext", file: nginxDavExt },
  ],
  postgres: postgresPrograms.map((program) => ({ debian: "postgresql", program })),
  rclone: [{ debian: "rclone", program: "rclone" }],
  s3cmd: [{ debian: "s3cmd", program: "s3cmd" }],
  curl: [{ debian: "curl", program: "curl" }],
  litmus: [{ debian: "litmus", program: "litmus" }],
  "gnu-tar": [{ debian: "tar", program: "tar" }],
  bsdtar: [{ debian: "libarchive-tools", program: "bsdtar" }],
  python: [{ debian: "python3", program: "python3" }],
} as const satisfies Record<string, readonly Requirement[]>;

export type RequirementName = keyof typeof requirements;

/**
 * Where programs are looked for: the system's directories first (a server belongs to the system's interpreter, not to one in somebody's home,
 * which its user can't even enter), then PATH; or STRATUS_SERVERS_PATH alone when that is set.
 */
export function searchPath(): readonly string[] {
  const path = process.env["STRATUS_SERVERS_PATH"] ?? `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${process.env["PATH"] ?? ""}`;
  return path.split(delimiter).filter((directory) => directory !== "");
}

/** Absolute path of a program; undefined when there is none. */
export function which(program: string): string | undefined {
  const further = (postgresPrograms as readonly string[]).includes(program) && process.env["STRATUS_SERVERS_PATH"] === undefined ? postgresDirectories() : [];
  for (const directory of [...searchPath(), ...further]) {
    const file = join(directory, program);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      continue; // Not in this directory.
    }
  }
  return undefined;
}

/** What of a requirement list is not on this machine; empty when everything is. */
export function absentOf(name: RequirementName): readonly Absent[] {
  const absent: Absent[] = [];
  for (const need of requirements[name] as readonly Requirement[]) {
    if (need.program !== undefined && which(need.program) === undefined) absent.push({ what: `program ${need.program}`, debian: need.debian });
    if (need.file !== undefined && !present(need.file)) absent.push({ what: `file ${need.file}`, debian: need.debian });
    if (need.phpModule !== undefined && !phpModules().has(need.phpModule.toLowerCase())) {
      absent.push({ what: `PHP module ${need.phpModule}`, debian: need.debian });
    }
  }
  return absent;
}

/** One sentence that says what is missing for `name` and how to get it, or undefined when nothing is. */
export function missingFor(name: RequirementName): string | undefined {
  const absent = absentOf(name);
  if (absent.length === 0) return undefined;
  const packages = [...new Set(absent.map((each) => each.debian))].join(" ");
  return `${name}: no ${absent.map((each) => each.what).join(", no ")} (Debian: ${packages}; npm run servers:install)`;
}

function present(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

let modules: ReadonlySet<string> | undefined;
function phpModules(): ReadonlySet<string> {
  if (modules !== undefined) return modules;
  const php = which("php");
  if (php === undefined) return new Set(); // Not remembered: the installer may bring it.
  const listed = spawnSync(php, ["-m"], { encoding: "utf8" });
  modules = new Set(listed.stdout.split("\n").map((line) => line.trim().toLowerCase()));
  return modules;
}

/** Forget what was looked up; the installer calls it after installing. */
export function lookAgain(): void {
  modules = undefined;
}
