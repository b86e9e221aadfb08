/**
 * Crash runs: a child process changes a stack, is killed with SIGKILL at an instrumented step or at a random moment, and the same directory is opened again.
 * Nothing acknowledged may be missing, nothing deleted may be back, no file may be torn, what was cut off happened wholly or not at all, and after a flush
 * the remote has the same.
 *
 *   const figures = await crashRuns({ module: "/abs/path/my-stack.ts", kills: 100, seed: 7 });
 *   if (figures.faults.length > 0) throw new Error(figures.faults.join("\n"));
 *
 * A kill at which nothing was pending and no change was under way proves nothing: it is counted as void, and another one is made in its place.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { systemClock } from "../../store/index.ts";
import type { Store } from "../../store/index.ts";
import { seeded } from "../random.ts";
import type { ChildTask } from "./child.ts";
import { removeLeftBehind } from "./left-behind.ts";
import { Ledger, viewOf } from "./ledger.ts";
import type { CrashPlace, CrashSubject } from "./subject.ts";

export interface CrashOptions {
  /** Absolute path of a module whose default export is a CrashSubject. */
  readonly module: string;
  /** Kills that count. At random moments, unless `steps`. */
  readonly kills: number;
  readonly seed: number;
  /** Kill at these steps instead, one after the other. Default: at random moments. */
  readonly steps?: readonly string[] | undefined;
  /** A random moment comes after so many lines of the child at most (it says two for each change), and up to `withinMs` later. Default 150. */
  readonly withinLines?: number | undefined;
  /** Default 10. */
  readonly withinMs?: number | undefined;
  /** Writers at once. Default 6. */
  readonly workers?: number | undefined;
  /** Kills before a new directory is begun. Default 25. */
  readonly killsPerDirectory?: number | undefined;
  /** Where directories are made. Default: that of temporary files. */
  readonly base?: string | undefined;
  readonly say?: ((line: string) => void) | undefined;
}
export interface CrashFigures {
  kills: number;
  /** Nothing was pending: not among `kills`. */
  voided: number;
  /** Kills by step. */
  readonly at: Record<string, number>;
  /** Steps at which processes died, but only when nothing was pending and no change was under way: they prove nothing. */
  readonly idle: string[];
  /** Steps that no process came to. */
  readonly notReached: string[];
  acknowledged: number;
  /** Changes under way at a kill, and how many of them had happened. */
  inFlight: number;
  landed: number;
  /** Looks at the view after a reopening, and comparisons of the remote after a flush. */
  looks: number;
  flushes: number;
  readonly faults: string[];
}

const SIGNAL = "SIGKILL";
/** A child that neither dies nor ends is a fault of its own. */
const CHILD_MS = 60_000;

/** Of one step: among changes first, then at an opening that finds something. */
const TRIES_AMONG_CHANGES = 8;
const MOST_TRIES = 12;

/** A flush that takes longer never ends. */
const FLUSH_MS = 60_000;

export async function crashRuns(options: CrashOptions): Promise<CrashFigures> {
  const { default: subject } = (await import(pathToFileURL(options.module).href)) as { readonly default: CrashSubject };
  const runs = new CrashRuns(subject, options);
  try {
    await runs.all();
    return runs.figures;
  } finally {
    runs.end();
  }
}

async function inTime(work: Promise<void>): Promise<boolean> {
  const over = new AbortController();
  // Not in the background: it keeps this process alive while nothing else does.
  const late = systemClock.sleep(FLUSH_MS, over.signal).then(
    () => false,
    () => true,
  );
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    over.abort();
  }
}

const NAME = "stratus-crash-";

/** Named after this process. What others left behind that were killed themselves goes. */
function newBase(above: string): string {
  removeLeftBehind(above, /^stratus-crash-(\d+)-/);
  return mkdtempSync(join(above, `${NAME}${process.pid}-`));
}

class CrashRuns {
  readonly figures: CrashFigures = {
    kills: 0,
    voided: 0,
    at: {},
    idle: [],
    notReached: [],
    acknowledged: 0,
    inFlight: 0,
    landed: 0,
    looks: 0,
    flushes: 0,
    faults: [],
  };
  readonly #subject: CrashSubject;
  readonly #options: CrashOptions;
  readonly #random: () => number;
  readonly #base: string;
  #ledger: Ledger;
  #place: CrashPlace;
  #places = 0;
  #killsHere = 0;

  constructor(subject: CrashSubject, options: CrashOptions) {
    this.#subject = subject;
    this.#options = options;
    this.#random = seeded(`crash ${options.seed}`);
    this.#base = newBase(options.base ?? tmpdir());
    this.#ledger = this.#newLedger();
    this.#place = this.#newPlace();
  }

