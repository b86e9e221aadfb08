/** One-bug stores whose errors, arguments and capabilities are wrong. */
import { StoreError, bytesFrom, createStore } from "../../store/index.ts";
import type { Backend, Call, Capabilities, Entry, ErrorCode, Store, StorePath } from "../../store/index.ts";
import { collected, withBytes } from "./bodies.ts";
import { bugged } from "./broken.ts";
import type { Bent, BrokenStore, Bug } from "./broken.ts";
import { referenceProvider } from "../model/reference.ts";
import { at, emptyAt, turn, unless } from "./tree.ts";

type Verb = "stat" | "read" | "write" | "list" | "delete" | "mkdir" | "copy" | "move" | "space" | "account";
const verbs: readonly Verb[] = ["stat", "read", "write", "list", "delete", "mkdir", "copy", "move", "space", "account"];

/** Every error that comes up, changed. */
function errors(bug: Omit<Bug, "below">, change: (error: StoreError, path: StorePath) => unknown, only: readonly Verb[] = verbs): BrokenStore {
  return bugged({
    ...bug,
    below: () => (inner) => {
      const bent: Record<string, (call: { readonly path: StorePath }) => Promise<unknown>> = {};
      for (const verb of only) {
        bent[verb] = (call) =>
          (inner[verb] as (call: unknown) => Promise<unknown>)(call).catch((error: unknown) =>
            Promise.reject((StoreError.is(error) ? change(error, call.path) : error) as Error),
          );
      }
      return bent;
    },
  });
}

/** The same above the front, where operation and paths have been added. */
function shown(bug: Omit<Bug, "above">, change: (error: StoreError) => unknown, only: readonly Exclude<Verb, "list">[]): BrokenStore {
  return bugged({
    ...bug,
    above: () => (store) => {
      const bent: Record<string, (...args: readonly unknown[]) => Promise<unknown>> = {};
      for (const verb of only)
        bent[verb] = (...args) =>
          (store[verb] as (...args: readonly unknown[]) => Promise<unknown>)(...args).catch((error: unknown) =>
            Promise.reject((StoreError.is(error) ? change(error) : error) as Error),
          );
      return bent;
    },
  });
}

const wrongKind = (id: string, verb: Verb, code: ErrorCode, killedBy: readonly string[]): BrokenStore =>
  errors(
    { id, bug: `${verb} of what is missing is ${code}`, killedBy },
    (error) => (error.code === "not-found" ? new StoreError(code, "something is wrong") : error),
    [verb],
  );

/** A verb that does not look at its options, or at one of them. */
function blind(id: string, bug: string, verb: Exclude<Verb, "list">, killedBy: readonly string[], change: (options: object) => object): BrokenStore {
  const at = verb === "space" || verb === "account" ? 0 : verb === "write" || verb === "copy" || verb === "move" ? 2 : 1;
  return bugged({
    id,
    bug,
    killedBy,
    above: () => (store) => ({
      [verb]: (...args: unknown[]) => (store[verb] as (...args: readonly unknown[]) => Promise<unknown>)(...args.slice(0, at), change(args[at] ?? {})),
    }),
  });
}
const unsigned = (options: object): object => Object.fromEntries(Object.entries(options).filter(([key]) => key !== "signal"));

/** A call that is given up goes on by itself, and the error says that nothing was done. */
function runaway(id: string, verb: "write" | "delete" | "mkdir" | "copy" | "move"): BrokenStore {
  return bugged({
    id,
    bug: `a ${verb} that is aborted is done all the same, a moment later`,
    killedBy: [`errors.signal.${verb}.running`],
    below: () => (inner) => ({
      [verb]: (call: Call): Promise<unknown> =>
        new Promise((done, fail) => {
          call.signal?.addEventListener("abort", () => fail(new StoreError("aborted", "the caller gave up", { applied: false, cause: call.signal?.reason })), {
            once: true,
          });
          turn()
            .then(() => (inner[verb] as (call: unknown) => Promise<unknown>)({ ...call, signal: undefined }))
            .then(done, fail);
        }),
    }),
  });
}

