/** A caching store over the simulated remote, for proofs that say step by step what happens. */
import assert from "node:assert/strict";
import { StoreError, find } from "../../../src/store/index.ts";
import type { ErrorCode, Layer, Store } from "../../../src/store/index.ts";
import { Caching } from "../../../src/wrappers/caching/index.ts";
import type { CacheControl, CachingOptions } from "../../../src/wrappers/caching/index.ts";
import type { Rules } from "../../../src/wrappers/caching/rules.ts";
import { subject } from "../../wrappers/caching/model/caching-subject.ts";
import { quiet } from "../../wrappers/caching/model/clock.ts";
import { Life } from "../../wrappers/caching/model/life.ts";
import { plainSetup, plainShape } from "../../wrappers/caching/model/program.ts";
import type { Setup } from "../../wrappers/caching/model/program.ts";
import type { Ending, Remote, Shape } from "../../wrappers/caching/model/remote.ts";
import type { Subject } from "../../wrappers/caching/model/subject.ts";
import type { Proof } from "../registry.ts";

/** What is wrong with the layer: rules that are turned around. */
export type Bug = Partial<Rules>;
export interface Given {
  readonly setup?: Partial<Setup>;
  readonly shape?: Partial<Shape>;
  readonly options?: Partial<CachingOptions>;
  /** Flushes count: durability "power". */
  readonly power?: boolean;
  /** Between the cache and the remote. */
  readonly below?: () => Layer;
}

export function proof(name: string, work: (world: World) => Promise<void>, given: Given = {}): Proof<Bug> {
  return {
    name: `caching: ${name}`,
    async run(bug) {
      const world = new World(bug, given);
      try {
        await world.life.begin();
        await work(world);
      } finally {
        world.life.end();
      }
    },
  };
}

export class World {
  readonly life: Life;
  readonly remote: Remote;
  /** The service at once and without faults: what another client does and sees. */
  readonly other: Store;
  readonly #real: Subject;
  readonly #setup: Setup;

  constructor(bug: Bug, { setup, shape, options, power = false, below }: Given) {
    const real = subject(bug, options);
    this.#real = real;
    this.#setup = { ...plainSetup, ...setup, shape: { ...plainShape, ...shape } };
    this.life = new Life({
      subject: below === undefined ? real : { ...real, start: (start) => real.start({ ...start, remote: below()(start.remote) }) },
      setup: this.#setup,
      power,
    });
    this.remote = this.life.remote;
    this.other = this.remote.direct();
  }

  get store(): Store {
    return this.life.store;
  }
  /** The cache directory. */
  get directory(): string {
    return this.life.directory;
  }
  /** Another stack of this process over the same directory. */
  async openAgain(): Promise<{ readonly error: unknown } | { readonly opened: true }> {
    const connection = this.remote.connect();
    try {
      await this.#real.start({
        directory: this.directory,
        remote: connection.store,
        clock: this.life.clock.process(),
        setup: this.#setup,
        durability: "process",
        point: () => {},
      });
      return { opened: true };
    } catch (error) {
      return { error };
    }
  }
  get cache(): CacheControl {
    return find(this.life.store, Caching) as CacheControl;
  }
  /** Requests that wait for their answer, in words. */
  get waiting(): readonly string[] {
    return this.remote.requests.map(({ text }) => text);
  }

  /** The call succeeds, if need be with the remote's help. */
  async done<T>(call: Promise<T>): Promise<T> {
    const outcome = await this.life.settled(call);
    if (outcome === "cut") throw new Error("the process was killed");
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }
  async refused(call: Promise<unknown>, code: ErrorCode): Promise<StoreError> {
    const outcome = await this.life.settled(call);
    assert.ok(outcome !== "cut" && "error" in outcome, `it was not refused with ${code}`);
    if (!StoreError.is(outcome.error)) throw outcome.error;
    assert.equal(outcome.error.code, code);
    return outcome.error;
  }
  write(path: string, body: string | Uint8Array): Promise<unknown> {
    return this.done(this.store.write(path, body));
  }
  text(path: string): Promise<string> {
    return this.done(this.store.read(path).then((result) => result.text()));
  }
  async wait(ms: number): Promise<void> {
    await this.life.clock.advance(ms);
  }
  /** The oldest request ends like this; there has to be one. */
  async end(how: Ending, at = 0): Promise<void> {
    assert.ok(await this.remote.end(at, how), `there is no request to end with ${how}`);
    await quiet();
  }
  async late(): Promise<void> {
    await this.remote.land(0);
    await quiet();
  }
  async restart(power = false): Promise<void> {
    this.life.crash(power);
    await this.life.restart();
  }
  async flush(): Promise<void> {
    await this.done(this.cache.flush());
  }
  /** What another client sees: text by path, directories with "/". */
  async there(): Promise<Readonly<Record<string, string>>> {
    return contents(this.other);
  }
  async view(): Promise<Readonly<Record<string, string>>> {
    return this.done(contents(this.store));
  }
}

async function contents(store: Store, directory = "/"): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { path, kind } of await store.list(directory).toArray()) {
    if (kind === "directory") Object.assign(found, { [`${path}/`]: "" }, await contents(store, path));
    else found[path] = await (await store.read(path)).text();
  }
  return found;
}
