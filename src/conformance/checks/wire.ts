/**
 * The wire: every request of every operation is broken in every way, and the store must still tell the truth. For subjects whose traffic goes through
 * the loopback proxy (`wire: true`). A fault sweep is in wire-sweep.ts, what is swept in wire-scenarios.ts.
 */
import { StoreError } from "../../store/index.ts";
import type { ErrorCode } from "../../store/index.ts";
import { equal, fail, listAll, ok, pattern, readAll, rejects, sameBytes, show } from "../assert.ts";
import { pieces, recorded } from "../bodies.ts";
import type { Check, CheckContext } from "../check.ts";
import { rw, rwl, rwld } from "./look.ts";
import { asking, bytesAt, deleting, downloading, ground, listing, makingDirectory, transferring, uploading } from "./wire-scenarios.ts";
import type { Ground } from "./wire-scenarios.ts";
import type { Wire } from "../wire/wire.ts";
import { answerLost, everyKind, settled, sweep, wait, within, wireOf } from "./wire-sweep.ts";
import type { Scenario, Sweep } from "./wire-sweep.ts";

const minutes = 60_000;

/** A body that goes up in parts where the service has parts: one byte beyond the first step, if that is not too much for a test. */
function largeSize({ capabilities, tier }: CheckContext): number {
  const step = Math.min(...capabilities.sizeSteps.filter((size) => size > 0));
  const most = Math.min(capabilities.maxFileBytes, (tier === "torture" ? 256 : 20) * 1024 * 1024);
  return step < most ? step + 1 : Math.min(most, 1024 * 1024 + 1);
}

interface Swept {
  readonly id: string;
  readonly title: string;
  readonly why: string;
  readonly behaviours: readonly number[];
  readonly kills: readonly string[];
  readonly needs: Check["needs"];
  scenario(g: Ground): Scenario;
  sweep?(t: CheckContext): Omit<Sweep, "scenario">;
}

function swept({ id, title, why, behaviours, kills, needs, scenario, sweep: how }: Swept): Check {
  return {
    id,
    title,
    why,
    tier: "full",
    behaviours,
    guarantees: ["wire.honest"],
    rows: ["CF22"],
    kills,
    ...(needs === undefined ? {} : { needs }),
    offers: ["wire"],
    timeoutMs: 5 * minutes,
    run: async (t) => sweep(t, { ...how?.(t), scenario: scenario(await ground(t)) }),
  };
}

/** Fails as soon as a call has made so many requests to a service that is down that it will not stop. */
async function tooMany(wire: Wire, ending: Promise<unknown>, name: string): Promise<void> {
  const most = 100;
  const ended = new AbortController();
  const end = (): void => ended.abort();
  ending.then(end, end);
  while (!ended.signal.aborted) {
    if (wire.exchanges.length > most) fail(`${name}: a call ends although the service stays down`, `at most ${most} requests`, "it tries on and on");
    await wait(50, ended.signal);
  }
  await ending;
}

