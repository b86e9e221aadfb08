/**
 * Two clients of one remote: ours through the layer, another one straight at the service. Nothing that either of them wrote may vanish unless somebody who
 * knew it replaced it (cache.md 1.1, 5 and 1.4, conflicts).
 *
 * A version of the other may be gone from the remote only if the other replaced or deleted it, or if a call of our user was told of it: its bytes or its
 * entry went to the user, or the call itself looked at the path (a write that asks first). What the uploader sees on its own account does not count.
 * A version of ours that was acknowledged last at its path must have been at the remote at some time, wherever.
 *
 * Moves and copies have no condition on what they find (decision 0020): what is written at their places while their request is out may be lost.
 */
import fc from "fast-check";
import { hasCode, isInside } from "../../../../src/store/index.ts";
import type { Store, StorePath } from "../../../../src/store/index.ts";
import { quiet } from "./clock.ts";
import { Life, show } from "./life.ts";
import { plainSetup, plainShape } from "./program.ts";
import type { Setup } from "./program.ts";
import { AFTERLIFE_MS } from "./remote.ts";
import type { Ending, Shape } from "./remote.ts";
import type { Figures } from "./run.ts";
import type { Subject } from "./subject.ts";
import { Versions } from "./versions.ts";
import type { Size } from "./versions.ts";
import { Violation } from "./violation.ts";

export type Step =
  | { readonly do: "write" | "other-writes"; readonly path: string; readonly size: Size }
  | { readonly do: "copy" | "move"; readonly path: string; readonly to: string }
  | { readonly do: "delete" | "read" | "stat" | "evict" | "refresh" | "other-deletes"; readonly path: string }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "net"; readonly at: number; readonly how: Ending }
  | { readonly do: "late"; readonly at: number }
  | { readonly do: "crash" }
  | { readonly do: "crash-at"; readonly point: number }
  | { readonly do: "flush" };
export interface SharedProgram {
  readonly setup: Setup;
  readonly steps: readonly Step[];
}

interface Names {
  readonly files: readonly string[];
  readonly directories: readonly string[];
}
const flat: Names = { files: ["/a", "/b", "/d/a", "/e/a"], directories: ["/d", "/e"] };
const deep: Names = { files: ["/a", "/d/a", "/d/f/a", "/e/a", "/e/f/a"], directories: ["/d", "/e", "/d/f", "/e/f"] };
const isDirectory = (at: string): boolean => deep.directories.includes(at);
const inside = (at: string, dir: string): boolean => isInside(at as StorePath, dir as StorePath);
const size = fc.constantFrom<Size>("small", "small", "large");
function stepOf({ files, directories }: Names): fc.Arbitrary<Step> {
  const path = fc.constantFrom(...files);
  const directory = fc.constantFrom(...directories);
  return fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant("write" as const), path, size }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("delete" as const), path }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("copy" as const, "move" as const), path, to: path }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("copy" as const, "move" as const), path: directory, to: directory }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("read" as const, "read" as const, "stat" as const), path }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("evict" as const, "refresh" as const), path }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("other-writes" as const), path, size }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("other-deletes" as const), path }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(0, 500, 1000, 1000, 2500, 6000, 11_000) }) },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant("net" as const),
        at: fc.nat(5),
        how: fc.constantFrom<Ending>("ok", "ok", "applied", "failed", "lost", "lost-applied"),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("late" as const), at: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.constant({ do: "crash" as const }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("crash-at" as const), point: fc.integer({ min: 1, max: 12 }) }) },
    { weight: 1, arbitrary: fc.constant({ do: "flush" as const }) },
  );
}
const shape = fc.oneof(
  { weight: 3, arbitrary: fc.constant(plainShape) },
  { weight: 1, arbitrary: fc.constantFrom<Partial<Shape>>({ movesChangeEtags: false }, { trees: false }).map((change) => ({ ...plainShape, ...change })) },
);
/** Conditions are native: without them a version of the other may be lost within one round trip. A write asks first, so that what a call knew can be told. */
const setup: fc.Arbitrary<Setup> = fc
  .record({ shape, hashes: fc.boolean(), freshMs: fc.constantFrom(60_000, 0, 3000), cacheBytes: fc.constantFrom(1_000_000, 0) })
  .map(({ shape: given, hashes, freshMs, cacheBytes }) => ({ ...plainSetup, freshMs, cacheBytes, shape: { ...given, hashes } }));
const programOf = (names: Names): fc.Arbitrary<SharedProgram> =>
  fc.record<SharedProgram>({ setup, steps: fc.array(stepOf(names), { minLength: 1, maxLength: 40, size: "max" }) });
