/** Errors: the right kind on every verb, complete and free of secrets, never "not found" for what could not be asked, and arguments that are refused (behaviours 145 to 148, 76, 156). */
import { equal, fail, listAll, ok, pattern, rejects, rejectsType, sameTree, snapshot } from "../assert.ts";
import type { Check, CheckContext, SupportKey } from "../check.ts";
import { StoreError, calls, exists, hasCode, isDirectory, parsePath, readText, toErrno, toHttpStatus } from "../../store/index.ts";
import type { ErrorCode, Store } from "../../store/index.ts";
import { backendOf } from "../backend-of.ts";
import { held, outcome, put, rw, rwl, rwld, tree, unchanged } from "./look.ts";

interface Verb {
  readonly name: string;
  readonly needs: readonly SupportKey[];
  /** The call, with these options; `path` is what it is about, `other` a target. */
  call(store: Store, path: string, other: string, options?: object): Promise<unknown>;
}

/** All verbs that take a path. */
const verbs: readonly Verb[] = [
  { name: "stat", needs: [], call: (store, path, _other, options) => store.stat(path, options) },
  { name: "read", needs: ["read"], call: async (store, path, _other, options) => (await store.read(path, options)).bytes() },
  { name: "write", needs: ["write"], call: (store, path, _other, options) => store.write(path, "written", options) },
  { name: "list", needs: ["list"], call: (store, path, _other, options) => store.list(path, options).toArray() },
  { name: "delete", needs: ["delete"], call: (store, path, _other, options) => store.delete(path, options) },
  { name: "mkdir", needs: ["mkdir"], call: (store, path, _other, options) => store.mkdir(path, options) },
  { name: "copy", needs: ["copy"], call: (store, path, other, options) => store.copy(path, other, options) },
  { name: "move", needs: ["move"], call: (store, path, other, options) => store.move(path, other, options) },
];
const verb = (name: string): Verb => verbs.find((each) => each.name === name)!;

/** No path, address or secret in what may be logged. */
function clean(error: StoreError, what: string): void {
  ok(error.reason !== "", `${what}: the error has a reason`, error);
  ok(
    !/https?:\/\/|\/w\b|\/w-|:\/\/[^\s/]*@|authorization|password|signature=|token=/i.test(error.reason),
    `${what}: the reason holds no path, address or secret`,
    error.reason,
  );
}

/** What every error of a call with a path must say. `rejects` has looked at the message. */
function says(error: StoreError, operation: string, path: string, to: string | null, what: string): void {
  equal([error.operation, error.path as string | null, error.to as string | null], [operation, path, to], `${what}: operation and paths are those of the call`);
  ok(error.message.startsWith(`${error.store} ${operation} ${path}`), `${what}: the message begins with store, operation and path`, error.message);
  ok(error.name === "StoreError" && StoreError.is(error), `${what}: it is a StoreError by name and by test`, error.name);
  ok(typeof error.stack === "string" && error.stack.includes(error.reason), `${what}: it has a stack`, error.stack);
  equal([typeof error.transient, typeof error.attempts], ["boolean", "number"], `${what}: transient and attempts are told`);
  clean(error, what);
}

const missing: readonly Check[] = verbs
  .filter(({ name }) => name !== "write" && name !== "delete" && name !== "mkdir")
  .map(({ name, needs, call }): Check => ({
    id: `errors.not-found.${name}`,
    title: `${name} of what is missing is not-found, also in a missing directory and below a file`,
    why: 'A disk says ENOTDIR below a file, WebDAV 409 or 403, a flat store an empty list. Who asks whether something is there needs one answer for "no".',
    tier: "smoke",
    behaviours: [145],
    guarantees: ["error.code", name === "list" ? "list.missing" : name === "read" ? "read.missing" : name === "stat" ? "stat.missing" : `${name}.missing`],
    rows: ["CF25"],
    kills: [`N51${["stat", "read", "list", "copy", "move"].indexOf(name)}`],
    needs: [...rw, ...needs],
    async run(t) {
      await put(t, "/w/f", "a file");
      for (const path of ["/w-missing", "/w/missing", "/w-missing/in/a/missing/directory", "/w/f/below", "/w/f/far/below", "/w/F-missing", "/w/f "]) {
        const error = await rejects("not-found", () => call(t.store, path, "/w/target"), `${name} of ${path}`);
        says(error, name, path, name === "copy" || name === "move" ? "/w/target" : null, `${name} of ${path}`);
        equal([error.transient, error.applied], [false, false], `${name} of ${path}: trying again does not help, and nothing was done`);
      }
      await rejects("not-found", () => t.store.stat("/w/target"), "nothing was made");
    },
  }));

