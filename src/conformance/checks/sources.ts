/** Bodies that fail, end early, run long, never end or are never wanted: nothing is stored, nothing is held (behaviours 39, 40, 43, 66, 69). */
import { once } from "node:events";
import { Readable } from "node:stream";
import { hasher } from "../../store/index.ts";
import type { Body, HashName } from "../../store/index.ts";
import { broken, chunked, endless, equal, ok, pattern, pieces, probed, rejects } from "../assert.ts";
import type { ProbedBody } from "../assert.ts";
import type { Check, CheckContext } from "../check.ts";
import { absent, base, pause, room, unknownRoom } from "./base.ts";
import { holds, lists, put, rw, rwl } from "./look.ts";

const old = pattern(777, "old");

/**
 * Runs `attempt` at a path where nothing is and at one that holds a file; it must fail, and afterwards there is nothing at the one, the old version
 * at the other, and nothing else in the directory.
 */
async function changesNothing(t: CheckContext, attempt: (path: string, existing: boolean) => Promise<void>): Promise<void> {
  const d = `${await base(t)}/x`;
  await put(t, `${d}/old`, old);
  await attempt(`${d}/new`, false);
  await absent(t, `${d}/new`, "a failed write of a new file leaves nothing");
  await attempt(`${d}/old`, true);
  await holds(t, `${d}/old`, old, "a failed overwrite leaves the old version");
  await attempt(`${d}/deep/down/new`, false);
  await absent(t, `${d}/deep/down/new`, "a failed write below missing parents leaves no file");
  await t.settled("list", async () => {
    const files = (await t.store.list(d).toArray()).filter((entry) => entry.kind === "file").map((entry) => entry.path as string);
    equal(files, [`${d}/old`], "no other file is left behind");
  });
}

const hashes: readonly HashName[] = ["md5", "sha1", "sha256", "sha512", "crc32c", "dropbox"];

function hashOf(name: HashName, bytes: Uint8Array): string {
  const hash = hasher(name);
  hash.update(bytes);
  return hash.hex();
}

function letGo(body: ProbedBody, what: string): void {
  ok(body.closed || body.opened === 0, what, { opened: body.opened, closed: body.closed, pulls: body.pulls });
}

