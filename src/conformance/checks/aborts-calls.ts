/** Signals of every verb: fired before, after and during a call (behaviour 76). */
import type { CallOptions } from "../../store/index.ts";
import { equal, ok, pattern, rejects, sameBytes } from "../assert.ts";
import type { Check, CheckContext } from "../check.ts";
import { base, pause } from "./base.ts";
import { holds, lists, put, rw, rwl, rwld } from "./look.ts";

const mib = 1024 * 1024;

/** Every verb, each on something it could do. `d` has the file "x/file" and the directory "x/dir" with a file in it. */
function everyVerb(t: CheckContext, d: string): Readonly<Record<string, (options: CallOptions) => Promise<unknown>>> {
  const { store, capabilities } = t;
  return {
    stat: (options) => store.stat(`${d}/x/file`, options),
    read: async (options) => (await store.read(`${d}/x/file`, options)).bytes(),
    write: (options) => store.write(`${d}/x/new`, pattern(100, "new"), options),
    overwrite: (options) => store.write(`${d}/x/file`, pattern(100, "new"), options),
    list: (options) => store.list(`${d}/x`, options).toArray(),
    delete: (options) => store.delete(`${d}/x/file`, options),
    ...(capabilities.deleteRecursive === false
      ? {}
      : { "delete recursive": (options: CallOptions) => store.delete(`${d}/x/dir`, { ...options, recursive: true }) }),
    ...(capabilities.mkdir === false ? {} : { mkdir: (options: CallOptions) => store.mkdir(`${d}/x/made`, options) }),
    ...(capabilities.copy === false ? {} : { copy: (options: CallOptions) => store.copy(`${d}/x/file`, `${d}/x/copy`, options) }),
    ...(capabilities.move === false ? {} : { move: (options: CallOptions) => store.move(`${d}/x/file`, `${d}/x/moved`, options) }),
    ...(capabilities.space === false ? {} : { space: (options: CallOptions) => store.space(options) }),
    ...(capabilities.account === false ? {} : { account: (options: CallOptions) => store.account(options) }),
  };
}

/** Counts the listeners on a signal from now on. */
function counted(signal: AbortSignal): () => number {
  const held = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: unknown[]): void => {
    held.add(args[1]);
    Reflect.apply(add, signal, args);
  };
  signal.removeEventListener = (...args: unknown[]): void => {
    held.delete(args[1]);
    Reflect.apply(remove, signal, args);
  };
  return () => held.size;
}