/** Every way to a code, and what it is in other worlds. */
const worlds: readonly (readonly [ErrorCode, string, number])[] = [
  ["not-found", "ENOENT", 404],
  ["already-exists", "EEXIST", 412],
  ["not-a-directory", "ENOTDIR", 409],
  ["is-a-directory", "EISDIR", 409],
  ["not-empty", "ENOTEMPTY", 409],
  ["invalid-path", "EINVAL", 400],
  ["bad-range", "EINVAL", 416],
  ["precondition-failed", "ESTALE", 412],
  ["unauthenticated", "EACCES", 401],
  ["permission-denied", "EACCES", 403],
  ["rate-limited", "EAGAIN", 429],
  ["no-space", "ENOSPC", 507],
  ["too-large", "EFBIG", 413],
  ["bad-body", "EIO", 400],
  ["integrity", "EIO", 422],
  ["conflict", "EBUSY", 409],
  ["unsupported", "ENOTSUP", 501],
  ["timeout", "ETIMEDOUT", 504],
  ["aborted", "ECANCELED", 499],
  ["unavailable", "EIO", 503],
  ["corrupt", "EIO", 500],
  ["config", "EINVAL", 500],
  ["closed", "EBADF", 503],
  ["unknown", "EIO", 500],
];

const kinds: readonly Check[] = [
  {
    id: "errors.errno",
    title: "each error that this store gives maps to its errno and its HTTP status",
    why: "A mount or a gateway has to say ENOENT or EACCES; one code for everything makes programs on top of it retry for ever or give up at once.",
    tier: "smoke",
    behaviours: [145, 146],
    guarantees: ["error.code"],
    rows: ["CF103", "CF25"],
    kills: ["N180"],
    needs: rwld,
    async run(t) {
      const { store, capabilities } = t;
      await tree(t, "/w", { f: "file", "d/g": "in d" });
      const provoked: (readonly [ErrorCode, () => unknown])[] = [
        ["not-found", () => store.stat("/w/missing")],
        ["is-a-directory", () => store.read("/w/d")],
        ["not-a-directory", () => listAll(store, "/w/f")],
        ["not-empty", () => store.delete("/w/d")],
        ["invalid-path", () => store.stat("w/f")],
        ["aborted", () => store.stat("/w/f", { signal: AbortSignal.abort() })],
        ["bad-body", () => store.write("/w/short", "12", { size: 3 })],
        ["integrity", () => store.write("/w/hash", "12", { expect: { md5: "0".repeat(32) } })],
      ];
      if (capabilities.mkdir !== false) provoked.push(["already-exists", () => store.mkdir("/w/d")]);
      if (capabilities.readRange !== false) provoked.push(["bad-range", () => store.read("/w/f", { range: { offset: 99 } })]);
      if (capabilities.writeIfMatch !== false) provoked.push(["precondition-failed", () => store.write("/w/f", "x", { ifMatch: "no-such-etag" })]);
      for (const [code, provoke] of provoked) {
        const error = await rejects(code, provoke, `to provoke ${code}`);
        const world = worlds.find(([each]) => each === code)!;
        equal([toErrno(error), toHttpStatus(error)], [world[1], world[2]], `errno and HTTP status of ${code}`);
        ok(hasCode(error, code) && !hasCode(error, "unknown"), `hasCode tells ${code}`, error.code);
      }
      for (const [code, errno, status] of worlds) {
        const error = new StoreError(code, "made by the check");
        equal([toErrno(error), toHttpStatus(error)], [errno, status], `errno and HTTP status of ${code}`);
      }
    },
  },
  {
    id: "errors.facts",
    title: "every error names store, operation and paths, and says nothing secret in what may be logged",
    why: '"Error: 404" from the seventh layer of a stack is the bug report that nobody can answer; one with a signed URL in it is worse.',
    tier: "smoke",
    behaviours: [147],
    guarantees: ["error.facts"],
    rows: ["CF25"],
    kills: ["N09", "N40"],
    needs: rwld,
    async run(t) {
      const { store } = t;
      await tree(t, "/w", { f: "file", "d/g": "in d" });
      const failures: (readonly [string, string, string | null, ErrorCode, () => unknown])[] = [
        ["stat", "/w/missing", null, "not-found", () => store.stat("/w/missing")],
        ["read", "/w/missing", null, "not-found", () => store.read("/w/missing")],
        ["read", "/w/d", null, "is-a-directory", () => store.read("/w/d")],
        ["list", "/w/missing", null, "not-found", () => listAll(store, "/w/missing")],
        ["list", "/w/f", null, "not-a-directory", () => listAll(store, "/w/f")],
        ["delete", "/w/d", null, "not-empty", () => store.delete("/w/d")],
        ["delete", "/", null, "invalid-path", () => store.delete("/")],
        ["write", "/w/short", null, "bad-body", () => store.write("/w/short", "12", { size: 3 })],
      ];
      if (t.capabilities.copy !== false) failures.push(["copy", "/w/missing", "/w/to", "not-found", () => store.copy("/w/missing", "/w/to")]);
      if (t.capabilities.move !== false) failures.push(["move", "/w/missing", "/w/to", "not-found", () => store.move("/w/missing", "/w/to")]);
      if (t.capabilities.mkdir !== false) failures.push(["mkdir", "/w/d", null, "already-exists", () => store.mkdir("/w/d")]);
      for (const [operation, path, to, code, provoke] of failures) {
        const error = await rejects(code, provoke, `${operation} ${path}`);
        says(error, operation, path, to, `${operation} ${path}`);
        equal(error.applied, false, `${operation} ${path}: nothing was done`);
      }
    },
  },
  {
    id: "errors.own-paths",
    title: "an error of a call that is made of several names the caller's path, not that of the step",
    why: '"not found: /w/a/b/c" for a move of /w/a: the caller looks for a file it never asked for, and a prefix or the name of an archive leaks.',
    tier: "full",
    behaviours: [147],
    guarantees: ["error.facts"],
    kills: ["N181"],
    needs: rwld,
    async run(t) {
      await tree(t, "/w", { "d/a": "1", "d/b": "2", "e/a": "3", f: "4" });
      if (t.capabilities.copyTree !== false && t.capabilities.copy !== false)
        says(await rejects("not-empty", () => t.store.copy("/w/d", "/w/e"), "copy"), "copy", "/w/d", "/w/e", "copy of a tree");
      if (t.capabilities.moveTree !== false && t.capabilities.move !== false)
        says(await rejects("not-empty", () => t.store.move("/w/d", "/w/e"), "move"), "move", "/w/d", "/w/e", "move of a tree");
      says(await rejects("not-empty", () => t.store.delete("/w/d"), "delete"), "delete", "/w/d", null, "delete of a directory");
      if (t.capabilities.strictHierarchy)
        says(await rejects("not-a-directory", () => t.store.write("/w/f/x/y", "below"), "write"), "write", "/w/f/x/y", null, "write below a file");
    },
  },
  {
    id: "errors.exists",
    title: "exists is false for what is missing and true for what is there; anything else rejects",
    why: '`exists` that catches everything says "no" when the network is down, and the caller writes the file anew.',
    tier: "smoke",
    behaviours: [145, 148],
    guarantees: ["error.code", "stat.missing"],
    rows: ["CF19", "CF16"],
    kills: ["N510"],
    needs: rw,
    async run(t) {
      await put(t, "/w/f", "file");
      equal([await exists(t.store, "/w/f"), await exists(t.store, "/w"), await exists(t.store, "/")], [true, true, true], "what is there");
      equal(
        [await exists(t.store, "/w/missing"), await exists(t.store, "/w/f/below"), await exists(t.store, "/w-missing/x")],
        [false, false, false],
        "what is missing",
      );
      equal([await isDirectory(t.store, "/w"), await isDirectory(t.store, "/w/f"), await readText(t.store, "/w/f")], [true, false, "file"], "what it is");
      await rejects("invalid-path", () => exists(t.store, "no-path"), "a path that is none");
      await rejects("aborted", () => exists(t.store, "/w/f", { signal: AbortSignal.abort() }), "a call that was cancelled");
    },
  },
  {
    id: "errors.refusals.unchanged",
    title: "calls that fail change nothing, and say so",
    why: '"Failed" and "failed after half of it" are different answers; only the first may be tried again without a look.',
    tier: "smoke",
    behaviours: [146],
    guarantees: ["error.unchanged"],
    kills: ["N182"],
    needs: rwld,
    async run(t) {
      const { store, capabilities } = t;
      await tree(t, "/w", { f: "file", "d/g": "in d" });
      const before = await held(t);
      const failures: (readonly [ErrorCode, () => unknown])[] = [
        ["not-empty", () => store.delete("/w/d")],
        ["bad-body", () => store.write("/w/f", "12", { size: 3 })],
        ["integrity", () => store.write("/w/f", "12", { expect: { sha256: "0".repeat(64) } })],
        ["is-a-directory", () => store.write("/", "root")],
      ];
      if (capabilities.strictHierarchy)
        failures.push(["is-a-directory", () => store.write("/w/d", "over")], ["not-a-directory", () => store.write("/w/f/x", "below")]);
      if (capabilities.mkdir !== false) failures.push(["already-exists", () => store.mkdir("/w/d")]);
      if (capabilities.copy !== false) failures.push(["not-found", () => store.copy("/w/missing", "/w/f")]);
      if (capabilities.move !== false) failures.push(["not-found", () => store.move("/w/missing", "/w/f")]);
      for (const [code, provoke] of failures) {
        const error = await rejects(code, provoke, `a call that fails with ${code}`);
        equal([error.applied, error.partial], [false, null], `${code}: the error says that nothing was changed`);
      }
      await unchanged(t, before, "nothing was changed");
    },
  },
  {
    id: "errors.frozen",
    title: "an error can be given to several callers: `with` makes a copy and leaves it as it is",
    why: "A failed request that ten callers waited for is one error with ten readers; a layer that writes its own path into it changes it for the other nine.",
    tier: "full",
    behaviours: [147],
    guarantees: ["error.facts"],
    kills: ["N183"],
    needs: rw,
    async run(t) {
      const error = await rejects("not-found", () => t.store.read("/w/missing"), "a read of what is missing");
      const message = error.message;
      const other = error.with({ path: parsePath("/elsewhere"), attempts: 3, code: "unavailable" });
      equal(
        [other.code, other.path as string | null, other.attempts, other.operation],
        ["unavailable", "/elsewhere", 3, "read"],
        "the copy has what was changed and keeps the rest",
      );
      equal([error.code, error.path as string | null, error.attempts, error.message], ["not-found", "/w/missing", 1, message], "the error is as it was");
      const again = await rejects("not-found", () => t.store.read("/w/missing-too"), "another call that fails in the same way");
      equal([again.code, again.path as string | null], ["not-found", "/w/missing-too"], "gets its own facts");
      equal([error.code, error.path as string | null, error.message], ["not-found", "/w/missing", message], "and leaves those of the first as they were");
    },
  },
  {
    id: "errors.backend",
    title: "the backend below the front gives the same codes, for layers that call it",
    why: "What only the front checks is open to every layer below it.",
    tier: "full",
    behaviours: [145, 158],
    guarantees: ["error.code"],
    kills: ["N511"],
    needs: rwl,
    async run(t) {
      await tree(t, "/w", { f: "file", "d/g": "in d" });
      const backend = backendOf(t.store);
      const path = parsePath;
      const failures: (readonly [ErrorCode, () => Promise<unknown>])[] = [
        ["not-found", () => backend.stat(calls.stat(path("/w/missing")))],
        ["not-found", () => backend.read(calls.read(path("/w/missing")))],
        ["is-a-directory", () => backend.read(calls.read(path("/w/d")))],
        ["not-a-directory", () => backend.list(calls.list(path("/w/f")))],
        ["not-found", () => backend.list(calls.list(path("/w/missing")))],
      ];
      if (t.capabilities.delete !== false) failures.push(["not-empty", () => backend.delete(calls.delete(path("/w/d")))]);
      for (const [code, provoke] of failures) {
        const { error } = await outcome(provoke());
        ok(hasCode(error, code), `the backend says ${code}`, error ?? "success");
      }
    },
  },
];