const kinds: readonly BrokenStore[] = [
  wrongKind("N510", "stat", "permission-denied", ["errors.not-found.stat", "errors.exists"]),
  wrongKind("N511", "read", "is-a-directory", ["errors.not-found.read", "errors.backend"]),
  wrongKind("N512", "list", "not-a-directory", ["errors.not-found.list"]),
  wrongKind("N513", "copy", "conflict", ["errors.not-found.copy"]),
  wrongKind("N514", "move", "precondition-failed", ["errors.not-found.move"]),
  errors(
    { id: "N180", bug: "a directory that is read is not-found", killedBy: ["errors.errno"] },
    (error) => (error.code === "is-a-directory" ? new StoreError("not-found", "nothing is there") : error),
    ["read"],
  ),
  shown(
    { id: "N09", bug: "errors name neither operation nor path", killedBy: ["errors.facts"] },
    (error) => new StoreError(error.code, error.reason, { store: error.store ?? undefined }),
    ["stat", "read", "write", "delete", "mkdir", "copy", "move"],
  ),
  errors({ id: "N40", bug: "the reason of an error holds the path", killedBy: ["errors.facts", "stack.paths"] }, (error, path) =>
    error.with({ reason: `${error.reason}: ${path}` }),
  ),
  shown(
    { id: "N181", bug: "an error of a tree names the path of the step", killedBy: ["errors.own-paths"] },
    (error) => error.with({ path: `${error.path}/a` as StorePath }),
    ["delete", "copy", "move"],
  ),
  errors(
    { id: "N182", bug: "a refusal does not say that nothing was changed", killedBy: ["errors.refusals.unchanged"] },
    (error) => error.with({ applied: "unknown" }),
    ["write", "delete", "mkdir", "copy", "move"],
  ),
  bugged({
    id: "N183",
    bug: "one error object is used for all that is missing, and is written into",
    killedBy: ["errors.frozen"],
    above: () => {
      let first: StoreError | undefined;
      return (store) => ({
        read: (path, options) =>
          store.read(path, options).catch((error: unknown) => {
            if (!StoreError.is(error) || error.code !== "not-found") throw error;
            if (first === undefined) first = error;
            else Object.assign(first, { path: error.path, message: error.message });
            throw first;
          }),
      });
    },
  }),
  bugged({
    id: "N239",
    bug: "an escape that is none is a RangeError of the URL library, which becomes unknown",
    killedBy: ["errors.fuzz.paths"],
    below: () => (inner) => ({ stat: (call) => (/%(?![0-9A-F]{2})/i.test(call.path) ? Promise.reject(new RangeError("URI malformed")) : inner.stat(call)) }),
  }),
  errors({ id: "N184", bug: "what is missing is transient", killedBy: ["errors.transient"] }, (error) =>
    error.code === "not-found" ? error.with({ transient: true }) : error,
  ),
  bugged({
    id: "N520",
    bug: "a store that cannot be reached says not-found",
    killedBy: [
      "errors.unavailable.stat",
      "errors.unavailable.read",
      "errors.unavailable.write",
      "errors.unavailable.list",
      "errors.unavailable.delete",
      "errors.unavailable.mkdir",
      "errors.unavailable.copy",
      "errors.unavailable.move",
      "errors.unavailable.space",
    ],
    subject: {
      unavailable: (): Store => {
        const down = (): never => {
          throw new StoreError("not-found", "nothing is there");
        };
        return createStore({
          ...referenceProvider(),
          stat: down,
          read: down,
          write: down,
          list: down,
          delete: down,
          mkdir: down,
          copy: down,
          move: down,
          space: down,
          account: down,
        });
      },
    },
  }),
];

const arguments_: readonly BrokenStore[] = [
  ...(["stat", "read", "write", "delete", "mkdir", "copy", "move"] as const).map((verb) =>
    blind(
      `N3${["stat", "read", "write", "list", "delete", "mkdir", "copy", "move"].indexOf(verb)}0`,
      `${verb} does not look at its signal`,
      verb,
      [`errors.signal.${verb}`],
      unsigned,
    ),
  ),
  ...(["stat", "read", "write", "delete", "mkdir", "copy", "move"] as const).map((verb) =>
    blind(
      `N4${["stat", "read", "write", "list", "delete", "mkdir", "copy", "move"].indexOf(verb)}0`,
      `${verb} ignores options that it does not understand`,
      verb,
      [`errors.options.${verb}`],
      () => ({}),
    ),
  ),
  ...(["write", "delete", "mkdir", "copy", "move"] as const).map((verb) =>
    runaway(`N38${["stat", "read", "write", "list", "delete", "mkdir", "copy", "move"].indexOf(verb)}`, verb),
  ),
  bugged({
    id: "N430",
    bug: "list ignores options that it does not understand",
    killedBy: ["errors.options.list"],
    above: () => (store) => ({ list: (dir) => store.list(dir) }),
  }),
  blind("N224", "space does not look at its signal", "space", ["space.signal"], unsigned),
  blind("N224b", "account does not look at its signal", "account", ["account.signal"], unsigned),
];

