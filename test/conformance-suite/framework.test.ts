/** The framework of the suite, held against subjects with known faults: what it sees, what it says, what it never does. CF111 CF113 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { open as openFile } from "node:fs/promises";
import { afterAll, expect, test } from "vitest";
import { CheckFailure, conformance, failureText, isPlaceId, madeAt, planOf, runCheck, runConformance, runName } from "../../src/conformance/index.ts";
import type { Check, CheckContext, Outcome, Subject } from "../../src/conformance/index.ts";
import { equal, fail, pattern, readAll, rejects, sameBytes } from "../../src/conformance/assert.ts";
import { memory } from "../../src/providers/memory/index.ts";
import { layer, stack, uniform } from "../../src/store/index.ts";
import type { Backend, Capabilities, Store } from "../../src/store/index.ts";
import { readOnly } from "../../src/wrappers/index.ts";
import { memorySubject } from "./memory-subject.ts";

function check(run: (t: CheckContext) => Promise<void>, more: Partial<Check> = {}): Check {
  return {
    id: "own.check",
    title: "something holds",
    why: "Because a real bug did this once.",
    tier: "smoke",
    behaviours: [1],
    guarantees: [],
    kills: [],
    run,
    ...more,
  };
}

/** The memory store, with one operation bent and some capabilities changed. */
function bent(change: (inner: Backend) => Partial<Backend>, capabilities: Partial<Capabilities> = {}): Subject {
  return memorySubject({}, (store) =>
    layer("bent", (inner) => {
      const own: Backend = {
        capabilities: { ...inner.capabilities, ...capabilities },
        stat: (call) => inner.stat(call),
        read: (call) => inner.read(call),
        write: (call) => inner.write(call),
        list: (call) => inner.list(call),
        delete: (call) => inner.delete(call),
        mkdir: (call) => inner.mkdir(call),
        copy: (call) => inner.copy(call),
        move: (call) => inner.move(call),
        space: (call) => inner.space(call),
        account: (call) => inner.account(call),
        ...change(inner),
      };
      return { backend: own };
    })(store),
  );
}

/** Of this file alone, so that what its checks leave is seen: the process is vitest's own for this file. */
const temporary = mkdtempSync(join(tmpdir(), "ct-framework-"));
process.env["TMPDIR"] = temporary;
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

test("a check that holds passes, and its directories are gone", async () => {
  let directory = "";
  const outcome = await runCheck(
    check(async ({ store, place }) => {
      directory = place.directory;
      expect(isPlaceId(place.id)).toBe(true);
      expect(readdirSync(directory)).toEqual([]);
      await store.write("/a", "bytes");
    }),
    memorySubject(),
  );
  expect(outcome).toMatchObject({ status: "pass", calls: 1, failures: [], transcript: [] });
  expect(() => readdirSync(directory)).toThrow(/ENOENT/);
});

test("what killed runs left here is removed after a day, and nothing else", async () => {
  // In a process of its own, which has not looked yet.
  const old = join(temporary, "stratus-ct-abc123");
  const young = join(temporary, "stratus-ct-def456");
  const other = join(temporary, "stratus-other");
  for (const path of [old, young, other]) mkdirSync(join(path, "service"), { recursive: true });
  for (const path of [old, other]) utimesSync(path, 1, 1);
  await promisify(execFile)(process.execPath, [join(import.meta.dirname, "fixtures/one-place.ts")], { env: { ...process.env, TMPDIR: temporary } });
  expect(readdirSync(temporary).sort()).toEqual(["stratus-ct-def456", "stratus-other"]);
  for (const path of [young, other]) rmSync(path, { recursive: true });
});

