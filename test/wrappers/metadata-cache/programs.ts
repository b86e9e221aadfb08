/**
 * Programs over the cache, with every request in the hands of the program: answered in any order, done without an answer, lost. The judge knows every state the service
 * ever had: an answer must be what a path was at some moment from its question on, or (where somebody else changes things) at most so long before as the cache promises.
 */
import assert from "node:assert/strict";
import { StoreError, hasCode, isInside, parentOf } from "../../../src/store/index.ts";
import type { Entry, StorePath } from "../../../src/store/index.ts";
import type { MetadataCacheOptions } from "../../../src/wrappers/metadata-cache/index.ts";
import type { ServiceOptions, State, Value } from "./service.ts";
import { settled, worldOf } from "./world.ts";
import type { Maker, Request, World } from "./world.ts";

export type Step =
  | { readonly do: "stat"; readonly path: string; readonly detail: "basic" | "full"; readonly fresh?: boolean }
  | { readonly do: "list"; readonly path: string; readonly recursive?: boolean; readonly fresh?: boolean }
  | { readonly do: "read" | "write" | "mkdir" | "delete"; readonly path: string }
  | { readonly do: "move" | "copy"; readonly path: string; readonly to: string }
  /** The n-th request that waits. effect: it is done, its answer waits. */
  | { readonly do: "net"; readonly nth: number; readonly how: "answer" | "effect" | "fail" }
  | { readonly do: "theirs"; readonly what: "write" | "delete" | "mkdir"; readonly path: string }
  | { readonly do: "theirs move"; readonly path: string; readonly to: string }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "invalidate" | "evict"; readonly path: string }
  /** The n-th question that is not answered yet is given up by its caller. */
  | { readonly do: "leave"; readonly nth: number };
export type Program = readonly Step[];

export interface Setting {
  readonly service?: Omit<ServiceOptions, "clock">;
  readonly cache?: MetadataCacheOptions;
  /** Somebody else changes things as well. */
  readonly others?: boolean;
}
/** Worlds in which programs run. */
export const settings: Readonly<Record<string, Setting>> = {
  plain: { cache: { prefetch: false } },
  prefetching: {},
  pages: { service: { pageSize: 2 } },
  "directories with times": { service: { directoryTimes: true } },
  "short replies": { service: { shortReplies: true, shortListings: true } },
  "implied directories": { service: { implied: true }, cache: { prefetch: false } },
  "side by side": { service: { implied: true, loose: true } },
  "late listings": { service: { late: "listings" }, cache: { ttlMs: 50 } },
  "late listings, folded names": { service: { late: "listings", capabilities: { caseSensitive: false } }, cache: { ttlMs: 50 } },
  "late listings, short replies": { service: { late: "listings", shortReplies: true }, cache: { ttlMs: 50 } },
  expiring: { service: { pageSize: 2 }, cache: { ttlMs: 100, negativeTtlMs: 50 } },
  others: { service: { pageSize: 2 }, cache: { ttlMs: 100, negativeTtlMs: 70 }, others: true },
  "others, times, short listings": { service: { directoryTimes: true, shortListings: true }, cache: { ttlMs: 100 }, others: true },
};

/** One question or change of ours. */
interface Ours {
  readonly startedAt: number;
  /** In ticks and in milliseconds. Infinity: not settled yet. */
  settledAt: number;
  settledMs: number;
  /** What it concerns. */
  readonly paths: readonly string[];
  readonly isUpload: boolean;
  /** Takes away what it concerns, and tells nothing of what that was in. */
  readonly isDelete: boolean;
  /** A change of a tree whose outcome nobody knows: it failed, or another one ran beside it. Where listings are late it is as one of somebody else. */
  isUnsure: boolean;
}
interface Past {
  /** When this state came, in ticks and in milliseconds. */
  readonly at: number;
  readonly ms: number;
  /** Who made it; undefined: somebody else. */
  readonly by: Ours | undefined;
}