/** A declared verb that says yes and does nothing. */
const stub = (id: string, verb: keyof Backend & Verb, bug: string, killedBy: readonly string[], bend: (inner: Backend) => Bent): BrokenStore =>
  bugged({ id, bug: `${verb} is declared: ${bug}`, killedBy, below: () => bend });

const nothing = (path: StorePath, size: number | null): Entry => ({
  path,
  kind: "file",
  size,
  modifiedMs: null,
  etag: null,
  id: null,
  contentType: null,
  hashes: {},
  metadata: null,
  complete: false,
});
const declared = (bug: Omit<Bug, "below">, change: (capabilities: Capabilities) => Capabilities): BrokenStore =>
  bugged({ ...bug, below: () => (inner) => ({ capabilities: change(inner.capabilities) }) });

const promises: readonly BrokenStore[] = [
  stub("N601", "read", "every file is empty", ["capabilities.read"], (inner) => ({
    read: async (call) => {
      const reply = await inner.read(call);
      await reply.body.close();
      return { ...reply, body: bytesFrom(new Uint8Array()) };
    },
  })),
  stub("N602", "write", "nothing is stored", ["capabilities.write"], () => ({
    write: async (call) => {
      const { bytes } = await collected(call);
      return nothing(call.path, bytes.length);
    },
  })),
  stub("N603", "list", "every directory is empty", ["capabilities.list"], (inner) => ({
    list: async (call) => ({ ...(await inner.list(call)), entries: [], cursor: undefined }),
  })),
  stub("N604", "copy", "nothing is copied", ["capabilities.copy"], () => ({ copy: async (call) => nothing(call.to, null) })),
  stub("N605", "move", "nothing is moved", ["capabilities.move"], () => ({ move: async (call) => nothing(call.to, null) })),
  stub("N606", "space", "nothing is known", ["capabilities.space", "space.figures"], () => ({ space: async () => ({ used: null, free: null, total: null }) })),
  stub("N607", "read", "ranges give the whole file", ["capabilities.read-range"], (inner) => ({ read: (call) => inner.read({ ...call, range: undefined }) })),
  stub("N13", "read", "a suffix that is longer than the file begins before its start", ["capabilities.read-suffix"], (inner) => ({
    async read(call) {
      const reply = await inner.read(call);
      const { range } = call;
      return range !== undefined && range.offset < 0 && reply.entry.size !== null && -range.offset > reply.entry.size
        ? { ...reply, offset: reply.entry.size + range.offset }
        : reply;
    },
  })),
  stub("N608", "write", "ifAbsent means nothing", ["capabilities.write-if-absent"], (inner) => ({
    write: (call) => inner.write({ ...call, ifAbsent: false }),
  })),
  stub("N609", "write", "ifMatch means nothing", ["capabilities.write-if-match"], (inner) => ({
    write: (call) => inner.write({ ...call, ifMatch: undefined }),
  })),
  stub("N610", "write", "of a body of unknown size the first piece is stored", ["capabilities.write-unknown-size"], (inner) => ({
    async write(call) {
      const { bytes, error } = await collected(call);
      if (error !== undefined) throw error;
      return await inner.write(withBytes(call, call.body.size === null ? bytes.subarray(0, 1000) : bytes));
    },
  })),
  stub("N611", "list", "recursive means nothing", ["capabilities.list-recursive"], (inner) => ({ list: (call) => inner.list({ ...call, recursive: false }) })),
  stub("N612", "delete", "a recursive delete of a full directory does nothing", ["capabilities.delete-recursive"], (inner) => ({
    async delete(call) {
      if (!call.recursive || (await emptyAt(inner, call.path))) await inner.delete(call);
    },
  })),
  stub("N613", "copy", "of a tree only the directory is made", ["capabilities.copy-tree"], (inner) => ({
    async copy(call) {
      if ((await at(inner, call.path))?.kind !== "directory") return await inner.copy(call);
      return await inner.mkdir({ operation: "mkdir", path: call.to, signal: call.signal, existOk: true });
    },
  })),
  stub("N614", "move", "a tree stays where it is", ["capabilities.move-tree"], (inner) => ({
    async move(call) {
      const entry = await inner.stat({ operation: "stat", path: call.path, signal: call.signal, detail: "full", fresh: true });
      return entry.kind === "directory" ? { ...entry, path: call.to } : await inner.move(call);
    },
  })),
  declared({ id: "N201", bug: "a capability is not told", killedBy: ["capabilities.complete"] }, (capabilities) => ({
    ...capabilities,
    undelete: undefined as unknown as false,
  })),
  declared({ id: "N202", bug: "conditions by etag are declared, and no etag", killedBy: ["capabilities.coherent"] }, (capabilities) => ({
    ...capabilities,
    etag: false,
  })),
  declared({ id: "N203", bug: "a capability changes while the store is used", killedBy: ["capabilities.constant"] }, (capabilities) => {
    let asked = 1;
    return Object.defineProperty({ ...capabilities }, "concurrency", { enumerable: true, get: () => (asked += 1) });
  }),
  bugged({
    id: "N204",
    bug: "a character that is declared as forbidden is replaced",
    killedBy: ["capabilities.forbidden"],
    reference: { capabilities: { forbidden: ":" } },
    above: () => (store) => ({ write: (path, body, options) => store.write(path.replaceAll(":", "_"), body, options) }),
  }),
  bugged({
    id: "N205",
    bug: "a file in the root is put into a directory that nobody named, where files cannot lie in the root",
    killedBy: ["capabilities.files-at-root"],
    reference: { capabilities: { filesAtRoot: false } },
    above: () => (store) => ({ write: (path, body, options) => store.write(path.lastIndexOf("/") === 0 ? `/files${path}` : path, body, options) }),
  }),
  stub("N55", "write", "a write below a file is a success, and goes nowhere", ["capabilities.hierarchy"], (inner) => ({
    write: (call) => unless("not-a-directory", inner.write(call), () => nothing(call.path, call.body.size)),
  })),
];

