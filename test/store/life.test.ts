/** The life of stores: opened before the first call, once, innermost first; closed outermost first, after what runs; and never left half open. */
import { expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { StoreError, borrow, combine, createStore, layer, stack, uniform } from "../../src/store/index.ts";
import type { Layer, Lifecycle, Store } from "../../src/store/index.ts";
import { directory, fake, fakeStore, file, thrown, tick } from "./make.ts";

interface Gate {
  readonly wait: Promise<void>;
  open(): void;
}
function gate(): Gate {
  let open!: () => void;
  const wait = new Promise<void>((done) => (open = done));
  return { wait, open };
}
function logged(name: string, log: string[], more: Lifecycle = {}): Lifecycle {
  return {
    open: async (signal) => {
      log.push(`open ${name}`);
      await more.open?.(signal);
    },
    reconnect: async (signal) => {
      log.push(`reconnect ${name}`);
      await more.reconnect?.(signal);
    },
    close: async (signal) => {
      log.push(`close ${name}`);
      await more.close?.(signal);
    },
  };
}
const wrap = (name: string, log: string[], more: Lifecycle = {}): Layer =>
  layer(name, (inner) => ({ ...logged(name, log, more), backend: uniform(inner, { around: (call, next) => next(call) }) }));
const base = (log: string[], more: Lifecycle = {}, stat = async () => directory("/")): Store => fakeStore({ ...logged("base", log, more), stat });

test("opened once, before the first call, innermost first; reconnected the same way; closed outermost first, once", async () => {
  const log: string[] = [];
  const store = stack(base(log), wrap("a", log), wrap("b", log));
  expect(log).toEqual([]);
  await Promise.all([store.stat("/"), store.stat("/x"), store.open()]);
  await store.reconnect();
  await Promise.all([store.close(), store.close()]);
  await store.close();
  expect(log).toEqual(["open base", "open a", "open b", "reconnect base", "reconnect a", "reconnect b", "close b", "close a", "close base"]);
});

test("open resolves to the store, and await using closes it", async () => {
  const log: string[] = [];
  const store = base(log);
  {
    await using opened = await store.open();
    expect(opened).toBe(store);
  }
  expect(log).toEqual(["open base", "close base"]);
});

test("a store that was never opened is closed without opening it, and its parts are not closed", async () => {
  const log: string[] = [];
  await stack(base(log), wrap("a", log)).close();
  expect(log).toEqual([]);
});

// CF102
test("an open that fails closes what was opened for it, and the next call tries again", async () => {
  const log: string[] = [];
  let fails = 2;
  const store = stack(
    base(log),
    wrap("a", log),
    wrap("b", log, {
      open: async () => {
        if (fails-- > 0) throw new Error("locked");
      },
    }),
  );
  expect(await thrown(store.stat("/"))).toMatchObject({ code: "unknown", operation: "stat", path: "/", cause: { message: "locked" } });
  expect(log.splice(0)).toEqual(["open base", "open a", "open b", "close a", "close base"]);
  await thrown(store.open());
  log.length = 0;
  await store.stat("/");
  expect(log).toEqual(["open base", "open a", "open b"]);
});

test("what opening, reconnecting or closing throws names the store whose it is, not the outermost", async () => {
  const failing = (step: "open" | "reconnect" | "close", error: Error): Store => {
    const log: string[] = [];
    return stack(
      base(log),
      wrap("a", log, {
        [step]: async () => {
          throw error;
        },
      }),
      wrap("b", log),
    );
  };
  const config = new StoreError("config", "no such directory");
  expect(await thrown(failing("open", config).open())).toMatchObject({ code: "config", store: "a", operation: "open", path: null });
  expect(await thrown(failing("open", config).stat("/x"))).toMatchObject({ code: "config", store: "a", operation: "stat", path: "/x" });
  expect(await thrown(failing("reconnect", config).reconnect())).toMatchObject({ store: "a", operation: "reconnect" });
  const defect = new RangeError("a defect");
  expect(await thrown(failing("open", defect).open())).toMatchObject({ code: "unknown", store: "a", operation: "open", cause: defect });
  const closing = failing("close", config);
  await closing.open();
  expect(await thrown(closing.close())).toMatchObject({ store: "a", operation: "close" });
});

test("where several stores of a stack cannot be closed, each of them is told", async () => {
  const fail = (reason: string) => async (): Promise<void> => {
    throw new StoreError("unavailable", reason);
  };
  const log: string[] = [];
  const store = stack(base(log, { close: fail("the base stays") }), wrap("a", log), wrap("b", log, { close: fail("pending") }));
  await store.open();
  expect(await thrown(store.close())).toMatchObject({
    code: "unavailable",
    store: "b",
    operation: "close",
    reason: "pending; also fake: the base stays",
    cause: {
      errors: [
        { store: "b", reason: "pending" },
        { store: "fake", reason: "the base stays" },
      ],
    },
  });
});

test("calls that come while a failed open is being undone wait, and open anew", async () => {
  const log: string[] = [];
  const slow = gate();
  let fails = true;
  const bottom = base(log, { close: () => slow.wait });
  const store = stack(
    bottom,
    wrap("a", log, {
      open: async () => {
        if (fails) throw new Error("locked");
      },
    }),
  );
  const first = thrown(store.stat("/"));
  await tick();
  expect(log).toEqual(["open base", "open a", "close base"]);
  fails = false;
  const second = bottom.stat("/");
  await tick();
  expect(log.length).toBe(3);
  slow.open();
  await Promise.all([first, second]);
  expect(log).toEqual(["open base", "open a", "close base", "open base"]);
});

test("one caller's signal ends its own waiting, not the opening that others wait for", async () => {
  const opening = gate();
  let seen: AbortSignal | undefined;
  const store = fakeStore({
    open: (signal) => {
      seen = signal;
      return opening.wait;
    },
    stat: async () => directory("/"),
  });
  const stop = new AbortController();
  const leaving = thrown(store.open({ signal: stop.signal }));
  const leavingToo = thrown(store.stat("/", { signal: stop.signal }));
  const staying = store.stat("/");
  await tick();
  stop.abort(new Error("enough"));
  expect(await leaving).toMatchObject({ code: "aborted", operation: "open", cause: { message: "enough" } });
  expect(await leavingToo).toMatchObject({ code: "aborted", operation: "stat", path: "/" });
  expect(seen?.aborted).toBe(false);
  opening.open();
  await staying;
});

test("when the last who waits has gone the opening is told, and the next caller opens anew", async () => {
  let opens = 0;
  const store = fakeStore({
    open: (signal) =>
      ++opens > 1 ? Promise.resolve() : new Promise((_, fail) => signal?.addEventListener("abort", () => setTimeout(() => fail(signal.reason as Error), 5))),
    stat: async () => directory("/"),
  });
  const stop = new AbortController();
  const leaving = thrown(store.open({ signal: stop.signal }));
  await tick();
  stop.abort();
  await leaving;
  await store.stat("/");
  expect(opens).toBe(2);
  expect(
    await thrown(
      store
        .open({ signal: AbortSignal.abort() })
        .then(() => store.reconnect({ signal: AbortSignal.abort() }))
        .then(() => {
          throw new Error("fine");
        }),
    ),
  ).toMatchObject({ message: "fine" });
});

test("after an opening that succeeded its signal never fires: what was started with it goes on", async () => {
  let seen: AbortSignal | undefined;
  const store = fakeStore({ open: async (signal) => void (seen = signal), stat: async () => directory("/") });
  await store.open();
  await store.stat("/");
  expect(seen?.aborted).toBe(false);
});

test("later calls reject with closed, lazily too, and change nothing", async () => {
  const store = memory();
  await store.write("/a", "x");
  const listing = store.list("/");
  await store.close();
  for (const call of [
    store.stat("/a"),
    store.read("/a"),
    store.write("/b", "x"),
    store.delete("/a"),
    store.mkdir("/d"),
    store.copy("/a", "/b"),
    store.move("/a", "/b"),
    listing.toArray(),
    store.space(),
    store.account(),
    store.open(),
    store.reconnect(),
  ]) {
    expect(await thrown(call)).toMatchObject({ code: "closed", applied: false, store: "memory" });
  }
});

test("close waits for running calls, then closes; calls that come meanwhile are refused", async () => {
  const slow = gate();
  const log: string[] = [];
  const store = base(log, {}, async () => {
    await slow.wait;
    log.push("answered");
    return directory("/");
  });
  const running = store.stat("/");
  await tick();
  const closing = store.close();
  expect(await thrown(store.stat("/"))).toMatchObject({ code: "closed" });
  await tick();
  expect(log).toEqual(["open base"]);
  slow.open();
  await Promise.all([running, closing]);
  expect(log).toEqual(["open base", "answered", "close base"]);
});

test.each([
  ["the first", true],
  ["a second", false],
])("%s close may set a deadline: nothing is waited for any more, and all is closed", async (_, first) => {
  const log: string[] = [];
  const store = stack(
    base(log, { close: () => new Promise(() => {}) }, () => new Promise(() => {})),
    wrap("a", log, { close: () => new Promise(() => {}) }),
  );
  void store.stat("/");
  await tick();
  const signal = AbortSignal.timeout(10);
  const closing = first ? store.close({ signal }) : store.close();
  if (!first) await store.close({ signal });
  await closing;
  expect(log.slice(2)).toEqual(["close a", "close base"]);
  expect(await thrown(store.stat("/"))).toMatchObject({ code: "closed" });
});

test("a deadline that has passed already", async () => {
  const log: string[] = [];
  const store = base(log, { close: () => new Promise(() => {}) });
  await store.open();
  await store.close({ signal: AbortSignal.abort() });
  expect(log).toEqual(["open base", "close base"]);
});

test("a layer whose close fails, even at once, keeps nothing below from closing; the outermost failure is told first", async () => {
  const log: string[] = [];
  const store = stack(
    base(log),
    wrap("a", log, {
      close: async () => {
        throw new Error("a");
      },
    }),
    layer("b", (inner) => ({
      backend: uniform(inner, { around: (call, next) => next(call) }),
      close: () => {
        throw new Error("b");
      },
    })),
  );
  await store.stat("/");
  expect(await thrown(store.close())).toMatchObject({
    code: "unknown",
    store: "b",
    operation: "close",
    cause: {
      errors: [
        { store: "b", cause: { message: "b" } },
        { store: "a", cause: { message: "a" } },
      ],
    },
  });
  expect(log.slice(-2)).toEqual(["close a", "close base"]);
});

test("close while it is being opened: the opening ends first, and what it opened is closed", async () => {
  const log: string[] = [];
  const opening = gate();
  const store = base(log, { open: () => opening.wait });
  const call = thrown(store.stat("/"));
  await tick();
  const closing = store.close();
  opening.open();
  await closing;
  expect(await call).toMatchObject({ code: "closed" });
  expect(log).toEqual(["open base", "close base"]);
});

test("a deadline while it is being opened: what is opened late is closed by itself", async () => {
  const log: string[] = [];
  const opening = gate();
  const store = base(log, { open: () => opening.wait });
  const call = thrown(store.stat("/"));
  await tick();
  await store.close({ signal: AbortSignal.timeout(5) });
  opening.open();
  expect(await call).toMatchObject({ code: "closed" });
  await tick();
  expect(log).toEqual(["open base", "close base"]);
});

test("open bodies end with closed: a pull that waits, and the next one", async () => {
  const body = (): ReadableStream<Uint8Array> =>
    new ReadableStream({ pull: (to) => (to.desiredSize === 1 ? to.enqueue(new Uint8Array([1])) : new Promise(() => {})) });
  const store = fakeStore({ read: async ({ path }) => ({ entry: file(path, 10), body: body() }) });
  const waiting = (await store.read("/a")).bytes();
  const iterator = (await store.read("/b"))[Symbol.asyncIterator]();
  await iterator.next();
  await store.close();
  expect(await thrown(waiting)).toMatchObject({ code: "closed", operation: "read", path: "/a" });
  expect(await thrown(iterator.next())).toMatchObject({ code: "closed", operation: "read", path: "/b" });
});

test("a read that is under way when the store closes ends with closed, and its body is let go", async () => {
  const answer = gate();
  let cancelled = 0;
  const store = fakeStore({
    read: async ({ path }) => {
      await answer.wait;
      return { entry: file(path, 10), body: new ReadableStream({ cancel: () => void cancelled++ }) };
    },
  });
  const reading = thrown(store.read("/a"));
  await tick();
  const closing = store.close();
  answer.open();
  expect(await reading).toMatchObject({ code: "closed" });
  await closing;
  expect(cancelled).toBe(1);
});

test("a borrowed store closes nothing below, ends with its lender, is counted by it, and may reconnect", async () => {
  const log: string[] = [];
  const slow = gate();
  let answers = true;
  const owner = base(log, {}, async () => {
    if (!answers) await slow.wait;
    return directory("/");
  });
  const lent = borrow(owner);
  const twice = borrow(borrow(owner));
  await lent.stat("/");
  await twice.stat("/");
  await lent.close();
  expect(await thrown(lent.stat("/"))).toMatchObject({ code: "closed" });
  await owner.stat("/");
  await twice.reconnect();
  expect(log).toEqual(["open base", "reconnect base"]);
  answers = false;
  const running = twice.stat("/");
  await tick();
  const closing = owner.close();
  await tick();
  expect(log).toEqual(["open base", "reconnect base"]);
  slow.open();
  await Promise.all([running, closing]);
  expect(log.at(-1)).toBe("close base");
  expect(await thrown(twice.stat("/"))).toMatchObject({ code: "closed" });
});

test("whenever the lender closes, a borrower's call is counted or refused, never left on a closed provider", async () => {
  for (let turns = 0; turns < 25; turns++) {
    const log: string[] = [];
    const owner = base(log, {}, async () => {
      log.push("asked");
      await tick();
      log.push("answered");
      return directory("/");
    });
    await owner.open();
    const call = borrow(borrow(owner))
      .stat("/")
      .catch((error: unknown) => error);
    for (let i = 0; i < turns; i++) await Promise.resolve();
    await owner.close();
    const result = await call;
    if (log.includes("asked")) expect([turns, log]).toEqual([turns, ["open base", "asked", "answered", "close base"]]);
    else expect([turns, result]).toEqual([turns, expect.objectContaining({ code: "closed" })]);
  }
});

test("bodies of a borrower end with the lender, and with the borrower itself", async () => {
  const owner = fakeStore({
    read: async ({ path }) => ({ entry: file(path, 10), body: new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) }) }),
  });
  const lent = borrow(owner);
  const one = (await lent.read("/a")).bytes();
  await lent.close();
  expect(await thrown(one)).toMatchObject({ code: "closed" });
  const other = (await borrow(owner).read("/a")).bytes();
  await owner.close();
  expect(await thrown(other)).toMatchObject({ code: "closed" });
});