const sweeps: readonly Check[] = [
  swept({
    id: "wire.upload.small",
    title: "a small write over an older file, broken at every request: old or new, and the error says which",
    why: "An answer that is lost is taken for a failure or for a success, and a backup is missing or made twice.",
    behaviours: [61, 160, 65],
    kills: ["W10", "W13", "W19"],
    needs: rw,
    scenario: (g) => uploading(g, "small", 3000, { before: 5000 }),
  }),
  swept({
    id: "wire.upload.new",
    title: "a small write where nothing was, broken at every request",
    why: "A failed first upload leaves an empty or half file that later reads as good.",
    behaviours: [160, 66],
    kills: ["M59", "M59b"],
    needs: rw,
    scenario: (g) => uploading(g, "new", 3000),
  }),
  swept({
    id: "wire.upload.large",
    title: "a write that goes up in parts, broken at every request: whole or not there, and nothing left open",
    why: "A part that failed is left out, or an upload stays open and is paid for: 12 orphans held 35 MiB in one tool.",
    behaviours: [67, 68, 160],
    kills: ["W05", "W06"],
    needs: rw,
    scenario: (g) => uploading(g, "large", largeSize(g.t), { before: 100 }),
    sweep: (t) => ({
      kinds: t.tier === "torture" ? everyKind : ["resetBefore", "resetAfter", "unavailable", "stall", "expired"],
      most: 5,
      // Where the answer is lost that names a new upload, nobody can know the upload: not even the store that must give it up.
      only: ({ method, target }, kind) => !(method === "POST" && /[?&]uploads\b/.test(target) && answerLost.has(kind)),
    }),
  }),
  swept({
    id: "wire.upload.unknown",
    title: "a body of unknown size, broken at every request",
    why: "The end of a stream is sent with the last part; when that is cut, a short file may be committed.",
    behaviours: [41, 160],
    kills: ["W10"],
    needs: [...rw, "writeUnknownSize"],
    scenario: (g) => uploading(g, "unknown", 30_000, { before: 100, body: (bytes) => pieces(bytes, 7000) }),
    sweep: () => ({
      kinds: ["resetBefore", "resetAfter", "unavailable", "stall"],
      only: ({ method, target }, kind) => !(method === "POST" && /[?&]uploads\b/.test(target) && answerLost.has(kind)),
    }),
  }),
  swept({
    id: "wire.upload.create",
    title: "a create whose answer is lost is never reported as somebody else's file",
    why: "A retry inside an SDK meets the file that its own first try made, and reports `already-exists` for a lock that is held.",
    behaviours: [77, 160],
    kills: ["M60"],
    needs: [...rw, "writeIfAbsent"],
    scenario: (g) => uploading(g, "create", 700, { write: () => ({ ifAbsent: true }) }),
  }),
  swept({
    id: "wire.upload.replace",
    title: "a write with an etag whose answer is lost is never reported as lost to another writer",
    why: "The same with `ifMatch`: the own write changed the etag, the retry fails on it, and the caller merges what it has already written.",
    behaviours: [78, 160],
    kills: ["W01"],
    needs: [...rw, "writeIfMatch"],
    scenario: (g) => uploading(g, "replace", 700, { before: 900, write: () => ({ ifMatch: "the current one" }) }),
  }),
  swept({
    id: "wire.download.whole",
    title: "a read of a whole file, broken at every request: all bytes or an error",
    why: "A body cut by the network is returned as complete: the most common way in which downloads go wrong unseen.",
    behaviours: [59, 160],
    kills: ["M28", "W12"],
    needs: rw,
    scenario: (g) => downloading(g, "whole", 300_000),
  }),
  swept({
    id: "wire.download.range",
    title: "a read of a part, broken at every request: exactly this part or an error",
    why: "Servers and proxies may ignore Range and answer 200 with everything, or answer another range than asked; who trusts the request returns other bytes.",
    behaviours: [45, 59, 160],
    kills: ["M27", "M27b"],
    needs: [...rw, "readRange"],
    scenario: (g) => downloading(g, "part", 300_000, { offset: 100_000, length: 50_000 }),
  }),
  swept({
    id: "wire.list.pages",
    title: "a listing of several pages, broken at every page: every entry once or an error",
    why: "A page that fails is taken for the end; the listing is short, and a mirror deletes what it does not see.",
    behaviours: [90, 103, 160],
    kills: ["M34", "W02", "W03"],
    needs: rwl,
    scenario: (g) =>
      listing(
        g,
        "pages",
        Array.from({ length: 1100 }, (_, i) => `f${String(i).padStart(5, "0")}`),
        false,
      ),
  }),
  swept({
    id: "wire.list.tree",
    title: "a recursive listing, broken at every request: every file once or an error",
    why: "A directory that cannot be listed is left out of a walk as if it were empty.",
    behaviours: [88, 103, 160],
    kills: ["M59"],
    needs: [...rwl, "listRecursive"],
    scenario: (g) => listing(g, "walk", ["a", "b/c", "b/d/e", "f/g", "h"], true),
  }),
  swept({
    id: "wire.stat",
    title: "a stat, broken at every request: the entry, or an error that never says `not-found`",
    why: '"Not there" for a network failure makes callers create, overwrite and delete.',
    behaviours: [148, 160],
    kills: ["M59", "M59b", "W13"],
    needs: rw,
    scenario: asking,
  }),
  swept({
    id: "wire.mkdir",
    title: "a mkdir, broken at every request",
    why: "A directory made by the first try makes the second fail with `already-exists`, as if somebody else had made it.",
    behaviours: [130, 160],
    kills: ["M60c"],
    needs: ["mkdir"],
    scenario: makingDirectory,
  }),
  swept({
    id: "wire.delete.file",
    title: "a delete, broken at every request: gone, there, and the error says which",
    why: "An error is swallowed and the file comes back with the next synchronisation.",
    behaviours: [127, 160],
    kills: ["W04"],
    needs: [...rw, "delete"],
    scenario: (g) => deleting(g, false),
  }),
  swept({
    id: "wire.delete.tree",
    title: "a recursive delete, broken at every request",
    why: "One of many deletions fails and the whole is reported as done.",
    behaviours: [127, 129, 160],
    kills: ["W04"],
    needs: [...rwld, "deleteRecursive"],
    scenario: (g) => deleting(g, true),
  }),
  swept({
    id: "wire.copy.file",
    title: "a copy, broken at every request",
    why: "A copy whose answer was lost is reported as not done, and its target is used by somebody else.",
    behaviours: [116, 160],
    kills: ["W10"],
    needs: [...rw, "copy"],
    scenario: (g) => transferring(g, "copy", false),
  }),
  swept({
    id: "wire.move.file",
    title: "a move, broken at every request: all bytes at one of the two",
    why: "The copy fails and the source is deleted all the same; or the move is sent twice, and the second time there is nothing to move.",
    behaviours: [121, 160],
    kills: ["W14", "M60b"],
    needs: [...rw, "move", "delete"],
    scenario: (g) => transferring(g, "move", false),
  }),
  swept({
    id: "wire.move.tree",
    title: "a move of a tree, broken at every request: no file is lost",
    why: "A tree is moved by copies and deletions; what fails in the middle must be told, and nothing deleted that was not copied.",
    behaviours: [123, 160],
    kills: ["W14", "M60b"],
    needs: [...rwld, "moveTree", "deleteRecursive"],
    scenario: (g) => transferring(g, "move", true),
    sweep: (t) => ({ kinds: t.tier === "torture" ? everyKind : ["resetBefore", "resetAfter", "unavailable", "stall"] }),
  }),
];