export const checks: readonly Check[] = [
  {
    id: "aborts.before",
    title: "a signal that fired before the call ends every verb with aborted, and nothing is changed",
    why: "Signals are handed down and forgotten at one of ten verbs, mostly at those that delete.",
    tier: "smoke",
    behaviours: [76],
    guarantees: ["error.signal"],
    kills: ["A36"],
    needs: rwld,
    async run(t) {
      const d = await base(t);
      const file = pattern(321, "file");
      await put(t, `${d}/x/file`, file);
      await put(t, `${d}/x/dir/inside`, file);
      for (const [verb, call] of Object.entries(everyVerb(t, d))) {
        const reason = new Error("the check does not want it");
        const error = await rejects("aborted", () => call({ signal: AbortSignal.abort(reason) }), `${verb} with a signal that has fired`);
        equal(error.cause, reason, `${verb}: the cause is the reason of the signal`);
        equal(error.applied, false, `${verb}: nothing was applied`);
        equal(error.transient, false, `${verb}: an abort is not transient`);
        await rejects("timeout", () => call({ signal: AbortSignal.abort(new DOMException("late", "TimeoutError")) }), `${verb} with the signal of a time-out`);
      }
      await holds(t, `${d}/x/file`, file, "the file is as it was");
      await holds(t, `${d}/x/dir/inside`, file, "what is in the directory is as it was");
      await lists(t, `${d}/x`, ["dir", "file"], "nothing was made");
    },
  },
  {
    id: "aborts.signal.kept",
    title: "a signal that fires after the call has ended changes nothing, and is not held on to",
    why: "A listener that stays on a long-lived signal is a leak per call, and one that still acts cancels a request of somebody else.",
    tier: "full",
    behaviours: [76, 151],
    guarantees: ["error.signal"],
    kills: ["A37"],
    needs: rwld,
    async run(t) {
      const d = await base(t);
      const file = pattern(321, "file");
      await put(t, `${d}/x/dir/inside`, file);
      await put(t, `${d}/x/file`, file);
      const control = new AbortController();
      const { signal } = control;
      const listeners = counted(signal);
      const rounds = async (count: number): Promise<void> => {
        for (let round = 0; round < count; round++) {
          await t.store.stat(`${d}/x/file`, { signal });
          await (await t.store.read(`${d}/x/file`, { signal })).bytes();
          await t.store.write(`${d}/x/new`, file, { signal });
          await t.store.list(`${d}/x`, { signal }).toArray();
          await t.store.delete(`${d}/x/new`, { signal });
        }
        await pause(t, 20);
      };
      await rounds(1);
      const first = listeners();
      await rounds(8);
      t.note(`${listeners()} listeners left on the signal by 45 calls`);
      ok(listeners() < first + 8, "listeners do not pile up on a signal that lives on", listeners());
      control.abort(new Error("too late to matter"));
      await pause(t, 20);
      await holds(t, `${d}/x/file`, file, "the file is as it was");
      await lists(t, `${d}/x`, ["dir", "file"], "and so is its directory");
    },
  },
  {
    id: "aborts.read",
    title: "a read given up in the middle ends with aborted or whole, never short, and the next read is whole",
    why: "A download that ends quietly when it is aborted looks like a file that ends there.",
    tier: "smoke",
    behaviours: [76, 99],
    guarantees: ["error.signal", "read.broken", "read.released"],
    kills: ["M20b"],
    needs: rw,
    async run(t) {
      const path = `${await base(t)}/read.bin`;
      const size = Math.min(4 * mib, t.capabilities.maxFileBytes);
      const bytes = pattern(size, "read");
      await put(t, path, bytes);
      await holds(t, path, bytes, "the file");
      const control = new AbortController();
      const reason = new Error("the reader of the check leaves");
      await using result = await t.store.read(path, { signal: control.signal });
      control.abort(reason);
      const outcome: unknown = await result.bytes().then(
        (found) => found,
        (error: unknown) => error,
      );
      // Bytes that had all arrived when the signal fired may be handed over; a part of them never.
      if (outcome instanceof Uint8Array) sameBytes(outcome, bytes, "bytes handed over although the signal fired are all of them");
      else
        equal(
          (await rejects("aborted", Promise.reject(outcome as Error), "taking bytes after the signal fired")).cause,
          reason,
          "the cause is the reason of the signal",
        );
      await holds(t, path, bytes, "the next read is whole");
    },
  },
  {
    id: "aborts.list",
    title: "a listing given up in the middle ends with aborted, never early",
    why: "A listing that ends early is the classic of data loss: what is missing from it gets deleted on the other side.",
    tier: "smoke",
    behaviours: [99, 76],
    guarantees: ["error.signal"],
    kills: ["A38"],
    needs: rwl,
    async run(t) {
      const d = await base(t);
      for (const name of ["a", "b", "c"]) await put(t, `${d}/x/${name}`, pattern(5, name));
      await lists(t, `${d}/x`, ["a", "b", "c"], "the directory");
      const control = new AbortController();
      const reason = new Error("the check has seen enough");
      const seen: string[] = [];
      const iterate = async (): Promise<void> => {
        for await (const entry of t.store.list(`${d}/x`, { signal: control.signal })) {
          seen.push(entry.path);
          control.abort(reason);
        }
      };
      const outcome: unknown = await iterate().then(
        () => "ended",
        (error: unknown) => error,
      );
      if (outcome === "ended") equal(seen.length, 3, "a listing that ends by itself is whole");
      else equal((await rejects("aborted", Promise.reject(outcome as Error), "a listing given up")).cause, reason, "the cause is the reason of the signal");
      await rejects("aborted", () => t.store.list(`${d}/x`, { signal: control.signal }).toArray(), "a listing with a signal that has fired");
    },
  },
];