const figures: readonly BrokenStore[] = [
  bugged({
    id: "N14",
    bug: "what is free is -3, which is how WebDAV says unlimited",
    killedBy: ["space.figures"],
    below: () => (inner) => ({ space: async (call) => ({ ...(await inner.space(call)), free: -3 }) }),
  }),
  bugged({
    id: "N222",
    bug: "what is used is not taken off what is free",
    killedBy: ["space.adds-up"],
    reference: { capacityBytes: 1_000_000_000 },
    below: () => (inner) => ({
      space: async (call) => {
        const space = await inner.space(call);
        return { ...space, free: space.total };
      },
    }),
  }),
  bugged({
    id: "N223",
    bug: "every second time nothing is known about space",
    killedBy: ["space.again"],
    below: () => {
      let asked = 0;
      return (inner) => ({ space: async (call) => ((asked += 1) % 2 === 0 ? { used: null, free: null, total: null } : await inner.space(call)) });
    },
  }),
  bugged({
    id: "N36",
    bug: 'the account is "undefined"',
    killedBy: ["account.text"],
    below: () => () => ({ account: async () => ({ provider: "reference", user: null, text: "undefined" }) }),
  }),
  bugged({
    id: "N36b",
    bug: "the account has no text",
    killedBy: ["capabilities.account"],
    below: () => () => ({ account: async () => ({ provider: "reference", user: null, text: "" }) }),
  }),
  bugged({
    id: "N225",
    bug: "the account is another one each time",
    killedBy: ["account.again"],
    below: () => {
      let asked = 0;
      return (inner) => ({ account: async (call) => ({ ...(await inner.account(call)), text: `reference session ${(asked += 1)}` }) });
    },
  }),
];

export const broken: readonly BrokenStore[] = [...kinds, ...arguments_, ...promises, ...figures];
