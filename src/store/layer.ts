/** Making stores: a provider alone, layers over one store or several, stacks of layers. */
import { Adaptor } from "./adaptor.ts";
import type { Backend } from "./backend.ts";
import { completeCapabilities } from "./complete-capabilities.ts";
import { control } from "./control.ts";
import type { Control } from "./control.ts";
import { StoreError } from "./errors.ts";
import { Front } from "./front.ts";
import type { FrontParts } from "./front.ts";
import { guarded } from "./guard.ts";
import { Life } from "./life.ts";
import type { Lifecycle, Provider } from "./provider.ts";
import type { Store } from "./store.ts";

export type Layered<N extends string, C> = { readonly layers: { readonly [K in N]: C } };
/** A function from a store to a store, which keeps what the store already was and adds one named layer. */
export interface Layer<N extends string = string, C extends Control = Control> {
  <S extends Store>(inner: S): S & Layered<N, C>;
  /** The same layer under another name, where a stack has two of a kind: `stats().as("remote")`. */
  as<const M extends string>(name: M): Layer<M, C>;
  readonly layerName: N;
  /** Type only. */
  readonly control?: C;
}
export interface LayerParts extends Lifecycle {
  readonly backend: Backend;
  /** Called once, with the store that was made: for a control that has to open it. */
  readonly attach?: ((store: Store) => void) | undefined;
}
/** `name` tells two stores of one kind apart in errors, logs and reports. Throws `config` for wrong options; no I/O. */
export function createStore<K extends string, C extends Control = Control>(
  provider: Provider & { readonly kind: K },
  options: { readonly name?: string | undefined; readonly control?: C | undefined } = {},
): Store & Layered<K, C> {
  const { kind } = provider;
  const name = options.name ?? kind;
  const described = provider.describe?.() ?? "";
  const own: Control = options.control ?? control(kind, {}, {});
  return front<Layered<K, C>>({
    name,
    kind,
    control: own,
    backend: new Adaptor(provider, completeCapabilities(provider), name),
    inner: [],
    layers: Object.freeze({ [kind]: own }),
    life: new Life(name, provider, []),
    text: () => (described === "" ? kind : `${kind} ${described}`),
    identities: () => [provider.identity?.() ?? kind],
  });
}

function front<L>(parts: FrontParts): Store & L {
  return new Front(parts) as unknown as Store & L;
}

interface Built extends LayerParts {
  readonly control?: Control;
}

/**
 * Makes a layer from a function that builds it over what it wraps. `inner` is the backend of the wrapped store, with its capabilities
 * enforced; `store` is that store, for helpers that want one; `name` is what this layer is called (`as`), for what it tells of itself. No I/O here: `open` is for that. Without a control it has no settings.
 * A layer owns what it wraps and closes it, so a store can be wrapped once; a second time is `config`: give it `borrow(store)`.
 */
export function layer<const K extends string, C extends Control>(
  kind: K,
  build: (inner: Backend, store: Store, name: string) => LayerParts & { readonly control: C },
): Layer<K, C>;
export function layer<const K extends string>(kind: K, build: (inner: Backend, store: Store, name: string) => LayerParts): Layer<K>;
export function layer(kind: string, build: (inner: Backend, store: Store, name: string) => Built): Layer {
  return namedLayer(kind, kind, build);
}

function namedLayer(kind: string, name: string, build: (inner: Backend, store: Store, name: string) => Built): Layer {
  const apply = (inner: Store): Store => {
    const parts = partsOf(inner, kind);
    if (Object.hasOwn(parts.layers, name))
      throw new StoreError("config", `this stack has a layer "${name}" already: give one of them another name with as()`, { store: name });
    return owning([inner], kind, () => built(kind, name, [inner], build(guarded(parts.backend), inner, name), parts.layers));
  };
  return Object.assign(apply as Layer, { layerName: name, as: <const M extends string>(other: M) => namedLayer(kind, other, build) as Layer<M> });
}

/** The same over several stores: mirror, union, tiers. */
export function combine<const K extends string, C extends Control>(
  kind: K,
  stores: readonly Store[],
  build: (inners: readonly Backend[], stores: readonly Store[]) => LayerParts & { readonly control: C },
): Store & Layered<K, C>;
export function combine<const K extends string>(
  kind: K,
  stores: readonly Store[],
  build: (inners: readonly Backend[], stores: readonly Store[]) => LayerParts,
): Store & Layered<K, Control>;
export function combine(kind: string, stores: readonly Store[], build: (inners: readonly Backend[], stores: readonly Store[]) => Built): Store {
  const parts = stores.map((store) => partsOf(store, kind));
  return owning(stores, kind, () => {
    const inners = parts.map(({ backend }) => guarded(backend));
    return built(kind, kind, stores, build(inners, stores), {});
  });
}