export const checks: readonly Check[] = [
  {
    id: "sources.fails",
    title: "a body that fails half way ends the call with its own error as the cause, and nothing is stored",
    why: "Many clients commit what they have when the source fails: a truncated file with a perfectly good status. For an overwrite the old version is gone too.",
    tier: "smoke",
    behaviours: [66],
    guarantees: ["body.fails", "write.failed"],
    rows: ["CF8"],
    kills: ["M16", "M21"],
    needs: rwl,
    async run(t) {
      const large = unknownRoom(t, 400_000);
      for (const [after, size, known] of [
        [600, 1000, true],
        [0, 1000, true],
        [999, 1000, true],
        [large / 2, large, true],
        [600, 1000, false],
        [large / 2, large, false],
      ] as const) {
        if (!known && t.capabilities.writeUnknownSize === false) continue;
        const failure = new Error("the disk of the check is gone");
        await changesNothing(t, async (path) => {
          const body = broken(pattern(size, path), Math.floor(after), failure, 10_000);
          const error = await rejects("bad-body", () => t.store.write(path, body, known ? { size } : {}), `a body that fails after ${after} of ${size} bytes`);
          equal(error.cause, failure, "the cause is the error of the body");
          equal(error.applied, false, "the error says that nothing was applied");
          letGo(body, "the body was let go");
        });
      }
    },
  },
  {
    id: "sources.short",
    title: "a body that ends before its declared size is bad-body, and nothing is stored",
    why: "An upload that waits for the rest hangs; one that pads with zeros, or stores what came, makes a wrong file.",
    tier: "smoke",
    behaviours: [39],
    guarantees: ["write.size", "write.failed"],
    kills: ["M17"],
    needs: rwl,
    async run(t) {
      for (const [given, size] of [
        [600, 1000],
        [0, 1],
        [999, 1000],
        [65_536, 65_537],
        [room(t, 500_000) - 200_000, room(t, 500_000)],
      ] as const) {
        await changesNothing(t, async (path) => {
          const body = pieces(pattern(given, path), 10_000);
          const error = await rejects("bad-body", () => t.store.write(path, body, { size }), `${given} bytes where ${size} were declared`);
          equal(error.applied, false, "the error says that nothing was applied");
        });
      }
    },
  },
  {
    id: "sources.long",
    title: "a body that runs past its declared size is bad-body, and nothing is stored",
    why: "Cut at the declared length it looks right: the file has the size that was announced, and not what the caller sent. No suite that we read tests it.",
    tier: "smoke",
    behaviours: [40],
    guarantees: ["write.size", "write.failed"],
    kills: ["M17b"],
    needs: rwl,
    async run(t) {
      for (const [given, size] of [
        [1001, 1000],
        [1, 0],
        [2000, 1000],
        [65_537, 65_536],
        [500_000, room(t, 300_000)],
      ] as const) {
        await changesNothing(t, async (path) => {
          const body = pieces(pattern(given, path), 10_000);
          await rejects("bad-body", () => t.store.write(path, body, { size }), `${given} bytes where ${size} were declared`);
          letGo(body, "a body that is too long is not read for ever");
        });
      }
      // The byte too many comes in a chunk of its own, after everything that was announced.
      await changesNothing(t, async (path) => {
        await rejects(
          "bad-body",
          () => t.store.write(path, chunked([pattern(1000, path), pattern(1, "more")]), { size: 1000 }),
          "one more chunk after the declared size",
        );
      });
    },
  },
  {
    id: "sources.long.bytes",
    title: "a body whose size is known and contradicts the declared one is refused",
    why: "Two lengths in one call: whichever an adapter believes, half of the callers meant the other.",
    tier: "full",
    behaviours: [39, 40],
    guarantees: ["write.size"],
    kills: ["A22"],
    needs: rwl,
    async run(t) {
      const bodies: readonly (() => Body)[] = [() => pattern(1000, "bytes"), () => "x".repeat(1000), () => new Blob([pattern(1000, "blob")])];
      for (const size of [999, 1001, 0]) {
        for (const body of bodies) {
          await changesNothing(
            t,
            async (path) => void (await rejects("bad-body", () => t.store.write(path, body(), { size }), `1,000 bytes declared as ${size}`)),
          );
        }
      }
    },
  },
  {
    id: "sources.expect",
    title: "bytes are stored when they hash to what was expected, and refused with integrity when they do not, for every hash and every body",
    why: "A hash that is accepted and not compared is worse than none. Or it is compared after the commit: refused, and stored all the same.",
    tier: "full",
    behaviours: [69, 111],
    guarantees: ["write.expect", "write.failed"],
    rows: ["CF6"],
    kills: ["M23", "M23b"],
    needs: rwl,
    async run(t) {
      const bytes = pattern(70_000, "expect");
      const flipped = bytes.slice();
      flipped[69_999] = flipped[69_999]! ^ 1;
      const d = await base(t);
      for (const name of hashes) {
        const right = hashOf(name, bytes);
        for (const body of [bytes, pieces(bytes, 9_000)]) {
          await t.store.write(`${d}/${name}`, body, { size: bytes.length, expect: { [name]: right } });
          await holds(t, `${d}/${name}`, bytes, `${name}: what hashes right is stored`);
        }
        await changesNothing(t, async (path) => {
          for (const body of [flipped, pieces(flipped, 9_000)]) {
            await rejects(
              "integrity",
              () => t.store.write(path, body, { size: bytes.length, expect: { [name]: right } }),
              `${name}: one bit differs from what was hashed`,
            );
          }
        });
      }
      await changesNothing(t, async (path) => {
        await rejects(
          "integrity",
          () => t.store.write(path, bytes, { expect: { sha256: hashOf("sha256", bytes), md5: hashOf("md5", flipped) } }),
          "of two expected hashes one is wrong",
        );
        await rejects("integrity", () => t.store.write(path, "", { expect: { sha256: hashOf("sha256", bytes) } }), "an empty body where bytes were expected");
      });
    },
  },
  {
    id: "sources.expect.smoke",
    title: "a wrong hash is integrity and nothing is stored",
    why: "The one promise that protects against every bug above the service, and the first that adapters drop for services that cannot check it.",
    tier: "smoke",
    behaviours: [69],
    guarantees: ["write.expect", "write.failed"],
    kills: ["M23", "M23b"],
    needs: rwl,
    async run(t) {
      const bytes = pattern(30_000, "expect");
      await changesNothing(t, async (path) => {
        const error = await rejects(
          "integrity",
          () => t.store.write(path, bytes, { expect: { sha256: hashOf("sha256", pattern(30_000, "other")) } }),
          "bytes that hash to something else",
        );
        equal(error.applied, false, "the error says that nothing was applied");
      });
      await changesNothing(t, async (path) => {
        await rejects(
          "integrity",
          () => t.store.write(path, pieces(bytes, 7_000), { size: bytes.length, expect: { md5: "0".repeat(32) } }),
          "a stream that hashes to something else",
        );
      });
    },
  },
  {
    id: "sources.unread",
    title: "a stream that is not wanted is destroyed, whatever the call was refused for",
    why: "A refused upload that leaves its source open keeps a file descriptor, a connection and sometimes the process. litmus and restic found it in clients that are used by millions.",
    tier: "smoke",
    behaviours: [43, 74],
    guarantees: ["body.owned"],
    kills: ["A23"],
    needs: rw,
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

async function refusedSomehow(promise: Promise<unknown>, why: string): Promise<void> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  ok(error !== undefined, `${why}: the call is refused`);
}
