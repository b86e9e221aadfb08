/**
 * A fault at each request of each verb, through the suite's own proxy. Beyond what the suite's sweep judges (result or typed error that tells the truth),
 * the account itself is looked at: no second file of one name, nothing hidden left, no open upload; and the same call again, with nothing broken, makes it right.
 */
import { describe, expect, test } from "vitest";
import { pattern, pieces } from "../../src/conformance/assert.ts";
import { everyKind } from "../../src/conformance/checks/wire-sweep.ts";
import { openWire } from "../../src/conformance/wire/proxy.ts";
import type { FaultKind, Wire } from "../../src/conformance/wire/wire.ts";
import { StoreError } from "../../src/index.ts";
import type { Store } from "../../src/index.ts";

export interface Account {
  /** Both are closed after a test. */
  readonly store: Store;
  readonly server: AsyncDisposable;
  /** Names below a directory at the service, hidden ones too, and their sizes; a directory has none. @throws where a name is there twice */
  below(dir: string): Readonly<Record<string, number>>;
  /** Bytes of uploads that nobody will end; left out where the service ends them by itself. */
  held?(): number;
}
export interface Swept {
  open(wire: Wire & { readonly fetch: typeof fetch }): Promise<Account>;
  /** Of a file that goes up in several requests. */
  readonly largeBytes: number;
  /** More verbs, of this service alone. */
  readonly more?: Readonly<Record<string, Scenario>>;
}
export interface Scenario {
  prepare(store: Store, dir: string): Promise<unknown>;
  act(store: Store, dir: string, signal: AbortSignal): Promise<unknown>;
  /** Names below `dir` and their sizes, before and after. */
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
  /** A second try of the same call after success is an error: the source is gone. */
  readonly once?: boolean;
}

/** Sent twice, what came of it nobody can know. */
const kinds = everyKind.filter((kind) => kind !== "twice");

/** Of one size always the same. */
export function content(size: number): Uint8Array {
  return pattern(size, `${size} bytes`);
}

/** For services where it takes more than one request. */
export const respelling: Scenario = {
  prepare: (store, dir) => put(store, `${dir}/f`, 7),
  act: (store, dir, signal) => store.move(`${dir}/f`, `${dir}/F`, { signal }),
  before: { f: 7 },
  after: { F: 7 },
};

const put = (store: Store, path: string, size: number): Promise<unknown> => store.write(path, content(size));

function scenariosOf(largeBytes: number): Readonly<Record<string, Scenario>> {
  const large = content(largeBytes);
  return {
    "a new small file": { prepare: (s, d) => s.mkdir(d), act: (s, d, signal) => s.write(`${d}/f`, content(100), { signal }), before: {}, after: { f: 100 } },
    "a small file over another": {
      prepare: (s, d) => put(s, `${d}/f`, 7),
      act: (s, d, signal) => s.write(`${d}/f`, content(100), { signal }),
      before: { f: 7 },
      after: { f: 100 },
    },
    "a new large file": { prepare: (s, d) => s.mkdir(d), act: (s, d, signal) => s.write(`${d}/f`, large, { signal }), before: {}, after: { f: largeBytes } },
    "a stream over a file": {
      prepare: (s, d) => put(s, `${d}/f`, 7),
      act: (s, d, signal) => s.write(`${d}/f`, pieces(large, 100_000), { signal }),
      before: { f: 7 },
      after: { f: largeBytes },
    },
    "a stream into new directories": {
      prepare: (s, d) => s.mkdir(d),
      act: (s, d, signal) => s.write(`${d}/x/f`, pieces(large, 100_000), { signal }),
      before: {},
      after: { x: 0, f: largeBytes },
    },
    "a download": { prepare: (s, d) => put(s, `${d}/f`, 300_000), act: read(300_000), before: { f: 300_000 }, after: { f: 300_000 } },
    "a part of a download": {
      prepare: (s, d) => put(s, `${d}/f`, 300_000),
      act: read(300_000, { offset: 1000, length: 5000 }),
      before: { f: 300_000 },
      after: { f: 300_000 },
    },
    "a listing": {
      prepare: (s, d) => Promise.all(["a", "b", "c"].map((name) => put(s, `${d}/${name}`, 3))),
      async act(store, dir, signal) {
        expect((await store.list(dir, { signal }).toArray()).map(({ path, size }) => [path.slice(dir.length + 1), size])).toEqual([
          ["a", 3],
          ["b", 3],
          ["c", 3],
        ]);
      },
      before: { a: 3, b: 3, c: 3 },
      after: { a: 3, b: 3, c: 3 },
    },
    "a new directory": { prepare: (s, d) => s.mkdir(d), act: (s, d, signal) => s.mkdir(`${d}/m`, { existOk: true, signal }), before: {}, after: { m: 0 } },
    "a delete": { prepare: (s, d) => put(s, `${d}/f`, 7), act: (s, d, signal) => s.delete(`${d}/f`, { signal }), before: { f: 7 }, after: {} },
    "a move": {
      prepare: (s, d) => put(s, `${d}/f`, 7),
      act: (s, d, signal) => s.move(`${d}/f`, `${d}/g`, { signal }),
      before: { f: 7 },
      after: { g: 7 },
      once: true,
    },
    "a move over a file": {
      prepare: (s, d) => Promise.all([put(s, `${d}/f`, 7), put(s, `${d}/g`, 9)]),
      act: (s, d, signal) => s.move(`${d}/f`, `${d}/g`, { signal }),
      before: { f: 7, g: 9 },
      after: { g: 7 },
      once: true,
    },
    "a copy over a file": {
      prepare: (s, d) => Promise.all([put(s, `${d}/f`, 7), put(s, `${d}/g`, 9)]),
      act: (s, d, signal) => s.copy(`${d}/f`, `${d}/g`, { signal }),
      before: { f: 7, g: 9 },
      after: { f: 7, g: 7 },
    },
  };
}