test("one that fails is told what must hold, what was found, why it matters, how to replay it and where to read", async () => {
  const outcome = await runCheck(
    check(async ({ store }) => {
      await store.write("/a", pattern(40, "a"));
      sameBytes(await readAll(store, "/a"), pattern(40, "b"), "the bytes are those of b");
    }),
    memorySubject(),
    { seed: 77 },
  );
  expect(outcome).toMatchObject({ status: "fail", failures: [{ kind: "assertion" }] });
  const text = failureText(outcome, "./mine.ts");
  expect(text).toMatch(/^own\.check does not hold: something holds\n/);
  expect(text).toContain("first difference at byte 0");
  expect(text).toContain("why:        Because a real bug did this once.");
  expect(text).toContain("npx stratus conformance ./mine.ts --check own.check --seed 77");
  expect(text).toContain("docs/checks/own.md#own.check");
  expect(text).toMatch(/0 {2}write "\/a", 40 bytes -> file of 40 bytes/);
});

test("the same seed gives the same numbers, another one others", async () => {
  const drawn = async (seed: number): Promise<number> => {
    let number = 0;
    await runCheck(
      check(async ({ random }) => void (number = random())),
      memorySubject(),
      { seed },
    );
    return number;
  };
  expect(await drawn(5)).toBe(await drawn(5));
  expect(await drawn(5)).not.toBe(await drawn(6));
});

test("a check that never ends is ended, says so, and its store is closed", async () => {
  let closed = false;
  const subject = memorySubject({}, (store) => layer("seen", (inner) => ({ backend: inner, close: async () => void (closed = true) }))(store));
  const outcome = await runCheck(
    check(
      async ({ store, signal }) => {
        await store.open();
        await new Promise<void>((_done, fail) => signal.addEventListener("abort", () => fail(signal.reason as Error)));
      },
      { timeoutMs: 50 },
    ),
    subject,
  );
  expect(outcome).toMatchObject({ status: "fail", failures: [{ kind: "timeout" }] });
  expect(closed).toBe(true);
});

test("a call that must succeed and does not is a failure, with the error in it", async () => {
  const outcome = await runCheck(
    check(async ({ store }) => void (await store.stat("/missing"))),
    memorySubject(),
  );
  expect(outcome.failures[0]).toMatchObject({ kind: "error", found: expect.stringContaining("not-found") as string });
});

test("a subject that cannot be opened is infra-error, never a pass and never the store's fault", async () => {
  const outcome = await runCheck(
    check(async () => {}),
    memorySubject({ open: () => Promise.reject(new Error("the emulator is down")) }),
  );
  expect(outcome).toMatchObject({ status: "infra-error", failures: [{ kind: "harness", what: "the subject could not open a store: the emulator is down" }] });
});

test("a timer, a server, an unhandled rejection, an open file: each is seen after the check", { timeout: 40_000 }, async () => {
  const found = async (leak: (t: CheckContext) => unknown): Promise<Outcome> =>
    await runCheck(
      check(async (t) => void (await leak(t))),
      memorySubject(),
    );
  let undo = (): void => {};
  const timer = await found(() => {
    const handle = setTimeout(() => {}, 60_000);
    undo = () => clearTimeout(handle);
  });
  undo();
  expect(timer).toMatchObject({ status: "fail", failures: [{ kind: "leak", what: expect.stringMatching(/timer .*made at .*framework\.test\.ts/) as string }] });

  const { createServer } = await import("node:net");
  const server = await found(async () => {
    const one = createServer();
    await new Promise<void>((done) => one.listen(0, "127.0.0.1", done));
    undo = () => one.close();
  });
  undo();
  expect(server).toMatchObject({ status: "fail", failures: [{ kind: "leak", what: expect.stringContaining("a server still listens") as string }] });

  const file = await found(async ({ place }) => {
    const one = await openFile(join(place.scratch, "index.db"), "w");
    undo = () => void one.close();
  });
  undo();
  expect(file).toMatchObject({ status: "fail", failures: [{ kind: "leak", what: "file scratch-0/index.db is still open" }] });
});

test("of two checks at once only the one that leaks is told so", { timeout: 20_000 }, async () => {
  let undo = (): void => {};
  const both = await Promise.all([
    runCheck(
      check(async ({ store }) => {
        await store.write("/a", "x");
        const handle = setTimeout(() => {}, 60_000);
        undo = () => clearTimeout(handle);
      }),
      memorySubject(),
    ),
    runCheck(
      check(async ({ store }) => {
        for (let i = 0; i < 20; i += 1) await store.write(`/f${i}`, "x");
      }),
      memorySubject(),
    ),
  ]);
  undo();
  expect(both.map((outcome) => outcome.status)).toEqual(["fail", "pass"]);
});

