/** A caching store over a scripted memory, with a clock that stands still, and a way to wait for what happens on the disk meanwhile. */
import { referenceStore } from "../../../src/conformance/model/reference.ts";
import type { ReferenceOptions } from "../../../src/conformance/model/reference.ts";
import { memory } from "../../../src/providers/memory/index.ts";
import { borrow, manualClock, stack } from "../../../src/store/index.ts";
import type { Clock, Layered, Store } from "../../../src/store/index.ts";
import { caching } from "../../../src/wrappers/index.ts";
import type { CacheControl, CacheEvent, CachingOptions } from "../../../src/wrappers/index.ts";
import { scripted } from "../at.ts";
import type { Script } from "../at.ts";
import { cacheDirectory } from "./cache-directory.ts";

export interface Bench extends AsyncDisposable {
  readonly base: Store;
  readonly script: Script;
  readonly clock: Clock & { advance(ms: number): Promise<void> };
  readonly directory: string;
  readonly store: Store & Layered<"caching", CacheControl>;
  readonly cache: CacheControl;
  readonly events: CacheEvent[];
  /** Opens another one over the same remote and directory; the first must be closed. */
  again(options?: Partial<CachingOptions>): Bench;
  /** Calls that went to the remote, as "write /a". */
  sent(...operations: readonly string[]): string[];
}

export function bench(options: Partial<CachingOptions> = {}, before?: Pick<Bench, "base" | "clock" | "directory">): Bench {
  const base = before?.base ?? memory();
  const clock = before?.clock ?? manualClock(1e12);
  const directory = before?.directory ?? cacheDirectory();
  const script = scripted();
  const store = stack(borrow(base), script.layer, caching({ directory, clock, random: () => 1, ...options }));
  const cache = store.layers.caching;
  const events: CacheEvent[] = [];
  cache.on((event) => events.push(event));
  return {
    base,
    script,
    clock,
    directory,
    store,
    cache,
    events,
    again: (more = {}) => bench({ ...options, ...more }, { base, clock, directory }),
    sent: (...operations) =>
      script.calls.filter(({ operation }) => operations.length === 0 || operations.includes(operation)).map(({ operation, path }) => `${operation} ${path}`),
    async [Symbol.asyncDispose]() {
      await store.close({ signal: AbortSignal.timeout(1000) });
    },
  };
}

/** Over a service with keys instead of directories, where a file and things below it may stand side by side. */
export function flat(options: Partial<CachingOptions> = {}, more: ReferenceOptions = {}): Bench {
  const base = referenceStore({ ...more, capabilities: { directories: "implied", strictHierarchy: false } });
  return bench(options, { base, clock: manualClock(1e12), directory: cacheDirectory() });
}

/** Until it is so, a few seconds at most: the disk takes its time although the clock stands still. */
export async function until(what: () => boolean, said = what.toString()): Promise<void> {
  const end = performance.now() + 8000;
  while (!what()) {
    if (performance.now() > end) throw new Error(`it never came to this: ${said}`);
    await new Promise((done) => setTimeout(done, 1));
  }
}

/** Turns of the event loop in which whatever would happen now has happened. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((done) => setTimeout(done, 1));
}

/** A place where a call waits until it is let go. */
export function gate(): { readonly open: Promise<void>; let(): void } {
  let release: () => void = () => {};
  const open = new Promise<void>((done) => (release = done));
  return { open, let: () => release() };
}
