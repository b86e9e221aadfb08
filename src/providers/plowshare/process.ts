/** One run of a command: in a process group of its own, with bounded output and a bounded life, and nothing of it left when it ends. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { StoreError, abortError } from "../../store/index.ts";
import type { Clock } from "../../store/index.ts";

export interface Run {
  /** Path or name of the executable. */
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** After so long the whole group is killed. */
  readonly limitMs: number;
  readonly maxOutputBytes: number;
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
  /** Asked about once a second: true ends the run (a download that grows past what it may). */
  readonly tooMuch?: (() => Promise<boolean>) | undefined;
}
export interface Ended {
  /** The exit code; null where a signal ended it. */
  readonly code: number | null;
  /** Why we ended it; null: it ended by itself. */
  readonly stopped: "time" | "signal" | "output" | "too-much" | null;
  readonly stdout: string;
  /** The last of what it said to people. */
  readonly stderr: string;
}

/** How commands are run; tests have one that starts none. */
export type Runner = (options: Run) => Promise<Ended>;

/** Between the request to end and the end by force. */
const GRACE_MS = 2000;
/** How long children of a command that has ended may live on. */
const DRAIN_MS = 300;
/** And how long the output of one that got away is waited for. */
const ESCAPED_MS = 10_000;
const LOOK_MS = 1000;
const STDERR_KEPT = 4096;

/** Groups that run: a process that leaves without closing its stores takes them along. */
const running = new Set<number>();
let hooked = false;
function leaveNothing(): void {
  if (hooked) return;
  hooked = true;
  process.on("exit", () => {
    for (const pid of running) killGroup(pid, "SIGKILL");
  });
}

/** Resolves when the leader has ended and its pipes are closed. @throws StoreError `config` where the command cannot be started, `aborted` before it was */
export async function run(options: Run): Promise<Ended> {
  const { signal, clock } = options;
  if (signal?.aborted === true) throw abortError(signal, { applied: false });
  leaveNothing();
  const child = spawn(options.file, options.args, {
    cwd: options.cwd,
    env: options.environment,
    // A group of its own, so that curl and what else it starts end with it.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const over = new AbortController();
  let stopped: Ended["stopped"] = null;
  const stop = (why: NonNullable<Ended["stopped"]>): void => {
    if (stopped !== null || over.signal.aborted) return;
    stopped = why;
    killGroup(child.pid, "SIGTERM");
    clock.sleep(GRACE_MS, over.signal).then(
      () => killGroup(child.pid, "SIGKILL"),
      () => {},
    );
  };
  const output = new Output(child, options.maxOutputBytes, () => stop("output"));
  const onAbort = (): void => stop("signal");
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const ended = endOf(child, clock, over.signal);
    clock.sleep(options.limitMs, over.signal).then(
      () => stop("time"),
      () => {},
    );
    if (options.tooMuch !== undefined) void watch(options.tooMuch, clock, over.signal, () => stop("too-much"));
    const code = await ended;
    return { code, stopped, stdout: output.stdout, stderr: output.stderr };
  } finally {
    signal?.removeEventListener("abort", onAbort);
    over.abort();
    // What the leader left behind in its group: most often nothing.
    killGroup(child.pid, "SIGKILL");
    if (child.pid !== undefined) running.delete(child.pid);
  }
}

function endOf(child: ChildProcess, clock: Clock, over: AbortSignal): Promise<number | null> {
  if (child.pid !== undefined) running.add(child.pid);
  return new Promise((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      // "error" of a child that was started is a failed kill, which the group hears all the same.
      if (child.pid === undefined) reject(notStarted(error));
    });
    child.once("exit", (code) => {
      void letGo(child, clock, over);
      child.once("close", () => resolve(code));
    });
  });
}

/**
 * The command has ended, its pipes have not: a child of it still holds them. With its group gone all that was written can be read and then they end, however
 * late we come to read. Only what left the group and still holds on is not waited for.
 */
async function letGo(child: ChildProcess, clock: Clock, over: AbortSignal): Promise<void> {
  try {
    await clock.sleep(DRAIN_MS, over);
    killGroup(child.pid, "SIGKILL");
    await clock.sleep(ESCAPED_MS, over);
  } catch {
    // Over: they have ended.
    return;
  }
  child.stdout?.destroy();
  child.stderr?.destroy();
}

async function watch(tooMuch: () => Promise<boolean>, clock: Clock, over: AbortSignal, stop: () => void): Promise<void> {
  try {
    for (;;) {
      await clock.sleep(LOOK_MS, over);
      if (await tooMuch()) return stop();
    }
  } catch (error) {
    // Over: the run has ended. Anything else shows when its result is looked at.
    if (!over.aborted) stop();
    void error;
  }
}

class Output {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #said = Buffer.alloc(0);

  constructor(child: ChildProcess, max: number, flooded: () => void) {
    child.stdout?.on("data", (chunk: Buffer) => {
      this.#bytes += chunk.byteLength;
      if (this.#bytes > max) flooded();
      else this.#chunks.push(chunk);
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#said = Buffer.concat([this.#said, chunk]).subarray(-STDERR_KEPT);
    });
    // A pipe that breaks says nothing that its end doesn't.
    child.stdout?.on("error", () => {});
    child.stderr?.on("error", () => {});
  }
  get stdout(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
  get stderr(): string {
    return this.#said.toString("utf8");
  }
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // Gone already; on macOS a group of zombies is EPERM.
    if (!["ESRCH", "EPERM"].includes(String((error as NodeJS.ErrnoException).code))) throw error;
  }
}

function notStarted(cause: NodeJS.ErrnoException): StoreError {
  if (cause.code === "EAGAIN" || cause.code === "ENOMEM" || cause.code === "EMFILE")
    return new StoreError("unavailable", "this machine cannot start another process now", { cause, applied: false });
  return new StoreError(
    "config",
    "plowshare is not installed: its commands (plowup, plowdown, plowdel, plowprobe, plowlist) are not in commandDirectory or on PATH",
    {
      cause,
      applied: false,
    },
  );
}
