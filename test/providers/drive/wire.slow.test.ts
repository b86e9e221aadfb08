/**
 * A fault at each request of each verb, through the suite's own proxy. Beyond what the suite's sweep judges (result or typed error that tells the truth),
 * the account itself is looked at: no second file of one name, no bytes left in a session; and the same call again, with nothing broken, makes it right.
 */
import { describe, expect, test } from "vitest";
import { StoreError } from "../../../src/index.ts";
import { drive } from "../../../src/providers/drive/index.ts";
import { openWire } from "../../../src/conformance/wire/proxy.ts";
import type { FaultKind } from "../../../src/conformance/wire/wire.ts";
import type { Store } from "../../../src/index.ts";
import { startDrive } from "../../servers/drive/index.ts";
import type { DriveServer } from "../../servers/drive/index.ts";
import { bytesOf, pieces } from "./at.ts";
import { authOf, small } from "./subject.ts";

const kinds: readonly FaultKind[] = [
  "refused",
  "resetBefore",
  "resetAfter",
  "throttled",
  "unavailable",
  "stall",
  "truncated",
  "short",
  "expired",
  "wrongRange",
  "wholeForRange",
];
const large = bytesOf(600_000, 3);

interface Scenario {
  prepare(store: Store, dir: string): Promise<unknown>;
  act(store: Store, dir: string, signal: AbortSignal): Promise<unknown>;
  /** Names below `dir` and their sizes, before and after. */
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
  /** A second try of the same call after success is an error: the source is gone. */
  readonly once?: boolean;
}

const put = (store: Store, path: string, size: number): Promise<unknown> => store.write(path, bytesOf(size, size));
const scenarios: Readonly<Record<string, Scenario>> = {
  "a new small file": { prepare: (s, d) => s.mkdir(d), act: (s, d, signal) => s.write(`${d}/f`, bytesOf(100), { signal }), before: {}, after: { f: 100 } },
  "a small file over another": {
    prepare: (s, d) => put(s, `${d}/f`, 7),
    act: (s, d, signal) => s.write(`${d}/f`, bytesOf(100), { signal }),
    before: { f: 7 },
    after: { f: 100 },
  },
  "a new large file": { prepare: (s, d) => s.mkdir(d), act: (s, d, signal) => s.write(`${d}/f`, large, { signal }), before: {}, after: { f: 600_000 } },
  "a stream over a file": {
    prepare: (s, d) => put(s, `${d}/f`, 7),
    act: (s, d, signal) => s.write(`${d}/f`, pieces(large), { signal }),
    before: { f: 7 },
    after: { f: 600_000 },
  },
  "a stream into new directories": {
    prepare: (s, d) => s.mkdir(d),
    act: (s, d, signal) => s.write(`${d}/x/f`, pieces(large), { signal }),
    before: {},
    after: { x: 0, f: 600_000 },
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

function read(size: number, range?: { offset: number; length: number }): Scenario["act"] {
  return async (store, dir, signal) => {
    await using result = await store.read(`${dir}/f`, { signal, ...(range === undefined ? {} : { range }) });
    const wanted = bytesOf(size, size);
    expect(Buffer.compare(await result.bytes(), range === undefined ? wanted : wanted.subarray(range.offset, range.offset + range.length))).toBe(0);
  };
}

/** Everything below a folder, as the account has it. @throws where a name is there twice */
function below({ state }: DriveServer, dir: string): Record<string, number> {
  const top = [...state.files.values()].find((file) => `/${file.name}` === dir && !state.trashed(file));
  const found: Record<string, number> = {};
  if (top === undefined) return found;
  const seen = new Set<string>();
  for (const file of state.files.values()) {
    if (file === top || !state.isBelow(file.id, top.id) || state.trashed(file)) continue;
    const key = `${file.parents[0]}/${file.name}`;
    expect(seen.has(key), `${file.name} twice`).toBe(false);
    seen.add(key);
    found[file.name] = file.content?.size ?? 0;
  }
  return found;
}

describe.each(Object.entries(scenarios))("%s", (_, scenario) => {
  test.each(kinds)("%s at each request", async (kind) => {
    await using server = await startDrive();
    await using wire = await openWire();
    await using store = drive({
      auth: authOf(server),
      rootUrl: server.url,
      tokenUrl: server.tokenUrl,
      fetch: wire.fetch,
      settleMs: 0,
      indexTtlMs: 0,
      ...small,
    });
    const signal = new AbortController().signal;
    await scenario.prepare(store, "/calm");
    wire.clear();
    await scenario.act(store, "/calm", signal);
    expect(below(server, "/calm")).toEqual(scenario.after);
    const count = wire.exchanges.length;
    expect(count).toBeGreaterThan(0);
    for (let index = 0; index < count; index++) {
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
      const now = below(server, dir);
      const hint = `${kind} at ${index}: ${story}`;
      expect(server.uploads.heldBytes, hint).toBe(0);
      if (failed === undefined) {
        expect(now, hint).toEqual(scenario.after);
        continue;
      }
      const error = failed.error as StoreError;
      if (!StoreError.is(error)) throw error;
      // Parents that were made for a body which had arrived whole may stay: they are nobody's file.
      const files = Object.fromEntries(Object.entries(now).filter(([name]) => name !== "x"));
      if (error.applied === false) expect(files, `${hint}: ${error.message}`).toEqual(scenario.before);
      if (error.applied === true) expect(now, `${hint}: ${error.message}`).toEqual(scenario.after);
      // Credentials that were refused for good are taken up again by `reconnect`.
      if (error.code === "unauthenticated") await store.reconnect();
      if (scenario.once !== true || JSON.stringify(now) === JSON.stringify(scenario.before)) await scenario.act(store, dir, signal);
      expect(below(server, dir), `${hint}: again after ${error.message}`).toEqual(scenario.after);
    }
  });
});

async function stalled(wire: { readonly exchanges: readonly { readonly fault: FaultKind | null }[] }): Promise<void> {
  while (!wire.exchanges.some(({ fault }) => fault === "stall")) await new Promise((done) => setTimeout(done, 2));
  await new Promise((done) => setTimeout(done, 10));
}
