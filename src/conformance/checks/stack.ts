/** Laws of layers over this store: a layer that changes nothing is not seen, each layer sees every call and every byte, and life goes in the right order (behaviours 150, 157 to 159, 161). */
import { equal, fail, listAll, names, ok, pattern, pieces, readAll, rejects, sameBytes, sameTree, show, snapshot } from "../assert.ts";
import { backendOf } from "../backend-of.ts";
import type { Check, CheckContext } from "../check.ts";
import { StoreError, borrow, calls, find, hasCode, kindOf, layer, observe, parsePath, rebase, root, stack, uniform } from "../../store/index.ts";
import type { Backend, Call, Calls, Capabilities, Entry, Layer, Operation, Replies, Store } from "../../store/index.ts";
import { gone, holds, lists, outcome, put, rw, rwl, rwld, tree } from "./look.ts";

/** Changes nothing. */
const nothing: Layer<"nothing"> = layer("nothing", (inner) => ({ backend: inner }));

/** Sees every call on its way down. */
function watching(seen: Call[]): Layer<"watching"> {
  return layer("watching", (inner) => ({
    backend: uniform(inner, {
      around(call, next) {
        seen.push(call);
        return next(call);
      },
    }),
  }));
}

/** Everything below one directory of the store, under other paths: what a layer does that changes paths. */
function below(dir: string): Layer<"below"> {
  const base = parsePath(dir);
  return layer("below", (inner) => {
    const down = <C extends Call>(call: C): C => ({
      ...call,
      path: rebase(call.path, root, base),
      ...("to" in call ? { to: rebase(call.to, root, base) } : {}),
    });
    const up = (entry: Entry): Entry => ({ ...entry, path: rebase(entry.path, base, root) });
    const backend: Backend = {
      capabilities: inner.capabilities,
      stat: async (call) => up(await inner.stat(down(call))),
      read: async (call) => {
        const reply = await inner.read(down(call));
        return { ...reply, entry: up(reply.entry) };
      },
      write: async (call) => up(await inner.write(down(call))),
      list: async (call) => {
        const page = await inner.list(down(call));
        return { ...page, entries: page.entries.map(up) };
      },
      delete: (call) => inner.delete(down(call)),
      mkdir: async (call) => up(await inner.mkdir(down(call))),
      copy: async (call) => up(await inner.copy(down(call))),
      move: async (call) => up(await inner.move(down(call))),
      space: (call) => inner.space(call),
      account: (call) => inner.account(call),
    };
    return { backend };
  });
}

/** What a program sees of a store, errors included, for comparing two of them. */
async function program(store: Store, dir: string): Promise<string[]> {
  const seen: string[] = [];
  const say = async (what: string, promise: Promise<unknown>): Promise<void> => {
    const { value, error } = await outcome(promise);
    seen.push(
      `${what}: ${error === undefined ? JSON.stringify(value ?? null) : StoreError.is(error) ? `${error.code} ${error.operation} ${error.path} ${error.to} ${error.applied}` : show(error)}`,
    );
  };
  const of = ({ path, kind, size, contentType }: Entry): unknown => ({ path, kind, size, contentType });
  await say("write", store.write(`${dir}/a`, "one").then(of));
  await say("overwrite", store.write(`${dir}/a`, pieces(pattern(300, "two"), 7), { size: 300 }).then(of));
  await say("write below a missing directory", store.write(`${dir}/d/e/f`, "deep").then(of));
  await say("stat", store.stat(`${dir}/a`).then(of));
  await say("stat of a directory", store.stat(`${dir}/d`).then(of));
  await say("stat of nothing", store.stat(`${dir}/missing`));
  await say(
    "read",
    readAll(store, `${dir}/a`).then((bytes) => new TextDecoder().decode(bytes)),
  );
  await say(
    "range",
    readAll(store, `${dir}/a`, { range: { offset: 5, length: 9 } }).then((bytes) => new TextDecoder().decode(bytes)),
  );
  await say("bad range", readAll(store, `${dir}/a`, { range: { offset: 999 } }));
  await say("read of a directory", readAll(store, `${dir}/d`));
  await say(
    "list",
    listAll(store, dir).then((entries) => names(entries)),
  );
  await say("list of a file", listAll(store, `${dir}/a`));
  await say(
    "recursive list",
    listAll(store, dir, { recursive: true }).then((entries) => names(entries)),
  );
  await say("mkdir", store.mkdir(`${dir}/m`).then(of));
  await say("mkdir again", store.mkdir(`${dir}/m`));
  await say("copy", store.copy(`${dir}/a`, `${dir}/b`).then(of));
  await say("copy of nothing", store.copy(`${dir}/missing`, `${dir}/b`));
  await say("move", store.move(`${dir}/b`, `${dir}/c`).then(of));
  await say("into itself", store.move(`${dir}/d`, `${dir}/d/x`));
  await say("delete of a full directory", store.delete(`${dir}/d`));
  await say("delete", store.delete(`${dir}/c`));
  await say("delete again", store.delete(`${dir}/c`));
  await say("short body", store.write(`${dir}/a`, "x", { size: 9 }));
  await say("condition", store.write(`${dir}/a`, "x", { ifAbsent: true }));
  await say("no path", store.stat("nowhere"));
  await say("aborted", store.stat(`${dir}/a`, { signal: AbortSignal.abort() }));
  await say(
    "in the end",
    listAll(store, dir).then((entries) => names(entries)),
  );
  return seen;
}