const others: readonly Check[] = [
  {
    id: "wire.answers.throttled",
    title: "429 and 503 with Retry-After: typed, transient, with the time to wait, and nothing done",
    why: "Clients that do not pass on when to come back are locked out; those that take a refusal for a doubt do work twice.",
    tier: "full",
    behaviours: [146, 160],
    guarantees: ["errors.retry-after", "wire.honest"],
    kills: ["W11", "W19"],
    needs: rw,
    offers: ["wire"],
    timeoutMs: 2 * minutes,
    async run(t) {
      const g = await ground(t);
      const wire = wireOf(t);
      const path = `${g.dir}/throttled`;
      await t.store.write(path, "before");
      const changes = {
        stat: () => t.store.stat(path, { fresh: true }),
        read: () => readAll(t.store, path, { fresh: true }),
        write: () => t.store.write(path, "after"),
      };
      for (const [kind, codes] of [
        ["throttled", ["rate-limited", "unavailable"]],
        ["unavailable", ["unavailable", "rate-limited"]],
      ] as const satisfies readonly (readonly [string, readonly ErrorCode[]])[]) {
        for (const [verb, call] of Object.entries(changes)) {
          // For as long as the provider itself tries again: what it gives up with must still say when.
          wire.break({ kind, times: Infinity, retryAfterSeconds: 1 });
          const error = await rejects(codes, call, `${verb} while the service says ${kind}`);
          wire.mend();
          ok(error.transient, `${verb}: ${kind} is transient`, error);
          equal(error.retryAfterMs, 1000, `${verb}: ${kind} says when to come back`);
          equal(error.applied, false, `${verb}: the service did nothing, and ${kind} says so`);
        }
      }
      sameBytes((await bytesAt(g, path)) ?? new Uint8Array(), new TextEncoder().encode("before"), "the file is as it was");
    },
  },
  {
    id: "wire.down.ends",
    title: "a service that answers 503 or nothing at all: every call ends with a typed error, and works again afterwards",
    why: "Retries without an end hang a whole program behind one service that is down.",
    tier: "full",
    behaviours: [144, 146, 148],
    guarantees: ["wire.honest"],
    kills: ["W15", "M59"],
    needs: rw,
    offers: ["wire"],
    timeoutMs: 4 * minutes,
    async run(t) {
      const g = await ground(t);
      const wire = wireOf(t);
      const path = `${g.dir}/down`;
      const large = pattern(largeSize(t), "down");
      await t.store.write(path, "before");
      const calls: Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> = {
        stat: (signal) => t.store.stat(path, { fresh: true, signal }),
        read: (signal) => readAll(t.store, path, { fresh: true, signal }),
        list: (signal) =>
          t.capabilities.list === false ? t.store.stat(path, { fresh: true, signal }) : listAll(t.store, g.dir === "" ? "/" : g.dir, { fresh: true, signal }),
        write: (signal) => t.store.write(`${path}-new`, "after", { signal }),
        "large write": (signal) => t.store.write(`${path}-large`, large, { signal }),
      };
      const from = [
        ["stat", 0],
        ["read", 0],
        ["list", 0],
        ["write", 0],
        ["large write", 0],
        ["large write", 1],
      ] as const;
      for (const kind of ["resetBefore", "unavailable"] as const) {
        for (const [name, at] of from) {
          const call = calls[name] ?? fail("a call of this check");
          wire.clear();
          // Deletions pass: an upload that was begun can only be given up at a service that hears of it.
          wire.break({ kind, at: ({ method, index }) => index >= at && method !== "DELETE", times: Infinity, retryAfterSeconds: 0 });
          const stop = new AbortController();
          try {
            const codes = ["unavailable", "timeout", "rate-limited"] as const;
            const what = `${name} while nothing answers (${kind})`;
            const calling = call(stop.signal);
            // What is one request is over before the service goes down after it.
            const ending =
              at === 0
                ? rejects(codes, calling, what)
                : calling.then(
                    () => undefined,
                    (error: unknown) => rejects(codes, Promise.reject(error), what),
                  );
            await within(
              Promise.race([ending, tooMany(wire, ending, name)]),
              45_000,
              `${name}: a call ends although the service stays down (${kind}, from request ${at + 1})`,
            );
          } finally {
            wire.mend();
            stop.abort(new Error("the check gives up"));
          }
        }
      }
      await t.store.stat(path, { fresh: true });
      await t.store.write(path, "again");
      sameBytes((await bytesAt(g, path)) ?? new Uint8Array(), new TextEncoder().encode("again"), "the store works again");
    },
  },
  {
    id: "wire.abort.waiting",
    title: "a call that waits for an answer ends as soon as its signal fires, and lets go of the connection",
    why: "A signal that is only looked at between requests leaves the caller, and a socket, waiting for a service that never answers.",
    tier: "full",
    behaviours: [76, 99, 144],
    guarantees: ["signal.honoured", "leaks.none"],
    kills: ["W08"],
    needs: rw,
    offers: ["wire"],
    async run(t) {
      const g = await ground(t);
      const wire = wireOf(t);
      const path = `${g.dir}/waiting`;
      await t.store.write(path, pattern(1000, "waiting"));
      const calls: Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> = {
        stat: (signal) => t.store.stat(path, { fresh: true, signal }),
        read: (signal) => readAll(t.store, path, { fresh: true, signal }),
        write: (signal) => t.store.write(path, "other", { signal }),
        list: (signal) =>
          t.capabilities.list === false ? t.store.stat(path, { fresh: true, signal }) : listAll(t.store, g.dir === "" ? "/" : g.dir, { fresh: true, signal }),
      };
      for (const [name, call] of Object.entries(calls)) {
        for (const timeout of [false, true]) {
          wire.clear();
          wire.break({ kind: "stall", after: 0, times: Infinity });
          const stop = new AbortController();
          const calling = rejects(timeout ? "timeout" : "aborted", () => call(stop.signal), `${name} that is given up`);
          calling.catch(() => {}); // looked at below
          for (let i = 0; i < 1000 && !wire.exchanges.some(({ fault }) => fault === "stall"); i += 1) await wait(5);
          await wait(30);
          stop.abort(timeout ? new DOMException("the time is over", "TimeoutError") : new Error("the check gives up"));
          await within(calling, 3000, `${name}: a call ends when its signal fires`);
          await settled(wire, name);
          wire.mend();
        }
      }
    },
  },
  {
    id: "wire.abort.upload",
    title: "a signal that fires in the middle of a body: the old version stays, nothing is left open, the connection goes",
    why: "An upload goes on in the background after it was given up, and overwrites what came after it.",
    tier: "full",
    behaviours: [65, 67, 68, 76],
    guarantees: ["write.aborted", "leaks.none"],
    kills: ["W18"],
    needs: rw,
    offers: ["wire"],
    timeoutMs: 2 * minutes,
    async run(t) {
      const g = await ground(t);
      const wire = wireOf(t);
      for (const [name, size] of [
        ["small", 60_000],
        ["large", largeSize(t)],
      ] as const) {
        const path = `${g.dir}/abort-${name}`;
        const old = pattern(700, `old ${name}`);
        await t.store.write(path, old);
        for (const share of [0.1, 0.6]) {
          const stop = new AbortController();
          const body = recorded(pattern(size, name), Math.ceil(size / 20), async (offset) => {
            if (offset < size * share || stop.signal.aborted) return;
            stop.abort(new Error("the check gives up"));
            await wait(20);
          });
          const error = await rejects(
            "aborted",
            () => t.store.write(path, body, { size, signal: stop.signal }),
            `a ${name} write given up in the middle of its body`,
          );
          ok(error.applied !== true, "a body that did not end was not stored, and the error says so", error);
          ok(body.closed, "the body is let go");
          await settled(wire, `a ${name} write given up`);
          const now = await bytesAt(g, path);
          // Declared: a failed write may leave a cut file.
          if (t.capabilities.atomicWrites !== false) sameBytes(now ?? new Uint8Array(), old, `the old version after a ${name} write was given up`);
        }
      }
      await t.store.write(`${g.dir}/abort-small`, "after");
      sameBytes((await bytesAt(g, `${g.dir}/abort-small`)) ?? new Uint8Array(), new TextEncoder().encode("after"), "the next write is what counts");
    },
  },
  {
    id: "wire.abort.download",
    title: "a signal that fires in the middle of a body being read: `aborted`, and the connection is let go",
    why: "Downloads that nobody wants any more run on to their end and use up the connections.",
    tier: "full",
    behaviours: [54, 76, 99],
    guarantees: ["signal.honoured", "leaks.none"],
    kills: ["W21"],
    needs: rw,
    offers: ["wire"],
    timeoutMs: 2 * minutes,
    async run(t) {
      const g = await ground(t);
      const wire = wireOf(t);
      const path = `${g.dir}/download`;
      const size = 4 * 1024 * 1024;
      if (size > t.capabilities.maxFileBytes) return;
      const content = pattern(size, "download");
      await t.store.write(path, content);
      wire.break({ kind: "stall", after: size / 4, at: ({ method }) => method === "GET" });
      const stop = new AbortController();
      let got = 0;
      const reading = rejects(
        "aborted",
        async () => {
          await using result = await t.store.read(path, { fresh: true, signal: stop.signal });
          for await (const chunk of result) {
            sameBytes(chunk, content.subarray(got, got + chunk.length), "what has come is right");
            got += chunk.length;
            if (!stop.signal.aborted && got > size / 8) setTimeout(() => stop.abort(new Error("the check gives up")), 30);
          }
        },
        "a read that is given up in the middle",
      );
      await within(reading, 15_000, "a body that is being read ends when its signal fires");
      await settled(wire, "a read given up");
      wire.mend();
      sameBytes(await readAll(t.store, path, { fresh: true }), content, "the next read is whole");
    },
  },
  {
    id: "wire.close.early",
    title: "a body that is closed early frees its connection, and the next read gets its own bytes",
    why: "What was not read stays on the connection: it leaks, or the next answer begins with it.",
    tier: "full",
    behaviours: [54],
    guarantees: ["read.closed-early", "leaks.none"],
    kills: ["M29", "W09"],
    needs: rw,
    offers: ["wire"],
    timeoutMs: 2 * minutes,
    async run(t) {
      const g = await ground(t);
      const wire = wireOf(t);
      const size = Math.min(2 * 1024 * 1024, t.capabilities.maxFileBytes);
      const files = await Promise.all(
        ["first", "second"].map(async (name) => {
          const content = pattern(size, name);
          await t.store.write(`${g.dir}/${name}`, content);
          return { path: `${g.dir}/${name}`, content };
        }),
      );
      for (let round = 0; round < 12; round += 1) {
        const { path, content } = files[round % 2] as (typeof files)[number];
        {
          await using result = await t.store.read(path, { fresh: true });
          if (round % 3 !== 0) {
            for await (const chunk of result) {
              sameBytes(chunk, content.subarray(0, chunk.length), "the first piece");
              break;
            }
          }
        }
        await settled(wire, `a body closed ${round % 3 === 0 ? "before" : "after"} its first piece`);
        const next = files[(round + 1) % 2] as (typeof files)[number];
        sameBytes(
          await readAll(t.store, next.path, { fresh: true, ...(t.capabilities.readRange === false ? {} : { range: { offset: 0, length: 100_000 } }) }),
          t.capabilities.readRange === false ? next.content : next.content.subarray(0, 100_000),
          "the next read",
        );
      }
      // Connections that were cut are replaced, not piled up.
      ok(wire.open <= 8, "connections do not pile up", wire.open);
    },
  },
  {
    id: "wire.close.store",
    title: "close ends what is open on the wire: bodies, idle connections, all of it",
    why: "Sockets that outlive their store keep the process alive and the service's connections used up.",
    tier: "full",
    behaviours: [151],
    guarantees: ["close.ends", "leaks.none"],
    kills: ["W07"],
    needs: rw,
    offers: ["wire"],
    async run(t) {
      const g = await ground(t);
      const wire = wireOf(t);
      const path = `${g.dir}/close`;
      const content = pattern(Math.min(t.capabilities.maxFileBytes, 2 * 1024 * 1024), "close");
      await t.store.write(path, content);
      await g.other.close();
      for (let i = 0; i < 100 && wire.busy > 0; i += 1) await wait(5);
      const before = wire.open;
      const extra = await t.connect();
      await extra.stat(path);
      // Several at once, so that some connections idle when the last one breaks off. A read last: some clients keep none after a HEAD.
      await Promise.all([readAll(extra, path), readAll(extra, path), readAll(extra, path)]);
      const result = await extra.read(path, { fresh: true });
      ok(wire.open > 0, "an open store has a connection on the wire");
      await extra.close();
      const error: unknown = await result.bytes().then(
        (bytes) => bytes,
        (thrown: unknown) => thrown,
      );
      if (!(error instanceof Uint8Array)) ok(StoreError.is(error) && error.code === "closed", "an open body ends with `closed`", error);
      else sameBytes(error, content, "a body that was in memory is whole");
      for (let i = 0; i < 400 && wire.open > before; i += 1) await wait(5);
      ok(wire.open <= before, "a closed store has no connection left", `${wire.open} open, ${before} before it was opened`);
      await t.store.stat(path);
    },
  },
  {
    id: "wire.cost",
    title: "requests per operation: no more than the subject declares, and none for what needs none",
    why: "An extra request per call doubles the bill and the time, and nothing else shows it.",
    tier: "full",
    behaviours: [169],
    guarantees: ["cost.declared"],
    rows: ["CF23"],
    kills: ["W16"],
    needs: rw,
    offers: ["wire"],
    timeoutMs: minutes,
    async run(t) {
      const { store, capabilities, subject } = t;
      const g = await ground(t);
      const wire = wireOf(t);
      const at = (name: string): string => `${g.dir}/cost/${name}`;
      await store.write(at("a"), pattern(100, "a"));
      const costs: Partial<Record<keyof NonNullable<typeof subject.cost>, () => Promise<unknown>>> = {
        stat: () => store.stat(at("a"), { fresh: true }),
        read: () => readAll(store, at("a"), { fresh: true }),
        write: () => store.write(at("a"), pattern(100, "b")),
        ...(capabilities.list === false ? {} : { list: () => listAll(store, `${g.dir}/cost`, { fresh: true }) }),
        ...(capabilities.mkdir === false ? {} : { mkdir: () => store.mkdir(at(`made${wire.exchanges.length}`)) }),
        ...(capabilities.copy === false ? {} : { copy: () => store.copy(at("a"), at("copied")) }),
        ...(capabilities.move === false ? {} : { move: () => store.move(at("copied"), at("moved")) }),
        ...(capabilities.delete === false ? {} : { delete: () => store.delete(at("moved")) }),
      };
      const found: string[] = [];
      const over: string[] = [];
      for (const [verb, call] of Object.entries(costs)) {
        if (verb === "move" && capabilities.copy === false) await store.write(at("copied"), "x");
        if (verb === "delete") await store.write(at("moved"), "x");
        wire.clear();
        await call();
        const requests = wire.exchanges.length;
        found.push(`${verb} ${requests}`);
        const budget = subject.cost?.[verb as keyof NonNullable<typeof subject.cost>];
        if (budget !== undefined && requests > budget) over.push(`${verb}: ${wire.exchanges.map(({ method, target }) => `${method} ${target}`).join(", ")}`);
      }
      t.note(`requests: ${found.join(", ")}`);
      if (over.length > 0) fail("requests per operation stay within what is declared", show(subject.cost), over.join("; "));
      wire.clear();
      await rejects("invalid-path", () => store.stat("no/slash"), "a path that is none");
      await rejects("aborted", () => store.stat(at("a"), { fresh: true, signal: AbortSignal.abort() }), "a call that was given up before it began");
      equal(wire.exchanges.length, 0, "what is refused beforehand makes no request");
    },
  },
  {
    id: "wire.cost.bytes",
    title: "a range moves the bytes of the range, a whole file its bytes once",
    why: "A range that is cut out of a whole download costs the whole download.",
    tier: "full",
    behaviours: [169, 45],
    guarantees: ["cost.declared"],
    kills: ["W20"],
    needs: [...rw, "readRange"],
    offers: ["wire"],
    timeoutMs: minutes,
    async run(t) {
      const g = await ground(t);
      const wire = wireOf(t);
      const path = `${g.dir}/moved`;
      const size = Math.min(t.capabilities.maxFileBytes, 3_000_000);
      const content = pattern(size, "moved");
      // The first request of a store may be asked who it is, after its body where the service does not hold that back.
      await t.store.stat("/");
      wire.clear();
      await t.store.write(path, content);
      const up = wire.exchanges.reduce((sum, { bytesUp }) => sum + bytesUp, 0);
      // Signed chunks carry a little more than their bytes.
      ok(up <= size * 1.05 + 20_000, "a file goes up once", `${up} bytes for a file of ${size}`);
      wire.clear();
      sameBytes(await readAll(t.store, path, { fresh: true }), content, "the file");
      const down = wire.exchanges.reduce((sum, { bytesDown }) => sum + bytesDown, 0);
      ok(down <= size + 20_000, "a file comes down once", `${down} bytes for a file of ${size}`);
      if (t.capabilities.readRange !== "native") return;
      wire.clear();
      sameBytes(await readAll(t.store, path, { fresh: true, range: { offset: 1000, length: 5000 } }), content.subarray(1000, 6000), "the range");
      const part = wire.exchanges.reduce((sum, { bytesDown }) => sum + bytesDown, 0);
      ok(part <= 5000 + 20_000, "a native range moves its own bytes", `${part} bytes for a range of 5000`);
    },
  },
];

export const checks: readonly Check[] = [...sweeps, ...others];
