/** What does not compile: proved by the compiler, which `npm run types` runs over this file; the tests run what must hold at run time too. */
import { expect, expectTypeOf, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { borrow, combine, control, createStore, entry, find, kindOf, layer, parsePath, setting, stack, uniform } from "../../src/store/index.ts";
import type {
  Backend,
  Capabilities,
  Control,
  Entry,
  ErrorCode,
  Hook,
  Layer,
  Layered,
  Provider,
  SettingsOf,
  Stacked,
  Store,
  StorePath,
  SupportKey,
} from "../../src/store/index.ts";
import { fake } from "./make.ts";

interface CalmSettings {
  readonly delayMs: number;
}
interface CalmControl extends Control<CalmSettings> {
  calm(): "calm";
}
const calmly = (): Layer<"calm", CalmControl> =>
  layer("calm", (inner) => ({
    control: { ...control<CalmSettings>("calm", { delayMs: setting.ms("", 5) }, {}), calm: () => "calm" as const },
    backend: uniform(inner, { around: (call, next) => next(call) }),
  }));
const quiet = (): Layer<"quiet"> => layer("quiet", (inner) => ({ backend: inner }));

test("stack keeps its layers typed, under their names and the names given to them", () => {
  const store = stack(memory(), calmly(), quiet(), calmly().as("second"));
  expectTypeOf(store.layers.calm).toEqualTypeOf<CalmControl>();
  expectTypeOf(store.layers.second.calm()).toEqualTypeOf<"calm">();
  expectTypeOf(store.layers.quiet).toEqualTypeOf<Control>();
  expectTypeOf(store.layers.memory).toEqualTypeOf<Control>();
  expectTypeOf(store).toExtend<Store>();
  // Of another name nothing is known but that it may be there.
  expectTypeOf(store.layers.loud).toEqualTypeOf<Control | undefined>();
  // @ts-expect-error: no setting of this name
  void store.layers.calm.configure({ delayMz: 1 }).catch(() => {});
  // @ts-expect-error: no setting of this type
  void store.layers.calm.configure({ delayMs: "1" }).catch(() => {});
  expect(store.layers.second.calm()).toBe("calm");
});

test("a layer that may be left out is there or not", () => {
  const maybe = Math.random() > 2;
  const store = stack(memory(), maybe && calmly(), maybe ? quiet() : undefined);
  expectTypeOf(store.layers.calm).toEqualTypeOf<CalmControl | undefined>();
  // @ts-expect-error: it may be missing
  expect(() => store.layers.calm.calm()).toThrow(TypeError);
  expect(store.layers.calm?.calm()).toBeUndefined();
});

test("nesting by hand gives the same type; layers of a list keep what is known", () => {
  const nested = quiet()(calmly()(memory()));
  expectTypeOf(nested.layers.calm.calm()).toEqualTypeOf<"calm">();
  const list: readonly Layer[] = [quiet()];
  const some = stack(stack(memory(), calmly()), ...list);
  expectTypeOf(some.layers.calm.calm()).toEqualTypeOf<"calm">();
  expectTypeOf<Stacked<Store & Layered<"memory", Control>, [Layer<"calm", CalmControl>]>>().toExtend<Store>();
  expectTypeOf(borrow(nested)).toEqualTypeOf(nested);
  expectTypeOf(find(some, kindOf<CalmControl>("calm"))).toEqualTypeOf<CalmControl | undefined>();
});

test("a backend that lacks a verb, or a hook that lacks its heart, does not compile", () => {
  class Nine {
    readonly capabilities: Capabilities;
    readonly #inner: Backend;
    constructor(inner: Backend) {
      this.#inner = inner;
      this.capabilities = inner.capabilities;
    }
    stat = (call: Parameters<Backend["stat"]>[0]): Promise<Entry> => this.#inner.stat(call);
  }
  // @ts-expect-error: nine operations are missing
  const nine: Layer = layer("nine", (inner) => ({ backend: new Nine(inner) }));
  // @ts-expect-error: `around` sees all operations
  const empty: Hook = { stat: (call, next) => next(call) };
  // @ts-expect-error: there is no such operation
  const odd: Hook = { around: (call, next) => next(call), rename: () => {} };
  expect([nine.layerName, typeof empty, typeof odd]).toEqual(["nine", "object", "object"]);
});

test("a provider that lacks one of the five, or claims what does not exist, does not compile", () => {
  const { write: _, ...four } = fake();
  // @ts-expect-error: no write
  const provider: Provider = four;
  // @ts-expect-error: there is no such capability
  const typo: Partial<Capabilities> = { readRanges: "native" };
  // @ts-expect-error: Support is "native", "emulated" or false
  const wrong: Partial<Capabilities> = { readRange: true };
  expect(() => createStore(fake({ capabilities: typo }))).toThrow();
  expect(() => createStore(fake({ capabilities: wrong }))).toThrow();
  expect(provider.kind).toBe("fake");
});

test("settings: every member must be described, and as what it is", () => {
  interface Two {
    readonly a: number;
    readonly b: boolean;
  }
  // @ts-expect-error: b is not described
  const missing: SettingsOf<Two> = { a: setting.count("") };
  // @ts-expect-error: b is a flag
  const wrong: SettingsOf<Two> = { a: setting.count(""), b: setting.text("") };
  expect([Object.keys(missing), Object.keys(wrong)]).toEqual([["a"], ["a", "b"]]);
  expectTypeOf(setting.choice("", ["fast", "safe"]).parse("fast")).toEqualTypeOf<"fast" | "safe">();
});

test("paths are made by parsePath alone; stores by createStore, layer and combine", async () => {
  // @ts-expect-error: not every text is a path
  const path: StorePath = "/a";
  // @ts-expect-error: nobody writes a Store by hand
  const store: Store = Object.assign(new Map(), { name: "mine" });
  expect([path, store.name]).toEqual(["/a", "mine"]);
  expectTypeOf(entry({ path: parsePath("/a"), kind: "file", etag: undefined, size: undefined })).toEqualTypeOf<Entry>();
  const both = combine("both", [memory(), memory()], ([first]) => ({ backend: first as Backend }));
  expectTypeOf(both.layers.both).toEqualTypeOf<Control>();
  expectTypeOf<SupportKey>().toExtend<keyof Capabilities>();
  // @ts-expect-error: what has no refusal is no key for one
  const key: SupportKey = "etag";
  expect(key).toBe("etag");
});

test("options: those of another verb, and unknown ones, do not compile; undefined may always be given", async () => {
  const store = memory();
  const signal: AbortSignal | undefined = undefined;
  await store.write("/a", "x", { signal, ifMatch: undefined, size: undefined });
  // @ts-expect-error: delete knows no ifAbsent
  await store.delete("/b", { ifAbsent: true }).catch(() => {});
  // @ts-expect-error: a condition is text
  await store.write("/a", "x", { ifMatch: 7 }).catch(() => {});
  // @ts-expect-error: numbers are no body
  await store.write("/a", 7).catch(() => {});
  expectTypeOf((await store.read("/a")).bytes()).resolves.toEqualTypeOf<Uint8Array<ArrayBuffer>>();
  expectTypeOf(store.open()).resolves.toEqualTypeOf<typeof store>();
});

test("codes are closed: a switch over all of them needs no default", () => {
  const family = (code: ErrorCode): string => {
    switch (code) {
      case "not-found":
      case "already-exists":
      case "not-a-directory":
      case "is-a-directory":
      case "not-empty":
      case "invalid-path":
      case "bad-range":
      case "precondition-failed":
      case "not-modified":
        return "answer";
      case "unauthenticated":
      case "permission-denied":
        return "access";
      case "rate-limited":
      case "conflict":
      case "timeout":
      case "unavailable":
        return "later";
      case "no-space":
      case "too-large":
      case "unsupported":
        return "limit";
      case "bad-body":
      case "integrity":
      case "corrupt":
        return "bytes";
      case "aborted":
      case "closed":
      case "config":
      case "unknown":
        return "other";
    }
  };
  expect(family("timeout")).toBe("later");
});
