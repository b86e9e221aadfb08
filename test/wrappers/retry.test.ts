/** What is tried again, how often, after how long, and what never is. */
import { expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { StoreError, byteStream, createStore, entry, manualClock, readBytes, readText, stack } from "../../src/store/index.ts";
import type { ErrorCode, Provider, ReadReply, Store } from "../../src/store/index.ts";
import { retry } from "../../src/wrappers/index.ts";
import type { RetryOptions } from "../../src/wrappers/index.ts";
import { code, failure, scripted } from "./at.ts";

const half = (): number => 0.5;

/** Runs with time standing still but for the pauses, and says how long they were. */
async function timed<T>(
  options: RetryOptions,
  run: (store: Store, script: ReturnType<typeof scripted>) => Promise<T>,
): Promise<{ readonly value: T; readonly waitedMs: number; readonly script: ReturnType<typeof scripted>; readonly store: Store }> {
  const clock = manualClock();
  const script = scripted();
  const store = stack(memory({ clock }), script.layer, retry({ clock, random: half, ...options }));
  const state = { done: false };
  const work = run(store, script).finally(() => (state.done = true));
  work.catch(() => {});
  for (let step = 0; !state.done && step < 10_000; step++) await clock.advance(step % 2 === 0 ? 0 : nextSleep);
  return { value: await work, waitedMs: clock.monotonic(), script, store };
}
const nextSleep = 5;

const fails = (times: number, make: () => Error) => {
  let left = times;
  return (): void => {
    if (left-- > 0) throw make();
  };
};

test("CF92: what is transient is tried again until it works, after growing pauses", async () => {
  const { value, script, waitedMs } = await timed({}, async (store, at) => {
    at.before = fails(3, () => failure("unavailable", { applied: false }));
    return store.write("/f", "x");
  });
  expect(value.size).toBe(1);
  expect(script.count("write")).toBe(4);
  // Half of 200, 400, 800, at steps of five.
  expect(waitedMs).toBeGreaterThanOrEqual(700);
  expect(waitedMs).toBeLessThan(740);
});

test("the last error comes up with the number of tries, its own cause and the caller's call", async () => {
  const cause = new Error("socket");
  const { value } = await timed({ attempts: 3 }, async (store, at) => {
    at.before = () => {
      throw failure("unavailable", { cause, status: 503 });
    };
    return store.stat("/f").catch((error: unknown) => error);
  });
  expect(value).toMatchObject({ code: "unavailable", attempts: 3, status: 503, cause, operation: "stat", path: "/f", transient: true });
});

test("CF92: Retry-After is waited for, exactly", async () => {
  for (const said of ["rate-limited", "unavailable"] as const) {
    const { script, waitedMs } = await timed({}, async (store, at) => {
      at.before = fails(1, () => failure(said, { retryAfterMs: 7000 }));
      await store.list("/").toArray();
    });
    expect(script.count("list")).toBe(2);
    expect(waitedMs).toBeGreaterThanOrEqual(7000);
    expect(waitedMs).toBeLessThan(7050);
  }
});

test("CF94: pauses together never go beyond the limit: a pause that would is not begun", async () => {
  const hour = await timed({ maxWaitMs: 10_000 }, async (store, at) => {
    at.before = () => {
      throw failure("rate-limited", { retryAfterMs: 3_600_000 });
    };
    return code(store.stat("/f"));
  });
  expect(hour.value).toBe("rate-limited");
  expect(hour.waitedMs).toBeLessThan(100);
  expect(hour.script.count("stat")).toBe(1);
  const many = await timed({ maxWaitMs: 10_000, attempts: 100 }, async (store, at) => {
    at.before = () => {
      throw failure("rate-limited", { retryAfterMs: 3000 });
    };
    return code(store.stat("/f"));
  });
  expect(many.script.count("stat")).toBe(4);
  expect(many.waitedMs).toBeLessThanOrEqual(10_000);
});

test.each<ErrorCode>([
  "not-found",
  "already-exists",
  "not-a-directory",
  "is-a-directory",
  "not-empty",
  "invalid-path",
  "bad-range",
  "precondition-failed",
  "not-modified",
  "unauthenticated",
  "permission-denied",
  "no-space",
  "too-large",
  "bad-body",
  "integrity",
  "unsupported",
  "corrupt",
  "config",
  "closed",
  "unknown",
])("CF93: %s makes one call", async (said) => {
  const script = scripted();
  const store = stack(memory(), script.layer, retry());
  script.before = () => {
    throw failure(said);
  };
  expect(await code(store.stat("/f"))).toBe(said);
  expect(await code(store.write("/f", "x"))).toBe(said);
  expect(script.calls).toHaveLength(2);
});

test("CF93: what is not transient although its code is, and a defect, make one call", async () => {
  const script = scripted();
  const store = stack(memory(), script.layer, retry());
  script.before = () => {
    throw failure("unavailable", { transient: false });
  };
  expect(await code(store.stat("/f"))).toBe("unavailable");
  script.before = () => {
    throw new RangeError("a bug");
  };
  expect(await code(store.stat("/f"))).toBe("unknown");
  expect(script.calls).toHaveLength(2);
});

test("changes whose outcome is unknown: those for which twice is once are sent again, the others never", async () => {
  const lost = (store: Store, at: ReturnType<typeof scripted>, work: (store: Store) => Promise<unknown>): Promise<string> => {
    at.after = fails(1, () => failure("unavailable", { applied: "unknown" }));
    return code(work(store));
  };
  const cases: readonly (readonly [name: string, again: boolean, work: (store: Store) => Promise<unknown>])[] = [
    ["write", true, (store) => store.write("/f", "y")],
    ["write ifAbsent", false, (store) => store.write("/new", "y", { ifAbsent: true })],
    ["write ifMatch", false, async (store) => store.write("/f", "y", { ifMatch: (await store.stat("/f")).etag as string })],
    ["delete", true, (store) => store.delete("/f")],
    ["mkdir existOk", true, (store) => store.mkdir("/d", { existOk: true })],
    ["mkdir", false, (store) => store.mkdir("/d")],
    ["copy", true, (store) => store.copy("/f", "/g")],
    ["copy ifAbsent", false, (store) => store.copy("/f", "/g", { ifAbsent: true })],
    ["move", false, (store) => store.move("/f", "/g")],
  ];
  for (const ambiguous of ["resend", "reject"] as const) {
    for (const [name, again, work] of cases) {
      const { value, script } = await timed({ ambiguous }, async (store, at) => {
        await store.write("/f", "x");
        at.calls.length = 0;
        const said =
          name === "write ifMatch"
            ? await lost(store, at, async (one) => {
                at.after = undefined;
                const { etag } = await one.stat("/f");
                at.calls.length = 0;
                at.after = fails(1, () => failure("unavailable", { applied: "unknown" }));
                return one.write("/f", "y", { ifMatch: etag as string });
              })
            : await lost(store, at, work);
        return said;
      });
      const repeated = again && ambiguous === "resend";
      expect.soft([ambiguous, name, value, script.calls.length]).toEqual([ambiguous, name, repeated ? "nothing" : "unavailable", repeated ? 2 : 1]);
    }
  }
});

test("a body that can be read once is sent once; one that can be opened again is sent again whole", async () => {
  async function* once(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(10);
  }
  for (const [body, tries] of [
    [once(), 1],
    [new Uint8Array(10), 2],
    [{ size: 10, open: () => once() }, 2],
  ] as const) {
    const { script } = await timed({}, async (store, at) => {
      at.after = fails(1, () => failure("unavailable", { applied: false }));
      return code(store.write("/f", body));
    });
    expect(script.count("write")).toBe(tries);
  }
  // Refused before a byte was taken: the same stream can still be sent.
  const { value } = await timed({}, async (store, at) => {
    at.before = fails(2, () => failure("rate-limited"));
    return (await store.write("/f", once())).size;
  });
  expect(value).toBe(10);
});

test("retry over retry does not multiply", async () => {
  const clock = manualClock();
  const script = scripted();
  const store = stack(memory(), script.layer, retry({ clock, random: () => 0, attempts: 3 }).as("inner"), retry({ clock, random: () => 0, attempts: 3 }));
  script.before = () => {
    throw failure("unavailable");
  };
  const work = store.stat("/f").catch((error: unknown) => error);
  for (let i = 0; i < 20; i++) await clock.advance(1);
  expect(await work).toMatchObject({ attempts: 3 });
  expect(script.calls).toHaveLength(3);
});

test("an abort ends a pause at once; what the last try said of the change stays true", async () => {
  for (const applied of [false, "unknown"] as const) {
    const clock = manualClock();
    const script = scripted();
    const store = stack(memory(), script.layer, retry({ clock }));
    script.before = () => {
      throw failure("unavailable", { applied, retryAfterMs: 60_000 });
    };
    const stop = new AbortController();
    const work = store.write("/f", "x", { signal: stop.signal }).catch((error: unknown) => error);
    await clock.advance(10);
    stop.abort(new Error("enough"));
    expect(await work).toMatchObject({ code: "aborted", applied, operation: "write" });
    expect(script.count("write")).toBe(1);
    expect(clock.monotonic()).toBe(10);
  }
});

/* ------------------------------------------------------------- downloads */

const content = Uint8Array.from({ length: 1000 }, (_, i) => i % 256);

/** Gives the bytes in pieces of 100 and breaks at these places of the file, once each. */
function breaking(places: number[], make: () => Error = () => failure("unavailable")): (reply: ReadReply) => ReadReply {
  return (reply) => {
    const { body, offset } = reply;
    let at = offset;
    let rest: Uint8Array | undefined;
    return {
      ...reply,
      body: byteStream({
        length: body.length,
        async pull() {
          rest ??= (await body.all()).slice();
          const broken = places.indexOf(at);
          if (broken >= 0) {
            places.splice(broken, 1);
            throw make();
          }
          if (rest.byteLength === 0) return undefined;
          const piece = rest.subarray(0, 100);
          rest = rest.subarray(100);
          at += piece.byteLength;
          return piece;
        },
        close: () => body.close(),
      }),
    };
  };
}

test("a download that breaks goes on where it broke, by a range that holds for the same etag only", async () => {
  const { value, script } = await timed({}, async (store, at) => {
    await store.write("/f", content);
    at.body = breaking([0, 300, 700, 700, 900]);
    return readBytes(store, "/f");
  });
  expect(Buffer.compare(value, content)).toBe(0);
  const reads = script.calls.filter((call) => call.operation === "read");
  expect(reads.map((call) => [call.range?.offset, call.range?.length])).toEqual([
    [undefined, undefined],
    [0, 1000],
    [300, 700],
    [700, 300],
    [700, 300],
    [900, 100],
  ]);
  const etags = new Set(reads.slice(1).map((call) => call.ifMatch));
  expect(etags.size).toBe(1);
  expect(etags.has(undefined)).toBe(false);
});

test("ranges go on inside the range", async () => {
  const { value } = await timed({}, async (store, at) => {
    await store.write("/f", content);
    at.body = breaking([450, 550]);
    const some = await readBytes(store, "/f", { range: { offset: 250, length: 500 } });
    at.body = breaking([950]);
    const last = await readBytes(store, "/f", { range: { offset: -150 } });
    return [some, last];
  });
  expect(Buffer.compare(value[0] as Uint8Array, content.subarray(250, 750))).toBe(0);
  expect(Buffer.compare(value[1] as Uint8Array, content.subarray(850))).toBe(0);
});

test.each(["replaced", "shorter", "deleted"])("a file that is %s in the middle ends in conflict, and no byte of the other version comes", async (how) => {
  const { value } = await timed({}, async (store, at) => {
    await store.write("/f", content);
    at.body = breaking([500]);
    const got: number[] = [];
    const read = async (): Promise<void> => {
      for await (const chunk of await store.read("/f")) {
        got.push(...chunk);
        if (got.length !== 300) continue;
        if (how === "deleted") await store.delete("/f");
        else await store.write("/f", new Uint8Array(how === "shorter" ? 10 : 1000).fill(255));
      }
    };
    return [await code(read()), got] as const;
  });
  expect(value[0]).toBe("conflict");
  expect(value[1]).toEqual([...content.subarray(0, 500)]);
});

test("what is not transient, a file without an etag, or a service without ranges: no further request, the error comes up", async () => {
  const wrong = await timed({}, async (store, at) => {
    await store.write("/f", content);
    at.body = breaking([300], () => failure("integrity"));
    return code(readBytes(store, "/f"));
  });
  expect(wrong.value).toBe("integrity");
  expect(wrong.script.count("read")).toBe(1);
  const plain = await timed({}, async (store, at) => {
    await store.write("/f", content);
    const breaks = breaking([300]);
    at.body = (reply) => ({ ...breaks(reply), entry: { ...reply.entry, etag: null } });
    return code(readBytes(store, "/f"));
  });
  expect(plain.value).toBe("unavailable");
  expect(plain.script.count("read")).toBe(1);
  // Neither etag nor condition: a provider of five operations.
  let reads = 0;
  const five: Provider & { readonly kind: "five" } = {
    kind: "five",
    capabilities: {},
    stat: async ({ path }) => entry({ path, kind: "file", size: 10 }),
    read: async ({ path }) => {
      reads++;
      return {
        entry: entry({ path, kind: "file", size: 10 }),
        body: byteStream({
          length: 10,
          pull: () => {
            throw failure("unavailable");
          },
        }),
      };
    },
    write: async ({ path }) => entry({ path, kind: "file" }),
    list: async () => ({ entries: [] }),
    delete: async () => {},
  };
  expect(await code(readBytes(stack(createStore(five), retry()), "/f"))).toBe("unavailable");
  expect(reads).toBe(1);
});

test("tries are counted per stretch: progress starts them anew, without progress they end", async () => {
  const slow = await timed({ attempts: 2 }, async (store, at) => {
    await store.write("/f", content);
    at.body = breaking([100, 200, 300, 400, 500, 600]);
    return (await readBytes(store, "/f")).byteLength;
  });
  expect(slow.value).toBe(1000);
  const stuck = await timed({ attempts: 3 }, async (store, at) => {
    await store.write("/f", content);
    at.body = breaking(Array.from({ length: 50 }, () => 500));
    return readBytes(store, "/f").catch((error: unknown) => error);
  });
  expect(stuck.value).toMatchObject({ code: "unavailable", attempts: 3, operation: "read", path: "/f" });
  expect(stuck.script.count("read")).toBe(3);
});

test("a failure after the last byte is no reason to ask again, and no success", async () => {
  const { value, script } = await timed({}, async (store, at) => {
    await store.write("/f", content);
    at.body = breaking([1000]);
    return code(readBytes(store, "/f"));
  });
  expect(value).toBe("unavailable");
  expect(script.count("read")).toBe(1);
});

test("an empty body that breaks is asked for again", async () => {
  const { value, script } = await timed({}, async (store, at) => {
    await store.write("/f", "");
    at.body = breaking([0]);
    return readText(store, "/f");
  });
  expect(value).toBe("");
  expect(script.count("read")).toBe(2);
});

test("a reader who leaves during a pause ends it, and nothing more is asked", async () => {
  const clock = manualClock();
  const script = scripted();
  const store = stack(memory(), script.layer, retry({ clock, random: half }));
  await store.write("/f", content);
  script.body = breaking([300]);
  const iterator = (await store.read("/f"))[Symbol.asyncIterator]();
  for (let i = 0; i < 3; i++) await iterator.next();
  const pending = iterator.next();
  await clock.advance(1);
  await iterator.return?.();
  expect(await pending).toEqual({ done: true, value: undefined });
  await clock.advance(100_000);
  expect(script.count("read")).toBe(1);
  await store.close();
});

test("a reader who leaves while the rest is being asked for lets go of it", async () => {
  const clock = manualClock();
  const script = scripted();
  const store = stack(memory(), script.layer, retry({ clock, random: () => 0 }));
  await store.write("/f", content);
  let closed = 0;
  let answer!: () => void;
  const late = new Promise<void>((done) => (answer = done));
  const breaks = breaking([300]);
  script.body = (reply) => {
    const broken = breaks(reply);
    return { ...broken, body: byteStream({ length: broken.body.length, pull: () => broken.body.pull(), close: () => void closed++ }) };
  };
  script.before = ({ operation }) => (operation === "read" && script.count("read") === 2 ? late : undefined);
  const iterator = (await store.read("/f"))[Symbol.asyncIterator]();
  for (let i = 0; i < 3; i++) await iterator.next();
  const pending = iterator.next();
  for (let i = 0; i < 5; i++) await clock.advance(1);
  expect(script.count("read")).toBe(2);
  await iterator.return?.();
  answer();
  await pending;
  for (let i = 0; i < 5; i++) await clock.advance(1);
  expect(closed).toBe(2);
});

test("settings are live, checked and reported; capabilities pass", async () => {
  const clock = manualClock();
  const script = scripted();
  const store = stack(memory(), script.layer, retry({ clock, random: () => 0 }));
  await store.layers.retry.configure({ attempts: 2 });
  script.before = () => {
    throw failure("unavailable");
  };
  const work = code(store.stat("/f"));
  for (let i = 0; i < 5; i++) await clock.advance(1);
  expect(await work).toBe("unavailable");
  expect(script.calls).toHaveLength(2);
  expect(store.layers.retry.report()).toEqual({ retries: 1, resumed: 0, givenUp: 1, waitedMs: 0 });
  for (const wrong of [{ attempts: 0 }, { ambiguous: "maybe" } as object, { tries: 3 } as object])
    await expect(store.layers.retry.configure(wrong)).rejects.toMatchObject({ code: "config" });
  expect(store.layers.retry.settings).toMatchObject({ attempts: 2, ambiguous: "resend" });
  expect(store.capabilities).toEqual(memory().capabilities);
  expect(() => stack(memory(), retry({ attempts: 0 }))).toThrowError(expect.objectContaining({ code: "config" }) as Error);
  expect(StoreError.is(await work)).toBe(false);
});

test("text comes back right through a layer that never breaks, from memory without a further stream", async () => {
  const store = stack(memory(), retry());
  await store.write("/f", "hello");
  expect(await readText(store, "/f")).toBe("hello");
});
