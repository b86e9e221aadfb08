/**
 * Runs one program against one subject and throws at the first thing that a user may not see (cache.md 1.1): in the view at any moment, at the remote after
 * a flush, in the directory after a clean end.
 *
 * `believed` are the trees that the user may see. There is more than one after a call that a crash cut off: it happened wholly or not at all, and the first
 * look decides.
 */
import { basename } from "node:path";
import * as expected from "../../../../src/conformance/crash/tree.ts";
import { sameTree, showTree } from "../../../../src/conformance/crash/tree.ts";
import type { After, Tree } from "../../../../src/conformance/crash/tree.ts";
import { hasCode } from "../../../../src/store/index.ts";
import type { Entry } from "../../../../src/store/index.ts";
import { quiet } from "./clock.ts";
import { Life, show } from "./life.ts";
import type { Outcome } from "./life.ts";
import { seeds } from "./program.ts";
import type { Change, Command, Program } from "./program.ts";
import { AFTERLIFE_MS } from "./remote.ts";
import type { Remote } from "./remote.ts";
import type { Subject } from "./subject.ts";
import { Versions } from "./versions.ts";
import { Violation } from "./violation.ts";

export interface Figures {
  commands: number;
  acknowledged: number;
  crashes: number;
  requests: number;
}

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
  readonly #program: Program;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #versions = new Versions();
  readonly #life: Life;
  readonly #remote: Remote;
  #believed: readonly Tree[] = [new Map()];
  #commands = 0;
  #acknowledged = 0;

  constructor(subject: Subject, program: Program, trace: ((line: string) => void) | undefined) {
    this.#program = program;
    this.#trace = trace;
    this.#life = new Life({
      subject,
      setup: program.setup,
      power: program.commands.some((command) => command.do === "power" || command.do === "power-at"),
      trace,
    });
    this.#remote = this.#life.remote;
  }

  get figures(): Figures {
    return { commands: this.#commands, acknowledged: this.#acknowledged, crashes: this.#life.crashes, requests: this.#remote.ended };
  }

  async all(): Promise<void> {
    await this.#seed();
    await this.#life.begin();
    await this.#reborn();
    for (const command of this.#program.commands) {
      this.#trace?.(`> ${JSON.stringify(command)}`);
      const from = this.#remote.log.length;
      await this.#command(command);
      await this.#reborn();
      this.#commands += 1;
      for (const line of this.#remote.log.slice(from)) this.#trace?.(`    ${line}`);
      this.#trace?.(`    ${this.#remote.requests.map(({ text }) => text).join(", ") || "nothing"} waiting; ${this.#believed.map(showTree).join("  OR  ")}`);
    }
    await this.#finish();
  }

  end(): void {
    this.#life.end();
  }

  /** After a kill: what the next process shows is looked at, and that may be cut off too. */
  async #reborn(): Promise<void> {
    while (this.#life.dead) {
      await this.#life.restart();
      await this.#look();
    }
  }

  async #seed(): Promise<void> {
    const direct = this.#remote.direct();
    let tree: Tree = new Map();
    for (const [index, path] of (seeds[this.#program.setup.seed] ?? []).entries()) {
      const directory = path.endsWith("/");
      if (directory) await direct.mkdir(path.slice(0, -1));
      const version = directory ? -1 : this.#versions.add(index === 1 ? "large" : "small");
      const { bytes, ...properties } = directory ? { bytes: undefined } : this.#versions.get(version);
      // An hour old, as far as clocks are believed.
      if (bytes !== undefined) await direct.write(path, bytes, { ...defined(properties), modifiedMs: this.#life.clock.nowMs - 3_600_000 });
      tree = treeOf(directory ? expected.mkdir(tree, path.slice(0, -1)) : expected.write(tree, path, version));
    }
    this.#believed = [tree];
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
        await this.#life.settled(this.#life.process.evict(command.path));
        return undefined;
      }
      case "refresh":
        return this.#life.process.refresh(command.path);
      case "flush":
        return this.#flush();
      case "wait":
        return this.#life.clock.advance(command.ms);
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
        return this.#life.crash();
      case "crash-at":
        return this.#life.crashAt(command.point);
      case "power":
        return this.#life.crash(true);
      case "power-at":
        return this.#life.crashAt(command.point, true);
    }
  }

  async #change(changes: readonly Change[]): Promise<void> {
    const { unknownPaths } = this.#program.setup;
    // By default a write asks nothing, so one that the contract refuses may be accepted, and is a conflict later: the directed proofs have those.
    if (unknownPaths === "trust" && this.#believed.some((tree) => isRefusedWrite(tree, changes))) return;
    const deaf = this.#remote.failingQuestions > 0;
    const running = changes.map((change) => ({ change, version: change.do === "write" ? this.#versions.add(change.size) : -1 }));
    const outcomes = await this.#life.allSettled(running.map(({ change, version }) => this.#call(change, version)));
    const calls: readonly Call[] = running.map((call, index) => ({ ...call, outcome: outcomes[index] as Outcome<unknown> }));
    for (const { outcome } of calls) if (outcome !== "cut" && "value" in outcome) this.#acknowledged += 1;
    const orders = calls.length === 1 ? [calls] : [calls, [...calls].reverse()];
    const next: Tree[] = [];
    for (const tree of this.#believed)
      for (const order of orders) for (const after of follow(tree, order, deaf)) if (!next.some((other) => sameTree(other, after))) next.push(after);
    if (next.length === 0)
      throw new Violation(
        `${calls.map(({ change, outcome }) => `${JSON.stringify(change)} gave ${show(outcome)}`).join("; ")}, with ${this.#showBelieved()}`,
        calls.map(({ outcome }) => (outcome !== "cut" && "error" in outcome ? outcome.error : undefined)).find((error) => error !== undefined),
      );
    this.#believed = next;
    for (const { change, version, outcome } of calls)
      if (change.do === "write" && outcome !== "cut" && "value" in outcome)
        this.#checkEntry(version, outcome.value as Entry, `the answer to the write of ${change.path}`);
  }

  async #call(change: Change, version: number): Promise<unknown> {
    const { store } = this.#life;
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
      const result = await this.#life.store.read(path);
      const bytes = await result.bytes();
      return { entry: result.entry, bytes, version: await this.#versionOf(path, bytes) };
    });
    if (outcome === undefined) return;
    if ("error" in outcome) return this.#see(`read ${path}: ${show(outcome)}`, (tree) => this.#refusal(tree, path, outcome.error, "read"));
    const { bytes, entry, version } = outcome.value;
    if (version === undefined)
      throw new Violation(`read ${path}: ${bytes.length} bytes that are no version: ${Buffer.from(bytes).toString("latin1").slice(0, 80)}`);
    this.#see(`read ${path}: v${version}`, (tree) => tree.get(path) === version);
    this.#checkEntry(version, entry, `read ${path}`);
  }

  /** Readers of a file need not be told its type. */
  async #versionOf(path: string, bytes: Uint8Array): Promise<number | undefined> {
    return this.#versions.of(bytes, bytes.length === 0 ? (await this.#life.store.stat(path)).contentType : null);
  }

  async #stat(path: string): Promise<void> {
    const outcome = await this.#question(() => this.#life.store.stat(path));
    if (outcome === undefined) return;
    if ("error" in outcome) return this.#see(`stat ${path}: ${show(outcome)}`, (tree) => this.#refusal(tree, path, outcome.error, "stat"));
    const { kind } = outcome.value;
    this.#see(`stat ${path}: ${kind}`, (tree) => expected.kindOf(tree, path) === kind);
    const versions = new Set(this.#believed.map((tree) => tree.get(path)));
    const [version] = versions;
    if (kind === "file" && versions.size === 1) this.#checkEntry(version as number, outcome.value, `stat ${path}`);
  }

  async #list(path: string): Promise<void> {
    const outcome = await this.#question(() => this.#life.store.list(path).toArray());
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
    const outcome = await this.#life.settled(ask());
    if (outcome === "cut") return undefined;
    return deaf && "error" in outcome && hasCode(outcome.error, "unavailable") ? undefined : outcome;
  }

  /** All that can be seen, by listings from the root and by reading every file. */
  async #look(): Promise<void> {
    this.#remote.failingQuestions = 0;
    const seen = new Map<string, number | null>();
    const visit = async (directory: string): Promise<void> => {
      for (const entry of await this.#life.store.list(directory).toArray()) {
        if (seen.has(entry.path)) throw new Violation(`list ${directory} gives ${entry.path} twice`);
        if (entry.kind === "directory") {
          seen.set(entry.path, null);
          await visit(entry.path);
          continue;
        }
        const bytes = await this.#life.store.read(entry.path).then((result) => result.bytes());
        const version = await this.#versionOf(entry.path, bytes);
        if (version === undefined) throw new Violation(`${entry.path} has bytes that are no version: ${Buffer.from(bytes).toString("latin1").slice(0, 80)}`);
        seen.set(entry.path, version);
        this.#checkEntry(version, entry, `${entry.path} in its listing`);
        this.#checkEntry(version, await this.#life.store.stat(entry.path), `stat ${entry.path}`);
      }
    };
    const outcome = await this.#life.settled(visit("/"));
    if (outcome === "cut") return;
    if ("error" in outcome)
      throw outcome.error instanceof Violation ? outcome.error : new Violation(`a look failed: ${show(outcome)}, with ${this.#showBelieved()}`, outcome.error);
    this.#see(`a look saw ${showTree(seen)}`, (tree) => sameTree(tree, seen));
  }

  /* ---- coming to rest */

  async #flush(): Promise<void> {
    this.#remote.failingQuestions = 0;
    const flushing = this.#life.process.flush();
    const outcome = await this.#life.settled(flushing);
    if (outcome === "cut") return;
    if ("error" in outcome) throw new Violation(`flush failed: ${show(outcome)}`, outcome.error);
    if (this.#remote.requests.length > 0) throw new Violation(`flush resolved while ${this.#remote.requests.map(({ text }) => text).join(", ")} runs`);
    this.#compare("after flush");
  }

  #compare(when: string): void {
    const pending = this.#life.process.pending();
    if (pending.length > 0) throw new Violation(`${when} these are pending: ${pending.join(" ")}`);
    const { tree, faults } = this.#remote.tree(this.#versions);
    if (faults.length > 0) throw new Violation(`${when}: ${faults.join("; ")}`);
    this.#see(`${when} the remote has ${showTree(tree)}`, (one) => sameTree(one, tree));
  }

  async #finish(): Promise<void> {
    this.#life.crashAt(0);
    await this.#look();
    await this.#flush();
    // Whatever could still land has landed or never will.
    await this.#life.clock.advance(AFTERLIFE_MS + 1000);
    this.#compare("at rest");
    await this.#look();
    const faults = await this.#life.close();
    if (faults.length > 0) throw new Violation(`after a clean end: ${faults.join("; ")}`);
  }

  #showBelieved(): string {
    return `what may be seen: ${this.#believed.map((tree) => `[${showTree(tree)}]`).join(" or ")}`;
  }
}

/** A write that the contract refuses, alone or after the other of two calls. */
function isRefusedWrite(tree: Tree, changes: readonly Change[]): boolean {
  return changes.some((change) => {
    if (change.do !== "write") return false;
    const before = changes
      .filter((other) => other !== change)
      .flatMap((other) => {
        const after = predicted(tree, other, 0);
        return "codes" in after ? [] : [treeOf(after)];
      });
    return [tree, ...before].some((one) => "codes" in predicted(one, change, 0));
  });
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

function defined<T extends object>(properties: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> };
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 50) yield bytes.slice(at, at + 50);
}
