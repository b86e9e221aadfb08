/**
 * Copies and moves that are ended half way, by the caller, by the service, or by somebody who changes the source: all bytes are still somewhere,
 * and what is said about it is true (behaviours 116, 121, 125, 160).
 */
import { equal, fail, ok, pattern, rejects, sameBytes, sameTree, snapshot } from "../assert.ts";
import type { Snapshot } from "../assert.ts";
import { backendOf } from "../backend-of.ts";
import type { Check, CheckContext, SupportKey } from "../check.ts";
import { StoreError, createStore, hasCode } from "../../store/index.ts";
import type { ErrorCode, Provider, Store, WriteCall } from "../../store/index.ts";
import { directory, gone, held, holds, outcome, put, rwl, rwld, sizeFor, tree, unchanged } from "./look.ts";

type Verb = "copy" | "move";

const source = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`d${index % 3}/f${index}`, pattern(500 + index, `file ${index}`)]));

/** What the files of a tree hold, by their path below it; nothing where the tree is missing. */
async function contents(t: CheckContext, dir: string): Promise<Snapshot> {
  try {
    return new Map([...(await snapshot(t.store, dir))].map(([path, content]) => [path.slice(dir.length), content]));
  } catch (error) {
    if (hasCode(error, "not-found")) return new Map();
    throw error;
  }
}

/** However it ended: what is said is true, and every file is whole at one of the two places. */
async function allIsSomewhere(t: CheckContext, verb: Verb, place: string, before: Snapshot, error: unknown, what: string): Promise<void> {
  await t.settled("list", async () => {
    const from = await contents(t, `${place}/from`);
    const to = await contents(t, `${place}/to`);
    if (error === undefined) {
      sameTree(to, before, `${what}: it succeeded, so the target is whole`);
      if (verb === "copy") sameTree(from, before, `${what}: it succeeded, and the source of a copy is as it was`);
      else equal([...from.keys()], [], `${what}: it succeeded, so nothing is at the source`);
      return;
    }
    ok(StoreError.is(error), `${what}: it ends with a StoreError`, error);
    if (verb === "copy") sameTree(from, before, `${what}: the source of a copy is as it was`);
    for (const [path, content] of before) {
      if (content === "directory") continue;
      ok(from.get(path) === content || to.get(path) === content, `${what}: ${path} is whole at one of the two places`, {
        from: from.get(path),
        to: to.get(path),
      });
    }
    if (error.applied === false) {
      sameTree(from, before, `${what}: applied is false, so the source is as it was`);
      equal([...to.keys()], [], `${what}: applied is false, so nothing is at the target`);
    }
    if (error.applied === "partly") ok(error.partial !== null, `${what}: applied is "partly", so the error says how far it came`, error);
    if (error.applied === true) sameTree(to, before, `${what}: applied is true, so the target is whole`);
  });
}

/**
 * The store under test without copy and move of its own, so that the adaptor makes them from its reads, writes, listings and deletes; `write` may be bent.
 * The store stays the caller's.
 */
function byHand(t: CheckContext, write: (call: WriteCall, next: (call: WriteCall) => ReturnType<Provider["write"]>) => ReturnType<Provider["write"]>): Store {
  const backend = backendOf(t.store);
  const {
    copy: _copy,
    copyTree: _copyTree,
    copyIfAbsent: _copyIfAbsent,
    move: _move,
    moveTree: _moveTree,
    moveIfAbsent: _moveIfAbsent,
    space: _space,
    account: _account,
    ...capabilities
  } = backend.capabilities;
  const provider: Provider & { readonly kind: "by-hand" } = {
    kind: "by-hand",
    capabilities: { ...capabilities, concurrency: 1 },
    stat: (call) => backend.stat(call),
    read: (call) => backend.read(call),
    write: (call) => write(call, (next) => backend.write(next)),
    list: (call) => backend.list(call),
    delete: (call) => backend.delete(call),
    mkdir: (call) => backend.mkdir(call),
  };
  return createStore(provider);
}