function read(size: number, range?: { offset: number; length: number }): Scenario["act"] {
  return async (store, dir, signal) => {
    await using result = await store.read(`${dir}/f`, { signal, ...(range === undefined ? {} : { range }) });
    const wanted = content(size);
    expect(Buffer.compare(await result.bytes(), range === undefined ? wanted : wanted.subarray(range.offset, range.offset + range.length))).toBe(0);
  };
}

export function faultAtEachRequest({ open, largeBytes, more = {} }: Swept): void {
  describe.each(Object.entries({ ...scenariosOf(largeBytes), ...more }))("%s", (_, scenario) => {
    test.each(kinds)("%s at each request", { timeout: 120_000 }, async (kind) => {
      await using wire = await openWire();
      const account = await open(wire);
      await using _server = account.server;
      await using _store = account.store;
      const count = await calm(scenario, account, wire);
      for (let index = 0; index < count; index++) await broken(scenario, account, wire, kind, index);
    });
  });
}

/** How many requests it makes while nothing breaks. */
async function calm(scenario: Scenario, { store, below }: Account, wire: Wire): Promise<number> {
  await scenario.prepare(store, "/calm");
  wire.clear();
  await scenario.act(store, "/calm", new AbortController().signal);
  expect(below("/calm")).toEqual(scenario.after);
  expect(wire.exchanges.length).toBeGreaterThan(0);
  return wire.exchanges.length;
}

async function broken(scenario: Scenario, { store, below, held }: Account, wire: Wire, kind: FaultKind, index: number): Promise<void> {
  const dir = `/d${index}`;
  await scenario.prepare(store, dir);
  wire.clear();
  wire.break({ kind, at: index, retryAfterSeconds: 0 });
  const giveUp = new AbortController();
  const acting = scenario.act(store, dir, giveUp.signal).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  if (kind === "stall") await Promise.race([acting, stalled(wire).then(() => giveUp.abort(new Error("the test gives up")))]);
  const failed = await acting;
  const story = wire.exchanges.map(({ method, target, status, fault }) => `${method} ${target.slice(0, 60)} ${status} ${fault ?? ""}`).join("; ");
  wire.mend();
  const now = below(dir);
  const hint = `${kind} at ${index}: ${story}`;
  expect(held?.() ?? 0, hint).toBe(0);
  if (failed === undefined) return void expect(now, hint).toEqual(scenario.after);
  const error = failed.error as StoreError;
  if (!StoreError.is(error)) throw error;
  // Parents that were made for a body which had arrived whole may stay: they are nobody's file.
  const files = Object.fromEntries(Object.entries(now).filter(([name]) => name !== "x"));
  if (error.applied === false) expect(files, `${hint}: ${error.message}`).toEqual(scenario.before);
  if (error.applied === true) expect(now, `${hint}: ${error.message}`).toEqual(scenario.after);
  // Credentials that were refused for good are taken up again by `reconnect`.
  if (error.code === "unauthenticated") await store.reconnect();
  if (scenario.once !== true || JSON.stringify(now) === JSON.stringify(scenario.before)) await scenario.act(store, dir, new AbortController().signal);
  expect(below(dir), `${hint}: again after ${error.message}`).toEqual(scenario.after);
}

async function stalled({ exchanges }: Wire): Promise<void> {
  while (!exchanges.some(({ fault }) => fault === "stall")) await new Promise((done) => setTimeout(done, 2));
  await new Promise((done) => setTimeout(done, 10));
}
