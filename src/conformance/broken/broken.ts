/**
 * One-bug stores: a correct store with exactly one bug in it, for proving that the suite sees that bug.
 *
 *   export const broken: readonly BrokenStore[] = [
 *     bugged({ id: "M01", bug: "delete does nothing and reports success", killedBy: ["delete.file.gone"], below: () => () => ({ delete: async () => {} }) }),
 *   ];
 *
 * `below` bends the ten operations under the front (paths, options and body are checked there before the bug sees them); `above` bends what the
 * caller holds, for bugs that the front would catch. All connections to one place share one correct store and one instance of the bug.
 */
import { borrow, layer } from "../../store/index.ts";
import type { Backend, Capabilities, Store } from "../../store/index.ts";
import { referenceStore } from "../model/reference.ts";
import type { ReferenceOptions } from "../model/reference.ts";
import type { Place, Subject } from "../subject.ts";

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

export interface Bug {
  readonly id: string;
  readonly bug: string;
  readonly killedBy: readonly string[];
  readonly hangs?: boolean | undefined;
  /** Of the correct store under the bug. */
  readonly reference?: ReferenceOptions | undefined;
  /** Called once per place, so that what the bug remembers is shared by all connections; the inner function once per connection. */
  below?(): (inner: Backend, place: Place) => Bent;
  above?(): (store: Store, place: Place) => Partial<Omit<Store, "capabilities">>;
}

/** A subject of correct stores in memory, with the bug on top. */
export function bugged(bug: Bug): BrokenStore {
  return {
    id: bug.id,
    bug: bug.bug,
    killedBy: bug.killedBy,
    ...(bug.hangs === undefined ? {} : { hangs: bug.hangs }),
    subject: (): Subject => subjectOf(bug),
  };
}

interface Shared {
  readonly base: Store;
  readonly below: ((inner: Backend, place: Place) => Bent) | undefined;
  readonly above: ((store: Store, place: Place) => Partial<Omit<Store, "capabilities">>) | undefined;
  connections: number;
}

function subjectOf(bug: Bug): Subject {
  const places = new Map<string, Shared>();
  return {
    name: `broken ${bug.id}`,
    reopens: false,
    open(place: Place): Store {
      let shared = places.get(place.id);
      if (shared === undefined) {
        shared = { base: referenceStore(bug.reference ?? {}), below: bug.below?.(), above: bug.above?.(), connections: 0 };
        places.set(place.id, shared);
      }
      const here = shared;
      here.connections++;
      const store = layer("broken", (inner) => ({
        backend: bend(inner, here.below?.(inner, place) ?? {}),
        async close(): Promise<void> {
          // The last one out forgets the bytes.
          if (--here.connections === 0) {
            places.delete(place.id);
            await here.base.close();
          }
        },
      }))(borrow(here.base));
      return here.above === undefined ? store : disguise(store, here.above(store, place));
    },
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

/** The same store with some members of the caller's side replaced. */
export function disguise<S extends Store>(store: S, members: Partial<Omit<Store, "capabilities">>): S {
  const given: object = members;
  return new Proxy(store, {
    get(target, key): unknown {
      if (Object.hasOwn(given, key)) return Reflect.get(given, key) as unknown;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? (...args: unknown[]): unknown => Reflect.apply(value, target, args) as unknown : value;
    },
  });
}