export const sharedPrograms: fc.Arbitrary<SharedProgram> = fc
  .oneof({ weight: 2, arbitrary: programOf(flat) }, { weight: 1, arbitrary: programOf(deep) })
  .map(({ setup: given, steps }) => ({
    setup: steps.some((one) => one.do === "move" || (one.do === "copy" && isDirectory(one.path))) ? withHashes(given) : given,
    steps,
  }));
/** A move takes along whatever is there by then, and so does the copy of a directory: only a hash tells another client's version of the same size. */
const withHashes = (given: Setup): Setup => ({ ...given, shape: { ...given.shape, hashes: true } });

export async function runShared(subject: Subject, program: SharedProgram, trace?: (line: string) => void): Promise<Figures> {
  const run = new SharedRun(subject, program, trace);
  try {
    await run.all();
    return run.figures;
  } finally {
    run.end();
  }
}

class SharedRun {
  readonly #program: SharedProgram;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #versions = new Versions();
  readonly #life: Life;
  readonly #other: Store;
  /** Versions that the other wrote, and versions that may be gone. */
  readonly #others = new Set<number>();
  readonly #known = new Set<number>();
  /** Whatever was at the remote at some moment. */
  readonly #arrived = new Set<number>();
  /** The last acknowledged version of ours, by path. */
  readonly #ours = new Map<string, number>();
  /** Moves and copies since the last flush. */
  #transfers: (readonly [from: string, to: string])[] = [];
  /** Our user's call runs at these paths. */
  #asking: readonly string[] = [];
  #steps = 0;
  #acknowledged = 0;