test("what the subject starts when it is first needed is not the check's leak", async () => {
  const { createServer } = await import("node:net");
  const server = createServer();
  const outcome = await runCheck(
    check(async ({ connect }) => void (await connect())),
    memorySubject({
      async open(place) {
        if (place.connection === 1) await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
        return memory();
      },
    }),
  );
  server.close();
  expect(outcome.status).toBe("pass");
});

test("a look is repeated only where the store may be late, and only for as long as it says", async () => {
  const late = async (consistency: Capabilities["consistency"], failures: number): Promise<{ readonly outcome: Outcome; readonly looks: number }> => {
    let looks = 0;
    const outcome = await runCheck(
      check(({ settled }) =>
        settled("list", async () => {
          looks += 1;
          if (looks <= failures) throw new CheckFailure("not there yet");
        }),
      ),
      bent(() => ({}), { consistency }),
    );
    return { outcome, looks };
  };
  const strong = await late({ read: "eventual", list: "strong", settleMs: 1000 }, 1);
  expect([strong.outcome.status, strong.looks]).toEqual(["fail", 1]);
  const eventual = await late({ read: "strong", list: "eventual", settleMs: 1000 }, 3);
  expect([eventual.outcome.status, eventual.looks]).toEqual(["pass", 4]);
  expect(eventual.outcome.notes[0]).toMatch(/list settled after \d+ ms \(declared: at most 1000 ms\)/);
  const never = await late({ read: "strong", list: "eventual", settleMs: 120 }, Infinity);
  expect(never.outcome.status).toBe("fail");
  expect(never.looks).toBeGreaterThan(2);
});

test("a close that fails, and one that leaves something at the service, fail the check", async () => {
  const closing = await runCheck(
    check(async ({ store }) => void (await store.open())),
    memorySubject({}, (store) => layer("rude", (inner) => ({ backend: inner, close: () => Promise.reject(new Error("cannot close")) }))(store)),
  );
  expect(closing).toMatchObject({ status: "fail", failures: [{ kind: "close" }] });
  const leaving = await runCheck(
    check(async () => {}),
    memorySubject({ leftovers: async () => ["upload 17 of /a"] }),
  );
  expect(leaving).toMatchObject({ status: "fail", failures: [{ kind: "leftover", what: "left over at the service: upload 17 of /a" }] });
});

test("an undeclared capability is called all the same: refused is proved", async () => {
  const outcome = await runCheck(
    check(() => Promise.reject(new Error("must not run")), { needs: ["move", "copyIfAbsent"] }),
    bent(() => ({}), { move: false, moveTree: false, moveIfAbsent: false, copyIfAbsent: false }),
  );
  expect(outcome).toMatchObject({ status: "refused", refused: ["move", "copyIfAbsent"], failures: [] });
});

/** Takes the guard of the front away: what a store would be whose front forgot to look at the capabilities. */
function unguarded(store: Store, capabilities: Capabilities): Store {
  const inner = store;
  return new Proxy(inner, {
    get(target, key): unknown {
      if (key === "capabilities") return capabilities;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? (value as () => unknown).bind(target) : value;
    },
  });
}

test("every capability that can be undeclared has a call that is seen when it is not refused", { timeout: 60_000 }, async () => {
  const store = memory();
  const keys = (Object.keys(store.capabilities) as (keyof Capabilities)[]).filter(
    (key) => store.capabilities[key] === "native" || store.capabilities[key] === "emulated",
  );
  await store.close();
  const callable = keys.filter((key) => !["atomicWrites", "emptyOnlyDelete", "listIfNoneMatch", "list", "read", "undelete"].includes(key));
  expect(callable.length).toBeGreaterThan(15);
  for (const key of callable) {
    const subject = memorySubject({}, (one) => unguarded(one, { ...one.capabilities, [key]: false }));
    const outcome = await runCheck(
      check(async () => {}, { needs: [key as NonNullable<Check["needs"]>[number]] }),
      subject,
    );
    // `write` itself cannot make the fixture; its call is seen all the same.
    expect({ key, status: outcome.status, kind: outcome.failures[0]?.kind }).toEqual({ key, status: "fail", kind: "not-refused" });
  }
});