/** The lines that two runs must share: what may be late by declaration is not compared. */
function comparable(t: CheckContext, lines: readonly string[], dir: string): string[] {
  const { read, list } = t.capabilities.consistency;
  const late =
    read === "eventual"
      ? /^(?!no path|aborted|into itself|condition|short body)/
      : list === "eventual"
        ? /^(list|recursive list|delete of a full|in the end|move|copy|mkdir again)/
        : /^$/;
  return lines.filter((line) => !late.test(line)).map((line) => line.replaceAll(dir, "/w/bare"));
}

export const checks: readonly Check[] = [
  {
    id: "stack.transparent",
    title: "a layer that changes nothing is not seen: the same capabilities, answers and errors, once and twice",
    why: "Wrappers forget a verb, an option, an error code or the abort signal, and the store below them seems to have lost it.",
    tier: "smoke",
    behaviours: [158, 157],
    guarantees: ["layer.transparent"],
    kills: [],
    needs: rwl,
    async run(t) {
      const bare = comparable(t, await program(t.store, "/w/bare"), "/w/bare");
      await using once = stack(borrow(t.store), nothing);
      equal(structuredClone(once.capabilities), structuredClone(t.store.capabilities), "the same capabilities");
      const wrapped = await program(once, "/w/once");
      equal(comparable(t, wrapped, "/w/once"), bare, "the same answers and errors under one layer");
      await using twice = stack(borrow(t.store), nothing, nothing.as("again"));
      equal(comparable(t, await program(twice, "/w/twice"), "/w/twice"), bare, "and under two");
    },
  },
  {
    id: "stack.sees-all",
    title: "a layer sees each of the ten operations with all its members, as the caller made it",
    why: "A layer that misses one verb lets it pass uncounted, unlimited, unencrypted.",
    tier: "smoke",
    behaviours: [157],
    guarantees: ["layer.calls"],
    kills: [],
    needs: rwld,
    async run(t) {
      const seen: Call[] = [];
      await using store = stack(borrow(t.store), watching(seen));
      const { signal } = new AbortController();
      await put(t, "/w/f", "file");
      await store.stat("/w/f", { signal, detail: "basic" });
      await readAll(store, "/w/f", { signal });
      await store.write("/w/g", "written", { signal, size: 7 });
      await listAll(store, "/w", { signal });
      await store.delete("/w/g", { signal });
      for (const attempt of [
        () => store.mkdir("/w/d", { signal, existOk: true }),
        () => store.copy("/w/f", "/w/h", { signal }),
        () => store.move("/w/h", "/w/i", { signal }),
        () => store.space({ signal }),
        () => store.account({ signal }),
      ]) {
        const { error } = await outcome<unknown>(attempt());
        if (error !== undefined) ok(hasCode(error, "unsupported"), "what is not declared is refused before any layer sees it", error);
      }
      const expected: Operation[] = [
        "stat",
        "read",
        "write",
        "list",
        "delete",
        ...(["mkdir", "copy", "move", "space", "account"] as const).filter((key) => t.capabilities[key] !== false),
      ];
      equal(
        // A listing may take several pages.
        seen.filter((call) => call.operation !== "list" || call.cursor === undefined).map((call) => call.operation),
        expected,
        "each operation once",
      );
      for (const call of seen) {
        ok(call.signal === signal, `${call.operation}: the signal is the caller's`);
        equal(Object.values(call).length, Object.keys(call).length, `${call.operation}: all members are own members`);
      }
      const [stat, read, write] = seen as [Calls["stat"], Calls["read"], Calls["write"]];
      equal([stat.path as string, stat.detail, stat.fresh], ["/w/f", "basic", false], "stat as it was made");
      equal([read.range, read.ifMatch, read.ifNoneMatch], [undefined, undefined, undefined], "read as it was made");
      equal([write.body.size, write.ifAbsent, write.metadata, write.expect], [7, false, undefined, undefined], "write as it was made");
    },
  },
  {
    id: "stack.paths",
    title: "under a layer that changes paths, answers and errors name the paths of the caller",
    why: "A prefix or the name of an archive in an error is a path that the caller never gave and must not see.",
    tier: "smoke",
    behaviours: [101, 147],
    guarantees: ["error.facts", "layer.paths"],
    kills: ["N40"],
    needs: rwld,
    async run(t) {
      await put(t, "/w/deep/down/there", "there");
      await using store = stack(borrow(t.store), below("/w/deep"));
      equal(await readAll(store, "/down/there").then((bytes) => new TextDecoder().decode(bytes)), "there", "what is there is found");
      equal((await store.stat("/down/there")).path as string, "/down/there", "under the path of the caller");
      await t.settled("list", async () =>
        equal(
          (await listAll(store, "/down")).map((entry) => entry.path as string),
          ["/down/there"],
          "listings too",
        ),
      );
      await store.write("/new/file", "new");
      await holds(t, "/w/deep/new/file", "new", "what is written lands below the prefix");
      for (const [what, code, call] of [
        ["stat", "not-found", () => store.stat("/missing")],
        ["read", "is-a-directory", () => store.read("/down")],
        ["delete", "not-empty", () => store.delete("/down")],
        ["list", "not-found", () => listAll(store, "/missing")],
        ["write", "bad-body", () => store.write("/short", "1", { size: 2 })],
      ] as const) {
        const error = await rejects(code, call, what);
        ok(
          !JSON.stringify([error.message, error.path, error.to, error.reason]).includes("/w/deep"),
          `${what}: the error does not leak the prefix`,
          error.message,
        );
        ok(error.path !== null && !error.path.startsWith("/w"), `${what}: the error names the path of the caller`, error.path);
      }
    },
  },
  {
    id: "stack.prefix.same",
    title: "a store below a directory of this store is a store like this one",
    why: "Sub-rooted stores see the root's siblings, or not even themselves.",
    tier: "full",
    behaviours: [101, 158],
    guarantees: ["layer.transparent"],
    kills: [],
    needs: rwld,
    async run(t) {
      await put(t, "/w/base/keep", "keep");
      await put(t, "/w/bare-dir/keep", "keep");
      await using store = stack(borrow(t.store), below("/w/base"));
      const bare = comparable(t, await program(t.store, "/w/bare"), "/w/bare");
      const inner = await program(store, "/bare");
      equal(comparable(t, inner, "/bare"), bare, "the same program, the same answers");
      await lists(t, "/w/base", ["bare", "keep"], "all of it lies below the directory");
    },
  },
  {
    id: "stack.bytes",
    title: "a layer that counts bytes sees every byte up and down, and the end of each call exactly once",
    why: "Permits that are given back twice let too many calls through; those that are never given back stop the program.",
    tier: "smoke",
    behaviours: [168, 157],
    guarantees: ["layer.calls"],
    rows: ["CF27"],
    kills: [],
    needs: rw,
    async run(t) {
      const ends: { operation: Operation; up: number; down: number; complete: boolean; failed: boolean }[] = [];
      const counting = layer("counting", (inner) => ({
        backend: uniform(inner, {
          around<O extends Operation>(call: Calls[O], next: (call: Calls[O]) => Promise<Replies[O]>): Promise<Replies[O]> {
            return observe<O>(call, next, {
              end: ({ bytesUp, bytesDown, complete, error }) =>
                void ends.push({ operation: call.operation, up: bytesUp, down: bytesDown, complete, failed: error !== undefined }),
            });
          },
        }),
      }));
      await using store = stack(borrow(t.store), counting);
      const content = pattern(150_000, "counted");
      await store.write("/w/f", pieces(content, 10_000), { size: content.length });
      equal(ends.splice(0), [{ operation: "write", up: 150_000, down: 0, complete: true, failed: false }], "a write");
      await t.settled("read", async () => sameBytes(await readAll(store, "/w/f"), content, "the bytes"));
      const read = ends.splice(0).at(-1);
      equal(read, { operation: "read", up: 0, down: 150_000, complete: true, failed: false }, "a read to its end");
      {
        await using result = await store.read("/w/f");
        ok(result.entry.kind === "file", "a read that is left alone");
      }
      const left = ends.splice(0);
      equal([left.length, left[0]?.operation, left[0]?.failed], [1, "read", false], "a read that was closed unread ends once, without an error");
      await rejects("not-found", () => store.read("/w/missing"), "a read of what is missing");
      equal(
        ends.splice(0).map(({ operation, failed }) => [operation, failed]),
        [["read", true]],
        "a read that failed",
      );
      await rejects("bad-body", () => store.write("/w/short", "12", { size: 3 }), "a body that is too short");
      ok(ends.every(({ failed, operation }) => failed && operation === "write") && ends.length <= 1, "a write that failed ends at most once, as failed", ends);
    },
  },
  {
    id: "stack.read-only",
    title: "a layer that takes writing away refuses every write and changes nothing below; reading goes on",
    why: "Read-only that forgets move, or lets an overwrite through by copy, is not.",
    tier: "smoke",
    behaviours: [150, 60],
    guarantees: ["capability.refused"],
    kills: [],
    needs: rwl,
    async run(t) {
      await tree(t, "/w", { f: "file", "d/g": "in d" });
      const before = await snapshot(t.store);
      const readOnly = layer("read-only-for-a-check", (inner) => {
        const off = Object.fromEntries(
          Object.keys(inner.capabilities)
            .filter((key) => /^(write|delete|mkdir|copy|move)/.test(key) && key !== "writeExpect")
            .map((key) => [key, false]),
        );
        const capabilities: Capabilities = { ...inner.capabilities, ...off, exclusiveMkdir: false };
        // Spread is refused by design: a backend with other capabilities is written out.
        const backend: Backend = {
          capabilities,
          stat: (call) => inner.stat(call),
          read: (call) => inner.read(call),
          write: (call) => inner.write(call),
          list: (call) => inner.list(call),
          delete: (call) => inner.delete(call),
          mkdir: (call) => inner.mkdir(call),
          copy: (call) => inner.copy(call),
          move: (call) => inner.move(call),
          space: (call) => inner.space(call),
          account: (call) => inner.account(call),
        };
        return { backend };
      });
      await using store = stack(borrow(t.store), readOnly);
      for (const [what, call] of Object.entries({
        write: () => store.write("/w/new", "x"),
        overwrite: () => store.write("/w/f", "x"),
        delete: () => store.delete("/w/f"),
        mkdir: () => store.mkdir("/w/m"),
        copy: () => store.copy("/w/f", "/w/c"),
        move: () => store.move("/w/f", "/w/c"),
      }))
        await rejects("unsupported", call, what);
      await t.settled("list", async () => sameTree(await snapshot(store), before, "reading goes on, and nothing was changed"));
    },
  },
  {
    id: "stack.close",
    title: "closing a stack closes the store below, outermost first; closing what was borrowed does not",
    why: "The layer that still has something to bring down finds the store below it closed.",
    tier: "smoke",
    behaviours: [151, 158],
    guarantees: ["life.close"],
    kills: [],
    needs: rw,
    async run(t) {
      const order: string[] = [];
      const named = (name: string): Layer =>
        layer(name, (inner) => ({
          backend: inner,
          open: async () => void order.push(`open ${name}`),
          close: async () => {
            // What is pending is brought down while the store below still works.
            await inner.write(calls.write(parsePath(`/w/${name}`), `pending of ${name}`));
            order.push(`close ${name}`);
          },
        }));
      const own = await t.connect();
      const top = stack(own, named("lower"), named("upper"));
      await top.write("/w/f", "file");
      await top.close();
      equal(order, ["open lower", "open upper", "close upper", "close lower"], "opened from the bottom, closed from the top");
      await rejects("closed", () => own.stat("/"), "the store below is closed");
      await holds(t, "/w/upper", "pending of upper", "what the upper layer had pending is there");
      await holds(t, "/w/lower", "pending of lower", "and so is what the lower one had");
      const lent = stack(borrow(t.store), nothing);
      await lent.write("/w/g", "lent");
      await lent.close();
      await rejects("closed", () => lent.stat("/w/g"), "the stack over what was borrowed is closed");
      await holds(t, "/w/g", "lent", "the store that was lent is not");
    },
  },
  {
    id: "stack.composition",
    title: "a store is wrapped once, two layers of one name are refused, and every layer is reachable from the top",
    why: "A store with two owners is closed under one of them.",
    tier: "full",
    behaviours: [157],
    guarantees: ["layer.owned"],
    kills: [],
    needs: [],
    async run(t) {
      const own = await t.connect();
      await using store = stack(own, nothing, false, null, nothing.as("second"));
      configError(() => nothing(own), "a store that is wrapped already");
      configError(() => stack(store, nothing), "a second layer of one name");
      const kinds = Object.keys(store.layers);
      equal(kinds.slice(-2), ["nothing", "second"], "the layers, innermost first");
      ok(kinds.length >= 3, "with those of the store below", kinds);
      for (const name of Object.keys(own.layers)) ok(name in store.layers, `${name} is reachable from the top`, kinds);
      ok(Object.is(find(store, kindOf("nothing")), Object.values(store.layers).at(-1)), "find gives the outermost of its kind");
      equal(find(store, kindOf("no-such-kind")), undefined, "and nothing for a kind that is not there");
      ok(String(store).includes(String(own)), "the text of a stack holds that of the store below", String(store));
      equal([store.name, store.inner.length], ["second", 1], "the name of the outermost layer, and what it wraps");
    },
  },
  {
    id: "stack.backend",
    title: "a backend cannot be copied member by member, and its calls are data",
    why: "{ ...inner, write } forwards what nobody thought of: the new verb of the next version goes past the layer.",
    tier: "full",
    behaviours: [157],
    guarantees: ["layer.calls"],
    kills: [],
    needs: rw,
    async run(t) {
      await put(t, "/w/f", "file");
      const backend = backendOf(t.store);
      const spread = { ...backend } as Partial<Backend>;
      equal(typeof spread.stat, "undefined", "the methods of a backend are not its own members");
      const call = calls.stat(parsePath("/w/f"));
      const moved = { ...call, path: parsePath("/w/missing") };
      const { error } = await outcome(backend.stat(moved));
      ok(hasCode(error, "not-found"), "a call with one member changed is the call with that change", error);
      equal((await backend.stat(call)).size, 4, "and the call that it was made of is as it was");
    },
  },
  {
    id: "stack.foreign-error",
    title: "what a layer throws by mistake becomes one StoreError with the mistake as its cause",
    why: "A TypeError of a layer's own bug that comes out as it is looks like a wrong argument of the caller.",
    tier: "full",
    behaviours: [147, 159],
    guarantees: ["error.facts"],
    kills: [],
    needs: rw,
    async run(t) {
      const mistake = new RangeError("a bug of the layer");
      const buggy = layer("buggy", (inner) => ({
        backend: uniform(inner, { around: (call, next) => (call.operation === "stat" ? Promise.reject(mistake) : next(call)) }),
      }));
      await using store = stack(borrow(t.store), buggy);
      const error = await rejects("unknown", () => store.stat("/w/f"), "a call that meets a bug");
      ok(error.cause === mistake, "the bug is the cause", error.cause);
      equal([error.operation, error.path as string | null], ["stat", "/w/f"], "operation and path");
      await put(t, "/w/f", "file");
      sameBytes(await readAll(store, "/w/f"), new TextEncoder().encode("file"), "other calls work");
    },
  },
  {
    id: "stack.faults",
    title: "a service that fails before or after it did its work gives errors that are true, and nothing is lost",
    why: '"It failed" after the work was done: a retry then finds its own file and takes it for somebody else\'s.',
    tier: "full",
    behaviours: [159],
    guarantees: ["error.unchanged"],
    kills: [],
    needs: rwld,
    async run(t) {
      let mode: "before" | "after" | undefined;
      const flaky = layer("flaky", (inner) => ({
        backend: uniform(inner, {
          async around<O extends Operation>(call: Calls[O], next: (call: Calls[O]) => Promise<Replies[O]>): Promise<Replies[O]> {
            if (mode === "before") throw new StoreError("unavailable", "the check cut the line before the request", { applied: false });
            const reply = await next(call);
            if (mode === "after" && call.operation !== "read") throw new StoreError("unavailable", "the check cut the line after the request");
            return reply;
          },
        }),
      }));
      await using store = stack(borrow(t.store), flaky);
      await put(t, "/w/f", "old");
      mode = "before";
      const early = await rejects("unavailable", () => store.write("/w/f", "new one"), "a write whose request never left");
      equal(early.applied, false, "nothing was done");
      await holds(t, "/w/f", "old", "and the old bytes are there");
      mode = "after";
      const late = await rejects("unavailable", () => store.write("/w/f", "new one"), "a write whose answer was lost");
      equal([late.applied, late.transient], ["unknown", true], "nobody knows whether it was done");
      await holds(t, "/w/f", "new one", "it was done, whole");
      const deleted = await rejects("unavailable", () => store.delete("/w/f"), "a delete whose answer was lost");
      equal(deleted.applied, "unknown", "nobody knows whether it was done");
      mode = undefined;
      await store.delete("/w/f");
      await gone(t, "/w/f", "the same delete again is a success");
    },
  },
  {
    id: "stack.slow",
    title: "a slow way to the store changes nothing but the time",
    why: "Races that never happen on the developer's machine happen at 50 ms to the service.",
    tier: "full",
    behaviours: [161],
    guarantees: ["layer.transparent"],
    kills: [],
    needs: rwl,
    timeoutMs: 60_000,
    async run(t) {
      const slow = layer("slow", (inner) => ({
        backend: uniform(inner, {
          async around<O extends Operation>(call: Calls[O], next: (call: Calls[O]) => Promise<Replies[O]>): Promise<Replies[O]> {
            await t.place.clock.sleep(10, t.signal);
            return await next(call);
          },
        }),
      }));
      const bare = comparable(t, await program(t.store, "/w/bare"), "/w/bare");
      await using store = stack(borrow(t.store), slow);
      equal(comparable(t, await program(store, "/w/slow"), "/w/slow"), bare, "the same answers and errors");
    },
  },
];

function configError(action: () => unknown, what: string): void {
  try {
    action();
  } catch (error) {
    ok(hasCode(error, "config"), `${what} is config`, error);
    return;
  }
  fail(`${what} is config`, "a StoreError", "success");
}