/** Those stores belong to what `make` makes of them, or to nobody where it fails. */
function owning(stores: readonly Store[], kind: string, make: () => Store): Store {
  const owned: Store[] = [];
  try {
    for (const store of stores) {
      if (!Front.own(store))
        throw new StoreError("config", `${partsOf(store, kind).text()} is wrapped already: give borrow(store) to the second one`, { store: kind });
      owned.push(store);
    }
    return make();
  } catch (error) {
    for (const store of owned) Front.disown(store);
    throw error;
  }
}

function built(kind: string, name: string, inner: readonly Store[], made: Built, below: Readonly<Record<string, Control>>): Store {
  const innerParts = inner.map((store) => partsOf(store, kind));
  const described = made.describe?.() ?? "";
  const identity = made.identity?.();
  const own = made.control ?? control(kind, {}, {});
  // What is derived by spreading the inner ones is nobody's to change either.
  Object.freeze(made.backend.capabilities);
  const store = front({
    name,
    kind,
    control: own,
    backend: made.backend,
    inner: Object.freeze([...inner]),
    layers: Object.freeze({ ...below, [name]: own }),
    life: new Life(
      name,
      made,
      innerParts.map(({ life }) => life),
    ),
    text: () => `${name}(${[...innerParts.map(({ text }) => text()), ...(described === "" ? [] : [described])].join(", ")})`,
    identities: () => [...innerParts.flatMap(({ identities }) => identities()), ...(identity === undefined ? [] : [identity])],
  });
  made.attach?.(store);
  return store;
}

function partsOf(store: Store, kind: string): FrontParts {
  const parts = Front.partsOf(store);
  if (parts === undefined) throw new StoreError("config", "this is no store, or one made by another copy of stratus: npm dedupe", { store: kind });
  return parts;
}

type Nothing = false | null | undefined;
type AddLayer<L> = [L] extends [Layer<infer N, infer C>]
  ? Layered<N, C>
  : Exclude<L, Nothing> extends Layer<infer N, infer C>
    ? { readonly layers: { readonly [K in N]?: C } }
    : unknown;
export type Stacked<B, Ls extends readonly unknown[]> = Ls extends readonly [infer L, ...infer Rest] ? Stacked<B & AddLayer<L>, Rest> : B;
/**
 * Composes from the inside out: `stack(base, a, b)` is `b(a(base))`. Falsy layers are left out. Two layers of one name are a `config` error: rename one with `as`.
 * `stack(s3(o), caching(o), stats()).layers.caching.dirty()` is typed.
 */
export function stack<B extends Store, const Ls extends readonly (Layer | Nothing)[]>(base: B, ...layers: Ls): Stacked<B, Ls> {
  let store: Store = base;
  const wrapped: Store[] = [];
  try {
    for (const one of layers) {
      if (!one) continue;
      const outer: Store = one(store);
      wrapped.push(store);
      store = outer;
    }
  } catch (error) {
    // Of a stack that cannot be built nothing is kept: its base may be wrapped again.
    for (const inner of wrapped) Front.disown(inner);
    throw error;
  }
  return store as Stacked<B, Ls>;
}

/** Exported next to each layer: `export const Caching: Kind<CacheControl> = kindOf("caching")`. */
export interface Kind<C extends Control> {
  readonly kind: string;
  readonly control?: C;
}
export function kindOf<C extends Control>(kind: string): Kind<C> {
  return Object.freeze({ kind });
}

/** For stacks whose layers the types do not know (built from a configuration): the control of the outermost layer of this kind, branches included. */
export function find<C extends Control>(store: Store, kind: Kind<C>): C | undefined {
  const parts = partsOf(store, "find");
  if (parts.kind === kind.kind) return parts.control as C;
  for (const inner of parts.inner) {
    const found = find(inner, kind);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The `identity` of every layer of the stack that has one, innermost first: what a persistent layer compares before it brings pending work to a store. */
export function identityOf(store: Store): string {
  return partsOf(store, "identityOf").identities().join(" | ");
}

/** The same store for somebody who must not close it: closing what this gives closes nothing below. */
export function borrow<S extends Store>(store: S): S {
  const parts = partsOf(store, "borrow");
  const none: Lifecycle = {};
  return front<object>({ ...parts, life: new Life(parts.name, none, [], [parts.life]) }) as unknown as S;
}