/** A signal on every verb. */
const signals: readonly Check[] = verbs.flatMap(({ name, needs, call }): readonly Check[] => [
  {
    id: `errors.signal.${name}`,
    title: `${name} with a signal that has fired is aborted with its reason, or a timeout, and does nothing`,
    why: "A signal that one verb forgets is a call that nobody can stop. Time-outs are aborts with a reason, and callers retry the one and not the other.",
    tier: "smoke",
    behaviours: [76],
    guarantees: ["error.signal"],
    kills: [name === "list" ? "N11" : `N3${verbs.findIndex((each) => each.name === name)}0`],
    needs: [...rwl, ...needs],
    async run(t) {
      await put(t, "/w/f", "file");
      const before = await held(t);
      const path = name === "list" ? "/w" : name === "mkdir" ? "/w/made" : "/w/f";
      const reason = new Error("the caller's own reason");
      const aborted = await rejects(
        "aborted",
        () => call(t.store, path, "/w/to", { signal: AbortSignal.abort(reason) }),
        `${name} with a signal that has fired`,
      );
      ok(aborted.cause === reason, "the reason of the signal is the cause", aborted.cause);
      equal([aborted.applied, aborted.transient], [false, false], "nothing was done, and nobody should try again by himself");
      says(aborted, name, path, name === "copy" || name === "move" ? "/w/to" : null, name);
      const timeout = await rejects(
        "timeout",
        () => call(t.store, path, "/w/to", { signal: AbortSignal.abort(new DOMException("too late", "TimeoutError")) }),
        `${name} with a time-out that is over`,
      );
      equal([timeout.transient, timeout.applied], [true, false], "a time-out may be tried again, and nothing was done");
      await unchanged(t, before, "nothing was changed");
    },
  },
  {
    id: `errors.signal.${name}.running`,
    title: `${name} whose signal fires while it runs ends: with its result, or aborted and true about what was done`,
    why: "A call that goes on after its abort still holds its connection; one that rejects and goes on changes the file after its caller has cleaned up.",
    tier: "full",
    behaviours: [76, 99],
    guarantees: ["error.signal"],
    kills: name === "stat" || name === "read" || name === "list" ? [] : [`N38${verbs.findIndex((each) => each.name === name)}`],
    needs: [...rwl, ...needs, ...(name === "write" || name === "mkdir" || name === "copy" || name === "move" ? (["delete"] as const) : [])],
    timeoutMs: 60_000,
    async run(t) {
      // Each round in a place of its own: a request whose answer was lost may still land while the next round runs.
      for (const turns of [0, 1, 3, 10]) {
        const place = `/w/${turns}`;
        await put(t, `${place}/f`, pattern(30_000, "before"));
        const path = name === "list" ? place : name === "mkdir" ? `${place}/made` : `${place}/f`;
        const before = await snapshot(t.store, place);
        const stop = new AbortController();
        const running = outcome(call(t.store, path, `${place}/to`, { signal: stop.signal }));
        for (let turn = 0; turn < turns; turn += 1) await new Promise((next) => setImmediate(next));
        stop.abort(new Error("the caller gives up"));
        const { error } = await running;
        if (error === undefined) continue;
        const said = await rejects("aborted", Promise.reject(error), `${name}, aborted after ${turns} turns`);
        // What was only given up by the caller, and goes on by itself, shows a moment later.
        for (let turn = 0; turn < 5; turn += 1) await new Promise((next) => setImmediate(next));
        const what = `${name}, aborted after ${turns} turns: applied is false, so nothing was changed`;
        if (said.applied === false) await t.settled("list", async () => sameTree(await snapshot(t.store, place), before, what));
        else ok(said.applied === "unknown" || said.applied === true, "or it says that it may have been done", said.applied);
      }
      // Nothing is stuck.
      await put(t, "/w/after", "after");
      equal(await readText(t.store, "/w/after"), "after", "the store goes on working");
    },
  },
]);

