/**
 * File hosts in a directory, and the stand-in commands that reach them: `const hosts = await fileHosts(directory, { alpha: {}, beta: { limit: 1000 } })`.
 * Nothing of plowshare is in here: the commands (bin/) were written to behave as reference/servers.md section 6 saw the real ones behave.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

export const commands = new URL("bin", import.meta.url).pathname;

export interface HostTraits {
  /** A download goes on where a file of that name ends, whatever is in it. */
  readonly resume?: boolean;
  /** Larger files are refused with 14. */
  readonly limit?: number;
  /** Needs "user:password". */
  readonly login?: string;
  /** Fetches addresses by itself, and does so later. */
  readonly remote?: boolean;
  readonly async?: boolean;
  /** Asks for a captcha: 7 where nobody may be asked, else it waits for an answer. */
  readonly captcha?: boolean;
  /** Gives no delete links. */
  readonly noCode?: boolean;
}
export type Verb = "up" | "down" | "del" | "probe" | "list";
/** One call of a command: what it was given, and where it ran. */
export interface Called {
  readonly command: string;
  readonly surroundings: Readonly<Record<string, string>>;
  readonly args: readonly string[];
}

export interface FileHosts {
  /** What the provider takes as its modules. */
  readonly modules: string;
  /** The next call of this verb does this wrong: "exit 13", "wrong", "hang" (common.bash and bin/ name them). */
  fail(host: string, verb: Verb, what: string, times?: number): void;
  /** Every call until `heal`. */
  failAlways(host: string, verb: Verb, what: string): void;
  /** How many faults its calls have taken: one that was called and ended before it took its own leaves that to the next. */
  taken(host: string): number;
  heal(host: string): void;
  /** Ids of what the host holds. */
  files(host: string): string[];
  bytes(host: string, id: string): Buffer;
  overwrite(host: string, id: string, bytes: string | Uint8Array): void;
  lose(host: string, id?: string): void;
  /** All calls so far, oldest first. */
  calls(command?: string): Called[];
  forgetCalls(): void;
  logins(host: string): number;
  readonly root: string;
}

export async function fileHosts(root: string, hosts: Readonly<Record<string, HostTraits>>, { recorded = true } = {}): Promise<FileHosts> {
  const modules = join(root, "modules.d");
  const folder = join(modules, "test");
  await mkdir(folder, { recursive: true });
  await mkdir(join(root, "plain"), { recursive: true });
  if (recorded) await mkdir(join(root, "calls"), { recursive: true });
  await writeFile(join(folder, "root"), `${root}\n`);
  await writeFile(
    join(folder, "config"),
    `# name | up | down | del | list | probe |\n${Object.keys(hosts)
      .map((name) => `${name} | up | down | del | list | probe |\n`)
      .join("")}`,
  );
  for (const [name, traits] of Object.entries(hosts)) {
    const home = join(root, name);
    for (const part of ["files", "meta", "taken", "faults"]) await mkdir(join(home, part), { recursive: true });
    await writeFile(join(folder, `${name}.sh`), moduleOf(home, traits));
  }
  let serial = 0;
  const at = (host: string, ...parts: string[]): string => join(root, host, ...parts);
  const put = (host: string, verb: Verb, file: string, what: string): void => {
    mkdirs(at(host, "faults", verb));
    writeFileSync(at(host, "faults", verb, file), `${what}\n`);
  };
  return {
    root,
    modules,
    fail(host, verb, what, times = 1) {
      for (let i = 0; i < times; i++) put(host, verb, String(serial++).padStart(6, "0"), what);
    },
    failAlways: (host, verb, what) => put(host, verb, "always", what),
    taken: (host) => readdirSync(at(host, "taken")).length,
    heal: (host) => {
      rmSync(at(host, "faults"), { recursive: true });
      mkdirs(at(host, "faults"));
    },
    files: (host) => readdirSync(at(host, "files")).sort(),
    bytes: (host, id) => readFileSync(at(host, "files", id)),
    overwrite: (host, id, bytes) => writeFileSync(at(host, "files", id), bytes),
    lose: (host, id) => {
      for (const one of id === undefined ? readdirSync(at(host, "files")) : [id]) rmSync(at(host, "files", one));
    },
    calls: (command) =>
      readdirSync(join(root, "calls"))
        .sort()
        .map((file) => called(readFileSync(join(root, "calls", file), "utf8")))
        .filter((one) => command === undefined || one.command === command),
    forgetCalls: () => {
      for (const file of readdirSync(join(root, "calls"))) rmSync(join(root, "calls", file));
    },
    logins: (host) => (existsSync(at(host, "logins")) ? readFileSync(at(host, "logins"), "utf8").length : 0),
  };
}

function moduleOf(home: string, { resume, limit, login, remote, async, captcha, noCode }: HostTraits): string {
  const lines = [`HOST='${home}'`];
  if (resume === true) lines.push("RESUME=yes");
  if (limit !== undefined) lines.push(`LIMIT=${limit}`);
  if (login !== undefined) lines.push(`LOGIN='${login}'`);
  if (remote === true) lines.push("REMOTE=yes");
  if (async === true) lines.push("ASYNC=yes");
  if (captcha === true) lines.push("CAPTCHA=yes");
  if (noCode === true) lines.push("NOCODE=yes");
  return `${lines.join("\n")}\n`;
}

/** So many variables are recorded before the arguments (common.bash). */
const SURROUNDINGS = 6;

function called(text: string): Called {
  const [command = "", ...rest] = text.split("\0").slice(0, -1);
  const surroundings = Object.fromEntries(rest.slice(0, SURROUNDINGS).map((one) => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)]));
  return { command, surroundings, args: rest.slice(SURROUNDINGS) };
}

function mkdirs(path: string): void {
  if (!existsSync(path)) mkdirSync(path, { recursive: true });
}
