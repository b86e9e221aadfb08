/**
 * What a check may leave behind in this process: nothing. Looks before and after, and waits a little for what is on its way out.
 *
 *   const watch = await startWatch();
 *   ...                                  // the check runs, all stores are closed
 *   const leaks = await watch.end(base);   // ["1 timer still keeps the process alive"]
 */
import { readdir, readlink } from "node:fs/promises";
import { tmpdir } from "node:os";

export interface LeakWatch {
  /** Waits for stragglers, stops watching, and names what is left. `base`: files below it must not be open any more. */
  end(base: string): Promise<readonly string[]>;
}

/** Kinds of `process.getActiveResourcesInfo()` that a closed store has no business keeping. */
const watched: Readonly<Record<string, string>> = {
  Timeout: "timer that keeps the process alive",
  TCPSocketWrap: "open TCP connection",
  TLSWrap: "open TLS connection",
  TCPServerWrap: "listening server",
  PipeWrap: "open pipe",
  ProcessWrap: "child process",
  FSEventWrap: "file watcher",
  MessagePort: "message port",
  Worker: "worker thread",
};
const graceMs = 1500;
const spoolGraceMs = 10_000;

/** Watches that are running now in this process: what is counted for the whole process can be told apart only where one runs alone. */
const running = new Set<object>();
let overlaps = 0;

export async function startWatch(): Promise<LeakWatch> {
  const self = {};
  running.add(self);
  if (running.size > 1) overlaps += 1;
  const overlapsBefore = overlaps;
  let alone = running.size === 1;
  const rejections: string[] = [];
  const warnings: string[] = [];
  const onRejection = (reason: unknown): void => void rejections.push(reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason));
  const onWarning = (warning: Error): void => {
    if (warning.name === "MaxListenersExceededWarning") warnings.push(warning.message);
  };
  process.on("unhandledRejection", onRejection);
  process.on("warning", onWarning);
  const before = resources();
  const spoolsBefore = await spools();

  return {
    async end(base: string): Promise<readonly string[]> {
      // A rejection is reported after the microtasks of the turn in which nobody took it.
      for (let turn = 0; turn < 3; turn += 1) await new Promise((next) => setImmediate(next));
      alone &&= overlaps === overlapsBefore;
      const leaks: string[] = [];
      const kept = await gone(graceMs, async () => [...(alone ? grown(before, resources()) : []), ...(await openFiles(base))]);
      leaks.push(...kept);
      const spooled = await gone(spoolGraceMs, async () => (await spools()).filter((name) => !spoolsBefore.includes(name)));
      leaks.push(...spooled.map((name) => `temporary file ${name} is still there`));
      process.off("unhandledRejection", onRejection);
      process.off("warning", onWarning);
      running.delete(self);
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

function resources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) if (kind in watched) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

function grown(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): string[] {
  const more: string[] = [];
  for (const [kind, count] of now) {
    const extra = count - (before.get(kind) ?? 0);
    if (extra > 0) more.push(`${extra} ${watched[kind]}${extra === 1 ? "" : "s"} more than before the check`);
  }
  return more;
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
  return (await readdir(tmpdir())).filter((name) => name.startsWith("stratus-spool-"));
}