const cannotBeAsked: readonly Check[] = [...verbs, { name: "space", needs: ["space"], call: (store: Store) => store.space() } as Verb].map(
  ({ name, needs, call }): Check => ({
    id: `errors.unavailable.${name}`,
    title: `${name} of a store that cannot be reached is unavailable, never not-found and never empty`,
    why: '"Not found" for a network that is down made sync tools delete everything that they could not see.',
    tier: "smoke",
    behaviours: [148],
    guarantees: ["error.unavailable"],
    rows: ["CF19", "CF102"],
    kills: ["N520"],
    needs,
    offers: ["unavailable"],
    timeoutMs: 60_000,
    async run(t) {
      const { subject } = t;
      if (subject.unavailable === undefined) fail("the subject offers a store that cannot be reached");
      const store = subject.unavailable(t.place);
      try {
        const error = await rejects("unavailable", () => call(store, "/w/f", "/w/to"), `${name} of a store that cannot be reached`);
        equal(error.transient, true, "it may be tried again");
        clean(error, name);
        ok(error.applied === false || error.applied === "unknown", "it does not claim that something was done", error.applied);
        if (name === "stat") {
          await rejects("unavailable", () => exists(store, "/w/f"), "exists rejects: it does not know");
          await rejects("unavailable", () => store.stat("/"), "stat of the root proves that the store is reachable, so it fails");
        }
      } finally {
        await store.close();
      }
    },
  }),
);

