/** What a user may say about plowshare and its hosts, checked once. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { StoreError, systemClock } from "../../store/index.ts";
import type { Clock, ErrorCode, Injected } from "../../store/index.ts";

/** How the commands are found, surrounded and limited. */
export interface PlowshareCommandOptions extends Pick<Injected, "clock"> {
  /** Where plowup, plowdown, plowdel, plowprobe and plowlist lie. Default: on PATH. */
  readonly commandDirectory?: string | undefined;
  /** The directory of module collections (each a folder with a file `config`). Default: modules.d in the user's plowshare directory. Nothing else of the user's settings is used. */
  readonly modules?: string | undefined;
  /** "user:password" per host (module). Kept in a file of mode 0600 that goes when the store closes; never an argument. No double quote, no control character. */
  readonly credentials?: Readonly<Record<string, string>> | undefined;
  /** Options of modules for uploads, per host: `{ somehost: { folder: "backup" } }`. In the same file. */
  readonly hostOptions?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined;
  /** A configuration file for curl, for certificates (`cacert`), proxies and the like. Default: none, not the user's either. */
  readonly curlConfig?: string | undefined;
  /**
   * Hosts must prove by a certificate who they are. Default true. False is what plowshare does by itself (`curl --insecure`): what is read is proven by its hash all the
   * same, but what is uploaded, and passwords, are then anybody's who sits in between.
   */
  readonly checkCertificates?: boolean | undefined;
  /** Further environment variables of the commands (https_proxy). Nothing but PATH is passed on by itself. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** How long a host may make us wait before it serves, in milliseconds, rounded up to seconds (`-t` of plowup, plowdown and plowlist, always given; plowdel and plowprobe know none and are only killed, below). 1,000 to 86,400,000. Default 120,000. */
  readonly waitMs?: number | undefined;
  /** How often a transfer that fails is tried again at once: downloads by the command itself (`-r`), uploads of a store by us, so that what each try may have left is known. 0 to 10. Default 1. */
  readonly retries?: number | undefined;
  /** Bytes per second of one transfer (`--max-rate`). 1,000 or more. Default: no limit. */
  readonly maxBytesPerSecond?: number | undefined;
  /** A command is killed after waitMs, graceMs and its size at this pace, or at half of maxBytesPerSecond where that is slower. 100 to 1e9 bytes per second. Default 20,000. */
  readonly minBytesPerSecond?: number | undefined;
  /** Part of that limit, in milliseconds. 1,000 to 86,400,000. Default 600,000. */
  readonly graceMs?: number | undefined;
  /** Sessions at hosts: "none", for one command ("session"), or for all of this store ("shared"; kept until it closes). Default "shared". */
  readonly sessions?: "none" | "session" | "shared" | undefined;
}

/** Where the bytes of a read came from. */
export interface Served {
  readonly path: string;
  /** Of the whole file, also where a range was read. */
  readonly bytes: number;
  /** The host that gave them, proven by size and hash. */
  readonly host: string;
  /** Those that were asked before it and failed, in this order. */
  readonly failed: readonly { readonly host: string; readonly code: ErrorCode }[];
}

