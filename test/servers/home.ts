/**
 * A home: one private directory with a block of free ports and the processes of one server, held by the keeper, gone when we are.
 *
 *     const home = await openHome("apache");
 *     home.write("httpd.conf", text);
 *     const server = await home.start("apache2", ["-f", home.path("httpd.conf"), "-DFOREGROUND"]);
 *     await home.ready("answers", () => listens(home.port), server);
 *     await home.close();
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Answer, Request } from "./keeper.ts";
import { which } from "./requirements.ts";

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}
/** A process that was started in a home. */
export interface Started {
  readonly pid: number;
  readonly program: string;
  readonly log: string;
  readonly exit: Promise<Exit>;
  /** What it has ended with; undefined while it runs. */
  ended(): Exit | undefined;
}
export interface Home {
  readonly name: string;
  readonly directory: string;
  /** The first of `portsOfHome` ports that are free on 127.0.0.1. */
  readonly port: number;
  path(...parts: readonly string[]): string;
  /** Makes a directory below, owned by the user the server runs as. */
  mkdir(...parts: readonly string[]): string;
  /** The like of `mkdir` with room for so many bytes only, when given; that takes root. */
  disk(name: string, bytes: number | undefined): Promise<string>;
  /** Writes a file, readable by the server's user alone. */
  write(name: string, text: string): string;
  start(program: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Started>;
  /** Runs a program to its end and gives what it printed (both channels); throws when it fails. */
  run(program: string, args: readonly string[], options?: { readonly timeoutMs?: number }): Promise<string>;
  /** Waits until the condition holds; fails at once when one of these processes ends, with the end of its log. */
  ready(what: string, condition: () => Promise<boolean>, ...processes: readonly Started[]): Promise<void>;
  signal(signal: "SIGSTOP" | "SIGCONT" | "SIGKILL" | "SIGTERM", ...processes: readonly Started[]): Promise<void>;
  /** Kills everything and removes the directory. */
  close(): Promise<void>;
}

/** Where homes are made; set STRATUS_SERVERS_DIR to have them elsewhere (Swift needs user xattrs there). */
export function baseDirectory(): string {
  return process.env["STRATUS_SERVERS_DIR"] ?? join(tmpdir(), `stratus-servers-${process.getuid?.() ?? "user"}`);
}

interface Keeper {
  ask(
    request: DistributiveOmit<Request, "id">,
  ): Promise<Answer & { readonly home?: string; readonly port?: number; readonly pid?: number; readonly user?: number; readonly group?: number }>;
  onExit(pid: number, listener: (exit: Exit) => void): void;
  release(): Promise<void>;
  dead(): boolean;
}
type DistributiveOmit<T, K extends string> = T extends unknown ? Omit<T, K> : never;

let current: { keeper: Keeper; homes: number } | undefined;

function launchKeeper(): Keeper {
  const child: ChildProcess = spawn(process.execPath, ["--no-warnings", fileURLToPath(new URL("keeper.ts", import.meta.url)), baseDirectory()], {
    detached: true, // Ctrl-C on the runner's terminal must not reach it before it has cleaned up.
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "" },
  });
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error("the keeper has no pipes");
  const waiting = new Map<number, { resolve(value: Answer): void; reject(reason: Error): void }>();
  const exits = new Map<number, Exit>();
  const listeners = new Map<number, (exit: Exit) => void>();
  let last = 0;
  let said = "";
  let dead: string | undefined;
  const fail = (why: string): void => {
    dead ??= why;
    for (const { reject } of waiting.values()) reject(new Error(why));
    waiting.clear();
    for (const [pid, listener] of listeners) listener({ code: null, signal: `lost: ${why} (pid ${pid})` });
    listeners.clear();
  };
  stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-4000)));
  stdin.on("error", () => {}); // The exit says why.
  child.once("error", (error) => fail(`cannot start the keeper: ${error.message}`));
  child.once("exit", (code, signal) => fail(`the keeper ended with ${code ?? signal}${said === "" ? "" : `: ${said}`}`));
  createInterface({ input: stdout }).on("line", (line) => {
    const answer = JSON.parse(line) as Answer;
    if ("exited" in answer) {
      const exit = { code: answer.code, signal: answer.signal };
      const listener = listeners.get(answer.exited);
      listeners.delete(answer.exited);
      if (listener === undefined) exits.set(answer.exited, exit);
      else listener(exit);
      return;
    }
    const waiter = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (waiter === undefined) return;
    if ("error" in answer) waiter.reject(new Error(answer.error));
    else waiter.resolve(answer);
    hold(waiting.size > 0);
  });
  // A runner that ends without stopping its servers must be able to end: only an open question keeps it alive.
  const hold = (on: boolean): void => {
    for (const each of [child, stdin, stdout, stderr] as readonly { ref?(): void; unref?(): void }[]) {
      if (on) each.ref?.();
      else each.unref?.();
    }
  };
  hold(false);
  return {
    ask: async (request) => {
      if (dead !== undefined) throw new Error(dead);
      const id = (last += 1);
      const promise = new Promise<Answer>((resolve, reject) => waiting.set(id, { resolve, reject }));
      hold(true);
      stdin.write(`${JSON.stringify({ ...request, id })}\n`);
      return promise;
    },
    onExit: (pid, listener) => {
      const exit = exits.get(pid);
      if (exit !== undefined) listener(exit);
      else if (dead !== undefined) listener({ code: null, signal: dead });
      else listeners.set(pid, listener);
    },
    release: async () => {
      if (dead !== undefined) return;
      hold(true);
      const gone = once(child, "exit");
      stdin.end();
      const [code, signal] = (await gone) as [number | null, string | null];
      if (code !== 0) throw new Error(`the keeper ended with ${code ?? signal}: ${said}`);
    },
    dead: () => dead !== undefined,
  };
}