test("a refusal that changes something all the same is seen", async () => {
  const subject = memorySubject({}, (store) => {
    const capabilities = { ...store.capabilities, move: false as const };
    const seen = unguarded(store, capabilities);
    return new Proxy(seen, {
      get(target, key): unknown {
        if (key !== "move") return Reflect.get(target, key, target);
        return async (from: string, to: string) => {
          await store.move(from, to);
          await stack(
            memory(),
            layer("refuse", (inner) => ({ backend: { ...uniform(inner, { around: (call, next) => next(call) }), capabilities } as Backend })),
          ).move(from, to);
        };
      },
    });
  });
  const outcome = await runCheck(
    check(async () => {}, { needs: ["move"] }),
    subject,
  );
  expect(outcome.status).toBe("fail");
});

test("expected failures: must fail, until their date; must exist; need a reason", async () => {
  const failing = check(() => Promise.reject(new CheckFailure("never holds")));
  const holding = check(async () => {}, { id: "own.other" });
  const run = async (subject: Partial<Subject>, extra: Check): Promise<string | undefined> =>
    (await runConformance(memorySubject(subject), { only: [extra.id], extra: [extra] })).subjects[0]?.outcomes[0]?.status;
  const entry = (check: string, until = "2999-01-01"): Partial<Subject> => ({ expectFail: [{ check, reason: "the API has no field", until }] });
  expect(await run(entry("own.check"), failing)).toBe("xfail");
  expect(await run(entry("/own.check"), failing)).toBe("xfail");
  expect(await run(entry("own.check", "2020-01-01"), failing)).toBe("fail");
  expect(await run(entry("own.other"), holding)).toBe("xpass");
  await expect(run(entry("own.nothing"), failing)).rejects.toThrow(/own\.nothing" is no check/);
  await expect(run(entry("own.check", "soon"), failing)).rejects.toThrow(/must be a date/);
  await expect(run({ expectFail: [{ check: "own.check", reason: " ", until: "2999-01-01" }] }, failing)).rejects.toThrow(/no reason/);
  await expect(run(entry("nowhere/own.check"), failing)).rejects.toThrow(/no stack "nowhere"/);
});

test("a stack that only reads refuses what an expected failure writes, and is not to blame; one that is named is", async () => {
  const failing = check(async () => fail("the other client reads it", "it", "nothing"), { needs: ["read", "write"] });
  const run = async (where: string): Promise<(string | undefined)[]> => {
    const expectFail = [{ check: where, reason: "the API has no field", until: "2999-01-01" }];
    const subject = memorySubject({ expectFail, stacks: { reading: () => [readOnly()] } });
    return (await runConformance(subject, { only: ["own.check"], extra: [failing] })).subjects[0]?.outcomes.map(({ status }) => status) ?? [];
  };
  expect(await run("own.check")).toEqual(["xfail", "refused"]);
  expect(await run("reading/own.check")).toEqual(["fail", "xpass"]);
});

test("an expected failure does not excuse a subject that was never reached", async () => {
  const report = await runConformance(
    memorySubject({ open: () => Promise.reject(new Error("down")), expectFail: [{ check: "own.check", reason: "known", until: "2999-01-01" }] }),
    { only: ["own.check"], extra: [check(async () => {})] },
  );
  expect(report.subjects[0]?.outcomes[0]?.status).toBe("infra-error");
});

test("stacks run the same checks on top of the subject, and say so", async () => {
  const seen: string[] = [];
  const looking = layer("looking", (inner) => ({ backend: uniform(inner, { around: (call, next) => (seen.push(call.operation), next(call)) }) }));
  const report = await runConformance(memorySubject({ stacks: { looked: () => [looking] } }), {
    only: ["own.check"],
    extra: [
      check(async ({ store, bare }) => {
        await store.write("/a", "x");
        equal(new TextDecoder().decode(await readAll(await bare(), "/a")), "x", "without the layer the same bytes are there");
      }),
    ],
  });
  expect(report.subjects[0]?.outcomes.map(({ stack: name, status }) => [name, status])).toEqual([
    [null, "pass"],
    ["looked", "pass"],
  ]);
  expect(seen).toEqual(["write"]);
  expect(report.subjects[0]?.stacks.map(({ store }) => store)[1]).toMatch(/^looking\(/);
});

test("registration is synchronous, and a tier or a list that cannot be right throws at once", () => {
  const registered: string[] = [];
  const runner = { describe: (_name: string, body: () => void) => body(), test: (name: string) => void registered.push(name) };
  conformance(runner, memorySubject({ tier: "smoke" }));
  const smoke = registered.length;
  expect(smoke).toBeGreaterThan(20);
  conformance(runner, memorySubject({ tier: "full", stacks: { twice: () => [] } }));
  expect(registered.length - smoke).toBeGreaterThan(2 * smoke);
  expect(() => conformance(runner, memorySubject({ tier: "huge" as "full" }))).toThrow(/no tier "huge"/);
  expect(() => conformance(runner, memorySubject({ expectFail: [{ check: "no.such", reason: "x", until: "2999-01-01" }] }))).toThrow(/no\.such/);
});

test("what a subject does not offer is named, not just missing", () => {
  const plan = planOf(memorySubject());
  expect(plan.items.every(({ check: one }) => (one.offers ?? []).length === 0)).toBe(true);
  expect(Object.values(plan.notOffered).flat().length + plan.items.length).toBe(
    planOf({ ...memorySubject(), wire: true, reopens: true, raw: () => Promise.reject(new Error("no")), unavailable: () => memory() }).items.length,
  );
  expect(() => planOf(memorySubject(), { only: ["nothing.like.this"] })).toThrow(/nothing\.like\.this/);
});

test("a subject that routes without saying so, and a check that uses what it does not ask for, are told", async () => {
  const routing = await runCheck(
    check(async () => {}),
    memorySubject({ open: (place) => (place.route("http://127.0.0.1:1"), memory()) }),
  );
  expect(routing).toMatchObject({ status: "infra-error", failures: [{ what: expect.stringContaining("wire: true") as string }] });
  const greedy = await runCheck(
    check(async ({ reopen }) => void (await reopen())),
    memorySubject({ reopens: true }),
  );
  expect(greedy).toMatchObject({ status: "infra-error", failures: [{ what: expect.stringContaining("`offers`") as string }] });
});

test("names of places say when they were made, and nothing else looks like one", () => {
  const name = runName(Date.UTC(2026, 10, 21, 9, 15, 30));
  expect(name).toMatch(/^ct-2611210915-[a-z0-9]{8}$/);
  expect(madeAt(name)).toBe(Date.UTC(2026, 10, 21, 9, 15));
  for (const other of ["ct-", "ct-2611210915", "photos", "ct-2611210915-K3J9X0AZ", "ct-26112109150-abcdefgh", "xct-2611210915-abcdefgh"])
    expect(madeAt(other)).toBeUndefined();
});

test("rejects wants a complete StoreError of the right code", async () => {
  const store = memory();
  await rejects("not-found", () => store.stat("/a"), "a missing file");
  await expect(rejects("not-found", () => store.stat("/"), "the root")).rejects.toThrow(/success/);
  await expect(rejects("not-found", () => store.stat("relative"), "no path")).rejects.toThrow(/invalid-path/);
  await expect(rejects("not-found", () => Promise.reject(new Error("plain")), "a plain error")).rejects.toThrow(/plain/);
  await expect(
    rejects(
      "not-found",
      () => {
        throw new Error("at once");
      },
      "thrown",
    ),
  ).rejects.toThrow(/synchronously/);
  await store.close();
});

test("nothing of all this is left in the temporary directory", () => {
  expect(readdirSync(temporary)).toEqual([]);
});