function bothVerbs(verb: Verb): readonly Check[] {
  const needs: readonly SupportKey[] = [...rwl, verb];
  const trees: readonly SupportKey[] = [...rwld, "mkdir", verb, `${verb}Tree`];
  return [
    {
      id: `${verb}.aborted.tree`,
      title: `a ${verb} of a tree that is aborted leaves every file whole at one of the two places, and says what it did`,
      why: "The caller gives up after ten seconds, and half of the tree is there and half is here; nobody knows which half to delete.",
      tier: "full",
      behaviours: [65, 121, 123],
      guarantees: [`${verb}.failed`],
      kills: ["N146"],
      needs: trees,
      timeoutMs: 180_000,
      async run(t) {
        // From "before anything was asked" to "probably over": each turn is one step further. Each in a place of its own, for a request whose
        // answer was lost may still land while the next round runs.
        for (const turns of [0, 1, 2, 4, 8, 16, 32, 64]) {
          const place = `/w/${turns}`;
          await tree(t, `${place}/from`, source);
          const before = await contents(t, `${place}/from`);
          const stop = new AbortController();
          const running = outcome(t.store[verb](`${place}/from`, `${place}/to`, { signal: stop.signal }));
          for (let turn = 0; turn < turns; turn += 1) await new Promise((next) => setImmediate(next));
          stop.abort(new Error("the caller gives up"));
          const { error } = await running;
          if (error !== undefined) await rejects("aborted", Promise.reject(error), `aborted after ${turns} turns`);
          await allIsSomewhere(t, verb, place, before, error, `aborted after ${turns} turns`);
        }
      },
    },
    {
      id: `${verb}.aborted.before`,
      title: `a ${verb} whose signal has fired does nothing`,
      why: "A signal that is looked at after the first request has already renamed the file.",
      tier: "smoke",
      behaviours: [76],
      guarantees: ["error.signal"],
      kills: [verb === "copy" ? "N360" : "N370"],
      needs,
      async run(t) {
        await put(t, "/w/from", "file");
        await put(t, "/w/to", "other");
        const before = await held(t);
        const error = await rejects(
          "aborted",
          () => t.store[verb]("/w/from", "/w/to", { signal: AbortSignal.abort(new Error("mine")) }),
          `${verb} with a signal that has fired`,
        );
        equal(error.applied, false, "nothing was done, and the error says so");
        await unchanged(t, before, "nothing was changed");
      },
    },
    {
      id: `${verb}.service-fails.tree`,
      title: `a ${verb} of a tree during which the service fails leaves every file whole at one of the two places`,
      why: "The service is gone in the middle of a rename of ten thousand keys; the adapter reports an error and has deleted what it never copied.",
      tier: "full",
      behaviours: [160, 123],
      guarantees: [`${verb}.failed`],
      kills: [],
      needs: trees,
      offers: ["wire"],
      timeoutMs: 300_000,
      async run(t) {
        const { wire } = t;
        ok(wire !== undefined, "the check has a wire");
        for (const [index, kind] of (["unavailable", "resetBefore", "resetAfter", "unavailable"] as const).entries()) {
          const place = `/w/${index}`;
          await tree(t, `${place}/from`, source);
          const before = await contents(t, `${place}/from`);
          let seen = 0;
          const mutating = new Set(["PUT", "POST", "DELETE", "COPY", "MOVE", "MKCOL"]);
          wire.clear();
          // From the (index * 3 + 1)-th changing request on every one fails, until the call is over.
          wire.break({ kind, times: Number.POSITIVE_INFINITY, at: ({ method }) => mutating.has(method) && (seen += 1) > index * 3 });
          const { error } = await outcome(t.store[verb](`${place}/from`, `${place}/to`));
          wire.mend();
          await allIsSomewhere(t, verb, place, before, error, `${kind} from changing request ${index * 3 + 1} on`);
          t.note(`${kind} from changing request ${index * 3 + 1} on: ${StoreError.is(error) ? `${error.code}, applied ${String(error.applied)}` : "success"}`);
        }
      },
    },
  ];
}