/** Arguments that the types forbid. */
const wrongOptions: Readonly<Record<string, readonly object[]>> = {
  stat: [{ detail: "everything" }, { fresh: 1 }, { signal: {} }, { unknown: true }],
  read: [
    { range: { offset: 0.5 } },
    { range: { offset: 0, length: -1 } },
    { range: { offset: -2, length: 1 } },
    { range: { offset: Number.NaN } },
    { range: "0-5" },
    { ifMatch: 7 },
    { signal: "now" },
    { encoding: "utf8" },
  ],
  write: [
    { size: -1 },
    { size: 1.5 },
    { size: "7" },
    { ifAbsent: "yes" },
    { ifMatch: 7 },
    { expect: { md5: "short" } },
    { expect: { rot13: "00" } },
    { onProgress: "loud" },
    { flag: "wx" },
    { signal: 1 },
    { ifAbsent: true, ifMatch: "x" },
  ],
  list: [{ recursive: 1 }, { limit: 10 }, { prefix: "a" }, { signal: null }],
  delete: [{ recursive: "yes" }, { force: true }, { ifMatch: 1 }],
  mkdir: [{ existOk: 1 }, { recursive: true }, { mode: 0o755 }],
  copy: [{ ifAbsent: 1 }, { overwrite: true }, { signal: {} }],
  move: [{ ifAbsent: "no" }, { overwrite: false }, { force: 1 }],
};