export interface PlowshareOptions extends PlowshareCommandOptions, Pick<Injected, "clock" | "random"> {
  /** The directory of the index, which alone knows the files: lose it and the links are lost. Local, one process at a time. */
  readonly directory: string;
  /** Makes the directory with an empty index where there is none. Default false: a missing one is `config`, so that a disk that is not mounted is noticed. */
  readonly createRoot?: boolean | undefined;
  /** Modules that new copies go to. What lies at others is read, checked and deleted all the same. At least one. */
  readonly hosts: readonly string[];
  /** Copies of each file, at so many hosts. 1 to the number of hosts. Default: 2, or 1 with one host. */
  readonly copies?: number | undefined;
  /** A write succeeds with so many; `repair` makes the others. 1 to `copies`. Default 1. */
  readonly minCopies?: number | undefined;
  /** Commands at once. 1 to 64. Default 2. */
  readonly maxProcesses?: number | undefined;
  /** Commands at once at one host. 1 to 64. Default 1. */
  readonly maxProcessesPerHost?: number | undefined;
  /** Changes of the index are on the disk before a call resolves (fsync). Default true. Without it a power cut may take the last seconds; a killed process loses nothing either way. */
  readonly flush?: boolean | undefined;
  /** Told of each read that a host has served, before its bytes are given; a read that fails throws the reason instead. What it throws fails the read. Empty files need no host. */
  readonly onServed?: ((served: Served) => void) | undefined;
  /** Tells two stores of this kind apart. Default "plowshare". */
  readonly name?: string | undefined;
}

/** The options, complete and checked. */
export interface Settings {
  readonly commandDirectory: string | undefined;
  readonly modules: string;
  readonly credentials: Readonly<Record<string, string>>;
  readonly hostOptions: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly curlConfig: string | undefined;
  readonly checkCertificates: boolean;
  readonly environment: Readonly<Record<string, string>>;
  readonly waitMs: number;
  readonly retries: number;
  readonly maxBytesPerSecond: number | undefined;
  readonly minBytesPerSecond: number;
  readonly graceMs: number;
  readonly sessions: "none" | "session" | "shared";
  readonly clock: Clock;
}
export interface StoreSettings extends Settings {
  readonly directory: string;
  readonly createRoot: boolean;
  readonly hosts: readonly string[];
  readonly copies: number;
  readonly minCopies: number;
  readonly maxProcesses: number;
  readonly maxProcessesPerHost: number;
  readonly flush: boolean;
  readonly onServed: PlowshareOptions["onServed"];
  readonly random: () => number;
}

const COMMON = [
  "commandDirectory",
  "modules",
  "credentials",
  "hostOptions",
  "curlConfig",
  "checkCertificates",
  "environment",
  "waitMs",
  "retries",
  "maxBytesPerSecond",
  "minBytesPerSecond",
  "graceMs",
  "sessions",
  "clock",
] as const;
const OWN = ["directory", "createRoot", "hosts", "copies", "minCopies", "maxProcesses", "maxProcessesPerHost", "flush", "onServed", "name", "random"] as const;

/** @throws StoreError `config` for everything that cannot be meant. */
export function storeSettingsOf(options: PlowshareOptions): StoreSettings {
  if (typeof options !== "object" || options === null) throw wrong("options are an object with a directory and hosts");
  const common = settingsOf(options, OWN);
  const { directory, hosts } = options;
  if (typeof directory !== "string" || directory === "" || directory.includes("\0")) throw wrong("directory is the path of a directory");
  if (!Array.isArray(hosts) || hosts.length === 0 || hosts.length > 1000) throw wrong("hosts are 1 to 1,000 names of modules");
  for (const host of hosts) checkHost(host);
  if (new Set(hosts).size !== hosts.length) throw wrong("a host is named twice");
  if (options.onServed !== undefined && typeof options.onServed !== "function") throw wrong("onServed is a function");
  const copies = whole("copies", options.copies, Math.min(2, hosts.length), 1, hosts.length);
  return {
    ...common,
    directory: resolve(directory),
    createRoot: options.createRoot === true,
    hosts: [...hosts],
    copies,
    minCopies: whole("minCopies", options.minCopies, 1, 1, copies),
    maxProcesses: whole("maxProcesses", options.maxProcesses, 2, 1, 64),
    maxProcessesPerHost: whole("maxProcessesPerHost", options.maxProcessesPerHost, 1, 1, 64),
    flush: options.flush ?? true,
    onServed: options.onServed,
    random: options.random ?? Math.random,
  };
}

