/**
 * The watchdog: a small process of its own session that starts everything a server needs, and lives on a pipe to the runner. When the pipe
 * closes, for whatever reason (the runner stopped, crashed, got SIGKILL), it kills every process it started and removes their directories.
 *
 *     node keeper.ts BASE        JSON lines on stdin: requests; on stdout: answers and exits
 *
 * Should the keeper itself be killed, then the next one finds its directories by the owner file in them and sweeps them away.
 */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, closeSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** Ports below the ephemeral range of Linux, so that no outgoing connection takes one of ours between choosing and listening. */
const firstPort = 20_000;
const lastPort = 32_000;
/** Ports of one home; its first port is also the name of its directory, so that one atomic mkdir claims both. */
export const portsOfHome = 32;

export type Request =
  | { readonly id: number; readonly do: "open" }
  | {
      readonly id: number;
      readonly do: "spawn";
      readonly home: string;
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly log: string;
    }
  | {
      readonly id: number;
      readonly do: "signal";
      readonly home: string;
      readonly pids: readonly number[];
      readonly signal: "SIGSTOP" | "SIGCONT" | "SIGKILL" | "SIGTERM";
    }
  | { readonly id: number; readonly do: "disk"; readonly home: string; readonly name: string; readonly bytes: number }
  | { readonly id: number; readonly do: "close"; readonly home: string };
export type Answer =
  | { readonly id: number; readonly home?: string; readonly port?: number; readonly pid?: number; readonly user?: number; readonly group?: number }
  | { readonly id: number; readonly error: string }
  | { readonly exited: number; readonly code: number | null; readonly signal: string | null };

/** As root the servers run as nobody; an ordinary user runs them itself. */
const drop = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;

const groups = new Map<string, Map<number, ChildProcess>>();
let ending: Promise<void> | undefined;

function answer(value: Answer): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ host: "127.0.0.1", port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** Somebody on all addresses lets a listen on 127.0.0.1 pass when both say SO_REUSEADDR: so also see that nobody answers. */
async function nobodyAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => (socket.destroy(), resolve(false)));
    socket.once("error", () => resolve(true));
  });
}

async function open(base: string): Promise<{ home: string; port: number }> {
  const blocks = Math.floor((lastPort - firstPort) / portsOfHome);
  const start = Math.floor(Math.random() * blocks);
  for (let n = 0; n < blocks; n += 1) {
    if (ending !== undefined) throw new Error("the runner is gone");
    const port = firstPort + ((start + n) % blocks) * portsOfHome;
    const home = join(base, String(port));
    try {
      mkdirSync(home, { mode: 0o700 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") continue; // Claimed by another server, perhaps of another runner.
      throw error;
    }
    writeFileSync(join(home, "owner"), owner(), { mode: 0o600 });
    groups.set(home, new Map());
    if (drop !== undefined) chownSync(home, drop.uid, drop.gid);
    const ports = Array.from({ length: portsOfHome }, (_, index) => port + index);
    const free = await Promise.all(ports.map(async (each) => (await portIsFree(each)) && (await nobodyAnswers(each))));
    if (free.every(Boolean)) return { home, port };
    await close(home);
  }
  throw new Error(`no ${portsOfHome} free ports in a row between ${firstPort} and ${lastPort}`);
}

async function start(request: Request & { do: "spawn" }): Promise<number> {
  const group = groups.get(request.home);
  if (group === undefined) throw new Error(`no such home: ${request.home}`);
  const log = openSync(request.log, "a", 0o600);
  try {
    if (drop !== undefined) chownSync(request.log, drop.uid, drop.gid);
    const child = spawn(request.command, request.args, {
      cwd: request.home,
      env: { ...request.env, STRATUS_SERVER: request.home },
      detached: true, // A process group of its own: it dies with all its children.
      stdio: ["ignore", log, log],
      ...drop,
    });
    const pid = child.pid;
    if (pid === undefined) {
      const [reason] = (await once(child, "error")) as [Error];
      throw new Error(`cannot start ${request.command}: ${reason.message}`);
    }
    group.set(pid, child);
    child.once("exit", (code, signal) => {
      kill(-pid, "SIGKILL"); // Children that outlive it (the workers of php -S).
      group.delete(pid);
      answer({ exited: pid, code, signal });
    });
    return pid;
  } finally {
    closeSync(log);
  }
}

/** True when there was somebody to signal. */
function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Processes that came from this home, also those that left their process group: by environment or working directory. */
function strays(home: string): number[] {
  const found: number[] = [];
  let entries: string[];
  try {
    entries = readdirSync("/proc");
  } catch {
    return found; // No /proc on this system: the process groups have to do.
  }
  for (const entry of entries) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const marked = readFileSync(`/proc/${entry}/environ`, "latin1").split("\0").includes(`STRATUS_SERVER=${home}`);
      const cwd = marked ? "" : readlinkSync(`/proc/${entry}/cwd`);
      if (marked || cwd === home || cwd.startsWith(`${home}/`)) found.push(pid);
    } catch {
      continue; // Gone meanwhile, or not ours to read.
    }
  }
  return found;
}

