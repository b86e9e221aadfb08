/** Streams that are not wanted, fail before they are read, were read before, or never end (behaviours 43, 65, 76). */
import { once } from "node:events";
import { Readable } from "node:stream";
import type { Body } from "../../store/index.ts";
import { endless, equal, ok, pattern, pieces, probed, rejects } from "../assert.ts";
import type { Check } from "../check.ts";
import { absent, base, pause } from "./base.ts";
import { holds, lists, put, rw, rwl } from "./look.ts";
import { old, changesNothing, letGo } from "./sources-help.ts";

async function refusedSomehow(promise: Promise<unknown>, why: string): Promise<void> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  ok(error !== undefined, `${why}: the call is refused`);
}

export const checks: readonly Check[] = [
  {
    id: "sources.unread",
    title: "a stream that is not wanted is destroyed, whatever the call was refused for",
    why: "A refused upload that leaves its source open keeps a file descriptor, a connection and sometimes the process. litmus and restic found it in clients that are used by millions.",
    tier: "smoke",
    behaviours: [43, 74],
    guarantees: ["body.owned"],
    kills: ["A23"],
    needs: rw,
    timeoutMs: 90_000,
    async run(t) {
      const d = await base(t);
      await put(t, `${d}/x/file`, old);
      const refusals: readonly { readonly name: string; readonly call: (body: Body) => Promise<unknown> }[] = [
        { name: "an invalid path", call: (body) => t.store.write("not/absolute", body) },
        { name: "an option that does not exist", call: (body) => t.store.write(`${d}/x/new`, body, { nonsense: true } as object) },
        { name: "two conditions that exclude each other", call: (body) => t.store.write(`${d}/x/new`, body, { ifAbsent: true, ifMatch: "e" }) },
        { name: "a negative size", call: (body) => t.store.write(`${d}/x/new`, body, { size: -1 }) },
        { name: "a signal that has fired", call: (body) => t.store.write(`${d}/x/new`, body, { signal: AbortSignal.abort() }) },
        ...(t.capabilities.strictHierarchy
          ? [{ name: "a path below a file", call: (body: Body): Promise<unknown> => t.store.write(`${d}/x/file/below`, body, { size: 200 }) }]
          : []),
      ];
      for (const { name, call } of refusals) {
        const node = new Readable({ read(): void {} });
        const closed = once(node, "close");
        node.push(pattern(100, "unread"));
        node.push(pattern(100, "unread"));
        node.push(null);
        await refusedSomehow(call(node), name);
        await Promise.race([closed, pause(t, 5_000)]);
        ok(node.destroyed, `${name}: the Node stream is destroyed`);

        let cancelled = false;
        const web = new ReadableStream<Uint8Array>({
          pull: (controller) => controller.enqueue(pattern(100, "unread")),
          cancel(): void {
            cancelled = true;
          },
        });
        await refusedSomehow(call(web), name);
        await pause(t, 5);
        ok(cancelled, `${name}: the web stream is cancelled`);

        const iterable = pieces(pattern(200, "unread"), 100);
        await refusedSomehow(call(iterable), name);
        await pause(t, 5);
        letGo(iterable, `${name}: the iterable is let go`);
      }
      await holds(t, `${d}/x/file`, old, "the file is as it was");
      await absent(t, `${d}/x/new`, "nothing was made");
    },
  },
  {
    id: "sources.early-error",
    title: "a stream that fails before anybody reads it ends the call, not the process",
    why: "A Node stream whose error event nobody hears kills the process: a missing local file is enough. The path may be wrong at the same time.",
    tier: "smoke",
    behaviours: [43, 66],
    guarantees: ["body.owned", "body.fails"],
    kills: ["A24"],
    needs: rw,
    timeoutMs: 90_000,
    async run(t) {
      const d = await base(t);
      for (const path of [`${d}/x/new`, "not/absolute"]) {
        const failure = new Error("no such local file, in the check");
        const node = new Readable({ read(): void {} });
        const pending = t.store.write(path, node, { size: 100 });
        node.destroy(failure);
        const error = await rejects(path === "not/absolute" ? ["bad-body", "invalid-path"] : "bad-body", pending, "a stream that fails before it is read");
        if (error.code === "bad-body") equal(error.cause, failure, "the cause is the error of the stream");
      }
      const dead = new Readable({ read(): void {} });
      dead.on("error", () => {});
      const closed = new Promise((done) => dead.once("close", done));
      dead.destroy(new Error("dead before the call, in the check"));
      await closed;
      await rejects("bad-body", () => t.store.write(`${d}/x/new`, dead, { size: 100 }), "a stream that had failed before the call");
      await absent(t, `${d}/x/new`, "nothing was made");
    },
  },
  {
    id: "sources.used",
    title: "a stream that was read already is refused or empty by its declared size, never hung",
    why: "A retry outside the library passes the same stream again: it has no bytes left, and an upload of nothing looks like success.",
    tier: "full",
    behaviours: [39, 43],
    guarantees: ["write.size", "body.owned"],
    kills: ["A24b"],
    needs: rwl,
    timeoutMs: 90_000,
    async run(t) {
      const d = await base(t);
      const body = Readable.from([Buffer.from(pattern(500, "used"))]);
      await t.store.write(`${d}/x/first`, body, { size: 500 });
      await holds(t, `${d}/x/first`, pattern(500, "used"), "the first write has the bytes");
      await rejects("bad-body", () => t.store.write(`${d}/x/second`, body, { size: 500 }), "the same stream again");
      await lists(t, `${d}/x`, ["first"], "the second write stored nothing");
    },
  },
  {
    id: "sources.endless",
    title: "a body that never ends is given up when the signal fires, and nothing is stored",
    why: "Until the first byte an abort is easy; afterwards many clients ignore it, or resolve it and let the upload run on.",
    tier: "smoke",
    behaviours: [65, 76],
    guarantees: ["write.aborted", "write.failed", "error.signal"],
    rows: ["CF8"],
    kills: ["M18"],
    needs: rwl,
    timeoutMs: 90_000,
    async run(t) {
      for (const repeat of [false, true]) {
        for (const known of t.capabilities.writeUnknownSize === false ? [true] : [true, false]) {
          await changesNothing(t, async (path) => {
            const control = new AbortController();
            const reason = new Error("the check has seen enough");
            const piece = pattern(3000, path);
            // For ever, but no faster than that a small store is not full before the signal fires.
            const body = repeat ? probed(async () => pause(t, 3).then(() => piece)) : endless(piece);
            const pending = t.store.write(path, body, {
              signal: control.signal,
              ...(known ? { size: Math.min(1_000_000_000, t.capabilities.maxFileBytes) } : {}),
            });
            const outcome = rejects("aborted", pending, `an endless body, ${repeat ? "with bytes for ever" : "that stops giving bytes"}`);
            // Long enough for the first bytes to be on their way.
            for (let waited = 0; waited < 100 && body.bytes === 0; waited++) await pause(t, 10);
            control.abort(reason);
            const error = await outcome;
            equal(error.cause, reason, "the cause is the reason of the signal");
            await pause(t, 60);
            const { bytes } = body;
            letGo(body, "the endless body is let go");
            await pause(t, 20);
            equal(body.bytes, bytes, "no more bytes are taken after the abort");
          });
        }
      }
    },
  },
];