export function settingsOf(options: PlowshareCommandOptions, more: readonly string[] = []): Settings {
  if (typeof options !== "object" || options === null) throw wrong("options are an object");
  for (const key of Object.keys(options)) if (!(COMMON as readonly string[]).includes(key) && !more.includes(key)) throw wrong(`there is no option "${key}"`);
  const { credentials = {}, hostOptions = {}, environment = {}, sessions = "shared", checkCertificates = true } = options;
  for (const [key, value] of Object.entries({ commandDirectory: options.commandDirectory, modules: options.modules, curlConfig: options.curlConfig }))
    if (value !== undefined && (typeof value !== "string" || value === "" || value.includes("\0"))) throw wrong(`${key} is a path`);
  for (const [host, secret] of Object.entries(credentials)) {
    checkHost(host);
    // The message must not hold it.
    // eslint-disable-next-line no-control-regex
    if (typeof secret !== "string" || !/^[^:"]+:[^"]+$/.test(secret) || /[\0-\x1f\x7f]/.test(secret))
      throw wrong(`the credentials of ${host} are "user:password" without a double quote or a control character`);
  }
  for (const [host, own] of Object.entries(hostOptions)) {
    checkHost(host);
    for (const [key, value] of Object.entries(own))
      // eslint-disable-next-line no-control-regex
      if (!/^[a-z][a-z0-9-]*$/.test(key) || typeof value !== "string" || /["\0-\x1f\x7f]/.test(value))
        throw wrong(`the option "${key}" of ${host} cannot be set`);
  }
  for (const [key, value] of Object.entries(environment)) {
    if (!/^[A-Za-z_]\w*$/.test(key) || typeof value !== "string" || value.includes("\0")) throw wrong(`the environment variable "${key}" cannot be set`);
    if (/^(HOME|XDG_CONFIG_HOME|TMPDIR|BASH_ENV|ENV|SHELLOPTS|BASHOPTS)$/.test(key)) throw wrong(`the environment variable ${key} is the provider's own`);
  }
  if (!["none", "session", "shared"].includes(sessions)) throw wrong('sessions is "none", "session" or "shared"');
  if (typeof checkCertificates !== "boolean") throw wrong("checkCertificates is true or false");
  const { maxBytesPerSecond } = options;
  return {
    commandDirectory: options.commandDirectory === undefined ? undefined : resolve(options.commandDirectory),
    modules: resolve(options.modules ?? join(process.env["XDG_CONFIG_HOME"] ?? join(homedir(), ".config"), "plowshare", "modules.d")),
    credentials: { ...credentials },
    hostOptions: { ...hostOptions },
    curlConfig: options.curlConfig === undefined ? undefined : resolve(options.curlConfig),
    checkCertificates,
    environment: { ...environment },
    waitMs: whole("waitMs", options.waitMs, 120_000, 1000, 86_400_000),
    retries: whole("retries", options.retries, 1, 0, 10),
    maxBytesPerSecond: maxBytesPerSecond === undefined ? undefined : whole("maxBytesPerSecond", maxBytesPerSecond, 0, 1000, 1e12),
    minBytesPerSecond: whole("minBytesPerSecond", options.minBytesPerSecond, 20_000, 100, 1e9),
    graceMs: whole("graceMs", options.graceMs, 600_000, 1000, 86_400_000),
    sessions,
    clock: options.clock ?? systemClock,
  };
}

/** A name goes onto command lines, into a settings file and into the index. */
export function checkHost(host: unknown): void {
  if (typeof host !== "string" || !/^[a-z0-9][a-z0-9_]{0,63}$/.test(host))
    throw wrong("a host is the name of a module: lower-case letters, digits and underscores");
}

function whole(name: string, value: unknown, initial: number, min: number, max: number): number {
  if (value === undefined) return initial;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max) throw wrong(`${name} is a whole number from ${min} to ${max}`);
  return value;
}

function wrong(reason: string): StoreError {
  return new StoreError("config", reason);
}