const options: readonly Check[] = Object.entries(wrongOptions).map(([name, wrong]): Check => ({
  id: `errors.options.${name}`,
  title: `options of ${name} that do not exist, or have a value of the wrong type, are a TypeError and change nothing`,
  why: 'An option that is ignored is a promise that is not kept: `overwrite: false` overwrote, `recursive: "no"` deleted.',
  tier: "smoke",
  behaviours: [156, 50],
  guarantees: ["capability.refused"],
  kills: [`N4${Object.keys(wrongOptions).indexOf(name)}0`],
  needs: [...rwl, ...verb(name).needs],
  async run(t) {
    await put(t, "/w/f", "file");
    const before = await held(t);
    const path = name === "list" ? "/w" : name === "mkdir" ? "/w/made" : "/w/f";
    for (const option of wrong) {
      await rejectsType(() => verb(name).call(t.store, path, "/w/to", option), `${name} with ${JSON.stringify(option)}`);
    }
    await unchanged(t, before, "nothing was changed");
    // What is undefined was not given.
    const { error } = await outcome(verb(name).call(t.store, path, "/w/to", Object.fromEntries(Object.keys(wrong[0]!).map((key) => [key, undefined]))));
    equal(error, undefined, "an option that is undefined is as if it were not given");
  },
}));

