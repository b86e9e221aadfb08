/** How calls end on the wire: refused for now, at a service that stays down, given up in the middle, closed early; and what they let go of then. */
import { StoreError } from "../../store/index.ts";
import type { ErrorCode } from "../../store/index.ts";
import { equal, fail, listAll, ok, pattern, readAll, rejects, sameBytes } from "../assert.ts";
import { recorded } from "../bodies.ts";
import type { Check } from "../check.ts";
import type { Wire } from "../wire/wire.ts";
import { rw } from "./look.ts";
import { bytesAt, ground, largeSize } from "./wire-scenarios.ts";
import { settled, wait, within, wireOf } from "./wire-sweep.ts";

const minutes = 60_000;

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

export const ends: readonly Check[] = [
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
    rows: ["CF94"],
    kills: ["W15", "M59"],
    needs: rw,
    offers: ["wire"],
    timeoutMs: 4 * minutes,
    async run(t) {
      const g = await ground(t);
      const wire = wireOf(t);
      const path = `${g.dir}/down`;
      // A layer that is sure of what it writes waits before it writes where a lost request may still land.
      const most = 45_000 + t.capabilities.afterlifeMs;
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
              most,
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
      wire.clear();
      await readAll(t.store, path, { fresh: true });
      // The request that brings the bytes: some providers ask what the file is first, and others do not read by GET.
      const bringing = wire.exchanges.reduce((most, one) => (one.bytesDown > most.bytesDown ? one : most));
      wire.break({ kind: "stall", after: size / 4, at: ({ method, target }) => method === bringing.method && target === bringing.target });
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
      const before = wire.held;
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
      for (let i = 0; i < 400 && wire.held > before; i += 1) await wait(5);
      ok(wire.held <= before, "a closed store has no connection left", `${wire.held} held, ${before} before it was opened`);
      await t.store.stat(path);
    },
  },
];