test("who closes a store that a layer owns closes the stack, so that nothing the layers hold is lost", async () => {
  const log: string[] = [];
  const inner = base(log);
  const store = stack(inner, wrap("a", log), wrap("b", log));
  await store.open();
  await inner.close();
  expect(log.slice(3)).toEqual(["close b", "close a", "close base"]);
  expect(await thrown(store.stat("/"))).toMatchObject({ code: "closed" });
});

test("a combined store opens and closes all it holds", async () => {
  const log: string[] = [];
  const two = [fakeStore({ ...logged("one", log), stat: async () => directory("/") }), createStore({ ...fake({ ...logged("two", log) }) })];
  const store = combine("both", two, ([first]) => ({ ...logged("both", log), backend: first as never }));
  await store.stat("/");
  await store.close();
  expect(log).toEqual(["open one", "open two", "open both", "close both", "close one", "close two"]);
});

// CF23
test("reconnect opens first, reports its failure, and the next call works", async () => {
  const log: string[] = [];
  let fails = true;
  const store = base(log, {
    reconnect: async () => {
      if (fails) throw new Error("no token");
    },
  });
  expect(await thrown(store.reconnect())).toMatchObject({ code: "unknown", operation: "reconnect", store: "fake", cause: { message: "no token" } });
  fails = false;
  await store.reconnect();
  await store.stat("/");
  expect(log).toEqual(["open base", "reconnect base", "reconnect base"]);
  expect(await thrown(store.reconnect({ signal: "soon" as never }))).toBeInstanceOf(TypeError);
});

test("a layer hears when closing begins, before running calls have ended", async () => {
  const log: string[] = [];
  const held = gate();
  const waits = (inner: Store): Store =>
    layer("waits", (below) => ({
      backend: uniform(below, {
        async around(call, next) {
          await held.wait;
          log.push("goes on");
          return next(call);
        },
      }),
      closing() {
        log.push("closing");
        held.open();
      },
      close: async () => void log.push("close"),
    }))(inner);
  const store = waits(base(log));
  const running = store.stat("/");
  await tick();
  await store.close();
  await running;
  expect(log.filter((one) => one !== "open base" && one !== "close base")).toEqual(["closing", "goes on", "close"]);
});