  /** What showed a fault stays, to be looked at. */
  end(): void {
    if (this.figures.faults.length === 0) return rmSync(this.#base, { recursive: true, force: true });
    const kept = this.#base.replace(NAME, "stratus-crash-kept-");
    renameSync(this.#base, kept);
    this.figures.faults.push(`kept: ${this.#place.directory.replace(this.#base, kept)}`);
  }

  async all(): Promise<void> {
    const { kills, steps } = this.#options;
    const queue = [...(steps ?? [])];
    for (let round = 0; this.#wanted(kills, queue, round); round++) {
      const step = steps === undefined ? undefined : (queue[0] as string);
      const counted = await this.#kill(step, round);
      if (step !== undefined && (counted || !(await this.#preparesRetry(step, round)))) queue.shift();
      if (this.figures.faults.length > 0) return;
      if (this.#killsHere >= (this.#options.killsPerDirectory ?? 25)) await this.#nextPlace();
    }
    await this.#nextPlace();
  }

  /** A kill at `step` did not count. False: it has been tried often enough. */
  async #preparesRetry(step: string, round: number): Promise<boolean> {
    const tries = this.#tries.get(step) ?? 0;
    if (tries >= MOST_TRIES) {
      this.figures[this.#diedAt.has(step) ? "idle" : "notReached"].push(step);
      return false;
    }
    if (this.figures.faults.length > 0) return true;
    // The last one is in a new directory: some steps come there alone.
    if (tries === MOST_TRIES - 1) await this.#nextPlace();
    // A step of an opening, or of what follows one: it counts where another process was killed just before, so that there is something to open.
    else if (this.#diedEarly || tries >= TRIES_AMONG_CHANGES) await this.#leavePending(round);
    return true;
  }

  readonly #tries = new Map<string, number>();
  readonly #diedAt = new Set<string>();
  /** Nobody has looked at what the last process left. */
  #isUnseen = false;
  /** The last kill came before the stack was open: nothing was changed by that process. */
  #diedEarly = false;

  #wanted(kills: number, queue: readonly string[], round: number): boolean {
    if (this.#options.steps !== undefined) return queue.length > 0;
    return this.figures.kills < kills && round < 4 * kills + 10;
  }

  /** True where it counts. */
  async #kill(step: string | undefined, round: number): Promise<boolean> {
    const tries = step === undefined ? 0 : (this.#tries.get(step) ?? 0);
    if (step !== undefined) this.#tries.set(step, tries + 1);
    this.#place = { ...this.#place, scenario: (step === undefined ? round : tries) % (this.#subject.scenarios ?? 1) };
    this.#ledger.begin();
    // Later tries die at the first time already: some steps come once. So does one that opens what nobody has looked at: it must change nothing.
    const nth = this.#isUnseen ? 1 : tries === 0 ? 1 + Math.floor(this.#random() * 25) : tries === 1 ? 1 + Math.floor(this.#random() * 4) : 1;
    const task = this.#task(this.#place, step === undefined ? undefined : { step, nth });
    const how = await this.#child(task, step === undefined);
    this.#diedEarly = how === "killed" && !this.#ledger.opened;
    const inFlight = this.#ledger.killed();
    if (how !== "killed" && how !== "ended") this.figures.faults.push(how);
    if (how === "killed" && step !== undefined) this.#diedAt.add(step);
    const pending = await this.#reopen(inFlight > 0);
    this.#isUnseen = false;
    const counted = how === "killed" && (inFlight > 0 || pending > 0);
    if (counted) {
      this.figures.kills += 1;
      this.#killsHere += 1;
      this.figures.inFlight += inFlight;
      if (step !== undefined) this.figures.at[step] = (this.figures.at[step] ?? 0) + 1;
    } else this.figures.voided += 1;
    // What one reopening found the next one finds too. Otherwise it is left pending for the next process.
    if (this.#ledger.faults.length === 0 && this.#random() < 0.4) await this.#atRest();
    this.#collect(step === undefined ? "" : ` at ${step}`, task);
    return counted;
  }

  /** The next process: until it dies at a step, or is killed from outside. */
  #task(place: CrashPlace, dieAt: ChildTask["dieAt"]): ChildTask {
    return {
      module: this.#options.module,
      place,
      seed: Math.floor(this.#random() * 2 ** 31),
      serial: this.#ledger.serial,
      changes: dieAt === undefined ? 1_000_000 : this.#isUnseen ? 0 : 40,
      trees: this.#ledger.trees(),
      dieAt,
    };
  }

  /** A process that is killed at a random moment, and nobody looks: the next one dies while it opens what this one left. */
  async #leavePending(round: number): Promise<void> {
    this.#ledger.begin();
    const task = this.#task({ ...this.#place, scenario: round % (this.#subject.scenarios ?? 1) }, undefined);
    const how = await this.#child(task, true);
    this.#ledger.killed();
    this.#isUnseen = true;
    if (how !== "killed") this.figures.faults.push(how);
    this.#collect(" to leave something pending", task);
  }

  #collect(where: string, task: ChildTask): void {
    this.figures.acknowledged += this.#ledger.acknowledged;
    this.#ledger.acknowledged = 0;
    for (const fault of this.#ledger.faults) this.figures.faults.push(`${this.#subject.name}, killed${where} (child seed ${task.seed}): ${fault}`);
    this.#ledger.faults.length = 0;
    this.#options.say?.(`${this.figures.kills} kills${where}, ${this.figures.acknowledged} acknowledged, ${this.figures.faults.length} faults`);
  }

  /** "killed", "ended" (it came to its end), or what went wrong. */
  async #child(task: ChildTask, byTimer: boolean): Promise<string> {
    const file = new URL(`./child${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
    const child = spawn(process.execPath, [file.pathname, JSON.stringify(task)], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NODE_COMPILE_CACHE: join(this.#base, "compiled") },
    });
    const limit = setTimeout(() => child.kill(SIGNAL), CHILD_MS);
    let linesLeft = Math.floor(this.#random() ** 2 * (this.#options.withinLines ?? 150));
    let killer: NodeJS.Timeout | undefined;
    let said = "";
    let text = "";
    limit.unref();
    child.stderr.setEncoding("utf8").on("data", (more: string) => (said += more));
    child.stdout.setEncoding("utf8").on("data", (more: string) => {
      const lines = (text + more).split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) {
        this.#ledger.line(line);
        // Counted from the moment at which it is open: before that nothing has begun. By lines, because machines differ; some moments lie between two.
        if (this.#ledger.opened && --linesLeft < 0 && byTimer) killer ??= setTimeout(() => child.kill(SIGNAL), this.#random() * (this.#options.withinMs ?? 10));
      }
    });
    const { code, signal } = await new Promise<{ readonly code: number | null; readonly signal: string | null }>((done, fail) => {
      child.on("error", fail);
      child.on("close", (code, signal) => done({ code, signal }));
    });
    clearTimeout(limit);
    clearTimeout(killer);
    if (signal === SIGNAL) return this.#ledger.opened || !byTimer ? "killed" : `the child did not open its stack within ${CHILD_MS} ms: ${said}`;
    if (code === 0 && this.#ledger.closed) return "ended";
    return `the child failed (${code ?? signal}): ${said}`;
  }

  /** Looks at what the killed process left, flushes it or leaves it for the next one. Gives what was pending. */
  async #reopen(cut: boolean): Promise<number> {
    const store = await this.#opened();
    if (store === undefined) return 0;
    try {
      const pending = this.#subject.pending?.(store) ?? 0;
      const landed = this.#ledger.compare(await viewOf(store), "after reopening");
      this.figures.looks += 1;
      if (cut) this.figures.landed += landed;
      return pending;
    } finally {
      // Nothing is brought to the remote: the next process finds it.
      await store.close({ signal: AbortSignal.abort() });
    }
  }

  /** Undefined, and a fault, where what was left cannot be opened. */
  async #opened(): Promise<Store | undefined> {
    try {
      const store = await this.#subject.open(this.#place, () => {});
      return await store.open();
    } catch (error) {
      this.#ledger.faults.push(`what was left cannot be opened: ${String(error)}`);
      return undefined;
    }
  }

  async #nextPlace(): Promise<void> {
    await this.#atRest();
    this.#place = this.#newPlace();
  }

  /** Everything is brought to the remote, which must then have what the view had. */
  async #atRest(): Promise<void> {
    const store = await this.#opened();
    if (store === undefined) return;
    try {
      if (!(await inTime(this.#subject.flush(store)))) {
        this.#ledger.faults.push(`flush did not end within ${FLUSH_MS} ms, ${this.#subject.pending?.(store) ?? 0} pending`);
        await store.close({ signal: AbortSignal.abort() });
        return;
      }
      const pending = this.#subject.pending?.(store) ?? 0;
      if (pending > 0) this.figures.faults.push(`${this.#subject.name}: ${pending} are pending after flush`);
      this.#ledger.compare(await viewOf(store), "after flush");
      await store.close();
    } catch (error) {
      await store.close({ signal: AbortSignal.abort() });
      throw error;
    }
    const remote = await this.#subject.remote(this.#place);
    try {
      this.#ledger.compare(await viewOf(remote), "at the remote, after flush");
    } finally {
      await remote.close();
    }
    this.figures.flushes += 1;
    this.figures.faults.push(...(this.#subject.check?.(this.#place) ?? []), ...this.#ledger.faults);
    this.#ledger.faults.length = 0;
  }

  #newLedger(): Ledger {
    return new Ledger(this.#options.workers ?? 6, this.#subject.wholeTrees !== false);
  }

  #newPlace(): CrashPlace {
    this.#ledger = this.#newLedger();
    this.#killsHere = 0;
    const directory = join(this.#base, String(this.#places++));
    mkdirSync(directory);
    return { directory, scenario: 0 };
  }
}
