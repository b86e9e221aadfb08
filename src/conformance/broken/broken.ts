/**
 * One-bug stores: a correct store with exactly one bug in it, for proving that the suite sees that bug.
 *
 *   export const broken: readonly BrokenStore[] = [
 *     bugged({ id: "M01", bug: "delete does nothing and reports success", killedBy: ["delete.file.gone"], below: () => () => ({ delete: async () => {} }) }),
 *   ];
 *
 * `below` bends the ten operations under the front (paths, options and body are checked there before the bug sees them); `above` bends what the
 * caller holds, for bugs that the front would catch. All connections to one place share one state and one instance of the bug.
 */
import { createStore, hasCode, layer, nameOf, readBytes } from "../../store/index.ts";
import type { Backend, Capabilities, Provider, Store } from "../../store/index.ts";
import { ModelState, referenceProvider, referenceStore } from "../model/reference.ts";
import type { ReferenceOptions } from "../model/reference.ts";
import type { Place, SecondChannel, Subject } from "../subject.ts";

export interface BrokenStore {
  /** "M07": the row of reference/conformance.md section 8. A second variant of one row adds a letter: "M23b". */
  readonly id: string;
  readonly bug: string;
  /** Checks that must fail. A kill by another check, by a crash or by the clock does not count. */
  readonly killedBy: readonly string[];
  /** True where the bug shows as a call that never ends: then the time-out of a check in `killedBy` counts. */
  readonly hangs?: boolean | undefined;
  subject(): Subject;
}

/** The ten operations and the capabilities, those that the bug changes. */
export type Bent = Partial<Backend>;

/** The methods of a store as they were, bound to it. */
export type Original = Pick<
  Store,
  "stat" | "read" | "write" | "list" | "delete" | "mkdir" | "copy" | "move" | "space" | "account" | "open" | "reconnect" | "close"
>;

export interface Bug {
  readonly id: string;
  readonly bug: string;
  readonly killedBy: readonly string[];
  readonly hangs?: boolean | undefined;
  /** Of the correct store under the bug. */
  readonly reference?: Omit<ReferenceOptions, "state"> | undefined;
  /** Another correct provider in its place, made for each connection. */
  provider?(place: Place, state: ModelState, options: ReferenceOptions): Provider;
  /** Called once per place, so that what the bug remembers is shared by all connections; the inner function once per connection. */
  below?(): (inner: Backend, place: Place) => Bent;
  above?(): (store: Original, place: Place) => Partial<Original>;
  /** The subject has a second channel, which does not go through the bug. */
  readonly raw?: boolean | undefined;
  /** Members of the subject that the bug needs: `leftovers`, `reopens`. */
  readonly subject?: Partial<Subject> | undefined;
}

/** A subject of correct stores in memory, with the bug on top. */
export function bugged(bug: Bug): BrokenStore {
  return {
    id: bug.id,
    bug: bug.bug,
    killedBy: bug.killedBy,
    ...(bug.hangs === undefined ? {} : { hangs: bug.hangs }),
    subject: (): Subject => bent(bug),
  };
}

interface Shared {
  readonly state: ModelState;
  readonly below: ReturnType<NonNullable<Bug["below"]>> | undefined;
  readonly above: ReturnType<NonNullable<Bug["above"]>> | undefined;
  connections: number;
}

/** The same for a correct store: without `below` and `above` nothing is bent. */
export function bent(bug: Bug): Subject {
  const places = new Map<string, Shared>();
  return {
    name: `broken ${bug.id}`,
    reopens: false,
    open(place: Place): Store {
      let here = places.get(place.id);
      if (here === undefined) places.set(place.id, (here = { state: new ModelState(), below: bug.below?.(), above: bug.above?.(), connections: 0 }));
      const shared = here;
      shared.connections += 1;
      const options: ReferenceOptions = { ...bug.reference, state: shared.state, clock: place.clock };
      const base = createStore({ ...(bug.provider?.(place, shared.state, options) ?? referenceProvider(options)) });
      const store = layer("broken", (inner) => ({
        backend: bend(inner, shared.below?.(inner, place) ?? {}),
        async close(): Promise<void> {
          shared.connections -= 1;
          // The last one out forgets the bytes, unless they are found again.
          if (shared.connections === 0 && bug.subject?.reopens !== true) places.delete(place.id);
        },
      }))(base);
      return shared.above === undefined ? store : disguise(store, (original) => shared.above!(original, place));
    },
    ...(bug.raw === true ? { raw: (place: Place) => channelTo(places.get(place.id)?.state ?? new ModelState(), bug.reference) } : {}),
    ...bug.subject,
  };
}

/** Another client of the same service. */
export function channelTo(state: ModelState, options: ReferenceOptions = {}): SecondChannel {
  const store = referenceStore({ ...options, state });
  return {
    put: async (path, bytes) => void (await store.write(path, bytes)),
    get: (path) => readBytes(store, path).catch((error: unknown) => (hasCode(error, "not-found") ? undefined : Promise.reject(error as Error))),
    list: async (dir) => (await store.list(dir).toArray()).map((entry) => nameOf(entry.path)),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

/** `inner` with some operations replaced. */
export function bend(inner: Backend, bent: Bent): Backend {
  const capabilities: Capabilities = bent.capabilities ?? inner.capabilities;
  return {
    capabilities,
    stat: bent.stat ?? ((call) => inner.stat(call)),
    read: bent.read ?? ((call) => inner.read(call)),
    write: bent.write ?? ((call) => inner.write(call)),
    list: bent.list ?? ((call) => inner.list(call)),
    delete: bent.delete ?? ((call) => inner.delete(call)),
    mkdir: bent.mkdir ?? ((call) => inner.mkdir(call)),
    copy: bent.copy ?? ((call) => inner.copy(call)),
    move: bent.move ?? ((call) => inner.move(call)),
    space: bent.space ?? ((call) => inner.space(call)),
    account: bent.account ?? ((call) => inner.account(call)),
  };
}

/** The very same store, some of its methods replaced by others, which are given the original ones. */
export function disguise<S extends Store>(store: S, replace: (original: Original) => Partial<Original>): S {
  const bound: Original = {
    stat: store.stat.bind(store),
    read: store.read.bind(store),
    write: store.write.bind(store),
    list: store.list.bind(store),
    delete: store.delete.bind(store),
    mkdir: store.mkdir.bind(store),
    copy: store.copy.bind(store),
    move: store.move.bind(store),
    space: store.space.bind(store),
    account: store.account.bind(store),
    open: store.open.bind(store),
    reconnect: store.reconnect.bind(store),
    close: store.close.bind(store),
  };
  for (const [name, method] of Object.entries(replace(bound))) Object.defineProperty(store, name, { value: method, configurable: true, writable: true });
  return store;
}
