/**
 * What a check may leave behind in this process: nothing. Timers, sockets and child processes are seen as they are made, so each is known to be this
 * check's own although others run at the same time; what is on its way out gets a little time.
 *
 *   const watch = await startWatch();
 *   await watch.run(() => …);               // the check runs, all stores are closed
 *   const leaks = await watch.end(base);    // ["a timer still keeps the process alive, made at …"]
 */
import { AsyncLocalStorage, createHook } from "node:async_hooks";
import type { AsyncHook } from "node:async_hooks";
import { readdir, readlink } from "node:fs/promises";
import { tmpdir } from "node:os";

export interface LeakWatch {
  /** What is made in here, at once or later, belongs to the check. */
  run<T>(action: () => Promise<T>): Promise<T>;
  /** What is made in here belongs to somebody else: a server that a subject starts when it is first needed. */
  outside<T>(action: () => T): T;
  /** Waits for stragglers, stops watching, and names what is left. `base`: files below it must not be open any more. */
  end(base: string): Promise<readonly string[]>;
}

/** Kinds of asynchronous resources that a closed store has no business keeping, in words. */
const kinds: Readonly<Record<string, string>> = {
  Timeout: "a timer still keeps the process alive",
  TCPWRAP: "a TCP connection is still open",
  TLSWRAP: "a TLS connection is still open",
  TCPSERVERWRAP: "a server still listens",
  PIPEWRAP: "a pipe is still open",
  PIPESERVERWRAP: "a server still listens on a pipe",
  UDPWRAP: "a UDP socket is still open",
  PROCESSWRAP: "a child process still runs",
  FSEVENTWRAP: "a file is still watched",
  STATWATCHER: "a file is still watched",
  WORKER: "a worker thread still runs",
};
const graceMs = 1500;
const spoolGraceMs = 10_000;

interface Made {
  readonly kind: string;
  readonly resource: object;
  readonly stack: string;
}
class Owner {
  readonly made = new Map<number, Made>();
}

const owners = new AsyncLocalStorage<Owner | undefined>();
const watching = new Set<Owner>();
let hook: AsyncHook | undefined;

/** One hook for all watches, in force only while there is one: without `trackPromises` (before Node 24) it makes every await slower. */
function enable(owner: Owner): void {
  watching.add(owner);
  hook ??= createHook({
    init(id, kind, _trigger, resource) {
      if (!(kind in kinds)) return;
      const made = owners.getStore();
      if (made !== undefined && watching.has(made)) made.made.set(id, { kind, resource, stack: origin(new Error("here").stack ?? "") });
    },
    destroy(id) {
      for (const one of watching) one.made.delete(id);
    },
    trackPromises: false,
  });
  hook.enable();
}

function disable(owner: Owner): void {
  watching.delete(owner);
  if (watching.size === 0) hook?.disable();
}

export async function startWatch(): Promise<LeakWatch> {
  // Made when they are first looked at, which every pipe() of a Node stream does: they are the process's, not the check's.
  void process.stdout;
  void process.stderr;
  const owner = new Owner();
  enable(owner);
  const rejections: string[] = [];
  const warnings: string[] = [];
  const onRejection = (reason: unknown): void => void rejections.push(reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason));
  const onWarning = (warning: Error): void => {
    if (warning.name === "MaxListenersExceededWarning") warnings.push(warning.message);
  };
  process.on("unhandledRejection", onRejection);
  process.on("warning", onWarning);
  const spoolsBefore = await spools();

  return {
    run: (action) => owners.run(owner, action),
    outside: (action) => owners.run(undefined, action),
    async end(base): Promise<readonly string[]> {
      // A rejection is reported after the microtasks of the turn in which nobody took it, a warning in the turn after.
      for (let turn = 0; turn < 3; turn += 1) await new Promise((next) => setImmediate(next));
      const leaks = [...(await gone(graceMs, async () => [...alive(owner), ...(base === "" ? [] : await openFiles(base))]))];
      const spooled = await gone(spoolGraceMs, async () => (await spools()).filter((name) => !spoolsBefore.includes(name)));
      leaks.push(...spooled.map((name) => `temporary file ${name} is still there`));
      process.off("unhandledRejection", onRejection);
      process.off("warning", onWarning);
      disable(owner);
      leaks.push(...rejections.map((text) => `an unhandled rejection: ${text}`), ...warnings);
      return leaks;
    },
  };
}

/** Looks again until nothing is left or the time is over. */
async function gone(ms: number, look: () => Promise<readonly string[]>): Promise<readonly string[]> {
  const end = performance.now() + ms;
  for (let wait = 5; ; wait = Math.min(wait * 2, 200)) {
    const left = await look();
    if (left.length === 0 || performance.now() > end) return left;
    await new Promise((next) => setTimeout(next, wait));
  }
}

/** What would keep the process from ending. An idle connection of a pool that lets it end is the pool's business. */
function alive(owner: Owner): string[] {
  const left: string[] = [];
  for (const { kind, resource, stack } of owner.made.values()) {
    const holds = "hasRef" in resource && typeof resource.hasRef === "function" ? resource.hasRef() === true : false;
    if (holds) left.push(`${kinds[kind]}${stack === "" ? "" : `, made ${stack}`}`);
  }
  return left;
}

/** The first line of the stack that is neither this file nor Node. */
function origin(stack: string): string {
  const line = stack
    .split("\n")
    .slice(1)
    .find((one) => !one.includes("node:") && !one.includes(import.meta.filename));
  return line?.trim() ?? "";
}

/** Files below the directories of the check that this process still has open. Linux tells; elsewhere nothing is known and nothing is said. */
async function openFiles(base: string): Promise<string[]> {
  if (process.platform !== "linux") return [];
  const found: string[] = [];
  for (const fd of await readdir("/proc/self/fd")) {
    // The directory handle of this very look is gone when its link is read.
    const target = await readlink(`/proc/self/fd/${fd}`).catch(() => "");
    if (target.startsWith(`${base}/`)) found.push(`file ${target.slice(base.length + 1)} is still open`);
  }
  return found;
}

/** Spooled bodies, by name. Other processes have some too; those come and go, a leaked one stays. */
async function spools(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith(`stratus-spool-${process.pid}-`));
}