  constructor(subject: Subject, program: SharedProgram, trace: ((line: string) => void) | undefined) {
    this.#program = program;
    this.#trace = trace;
    this.#life = new Life({ subject, setup: program.setup, power: false, trace });
    this.#other = this.#life.remote.direct();
    this.#life.remote.changed = () => this.#look();
    this.#life.remote.asked = (path, lists) => {
      if (!this.#asking.some((at) => inside(path, at))) return;
      for (const [at, version] of this.#tree()) if (version !== null && (at === path || (lists && inside(at, path)))) this.#known.add(version);
    };
  }

  get figures(): Figures {
    return { commands: this.#steps, acknowledged: this.#acknowledged, crashes: this.#life.crashes, requests: this.#life.remote.ended };
  }
  end(): void {
    this.#life.end();
  }

  async all(): Promise<void> {
    await this.#life.begin();
    for (const one of this.#program.steps) {
      if (this.#life.dead) await this.#life.restart();
      this.#trace?.(`> ${JSON.stringify(one)}`);
      const from = this.#life.remote.log.length;
      await this.#step(one);
      this.#steps += 1;
      for (const line of this.#life.remote.log.slice(from)) this.#trace?.(`    ${line}`);
      this.#trace?.(`    remote: ${this.#show()}`);
    }
    await this.#finish();
  }

  async #step(one: Step): Promise<void> {
    const { store, process, remote } = { store: this.#life.store, process: this.#life.process, remote: this.#life.remote };
    switch (one.do) {
      case "write": {
        const version = this.#versions.add(one.size);
        if (await this.#call([one.path], () => this.#write(store, one.path, version))) this.#ours.set(one.path, version);
        return undefined;
      }
      case "delete": {
        await this.#call([one.path], () => store.delete(one.path));
        this.#ours.delete(one.path);
        return undefined;
      }
      case "copy":
      case "move": {
        if (inside(one.path, one.to) || inside(one.to, one.path)) return undefined;
        const isDone = await this.#call([one.path, one.to], () => store[one.do](one.path, one.to));
        // Cut off: it may be in the journal.
        if (isDone || this.#life.dead) this.#transfers.push([one.path, one.to]);
        if (!isDone) return undefined;
        const taken = [...this.#ours].filter(([at]) => inside(at, one.path));
        for (const at of this.#ours.keys()) if (inside(at, one.to) || (one.do === "move" && inside(at, one.path))) this.#ours.delete(at);
        for (const [at, version] of taken) this.#ours.set(at.replace(one.path, one.to), version);
        return undefined;
      }
      case "read": {
        await this.#call([one.path], async () => {
          const version = this.#versions.of(await (await store.read(one.path)).bytes());
          if (version === undefined) throw new Violation(`read ${one.path} gave bytes that are no version`);
          this.#known.add(version);
        });
        return undefined;
      }
      case "stat":
        await this.#call([one.path], () => store.stat(one.path));
        return undefined;
      case "evict":
        await this.#life.settled(process.evict(one.path));
        return undefined;
      case "refresh":
        return process.refresh(one.path);
      case "other-writes": {
        const version = this.#versions.add(one.size);
        this.#gone(one.path);
        await this.#write(this.#other, one.path, version);
        this.#others.add(version);
        // No service moves only what was there, or over what was there: within one round trip a version is lost.
        if (remote.transfers.some(({ from, to, isMove }) => to === one.path || (isMove && from === one.path))) this.#known.add(version);
        return this.#look();
      }
      case "other-deletes":
        this.#gone(one.path);
        await this.#other.delete(one.path);
        return undefined;
      case "wait":
        return this.#life.clock.advance(one.ms);
      case "net":
        await remote.end(one.at, one.how);
        return quiet();
      case "late":
        await remote.land(one.at);
        return quiet();
      case "crash":
        return this.#life.crash();
      case "crash-at":
        return this.#life.crashAt(one.point);
      case "flush":
        await this.#flush();
    }
  }

  /** True: acknowledged. Where it was cut off nobody knows whether it happened, and ours is not waited for. */
  async #call(paths: readonly string[], call: () => Promise<unknown>): Promise<boolean> {
    this.#asking = paths.flatMap((path) => this.#kept(path));
    const outcome = await this.#life.settled(call());
    this.#asking = [];
    if (outcome !== "cut" && "value" in outcome) {
      this.#acknowledged += 1;
      return true;
    }
    if (outcome !== "cut" && outcome.error instanceof Violation) throw outcome.error;
    // Between two looks of one call the other may have been at work.
    if (outcome !== "cut" && !hasCode(outcome.error, "not-found", "conflict", "already-exists", "not-empty", "is-a-directory"))
      throw new Violation(`a call on ${paths.join(", ")} failed: ${show(outcome)}`, outcome.error);
    if (outcome === "cut") for (const path of paths) for (const at of this.#ours.keys()) if (inside(at, path)) this.#ours.delete(at);
    return false;
  }

  /** Where the remote may keep what is on its way to this path. */
  #kept(path: string): readonly string[] {
    const places = [path];
    for (const [from, to] of this.#transfers.toReversed()) places.push(...places.filter((at) => inside(at, to)).map((at) => at.replace(to, from)));
    return places;
  }

  #write(store: Store, path: string, version: number): Promise<unknown> {
    const { bytes, contentType, metadata } = this.#versions.get(version);
    return store.write(path, bytes, { ...(contentType === undefined ? {} : { contentType }), ...(metadata === undefined ? {} : { metadata }) });
  }
  #tree(): ReadonlyMap<string, number | null> {
    return this.#life.remote.tree(this.#versions).tree;
  }
  #at(path: string): number | undefined {
    return this.#tree().get(path) ?? undefined;
  }
  #look(): void {
    const { tree, faults } = this.#life.remote.tree(this.#versions);
    if (faults.length > 0) throw new Violation(faults.join("; "));
    for (const version of tree.values()) if (version !== null) this.#arrived.add(version);
  }
  #gone(path: string): void {
    const version = this.#at(path);
    if (version !== undefined) this.#known.add(version);
  }
  #show(): string {
    return [...this.#tree()]
      .map(([path, version]) => (version === null ? `${path}/` : `${path}=v${version}${this.#others.has(version) ? " (theirs)" : ""}`))
      .join(" ");
  }

  async #flush(): Promise<void> {
    const outcome = await this.#life.settled(this.#life.process.flush());
    if (outcome === "cut") return;
    if ("error" in outcome) throw new Violation(`flush failed: ${show(outcome)}`, outcome.error);
    const pending = this.#life.process.pending();
    if (pending.length > 0) throw new Violation(`after flush these are pending: ${pending.join(" ")}`);
    this.#judge("after flush");
    this.#transfers = [];
  }

  async #finish(): Promise<void> {
    this.#life.crashAt(0);
    if (this.#life.dead) await this.#life.restart();
    await this.#flush();
    await this.#life.clock.advance(AFTERLIFE_MS + 1000);
    this.#judge("at rest");
    for (const [path, version] of this.#tree()) {
      if (version === null) continue;
      const outcome = await this.#life.settled(this.#life.store.read(path, { fresh: true }).then((result) => result.bytes()));
      if (outcome === "cut" || "error" in outcome) throw new Violation(`at rest ${path} cannot be read: ${show(outcome)}`);
      const seen = this.#versions.of(outcome.value);
      if (seen !== version) throw new Violation(`at rest our user reads v${seen} at ${path}, and the remote has v${version}`);
    }
    const faults = await this.#life.close();
    if (faults.length > 0) throw new Violation(`after a clean end: ${faults.join("; ")}`);
  }

  #judge(when: string): void {
    const alive = new Set(this.#tree().values());
    for (const version of this.#others)
      if (!alive.has(version) && !this.#known.has(version))
        throw new Violation(`${when}: v${version} of the other client vanished; the remote has ${this.#show()}`);
    for (const [path, version] of this.#ours)
      if (!this.#arrived.has(version)) throw new Violation(`${when}: our v${version} of ${path} never arrived; the remote has ${this.#show()}`);
  }
}
