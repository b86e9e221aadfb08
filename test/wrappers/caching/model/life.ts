/**
 * The life of the process that a program runs: it starts over a directory and a connection to the remote, is killed by a crash or a power failure, and the
 * next one starts over what it left. Calls are awaited here, since a call may have to wait for the remote or for time, and may be cut off by a kill.
 */
import { cpSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { Store } from "../../../../src/store/index.ts";
import { StoreError } from "../../../../src/store/index.ts";
import { ProgramClock, quiet } from "./clock.ts";
import type { ProcessClock } from "./clock.ts";
import { FlushedDisk, watchFlushes } from "./power.ts";
import type { Setup } from "./program.ts";
import { Remote } from "./remote.ts";
import { scratch } from "../../../scratch.ts";
import type { Connection } from "./remote.ts";
import type { Process, Subject } from "./subject.ts";
import { Violation } from "./violation.ts";

/** How a call ended; "cut": it was running when the process was killed, and what came of it nobody was told. */
export type Outcome<T> = { readonly value: T } | { readonly error: unknown } | "cut";

/** More rounds than any program needs to come to rest. */
const MAX_ROUNDS = 1500;

export interface LifeOptions {
  readonly subject: Subject;
  readonly setup: Setup;
  /** The program has power failures: flushes are watched, which is slow. */
  readonly power: boolean;
  readonly trace?: ((line: string) => void) | undefined;
}

export class Life {
  readonly clock = new ProgramClock();
  readonly remote: Remote;
  crashes = 0;
  readonly #options: LifeOptions;
  readonly #home = mkdtempSync(join(scratch(), "program-"));
  #disk: FlushedDisk | undefined;
  #generation = 0;
  #process: Process | undefined;
  #processClock: ProcessClock | undefined;
  #connection: Connection | undefined;
  /** Crash points until the process is killed; 0: not. */
  #fuse = 0;
  #fusePower = false;
  /** Taken at the moment of the kill: where the next process starts. */
  #left: string | undefined;

  constructor(options: LifeOptions) {
    this.#options = options;
    this.remote = new Remote(options.setup.shape, this.clock);
  }

  get process(): Process {
    if (this.#process === undefined) throw new Error("no process runs");
    return this.#process;
  }
  get store(): Store {
    return this.process.store;
  }
  /** It was killed, and none has been started in its place. */
  get dead(): boolean {
    return this.#left !== undefined;
  }
  get #persistent(): boolean {
    return this.#options.subject.persistent;
  }

  async begin(): Promise<void> {
    if (this.#options.power && this.#persistent) await watchFlushes();
    await this.#start(this.#directory());
  }

  /** Over what the one that was killed left. */
  async restart(): Promise<void> {
    this.#process?.abandon();
    this.#process = undefined;
    while (this.#left !== undefined) await this.#start(this.#left);
  }

  crash(power = false): void {
    if (this.#persistent && !this.dead) this.#kill(this.directory, power);
  }

  /** Killed at the n-th crash point from now. 0: not any more. */
  crashAt(point: number, power = false): void {
    if (!this.#persistent) return;
    this.#fuse = point;
    this.#fusePower = power;
  }

  /** A clean end, and what is then wrong in the directory. */
  async close(): Promise<readonly string[]> {
    const closed = await this.settled(this.store.close());
    if (closed === "cut" || "error" in closed) throw new Violation(`close failed: ${show(closed)}`, closed === "cut" ? undefined : closed.error);
    return this.#options.subject.check?.(this.directory) ?? [];
  }

  end(): void {
    this.#connection?.cut();
    this.#processClock?.stop();
    this.#process?.abandon();
    this.#disk?.end();
    rmSync(this.#home, { recursive: true, force: true });
  }

  /** Of the process that runs. */
  get directory(): string {
    return join(this.#home, String(this.#generation - 1));
  }
  #directory(): string {
    return join(this.#home, String(this.#generation++));
  }

  async #start(directory: string): Promise<void> {
    this.#left = undefined;
    this.remote.failingQuestions = 0;
    const clock = this.clock.process();
    const connection = this.remote.connect();
    this.#processClock = clock;
    this.#connection = connection;
    mkdirSync(directory, { recursive: true });
    const watched = this.#options.power && this.#persistent;
    if (watched) this.#disk = new FlushedDisk(directory, this.#generation > 1);
    let killed = false;
    const point = (name: string): void => {
      if (killed || this.#fuse === 0) return;
      this.#fuse -= 1;
      if (this.#fuse > 0) return;
      killed = true;
      this.#options.trace?.(`    killed at ${name}`);
      this.#kill(directory, this.#fusePower);
    };
    const { subject, setup } = this.#options;
    const starting = subject.start({ directory, remote: connection.store, clock, setup, durability: watched ? "power" : "process", point });
    const started = await this.settled(starting);
    if (started === "cut") {
      // Killed while it opened: the next one opens what that one left.
      void starting.then(
        (late) => late.abandon(),
        () => {},
      );
    } else if ("error" in started) throw new Violation(`the directory cannot be opened: ${show(started)}`, started.error);
    else this.#process = started.value;
  }

  /** From here on nothing leaves the process, nothing reaches it, and what it has not acknowledged it never will. */
  #kill(directory: string, power: boolean): void {
    this.crashes += 1;
    this.#fuse = 0;
    const left = this.#directory();
    if (power) this.#disk?.leave(left);
    else copyDirectory(directory, left);
    this.#disk?.end();
    this.#left = left;
    this.#connection?.cut();
    this.#processClock?.stop();
  }

  /* ---- calls */

  async settled<T>(call: Promise<T>): Promise<Outcome<T>> {
    return (await this.allSettled([call]))[0] as Outcome<T>;
  }

  /** Where calls wait for the remote or for time, both go on: oldest request first, and all goes well. */
  async allSettled<T>(calls: readonly Promise<T>[]): Promise<readonly Outcome<T>[]> {
    const own = this.#connection;
    const outcomes: (Outcome<T> | undefined)[] = calls.map(() => undefined);
    // What settles after the kill is nobody's acknowledgement: the process was dead by then.
    const dead = (): boolean => this.#left !== undefined || this.#connection !== own;
    calls.forEach((call, index) => {
      const ended = (outcome: Outcome<T>): void => void (outcomes[index] ??= dead() ? "cut" : outcome);
      call.then(
        (value) => ended({ value }),
        (error: unknown) => ended({ error }),
      );
    });
    for (let round = 0; round < MAX_ROUNDS; round++) {
      await quiet();
      if (dead() || outcomes.every((outcome) => outcome !== undefined)) return outcomes.map((outcome) => outcome ?? "cut");
      if (!(await this.remote.end(0, "ok"))) await this.clock.advance(Math.min(this.clock.untilNextMs() ?? 1000, 60_000));
    }
    throw new Violation(`a call never ends; ${this.remote.requests.length} requests wait`);
  }
}

export function show(outcome: Outcome<unknown>): string {
  if (outcome === "cut") return "nothing before the kill";
  if ("value" in outcome) return "success";
  return StoreError.is(outcome.error) ? `${outcome.error.code} (${outcome.error.message})` : String(outcome.error);
}

/** As it is at this moment: what is in the page cache is what a killed process leaves. */
function copyDirectory(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: (source) => basename(source) !== "reserve" });
  // Its bytes do not matter, and there are megabytes of them.
  if (readdirSync(from).includes("reserve")) linkSync(join(from, "reserve"), join(to, "reserve"));
}