/** Kills all of a home and removes it. Its data is thrown away, so nothing gets a chance to shut down in its own time. */
async function close(home: string): Promise<void> {
  const group = groups.get(home);
  const deadline = Date.now() + 10_000;
  for (;;) {
    const running = [...(group?.keys() ?? [])].filter((pid) => kill(-pid, "SIGKILL"));
    const left = strays(home).filter((pid) => kill(pid, "SIGKILL"));
    if (running.length === 0 && left.length === 0) break;
    if (Date.now() > deadline) throw new Error(`cannot kill ${[...running, ...left].join(", ")} of ${home}`);
    await delay(10);
  }
  for (const mounted of mountsBelow(home)) mountTool("umount", "-l", mounted);
  rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  groups.delete(home);
}

/** A directory that holds so many bytes and no more: a file system of its own in memory, which takes root. */
function disk(home: string, name: string, bytes: number): void {
  if (drop === undefined) throw new Error("a small disk needs root, to mount it");
  if (!groups.has(home)) throw new Error(`no such home: ${home}`);
  const path = join(home, name);
  mkdirSync(path, { mode: 0o700 });
  mountTool("mount", "-t", "tmpfs", "-o", `size=${bytes},mode=700,uid=${drop.uid},gid=${drop.gid},nosuid,nodev`, "stratus", path);
}
function mountsBelow(home: string): string[] {
  let table: string;
  try {
    table = readFileSync("/proc/self/mounts", "utf8");
  } catch {
    return []; // No /proc: no Linux, no small disks.
  }
  return table.split("\n").flatMap((line) => {
    const path = line.split(" ")[1] ?? "";
    return path.startsWith(`${home}/`) ? [path] : [];
  });
}
function mountTool(...[program, ...args]: readonly [string, ...string[]]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${error?.message ?? stderr}`);
}

/** Who holds a home: pid and start time, since pids come again. */
function owner(): string {
  return `${process.pid} ${startTime(process.pid)}`;
}
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? "" : (fields[19] ?? "?"); // A zombie is dead, only not buried.
  } catch {
    return kill(pid, 0) ? "?" : "";
  }
}

/** Removes homes whose keeper is dead. */
async function sweep(base: string): Promise<void> {
  for (const entry of readdirSync(base)) {
    const home = join(base, entry);
    let held: string;
    try {
      held = readFileSync(join(home, "owner"), "utf8");
    } catch {
      // No owner yet: either just being made, or its keeper died in that very instant.
      const made = lstatSync(home, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
      if (Date.now() - made < 60_000) continue;
      held = "";
    }
    const [pid, time] = held.split(" ");
    if (pid !== undefined && pid !== "" && startTime(Number(pid)) === time) continue;
    await close(home);
  }
}

/** The directory of all homes: ours, and writable by nobody else. As root others may pass through it, since the servers do. */
function claimBase(base: string): void {
  mkdirSync(base, { recursive: true, mode: drop === undefined ? 0o700 : 0o711 });
  const stat = lstatSync(base);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.() || (stat.mode & 0o022) !== 0) {
    throw new Error(`${base} is not a directory of this user alone: remove it`);
  }
}

async function serve(request: Request, base: string): Promise<Answer> {
  switch (request.do) {
    case "open":
      return { id: request.id, ...(await open(base)), ...(drop === undefined ? {} : { user: drop.uid, group: drop.gid }) };
    case "spawn":
      return { id: request.id, pid: await start(request) };
    case "signal": {
      const own = groups.get(request.home);
      for (const pid of request.pids) {
        if (own?.has(pid) !== true || !kill(-pid, request.signal)) throw new Error(`no process ${pid} in ${request.home}`);
      }
      return { id: request.id };
    }
    case "disk":
      disk(request.home, request.name, request.bytes);
      return { id: request.id };
    case "close":
      await close(request.home);
      return { id: request.id };
  }
}

async function main(base: string): Promise<void> {
  process.umask(0o022);
  process.stdout.on("error", () => {}); // The runner is dead: stdin says so too.
  const end = (): Promise<void> => {
    ending ??= (async (): Promise<void> => {
      const closed = await Promise.allSettled([...groups.keys()].map(close));
      for (const each of closed) if (each.status === "rejected") console.error(each.reason);
      process.exit(closed.every((each) => each.status === "fulfilled") ? 0 : 1);
    })();
    return ending;
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => void end());
  claimBase(base);
  await sweep(base);
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const request = JSON.parse(line) as Request;
    serve(request, base).then(answer, (error: unknown) => answer({ id: request.id, error: error instanceof Error ? error.message : String(error) }));
  });
  lines.on("close", () => void end());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv[2] as string);