const fuzz: Check = {
  id: "errors.fuzz.paths",
  title: "random text as a path is refused as a path, or is a path like any other; nothing else happens",
  why: "What nobody thought of is what a user types: parsers throw RangeError, URL objects throw TypeError, and a path that was half understood is another file.",
  tier: "torture",
  behaviours: [166],
  guarantees: ["path.checked", "path.kept"],
  kills: ["N239"],
  needs: rwld,
  timeoutMs: 240_000,
  async run(t) {
    const pieces = [
      "/",
      "/",
      "/",
      "a",
      "b",
      ".",
      "..",
      " ",
      "%",
      "%2F",
      "%00",
      "\\",
      "\0",
      "\ud800",
      "\u00e9",
      "e\u0301",
      "\u{1f600}",
      "?",
      "#",
      "//",
      "\n",
      "\u007f",
      "*",
      ":",
      "con",
      "x".repeat(300),
      "~",
      "+",
      "&",
      "<",
      '"',
      "'",
    ];
    const counts = { refused: 0, missing: 0, stored: 0 };
    for (let round = 0; round < 400; round += 1) {
      const path = `${t.random() < 0.9 ? "/w/" : ""}${Array.from({ length: 1 + Math.floor(t.random() * 5) }, () => pieces[Math.floor(t.random() * pieces.length)]!).join("")}`;
      const { error } = await outcome(t.store.stat(path));
      if (hasCode(error, "invalid-path")) {
        counts.refused += 1;
        for (const call of [() => t.store.write(path, "x"), () => t.store.read(path)])
          await rejects("invalid-path", call, `the same for every verb: ${JSON.stringify(path)}`);
        continue;
      }
      // Left over from an earlier round, a path may exist; otherwise it is missing, and nothing else.
      if (error !== undefined) ok(hasCode(error, "not-found"), `stat of ${JSON.stringify(path)} is not-found or invalid-path`, error);
      counts.missing += 1;
      const written = await outcome(t.store.write(path, path.isWellFormed() ? path : ""));
      if (written.error !== undefined) {
        ok(
          hasCode(written.error, "invalid-path", "not-a-directory", "is-a-directory"),
          `a write to ${JSON.stringify(path)} is refused for its path, if at all`,
          written.error,
        );
        continue;
      }
      counts.stored += 1;
      await t.settled("read", async () => equal(await readText(t.store, path), path, `${JSON.stringify(path)} holds what was written to it`));
      await t.store.delete(path);
    }
    t.note(`${counts.refused} refused, ${counts.missing} understood, ${counts.stored} stored`);
    ok(counts.refused > 20 && counts.stored > 20, "both kinds were tried", counts);
  },
};

async function transients(t: CheckContext): Promise<void> {
  const plain: readonly ErrorCode[] = [
    "not-found",
    "already-exists",
    "not-a-directory",
    "is-a-directory",
    "not-empty",
    "invalid-path",
    "bad-range",
    "precondition-failed",
    "unauthenticated",
    "permission-denied",
    "no-space",
    "too-large",
    "bad-body",
    "integrity",
    "unsupported",
    "aborted",
    "corrupt",
    "config",
    "closed",
    "unknown",
  ];
  for (const code of plain) equal(new StoreError(code, "made by the check").transient, false, `${code} does not go away by itself`);
  for (const code of ["rate-limited", "conflict", "timeout", "unavailable"] as const)
    equal(new StoreError(code, "made by the check").transient, true, `${code} may go away by itself`);
  await put(t, "/w/f", "file");
  const error = await rejects("not-found", () => t.store.read("/w/missing"), "a read of what is missing");
  equal([error.transient, error.retryAfterMs], [false, null], "what is missing does not come by waiting");
  if (t.capabilities.readRange !== false) {
    const range = await rejects("bad-range", () => t.store.read("/w/f", { range: { offset: 100 } }), "a range past the end");
    equal(range.transient, false, "a range past the end does not become right by waiting");
  }
}

const permanence: Check = {
  id: "errors.transient",
  title: "what waiting cannot mend is not transient, and what it can is",
  why: "A retry layer that waits for a missing file to appear costs a minute per lookup; one that gives up on a busy service loses the upload.",
  tier: "full",
  behaviours: [146],
  guarantees: ["error.code"],
  rows: ["CF25", "CF93"],
  kills: ["N184"],
  needs: rw,
  run: transients,
};

export const checks: readonly Check[] = [...missing, ...kinds, permanence, fuzz, ...signals, ...options, ...cannotBeAsked];
