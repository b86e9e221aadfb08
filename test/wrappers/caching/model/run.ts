/**
 * Runs one program against one subject and throws at the first thing that a user may not see (cache.md 1.1): in the view at any moment, at the remote after
 * a flush, in the directory after a clean end.
 *
 * `believed` are the trees that the user may see. There is more than one after a call that a crash cut off: it happened wholly or not at all, and the first
 * look decides.
 */
import { cpSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { StoreError, hasCode } from "../../../../src/store/index.ts";
import type { Entry, Store } from "../../../../src/store/index.ts";
import { ProgramClock, quiet } from "./clock.ts";
import type { ProcessClock } from "./clock.ts";
import * as expected from "../../../../src/conformance/crash/tree.ts";
import { sameTree, showTree } from "../../../../src/conformance/crash/tree.ts";
import type { After, Tree } from "../../../../src/conformance/crash/tree.ts";
import { FlushedDisk, watchFlushes } from "./power.ts";
import { seeds } from "./program.ts";
import type { Change, Command, Program } from "./program.ts";
import { AFTERLIFE_MS, Remote } from "./remote.ts";
import type { Connection } from "./remote.ts";
import type { Process, Subject } from "./subject.ts";
import { Versions } from "./versions.ts";

/** Something that may not be so. Everything else that a run throws is a defect of the harness. */
export class Violation extends Error {
  override readonly name = "Violation";
}
export interface Figures {
  commands: number;
  acknowledged: number;
  crashes: number;
  requests: number;
}
/** Fast memory where there is some; a program makes a few small files. */
const HOME = process.platform === "linux" ? "/dev/shm" : tmpdir();
/** More rounds than any program needs to come to rest. */
const MAX_ROUNDS = 1500;

type Outcome<T> = { readonly value: T } | { readonly error: unknown } | "cut";
interface Call {
  readonly change: Change;
  readonly version: number;
  readonly outcome: Outcome<unknown>;
}

export async function runProgram(subject: Subject, program: Program, trace?: (line: string) => void): Promise<Figures> {
  const run = new Run(subject, program, trace);
  try {
    await run.all();
    return run.figures;
  } finally {
    run.end();
  }
}

class Run {
  readonly figures: Figures = { commands: 0, acknowledged: 0, crashes: 0, requests: 0 };
  readonly #subject: Subject;
  readonly #program: Program;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #home = mkdtempSync(join(HOME, "stratus-program-"));
  readonly #clock = new ProgramClock();
  readonly #versions = new Versions();
  readonly #remote: Remote;
  #believed: readonly Tree[] = [new Map()];

  /** Programs with power failures only: they are slower. */
  readonly #watchesFlushes: boolean;
  #disk: FlushedDisk | undefined;
  #generation = 0;
  #process: Process | undefined;
  #processClock: ProcessClock | undefined;
  #connection: Connection | undefined;
  /** Crash points until the process is killed; 0: not. */
  #fuse = 0;
  /** Taken at the moment of the kill: where the next process starts. */
  #left: string | undefined;

  constructor(subject: Subject, program: Program, trace: ((line: string) => void) | undefined) {
    this.#subject = subject;
    this.#program = program;
    this.#trace = trace;
    this.#watchesFlushes = subject.persistent && program.commands.some((command) => command.do === "power");
    this.#remote = new Remote(program.setup.shape, this.#clock);
  }

  async all(): Promise<void> {
    if (this.#watchesFlushes) await watchFlushes();
    await this.#seed();
    await this.#start(this.#directory());
    for (const command of this.#program.commands) {
      this.#trace?.(`> ${JSON.stringify(command)}`);
      const from = this.#remote.log.length;
      await this.#command(command);
      if (this.#left !== undefined) await this.#restart();
      this.figures.commands += 1;
      for (const line of this.#remote.log.slice(from)) this.#trace?.(`    ${line}`);
      this.#trace?.(`    ${this.#remote.requests.length} waiting; ${this.#believed.map(showTree).join("  OR  ")}`);
    }
    await this.#finish();
  }

  end(): void {
    this.#connection?.cut();
    this.#processClock?.stop();
    this.#process?.abandon();
    this.#disk?.end();
    rmSync(this.#home, { recursive: true, force: true });
  }

  /* ---- life of the process */

  async #seed(): Promise<void> {
    const direct = this.#remote.direct();
    let tree: Tree = new Map();
    for (const path of seeds[this.#program.setup.seed] ?? []) {
      const directory = path.endsWith("/");
      if (directory) await direct.mkdir(path.slice(0, -1));
      const version = directory ? -1 : this.#versions.add("small");
      const { bytes, ...properties } = directory ? { bytes: undefined } : this.#versions.get(version);
      // An hour old, as far as clocks are believed.
      if (bytes !== undefined) await direct.write(path, bytes, { ...defined(properties), modifiedMs: this.#clock.nowMs - 3_600_000 });
      tree = treeOf(directory ? expected.mkdir(tree, path.slice(0, -1)) : expected.write(tree, path, version));
    }
    this.#believed = [tree];
  }

  #directory(): string {
    return join(this.#home, String(this.#generation++));
  }

  async #start(directory: string): Promise<void> {
    this.#left = undefined;
    this.#remote.failingQuestions = 0;
    const clock = this.#clock.process();
    const connection = this.#remote.connect();
    this.#processClock = clock;
    this.#connection = connection;
    mkdirSync(directory, { recursive: true });
    if (this.#watchesFlushes) this.#disk = new FlushedDisk(directory, this.#generation > 1);
    let killed = false;
    const point = (name: string): void => {
      if (killed || this.#fuse === 0) return;
      this.#fuse -= 1;
      if (this.#fuse > 0) return;
      killed = true;
      this.#trace?.(`    killed at ${name}`);
      this.#kill(directory);
    };
    const durability = this.#watchesFlushes ? "power" : "process";
    const starting = this.#subject.start({ directory, remote: connection.store, clock, setup: this.#program.setup, durability, point });
    const started = await this.#settled(starting);
    // Killed while it opened: the next one opens what that one left.
    if (started === "cut") {
      void starting.then((process) => process.abandon()).catch(() => {});
      return this.#restart();
    }
    if ("error" in started) throw new Violation("the directory cannot be opened", { cause: started.error });
    this.#process = started.value;
  }

  /** From here on nothing leaves the process, nothing reaches it, and what it has not acknowledged it never will. */
  #kill(directory: string, power = false): void {
    this.figures.crashes += 1;
    this.#fuse = 0;
    const left = this.#directory();
    if (power) this.#disk?.leave(left);
    else copyDirectory(directory, left);
    this.#disk?.end();
    this.#left = left;
    this.#connection?.cut();
    this.#processClock?.stop();
  }

  async #restart(): Promise<void> {
    this.#process?.abandon();
    this.#process = undefined;
    const left = this.#left as string;
    await this.#start(left);
    if (this.#left === undefined) await this.#look();
  }

  #crash(power = false): void {
    if (this.#subject.persistent) this.#kill(join(this.#home, String(this.#generation - 1)), power);
  }

  get #store(): Store {
    return (this.#process as Process).store;
  }

  /* ---- commands */

  async #command(command: Command): Promise<void> {
    switch (command.do) {
      case "write":
      case "delete":
      case "mkdir":
      case "move":
      case "copy":
        return this.#change([command]);
      case "both":
        return this.#change([command.first, command.second]);
      case "read":
        return this.#read(command.path);
      case "stat":
        return this.#stat(command.path);
      case "list":
        return this.#list(command.path);
      case "look":
        return this.#look();
      case "evict": {
        await this.#settled((this.#process as Process).evict(command.path));
        return undefined;
      }
      case "refresh":
        return (this.#process as Process).refresh(command.path);
      case "flush":
        return this.#flush();
      case "wait":
        return this.#clock.advance(command.ms);
      case "net":
        await this.#remote.end(command.at, command.how);
        return quiet();
      case "serve":
        for (let i = 0; i < command.requests && (await this.#remote.end(0, "ok")); i++) await quiet();
        return undefined;
      case "late":
        await this.#remote.land(command.at);
        return quiet();
      case "deaf":
        this.#remote.failingQuestions = command.questions;
        return undefined;
      case "crash":
        return this.#crash();
      case "crash-at":
        if (this.#subject.persistent) this.#fuse = command.point;
        return undefined;
      case "power":
        return this.#crash(true);
    }
  }

  async #change(changes: readonly Change[]): Promise<void> {
    const { unknownPaths } = this.#program.setup;
    // By default a write asks nothing, so one that the contract refuses may be accepted, and is a conflict later: the directed proofs have those.
    if (unknownPaths === "trust" && changes.some((change) => change.do === "write" && this.#believed.some((tree) => "codes" in predicted(tree, change, 0))))
      return;
    const deaf = this.#remote.failingQuestions > 0;
    const running = changes.map((change) => ({ change, version: change.do === "write" ? this.#versions.add(change.size) : -1 }));
    const outcomes = await this.#allSettled(running.map(({ change, version }) => this.#call(change, version)));
    const calls: readonly Call[] = running.map((call, index) => ({ ...call, outcome: outcomes[index] as Outcome<unknown> }));
    for (const { outcome } of calls) if (outcome !== "cut" && "value" in outcome) this.figures.acknowledged += 1;
    const orders = calls.length === 1 ? [calls] : [calls, [...calls].reverse()];
    const next: Tree[] = [];
    for (const tree of this.#believed)
      for (const order of orders) for (const after of follow(tree, order, deaf)) if (!next.some((other) => sameTree(other, after))) next.push(after);
    if (next.length === 0)
      throw new Violation(`${calls.map(({ change, outcome }) => `${JSON.stringify(change)} gave ${show(outcome)}`).join("; ")}, with ${this.#showBelieved()}`, {
        cause: calls.map(({ outcome }) => (outcome !== "cut" && "error" in outcome ? outcome.error : undefined)).find((error) => error !== undefined),
      });
    this.#believed = next;
    for (const { change, version, outcome } of calls)
      if (change.do === "write" && outcome !== "cut" && "value" in outcome)
        this.#checkEntry(version, outcome.value as Entry, `the answer to the write of ${change.path}`);
  }

  async #call(change: Change, version: number): Promise<unknown> {
    const store = this.#store;
    switch (change.do) {
      case "write": {
        const { bytes, ...properties } = this.#versions.get(version);
        return store.write(change.path, change.streamed === true ? inPieces(bytes) : bytes, defined(properties));
      }
      case "delete":
        return store.delete(change.path, { recursive: change.recursive });
      case "mkdir":
        return store.mkdir(change.path);
      case "move":
        return store.move(change.path, change.to);
      case "copy":
        return store.copy(change.path, change.to);
    }
  }

  /* ---- looking */

  async #read(path: string): Promise<void> {
    const outcome = await this.#question(async () => {
      const result = await this.#store.read(path);
      return { entry: result.entry, bytes: await result.bytes() };
    });
    if (outcome === undefined) return;
    if ("error" in outcome) return this.#see(`read ${path}: ${show(outcome)}`, (tree) => this.#refusal(tree, path, outcome.error, "read"));
    const { bytes, entry } = outcome.value;
    const version = this.#versions.of(bytes);
    if (version === undefined)
      throw new Violation(`read ${path}: ${bytes.length} bytes that are no version: ${Buffer.from(bytes).toString("latin1").slice(0, 80)}`);
    this.#see(`read ${path}: v${version}`, (tree) => tree.get(path) === version);
    this.#checkEntry(version, entry, `read ${path}`);
  }

  async #stat(path: string): Promise<void> {
    const outcome = await this.#question(() => this.#store.stat(path));
    if (outcome === undefined) return;
    if ("error" in outcome) return this.#see(`stat ${path}: ${show(outcome)}`, (tree) => this.#refusal(tree, path, outcome.error, "stat"));
    const { kind } = outcome.value;
    this.#see(`stat ${path}: ${kind}`, (tree) => expected.kindOf(tree, path) === kind);
    const versions = new Set(this.#believed.map((tree) => tree.get(path)));
    const [version] = versions;
    if (kind === "file" && versions.size === 1) this.#checkEntry(version as number, outcome.value, `stat ${path}`);
  }

  async #list(path: string): Promise<void> {
    const outcome = await this.#question(() => this.#store.list(path).toArray());
    if (outcome === undefined) return;
    if ("error" in outcome) return this.#see(`list ${path}: ${show(outcome)}`, (tree) => this.#refusal(tree, path, outcome.error, "list"));
    const names = outcome.value.map(({ path: child, kind }) => basename(child) + (kind === "directory" ? "/" : "")).sort();
    this.#see(
      `list ${path}: ${names.join(" ")}`,
      (tree) => expected.kindOf(tree, path) === "directory" && expected.childrenOf(tree, path).join() === names.join(),
    );
  }

  #refusal(tree: Tree, path: string, error: unknown, verb: "read" | "stat" | "list"): boolean {
    const kind = expected.kindOf(tree, path);
    if (kind === undefined) return hasCode(error, "not-found");
    if (verb === "read" && kind === "directory") return hasCode(error, "is-a-directory");
    return verb === "list" && kind === "file" && hasCode(error, "not-a-directory");
  }

  /** Keeps the trees of which this is true; none is a violation. */
  #see(what: string, holds: (tree: Tree) => boolean): void {
    const left = this.#believed.filter(holds);
    if (left.length === 0) throw new Violation(`${what}, with ${this.#showBelieved()}`);
    this.#believed = left;
  }

  #checkEntry(version: number, entry: Entry, where: string): void {
    const fault = this.#versions.fault(version, entry);
    if (fault !== undefined) throw new Violation(`${where}: ${fault}`);
  }

  /** Undefined where a kill cut it off, or where the remote could not be asked and the answer says so. */
  async #question<T>(ask: () => Promise<T>): Promise<{ readonly value: T } | { readonly error: unknown } | undefined> {
    const deaf = this.#remote.failingQuestions > 0;
    const outcome = await this.#settled(ask());
    if (outcome === "cut") return undefined;
    return deaf && "error" in outcome && hasCode(outcome.error, "unavailable") ? undefined : outcome;
  }

  /** All that can be seen, by listings from the root and by reading every file. */
  async #look(): Promise<void> {
    this.#remote.failingQuestions = 0;
    const seen = new Map<string, number | null>();
    const visit = async (directory: string): Promise<void> => {
      for (const entry of await this.#store.list(directory).toArray()) {
        if (seen.has(entry.path)) throw new Violation(`list ${directory} gives ${entry.path} twice`);
        if (entry.kind === "directory") {
          seen.set(entry.path, null);
          await visit(entry.path);
          continue;
        }
        const { bytes } = await this.#store.read(entry.path).then(async (result) => ({ bytes: await result.bytes() }));
        const version = this.#versions.of(bytes);
        if (version === undefined) throw new Violation(`${entry.path} has bytes that are no version: ${Buffer.from(bytes).toString("latin1").slice(0, 80)}`);
        seen.set(entry.path, version);
        this.#checkEntry(version, entry, `${entry.path} in its listing`);
        this.#checkEntry(version, await this.#store.stat(entry.path), `stat ${entry.path}`);
      }
    };
    const outcome = await this.#settled(visit("/"));
    if (outcome === "cut") return;
    if ("error" in outcome)
      throw outcome.error instanceof Violation
        ? outcome.error
        : new Violation(`a look failed: ${show(outcome)}, with ${this.#showBelieved()}`, { cause: outcome.error });
    this.#see(`a look saw ${showTree(seen)}`, (tree) => sameTree(tree, seen));
  }

  /* ---- coming to rest */

  async #flush(): Promise<void> {
    this.#remote.failingQuestions = 0;
    const flushing = (this.#process as Process).flush();
    const outcome = await this.#settled(flushing);
    if (outcome === "cut") return;
    if ("error" in outcome) throw new Violation(`flush failed: ${show(outcome)}`, { cause: outcome.error });
    if (this.#remote.requests.length > 0) throw new Violation(`flush resolved while ${this.#remote.requests.map(({ text }) => text).join(", ")} runs`);
    this.#compare("after flush");
  }

  #compare(when: string): void {
    const pending = (this.#process as Process).pending();
    if (pending.length > 0) throw new Violation(`${when} these are pending: ${pending.join(" ")}`);
    const { tree, faults } = this.#remote.tree(this.#versions);
    if (faults.length > 0) throw new Violation(`${when}: ${faults.join("; ")}`);
    this.#see(`${when} the remote has ${showTree(tree)}`, (one) => sameTree(one, tree));
  }

  async #finish(): Promise<void> {
    this.#fuse = 0;
    if (this.#left !== undefined) await this.#restart();
    await this.#look();
    await this.#flush();
    // Whatever could still land has landed or never will.
    await this.#clock.advance(AFTERLIFE_MS + 1000);
    this.#compare("at rest");
    await this.#look();
    const closed = await this.#settled(this.#store.close());
    if (closed === "cut" || "error" in closed) throw new Violation(`close failed: ${show(closed)}`, { cause: closed === "cut" ? undefined : closed.error });
    const faults = this.#subject.check?.(join(this.#home, String(this.#generation - 1))) ?? [];
    if (faults.length > 0) throw new Violation(`after a clean end: ${faults.join("; ")}`);
  }

  /** The end of a call. Where it waits for the remote or for time, both go on: oldest request first, and all goes well. "cut": killed before it ended. */
  async #settled<T>(call: Promise<T>): Promise<Outcome<T>> {
    return (await this.#allSettled([call]))[0] as Outcome<T>;
  }

  async #allSettled<T>(calls: readonly Promise<T>[]): Promise<readonly Outcome<T>[]> {
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
      if (await this.#remote.end(0, "ok")) this.figures.requests += 1;
      else await this.#clock.advance(Math.min(this.#clock.untilNextMs() ?? 1000, 60_000));
    }
    throw new Violation(`a call never ends; ${this.#remote.requests.length} requests wait`);
  }

  #showBelieved(): string {
    return `what may be seen: ${this.#believed.map((tree) => `[${showTree(tree)}]`).join(" or ")}`;
  }
}

function predicted(tree: Tree, change: Change, version: number): After {
  switch (change.do) {
    case "write":
      return expected.write(tree, change.path, version);
    case "delete":
      return expected.remove(tree, change.path, change.recursive);
    case "mkdir":
      return expected.mkdir(tree, change.path);
    case "move":
    case "copy":
      return expected.transfer(tree, change.path, change.to, change.do === "move");
  }
}

/** The trees after these calls in this order; none where one of them cannot have answered as it did. */
function follow(tree: Tree, [call, ...rest]: readonly Call[], deaf: boolean): readonly Tree[] {
  if (call === undefined) return [tree];
  const { change, version, outcome } = call;
  const after = predicted(tree, change, version);
  const trees: Tree[] = [];
  if (outcome === "cut") {
    trees.push(tree);
    if ("tree" in after) trees.push(after.tree);
  } else if ("value" in outcome) {
    if ("tree" in after) trees.push(after.tree);
  } else if ("codes" in after ? hasCode(outcome.error, ...after.codes) : false) trees.push(tree);
  else if (deaf && hasCode(outcome.error, "unavailable") && outcome.error.applied === false) trees.push(tree);
  return trees.flatMap((one) => follow(one, rest, deaf));
}

function treeOf(after: After): Tree {
  if ("codes" in after) throw new Error(`a seed is refused: ${after.codes.join()}`);
  return after.tree;
}

function show(outcome: Outcome<unknown>): string {
  if (outcome === "cut") return "nothing before the kill";
  if ("value" in outcome) return "success";
  return StoreError.is(outcome.error) ? `${outcome.error.code} (${outcome.error.message})` : String(outcome.error);
}

function defined<T extends object>(properties: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> };
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 50) yield bytes.slice(at, at + 50);
}

/** As it is at this moment: what is in the page cache is what a killed process leaves. */
function copyDirectory(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: (source) => basename(source) !== "reserve" });
  // Its bytes do not matter, and there are megabytes of them.
  if (readdirSync(from).includes("reserve")) linkSync(join(from, "reserve"), join(to, "reserve"));
}