export async function run(make: Maker, name: string, program: Program): Promise<void> {
  const setting = settings[name];
  if (setting === undefined) throw new TypeError(`there is no setting ${name}`);
  const world = worldOf(make, setting);
  const judge = new Judge(world, setting);
  world.net.holds = true;
  for (const step of program) {
    await judge.step(step);
    await settled();
    judge.check();
  }
  await judge.rest();
}

class Judge {
  readonly #world: World;
  readonly #setting: Setting;
  #tick = 1;
  readonly #past: Past[] = [{ at: 0, ms: 0, by: undefined }];
  readonly #wrongs: unknown[] = [];
  readonly #open = new Set<Promise<unknown>>();
  readonly #callers: AbortController[] = [];
  /** Requests know whose they are by the call that was made last before they came. */
  readonly #owners = new WeakMap<Request, Ours>();
  readonly #ours: Ours[] = [];
  #writes = 0;

  constructor(world: World, setting: Setting) {
    this.#world = world;
    this.#setting = setting;
  }

  check(): void {
    if (this.#wrongs.length > 0) throw this.#wrongs[0];
  }

  async step(step: Step): Promise<void> {
    const { store, net, control, other, clock, service, memory } = this.#world;
    this.#tick++;
    switch (step.do) {
      case "stat":
        return this.#question(
          (signal) => store.stat(step.path, { detail: step.detail, fresh: step.fresh === true, signal }),
          (answer, window) => {
            if (StoreError.is(answer)) {
              if (answer.code === "not-found") this.#was(window, step.path, "", null, (state) => service.value(step.path, state));
              return;
            }
            if (step.detail === "full") assert.equal(answer.complete, true, `stat ${step.path} is complete`);
            this.#isWhole(answer);
            this.#was(window, step.path, "", service.told(answer), (state) => service.value(step.path, state));
          },
        );
      case "list":
        return this.#question(
          (signal) => store.list(step.path, { recursive: step.recursive === true, fresh: step.fresh === true, signal }).toArray(),
          (answer, window) => this.#listed(step.path as StorePath, step.recursive === true, answer, window),
        );
      case "read":
        return this.#question(
          async (signal) => (await store.read(step.path, { signal })).bytes(),
          () => {},
        );
      case "write":
        return this.#change([step.path], () => store.write(step.path, "x".repeat(++this.#writes)), true);
      case "mkdir":
        return this.#change([step.path], () => store.mkdir(step.path, { existOk: true }), true);
      case "delete":
        return this.#change([step.path], () => store.delete(step.path, { recursive: true }), false, true);
      case "move":
      case "copy":
        return this.#change([step.path, step.to], () => store[step.do](step.path, step.to));
      case "net": {
        const request = net.waiting[step.nth % Math.max(1, net.waiting.length)];
        if (request !== undefined) await this.#let(request, step.how);
        return;
      }
      case "theirs":
      case "theirs move":
        if (this.#setting.others !== true) return;
        if (step.do === "theirs move") await other.move(step.path, step.to).catch(expected);
        else if (step.what === "write") await other.write(step.path, "theirs").catch(expected);
        else if (step.what === "mkdir") await other.mkdir(step.path, { existOk: true }).catch(expected);
        else await other.delete(step.path, { recursive: true }).catch(expected);
        return this.#note(undefined);
      case "wait":
        // Listings are as late as they may be.
        service.lagMs = 900;
        return clock.advance(step.ms);
      case "invalidate":
        return control.invalidate(step.path);
      case "evict": {
        const directory = memory.tree.find(step.path as StorePath);
        if (directory !== undefined && directory.kids.size > 0) memory.tree.giveUp(directory);
        return;
      }
      case "leave":
        this.#callers[step.nth % Math.max(1, this.#callers.length)]?.abort();
    }
  }

  /** Answers everything, and compares what is remembered with what is there. */
  async rest(): Promise<void> {
    const { net, memory, service } = this.#world;
    for (let request = net.waiting[0]; request !== undefined; request = net.waiting[0]) {
      this.#tick++;
      await this.#let(request, "answer");
      await settled();
    }
    await Promise.all(this.#open);
    this.check();
    assert.deepEqual([memory.holds.size, memory.flights.size], [0, 0], "nothing is under way any more");
    if (this.#setting.others === true) return;
    for (const path of this.#places(service.states.map(({ state }) => state))) {
      const known = memory.look(path);
      if (known === undefined) continue;
      const value: Value = known === null ? null : known.isFile ? `file ${known.etag ?? ""}` : "directory";
      const there = service.value(path);
      const same =
        known?.thin === true ? there !== null && there.startsWith(known.kind) : known?.isDirectory === true ? there?.startsWith("directory") : value === there;
      assert.ok(same, `at rest ${path} is remembered as ${value}, and is ${there}`);
    }
  }

  async #let(request: Request, how: "answer" | "effect" | "fail"): Promise<void> {
    const owner = this.#owners.get(request);
    if (how !== "fail") {
      await request.effect();
      this.#note(owner);
    }
    if (how === "answer") await request.answer();
    else if (how === "fail") await request.fail();
  }

  /** States that came just now. */
  #note(by: Ours | undefined): void {
    const { service, clock } = this.#world;
    while (this.#past.length < service.states.length) this.#past.push({ at: this.#tick, ms: clock.now(), by });
  }

  #question<T>(ask: (signal: AbortSignal) => Promise<T>, judge: (answer: T | StoreError, window: Window) => void): void {
    const caller = new AbortController();
    const window: Window = { from: this.#tick, ms: this.#world.clock.now(), to: Infinity };
    this.#callers.push(caller);
    this.#follow(ask(caller.signal), (answer) => {
      this.#callers.splice(this.#callers.indexOf(caller), 1);
      judge(answer, { ...window, to: ++this.#tick });
    });
  }

  async #change(paths: readonly string[], work: () => Promise<unknown>, isUpload = false, isDelete = false): Promise<void> {
    const mine: Ours = { startedAt: this.#tick, settledAt: Infinity, settledMs: Infinity, paths, isUpload, isDelete, isUnsure: false };
    for (const other of this.#ours)
      if (
        other.settledAt === Infinity &&
        other.paths.some((a) => paths.some((b) => isInside(a as StorePath, b as StorePath) || isInside(b as StorePath, a as StorePath)))
      )
        other.isUnsure = mine.isUnsure = true;
    this.#ours.push(mine);
    const before = new Set(this.#world.net.waiting);
    this.#follow(work(), (answer) => {
      mine.settledAt = ++this.#tick;
      mine.settledMs = this.#world.clock.now();
      if (StoreError.is(answer) && answer.applied !== false) mine.isUnsure = true;
    });
    await settled();
    for (const request of this.#world.net.waiting) if (!before.has(request)) this.#owners.set(request, mine);
  }

  #follow<T>(work: Promise<T>, then: (answer: T | StoreError) => void): void {
    const followed = work
      .catch((error: unknown) => {
        if (StoreError.is(error)) return error;
        throw error;
      })
      .then(then)
      .catch((wrong: unknown) => void this.#wrongs.push(wrong))
      .finally(() => this.#open.delete(followed));
    this.#open.add(followed);
  }

  #listed(dir: StorePath, deep: boolean, answer: readonly Entry[] | StoreError, window: Window): void {
    const { service } = this.#world;
    if (StoreError.is(answer)) {
      if (hasCode(answer, "not-found"))
        this.#was(window, dir, " as a directory", null, (state) => (service.directory(state, dir) === undefined ? null : "there"));
      return;
    }
    const paths = answer.map(({ path, kind }) => `${path} ${kind}`);
    assert.equal(new Set(paths).size, paths.length, `each entry of ${dir} once: ${paths.join(", ")}`);
    const sorted = answer.map(({ path }) => path as string);
    assert.deepEqual(sorted, sorted.toSorted(), `the listing of ${dir} is in order`);
    for (const entry of answer) {
      assert.ok(entry.path !== dir && (deep ? isInside(entry.path, dir) : parentOf(entry.path) === dir), `${entry.path} is in ${dir}`);
      this.#isWhole(entry);
    }
    const states = service.states.map(({ state }) => state);
    for (const path of this.#places(states, answer)) {
      if (path === dir || !(deep ? isInside(path, dir) : parentOf(path) === dir)) continue;
      for (const kind of ["file", "directory"] as const) {
        const found = answer.find((entry) => entry.path === path && entry.kind === kind);
        const said = found === undefined ? null : service.told(found);
        this.#was(window, path, ` as a ${kind} in the listing of ${dir}`, said, (state) => {
          const node = kind === "directory" ? service.directory(state, path) : state.get(path);
          return node?.kind === kind ? service.valueOf(node) : null;
        });
      }
    }
  }

  /** Every answer tells size, time and etag. */
  #isWhole(entry: Entry): void {
    if (entry.kind === "file") assert.ok(entry.size !== null && entry.modifiedMs !== null && entry.etag !== null, `${entry.path} has size, time and etag`);
  }

  #places(states: readonly ReadonlyMap<string, unknown>[], answer: readonly Entry[] = []): Set<StorePath> {
    const found = new Set<StorePath>(answer.map(({ path }) => path));
    for (const state of states) for (const slot of state.keys()) if (slot !== "/") found.add((slot.endsWith("/") ? slot.slice(0, -1) : slot) as StorePath);
    return found;
  }

  /** Was it so, at a moment that an answer may tell? */
  #was({ from, ms, to }: Window, path: string, where: string, said: Value, valueIn: (state: State) => Value): void {
    const { service, control } = this.#world;
    const { ttlMs, settleMs } = control.settings;
    const isLate = this.#setting.service?.late !== undefined;
    const values = service.states.map(({ state }) => valueIn(state));
    for (const [i, value] of values.entries()) {
      if (value !== said || (this.#past[i] as Past).at > to) continue;
      // Until somebody whom the caller knows to have finished made it otherwise, or somebody else so long ago that it must be known by now.
      let ends = false;
      for (let j = i + 1, changed = false; j < values.length && !ends; j++) {
        if (values[j] === values[j - 1]) continue;
        const { at, ms: when, by } = this.#past[j] as Past;
        // Whoever takes away a child learns nothing of the directory that another client made for it.
        if (said === null && by?.isDelete === true && values[j] !== null && values[j - 1] !== null) continue;
        changed ||= values[j] !== said;
        // Of a tree that came as a whole, or of one in doubt, a late listing may show the state before, and the cache does not keep that.
        const mayBeLate = by !== undefined && isLate && !by.isUpload && (by.isUnsure || (by.paths.length > 1 && !by.paths.includes(path)));
        // A change of ours makes anew what somebody else took away above its parent, and is not told so.
        const isTheirs = by === undefined || (this.#setting.others === true && by.paths.every((one) => isAbove(path, one)));
        const staleMs = isTheirs ? ttlMs + settleMs : mayBeLate ? settleMs : undefined;
        // What an own change made is told from its reply on, which may come long after it was done.
        const toldMs = Math.max(when, this.#past[i]?.by?.settledMs ?? 0);
        ends = changed && (staleMs === undefined ? (by as Ours).settledAt < from : at < from && toldMs + staleMs <= ms);
      }
      if (!ends) return;
    }
    // What a running upload of ours replaces has its old entry until it ends (CF61).
    if (said !== null && this.#ours.some((one) => one.isUpload && one.paths[0] === path && one.startedAt <= to && one.settledAt >= from)) return;
    assert.fail(`${path}${where} was answered as ${said}, which it was not between ${from} and ${to}`);
  }
}

/** Further up than its parent. */
function isAbove(path: string, one: string): boolean {
  return path !== one && isInside(one as StorePath, path as StorePath) && parentOf(one as StorePath) !== path;
}

interface Window {
  /** Ticks. */
  readonly from: number;
  readonly to: number;
  readonly ms: number;
}

function expected(error: unknown): void {
  if (!StoreError.is(error)) throw error;
}