const others: readonly Check[] = [
  {
    id: "copy.taken-back",
    title: "a copy of a tree that fails half way, made from this store's reads and writes, is taken back",
    why: 'What a failed copy leaves at the target looks like a whole copy to the next reader, and blocks the next attempt with "not empty".',
    tier: "smoke",
    behaviours: [116, 123],
    guarantees: ["copy.failed"],
    kills: ["M01"],
    needs: [...rwld, "mkdir"],
    async run(t) {
      await tree(t, "/w/from", { a: "1", b: "2", c: "3", "sub/d": "4", "sub/e": "5" });
      const before = await held(t);
      for (const failAt of [1, 3, 5]) {
        let count = 0;
        await using store = byHand(t, (call, next) => {
          count += 1;
          if (count === failAt) return Promise.reject(new StoreError("no-space", "the disk of the check is full", { applied: false }));
          return next(call);
        });
        // Where reads are late, a copy made by hand may miss its own parts before it comes to the write that fails; it is taken back all the same.
        const codes: readonly ErrorCode[] = t.capabilities.consistency.read === "eventual" ? ["no-space", "not-found"] : ["no-space"];
        const error = await rejects(codes, () => store.copy("/w/from", "/w/to"), `a copy whose write ${failAt} fails`);
        equal(error.applied, false, "everything was taken back, and the error says so");
        equal([error.path as string | null, error.to as string | null], ["/w/from", "/w/to"], "the error names the paths of the caller's call");
        await gone(t, "/w/to", "nothing is at the target");
        await unchanged(t, before, "the store is as it was");
      }
      if (t.capabilities.consistency.read === "eventual") return;
      await using store = byHand(t, (call, next) => next(call));
      await store.copy("/w/from", "/w/to");
      await holds(t, "/w/to/sub/e", "5", "without the failure the same copy succeeds");
    },
  },
  {
    id: "copy.taken-back.empty-target",
    title: "a copy onto an empty directory that fails half way leaves it empty",
    why: "Taking back by deleting the target also removes the directory that was there before.",
    tier: "full",
    behaviours: [116, 123],
    guarantees: ["copy.failed"],
    kills: ["M01"],
    needs: [...rwld, "mkdir"],
    async run(t) {
      await tree(t, "/w/from", { a: "1", "sub/b": "2" });
      await directory(t, "/w/to");
      const before = await held(t);
      let count = 0;
      await using store = byHand(t, (call, next) => {
        count += 1;
        return count === 2 ? Promise.reject(new StoreError("no-space", "the disk of the check is full", { applied: false })) : next(call);
      });
      await rejects("no-space", () => store.copy("/w/from", "/w/to"), "a copy whose second write fails");
      await unchanged(t, before, "the store is as it was, the empty directory too");
    },
  },
  {
    id: "move.source-changed",
    title: "what is written into the source while it is moved, by this store's reads and writes, is not lost",
    why: "An emulated move copies and then deletes the source: whatever was written in between is deleted without ever having been copied.",
    tier: "full",
    behaviours: [121, 125],
    guarantees: ["move.failed"],
    kills: ["N149"],
    needs: [...rwld, "mkdir"],
    async run(t) {
      await tree(t, "/w/from", { a: "old a", b: "old b", c: "old c" });
      let done = false;
      await using store = byHand(t, async (call, next) => {
        const entry = await next(call);
        if (!done) {
          done = true;
          await put(t, "/w/from/late", "written while the move ran");
          await put(t, "/w/from/a", "a changed while the move ran, after it had been copied");
        }
        return entry;
      });
      const error = await rejects("conflict", () => store.move("/w/from", "/w/to"), "a move whose source changes");
      ok(error.applied === "partly" || error.applied === false, "the error says that it was done in part or not at all", error.applied);
      const found: string[] = [];
      for (const path of ["/w/from/late", "/w/to/late", "/w/from/a", "/w/to/a"]) {
        const { value } = await outcome(t.store.read(path).then((result) => result.text()));
        if (value !== undefined) found.push(value);
      }
      ok(found.includes("written while the move ran"), "the file that came while the move ran is still there", found);
      ok(found.includes("a changed while the move ran, after it had been copied"), "the new bytes of a file that was already copied are still there", found);
    },
  },
  {
    id: "copy.while-overwritten",
    title: "a copy of a file that is overwritten meanwhile is the old or the new version, whole",
    why: "Copies by parts read each part at another time: the first half of one version and the second of the next, under one name.",
    tier: "torture",
    behaviours: [125],
    guarantees: ["copy.whole", "read.oneVersion"],
    kills: ["N150"],
    needs: [...rwl, "copy"],
    timeoutMs: 120_000,
    async run(t) {
      const size = sizeFor(t, 300_000);
      const versions = Array.from({ length: 8 }, (_, index) => pattern(size, `v${index}`));
      await put(t, "/w/from", versions[0]!);
      const state = { writing: true };
      const writer = (async () => {
        for (const version of versions.slice(1)) await t.store.write("/w/from", version);
        state.writing = false;
      })();
      writer.catch(() => {});
      let copies = 0;
      while (state.writing || copies === 0) {
        const { error } = await outcome(t.store.copy("/w/from", `/w/copy-${copies}`));
        if (error !== undefined) {
          const legal = t.capabilities.atomicWrites === "native" ? (["conflict"] as const) : (["conflict", "not-found", "unavailable", "integrity"] as const);
          await rejects(legal, Promise.reject(error), "a copy that lost the race");
        } else {
          const bytes = await t.settled("read", async () => (await t.store.read(`/w/copy-${copies}`)).bytes());
          const whole = versions.some((version) => bytes.length === size && Buffer.compare(bytes, version) === 0);
          if (!whole && t.capabilities.atomicWrites !== false) {
            sameBytes(bytes, versions[0]!, "a copy made during overwrites is one version, whole");
            fail("a copy made during overwrites is one version, whole");
          }
        }
        copies += 1;
      }
      await writer;
      t.note(`${copies} copies during 7 overwrites`);
    },
  },
];

export const failing: readonly Check[] = [...bothVerbs("copy"), ...bothVerbs("move"), ...others];
