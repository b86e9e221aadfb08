/** Making layers and stacks: names, ownership, what is found again; the hook, the watch, and the policy of retries. */
import { expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import {
  StoreError,
  borrow,
  byteStream,
  calls,
  combine,
  control,
  createStore,
  find,
  identityOf,
  kindOf,
  layer,
  mayRepeat,
  observe,
  parsePath,
  readText,
  root,
  stack,
  uniform,
} from "../../src/store/index.ts";
import type { Backend, Call, CallObserver, Capabilities, ErrorCode, Layer, Operation, Provider, Store } from "../../src/store/index.ts";
import { backendOf, fake, fakeStore, file, pieces, stuck, thrown, tick } from "./make.ts";

const plainLayer = (kind: string, more: object = {}): Layer =>
  layer(kind, (inner) => ({ backend: uniform(inner, { around: (call, next) => next(call) }), ...more }));
const config = expect.objectContaining({ code: "config" }) as Error;

test("stack composes from the inside out, leaves out what is falsy, and every layer is found by its name", () => {
  const store = stack(memory(), plainLayer("a"), false, null, undefined, plainLayer("b"), plainLayer("a").as("a2"));
  expect(store.toString()).toBe("a2(b(a(memory)))");
  expect(Object.keys(store.layers)).toEqual(["memory", "a", "b", "a2"]);
  expect([store.name, store.inner[0]?.name, store.inner[0]?.inner[0]?.name]).toEqual(["a2", "b", "a"]);
  expect(Object.isFrozen(store.layers)).toBe(true);
  expect(stack(store)).toBe(store);
});

test("two layers of one name are config, and the store is as free as before", async () => {
  const base = stack(memory(), plainLayer("a"));
  expect(() => stack(base, plainLayer("a"))).toThrow(config);
  const store = stack(base, plainLayer("a").as("b"));
  await store.stat("/");
});

test("a store is wrapped once; a second time it must be borrowed; a layer that cannot be built owns nothing", async () => {
  const base = memory();
  const broken = layer("broken", () => {
    throw new StoreError("config", "wrong options");
  });
  expect(() => stack(base, broken)).toThrow(config);
  expect(() => combine("both", [base, base], ([first]) => ({ backend: first as Backend }))).toThrow(config);
  expect(() =>
    combine("both", [base, memory()], () => {
      throw new StoreError("config", "no");
    }),
  ).toThrow(config);
  const one = stack(base, plainLayer("a"));
  expect(() => stack(base, plainLayer("b"))).toThrow(config);
  const two = stack(borrow(base), plainLayer("b"));
  await one.write("/a", "x");
  expect(await readText(two, "/a")).toBe("x");
  await two.close();
  await one.stat("/a");
});

test("a stack that cannot be built leaves its base free", async () => {
  const base = memory();
  const broken = layer("broken", () => {
    throw new StoreError("config", "wrong options");
  });
  expect(() => stack(base, plainLayer("a"), broken)).toThrow(config);
  expect(() => stack(base, plainLayer("a"), plainLayer("a"))).toThrow(config);
  const store = stack(base, plainLayer("b"));
  expect(() => stack(base, plainLayer("c"))).toThrow(config);
  await store.write("/a", "x");
  await base.close();
  expect(await thrown(store.stat("/a"))).toMatchObject({ code: "closed" });
});

test("a hook that throws at once is a promise that rejects", async () => {
  const hasty = uniform(backendOf(memory()), {
    around: () => {
      throw new StoreError("conflict", "at once");
    },
  });
  const asked = hasty.stat(calls.stat(root));
  expect(await thrown(asked)).toMatchObject({ code: "conflict" });
});

test("what is no store is told so", () => {
  for (const wrong of [{}, null, undefined, "memory", { ...memory() }, Object.create(memory()) as Store]) {
    expect(() => plainLayer("a")(wrong as Store)).toThrow(config);
    expect(() => combine("c", [wrong as Store], () => ({ backend: {} as Backend }))).toThrow(config);
    expect(() => borrow(wrong as Store)).toThrow(config);
    expect(() => identityOf(wrong as Store)).toThrow(config);
    expect(() => find(wrong as Store, kindOf("a"))).toThrow(config);
  }
});

test("find: the outermost of a kind, whatever its name, branches included", () => {
  const labelled = (label: string): Layer => layer("a", (inner) => ({ backend: inner, control: { ...control("a", {}, {}), label } }));
  const store = combine(
    "both",
    [stack(memory(), plainLayer("x")), stack(memory(), labelled("inner"), labelled("outer").as("renamed"), plainLayer("y"))],
    ([first]) => ({ backend: first as Backend }),
  );
  expect(find(store, kindOf("a"))).toMatchObject({ label: "outer" });
  expect(find(store, kindOf("both"))).toBe(store.layers.both);
  expect(find(borrow(store), kindOf("a"))).toMatchObject({ label: "outer" });
  expect(find(store, kindOf("nothing"))).toBeUndefined();
});

test("identityOf: which bytes these are, innermost first", () => {
  const base = createStore(fake({ identity: () => "fake:bucket" }), { name: "other" });
  expect(identityOf(stack(base, plainLayer("calm"), plainLayer("p", { identity: () => "/p" })))).toBe("fake:bucket | /p");
  expect(identityOf(fakeStore())).toBe("fake");
});

test("capabilities of a layer are its own and nobody's to change", () => {
  const narrow = layer("narrow", (inner) => {
    class Narrow implements Pick<Backend, "capabilities"> {
      readonly capabilities: Capabilities = { ...inner.capabilities, write: false };
    }
    return { backend: Object.assign(Object.create(inner) as Backend, new Narrow()) };
  });
  const store = stack(memory(), narrow);
  expect(store.capabilities.write).toBe(false);
  expect(() => Object.assign(store.capabilities, { write: "native" })).toThrow(TypeError);
});

test("uniform: one hook sees all ten operations; a member named after one takes its place; call and reply pass through", async () => {
  const seen: string[] = [];
  const watch = layer("watch", (inner) => ({
    backend: uniform(inner, {
      around: (call, next) => {
        seen.push(call.operation);
        return next(call);
      },
      stat: async (call, next) => {
        seen.push("own stat");
        return { ...(await next(call)), id: "seen" };
      },
    }),
  }));
  const store = stack(memory(), watch);
  await store.write("/a", "x");
  expect((await store.stat("/a")).id).toBe("seen");
  await (await store.read("/a")).text();
  await store.list("/").toArray();
  await store.mkdir("/d");
  await store.copy("/a", "/b");
  await store.move("/b", "/c");
  await store.delete("/c");
  await store.space();
  await store.account();
  expect(seen).toEqual(["write", "own stat", "read", "list", "mkdir", "copy", "move", "delete", "space", "account"]);
});

interface Ended {
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly complete: boolean;
  readonly error: unknown;
}
function observing(store: Store, more: CallObserver = {}): { readonly store: Store; readonly ends: Ended[] } {
  const ends: Ended[] = [];
  return {
    ends,
    store: stack(
      store,
      layer("observing", (inner) => ({
        backend: uniform(inner, { around: (call, next) => observe(call, next, { ...more, end: (outcome) => void ends.push(outcome) }) }),
      })),
    ),
  };
}

test("observe: bytes up and down, and the end exactly once, whatever the end is", async () => {
  const { store, ends } = observing(memory());
  await store.write("/a", "abc");
  await store.write("/b", pieces("ab", "c"));
  await (await store.read("/a")).text();
  await thrown(store.stat("/missing"));
  expect(ends).toEqual([
    { bytesUp: 3, bytesDown: 0, complete: true, error: undefined },
    { bytesUp: 3, bytesDown: 0, complete: true, error: undefined },
    { bytesUp: 0, bytesDown: 3, complete: true, error: undefined },
    { bytesUp: 0, bytesDown: 0, complete: false, error: expect.objectContaining({ code: "not-found" }) as Error },
  ]);
  const stream = observing(
    fakeStore({
      read: async ({ path }) => ({ entry: file(path, 6), body: path === "/broken" ? pieces("abc") : path === "/stuck" ? stuck("abc") : pieces("abc", "def") }),
    }),
  );
  const left = await stream.store.read("/a");
  for await (const _ of left) break;
  await thrown((await stream.store.read("/broken")).text());
  const open = (await stream.store.read("/stuck")).text();
  await tick();
  await stream.store.close();
  await thrown(open);
  expect(stream.ends).toEqual([
    { bytesUp: 0, bytesDown: 3, complete: false, error: undefined },
    { bytesUp: 0, bytesDown: 3, complete: false, error: expect.objectContaining({ code: "unavailable" }) as Error },
    { bytesUp: 0, bytesDown: 3, complete: false, error: undefined },
  ]);
});

test("observe: what `up` throws fails the body, what `down` throws fails the read; a promise holds the flow back", async () => {
  const up = observing(memory(), {
    up: () => {
      throw new StoreError("no-space", "over the quota");
    },
  });
  expect(await thrown(up.store.write("/a", pieces("abc")))).toMatchObject({ code: "no-space", applied: false });
  const base = memory();
  await base.write("/a", "x");
  const down = observing(base, {
    down: async () => {
      await tick();
      throw new StoreError("rate-limited", "slower");
    },
  });
  expect(await thrown((await down.store.read("/a")).text())).toMatchObject({ code: "rate-limited", path: "/a" });
});

test("observe: a body that is over already has its end all the same", async () => {
  const over = async (): Promise<Backend> => {
    const inner = backendOf(memory());
    return Object.assign(Object.create(inner) as Backend, {
      read: async () => {
        const body = byteStream({ length: 1, pull: () => new Uint8Array(1) });
        await body.close();
        return { entry: file("/a", 1), offset: 0, body };
      },
    });
  };
  const ends: unknown[] = [];
  const backend = await over();
  await thrown(observe<"read">(calls.read(parsePath("/a")), (call) => backend.read(call), { end: (outcome) => void ends.push(outcome) }));
  expect(ends.length).toBe(1);
});

// CF93, CF94
test.each<[ErrorCode, StoreError["applied"], string, boolean, boolean]>([
  ["unavailable", false, "write", true, true],
  ["unavailable", "unknown", "write", true, false],
  ["unavailable", true, "write", false, false],
  ["unavailable", "unknown", "write ifAbsent", false, false],
  ["unavailable", "unknown", "write ifMatch", false, false],
  ["unavailable", false, "write ifMatch", true, true],
  ["unavailable", false, "write opened", false, false],
  ["unavailable", "unknown", "delete", true, false],
  ["unavailable", "unknown", "delete ifMatch", false, false],
  ["unavailable", "partly", "delete recursive", true, true],
  ["unavailable", "partly", "copy", false, false],
  ["unavailable", "unknown", "mkdir", false, false],
  ["unavailable", "unknown", "mkdir existOk", true, false],
  ["unavailable", "unknown", "copy", true, false],
  ["unavailable", "unknown", "copy ifAbsent", false, false],
  ["unavailable", "unknown", "move", false, false],
  ["unavailable", false, "move", true, true],
  ["timeout", false, "stat", true, true],
  ["rate-limited", false, "list", true, true],
  ["conflict", false, "read", true, true],
  ["not-found", false, "stat", false, false],
  ["no-space", false, "write", false, false],
  ["bad-body", false, "write", false, false],
  ["aborted", "unknown", "write", false, false],
  ["unknown", "unknown", "stat", false, false],
  ["config", false, "stat", false, false],
  ["permission-denied", false, "stat", false, false],
])("%s, applied %s, after %s: again %s; handing doubt up %s", (code, applied, what, resend, reject) => {
  const [operation, option] = what.split(" ") as [Operation, string | undefined];
  const path = parsePath("/a");
  const made: Record<string, Call> = {
    stat: calls.stat(path),
    read: calls.read(path),
    list: calls.list(path),
    delete: calls.delete(path, { recursive: option === "recursive", ifMatch: option === "ifMatch" ? "e" : undefined }),
    mkdir: calls.mkdir(path, { existOk: option === "existOk" }),
    copy: calls.copy(path, root, { ifAbsent: option === "ifAbsent" }),
    move: calls.move(path, root),
    write: calls.write(path, option === "opened" ? pieces("x") : "x", { ifAbsent: option === "ifAbsent", ifMatch: option === "ifMatch" ? "e" : undefined }),
  };
  const call = made[operation] as Call;
  if (option === "opened" && call.operation === "write") call.body.open();
  const error = new StoreError(code, "so", { applied });
  expect([mayRepeat(call, error, "resend"), mayRepeat(call, error, "reject")]).toEqual([resend, reject]);
});

// CF1
test("a provider of five operations is a whole store", async () => {
  const inner = backendOf(memory());
  const five: Provider & { readonly kind: "five" } = {
    kind: "five",
    capabilities: {},
    stat: (call) => inner.stat(call),
    read: (call) => inner.read({ ...call, range: undefined }),
    write: (call) => inner.write(call),
    list: (call) => inner.list(call),
    delete: (call) => inner.delete(call),
  };
  const store = createStore(five);
  await store.write("/d/a", pieces("abc", "def"));
  expect(await readText(store, "/d/a", { range: { offset: -2 } })).toBe("ef");
  await store.copy("/d/a", "/d/b");
  await store.move("/d/a", "/e/c");
  expect((await store.list("/", { recursive: true }).toArray()).map(({ path }) => path as string).toSorted()).toEqual(["/d", "/d/b", "/e", "/e/c"]);
  await store.delete("/d", { recursive: true });
  expect(await thrown(store.space())).toMatchObject({ code: "unsupported" });
});