/** A home for a server of this name. Close it, or end the process: either way nothing of it stays. */
export async function openHome(name: string): Promise<Home> {
  current ??= { keeper: launchKeeper(), homes: 0 };
  const held = current;
  const keeper = held.keeper;
  held.homes += 1;
  const release = async (): Promise<void> => {
    held.homes -= 1;
    if (held.homes > 0) return;
    if (current === held) current = undefined;
    await keeper.release();
  };
  const opened = await keeper.ask({ do: "open" }).catch(async (error: unknown) => {
    if (current === held) current = undefined;
    await release();
    throw error;
  });
  const { home: directory = "", port = 0, user, group } = opened;
  const own = (path: string): string => {
    if (user !== undefined && group !== undefined) chownSync(path, user, group);
    return path;
  };
  const path = (...parts: readonly string[]): string => join(directory, ...parts);
  const environment = { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", HOME: directory, TMPDIR: path("tmp"), LANG: "C.UTF-8" };
  let commands = 0;
  let closing: Promise<void> | undefined;
  const home: Home = {
    name,
    directory,
    port,
    path,
    mkdir: (...parts) => {
      const made = path(...parts);
      mkdirSync(made);
      return own(made);
    },
    disk: async (part, bytes) => {
      if (bytes === undefined) return home.mkdir(part);
      await keeper.ask({ do: "disk", home: directory, name: part, bytes });
      return path(part);
    },
    write: (file, text) => {
      writeFileSync(path(file), text, { mode: 0o600 });
      chmodSync(path(file), 0o600);
      return own(path(file));
    },
    start: async (program, args, env = {}) => {
      const command = which(program);
      if (command === undefined) throw new Error(`${name}: no program ${program}: npm run servers:install`);
      const log = path("log", `${(commands += 1)}-${program}.log`);
      const { pid = 0 } = await keeper.ask({ do: "spawn", home: directory, command, args, env: { ...environment, ...env }, log });
      let ended: Exit | undefined;
      const exit = new Promise<Exit>((resolve) => keeper.onExit(pid, (how) => resolve((ended = how))));
      return { pid, program, log, exit, ended: () => ended };
    },
    run: async (program, args, { timeoutMs = 60_000 } = {}) => {
      const started = await home.start(program, args);
      const timer = new AbortController();
      const late = delay(timeoutMs, undefined, { signal: timer.signal }).then(
        () => undefined,
        () => undefined,
      );
      const exit = await Promise.race([started.exit, late]);
      timer.abort();
      if (exit === undefined) await home.signal("SIGKILL", started);
      if (exit?.code !== 0)
        throw new Error(`${name}: ${program} ${exit === undefined ? `took over ${timeoutMs} ms` : `ended with ${exit.code ?? exit.signal}`}: ${tail(started)}`);
      return readFileSync(started.log, "utf8");
    },
    ready: async (what, condition, ...processes) => {
      const deadline = Date.now() + 60_000;
      for (let pause = 5; ; pause = Math.min(pause * 1.5, 100)) {
        if (await condition()) return;
        for (const each of processes) {
          const exit = each.ended();
          if (exit !== undefined) throw new Error(`${name}: ${each.program} ended with ${exit.code ?? exit.signal} before ${what}: ${tail(each)}`);
        }
        if (Date.now() > deadline) throw new Error(`${name}: not after 60 s: ${what}: ${processes.map((each) => tail(each)).join("\n")}`);
        await delay(pause);
      }
    },
    signal: async (signal, ...processes) => {
      await keeper.ask({ do: "signal", home: directory, pids: processes.map((each) => each.pid), signal });
    },
    close: async () => {
      closing ??= (async (): Promise<void> => {
        try {
          await keeper.ask({ do: "close", home: directory }).catch(async (error: unknown) => {
            if (!keeper.dead()) throw error;
            await launchKeeper().release(); // Somebody killed the keeper: a new one sweeps away what the dead one held.
          });
        } finally {
          await release();
        }
      })();
      return closing;
    },
  };
  for (const part of ["log", "run", "tmp"]) home.mkdir(part);
  return home;
}

function tail(started: Started): string {
  try {
    return readFileSync(started.log, "utf8").slice(-2000);
  } catch {
    return "(no log)";
  }
}

/** Whether somebody listens on a port of 127.0.0.1. */
export async function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });
}

/** Starts a server in a fresh home; closes the home when starting fails. Tries again with other ports when somebody took one of ours. */
export async function inHome<T>(name: string, start: (home: Home) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const home = await openHome(name);
    try {
      return await start(home);
    } catch (error) {
      await home.close();
      const taken = error instanceof Error && /address already in use|EADDRINUSE|Address in use/i.test(error.message);
      if (!taken || attempt === 3) throw error;
    }
  }
}
