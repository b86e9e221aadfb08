/** Life of a store: opening, reconnecting, closing with everything still running, opening again, and what it says of itself (behaviours 151, 153, 162). */
import { equal, fail, listAll, ok, pattern, pieces, readAll, rejects, sameBytes, sameTree, snapshot } from "../assert.ts";
import { backendOf } from "../backend-of.ts";
import type { Check } from "../check.ts";
import { calls, hasCode, identityOf, parsePath } from "../../store/index.ts";
import type { Store } from "../../store/index.ts";
import { directory, gone, holds, lists, many, outcome, put, rw, rwl, rwld, sizeFor, tree } from "./look.ts";

const operations: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
  stat: (store) => store.stat("/w/f"),
  read: (store) => store.read("/w/f"),
  write: (store) => store.write("/w/late", "late"),
  list: (store) => store.list("/w").toArray(),
  delete: (store) => store.delete("/w/f"),
  mkdir: (store) => store.mkdir("/w/late-dir"),
  copy: (store) => store.copy("/w/f", "/w/late-copy"),
  move: (store) => store.move("/w/f", "/w/late-move"),
  space: (store) => store.space(),
  account: (store) => store.account(),
  open: (store) => store.open(),
  reconnect: (store) => store.reconnect(),
};

const closed: readonly Check[] = Object.entries(operations).map(([name, call]): Check => ({
  id: `lifecycle.closed.${name}`,
  title: `${name} after close rejects with closed and does nothing`,
  why: "A client that opens itself again by itself is never closed: its sockets and its lock stay until the process ends.",
  tier: "smoke",
  behaviours: [151],
  guarantees: ["life.closed"],
  kills: ["N39"],
  needs: rwl,
  async run(t) {
    await put(t, "/w/f", "file");
    const other = await t.connect();
    await holds(t, "/w/f", "file", "the other connection works", other);
    await other.close();
    const error = await rejects("closed", () => call(other), `${name} after close`);
    equal(error.applied, false, "nothing was done, and the error says so");
    equal(error.operation, name, "the error names the operation");
    await lists(t, "/w", ["f"], "nothing was changed");
    await holds(t, "/w/f", "file", "and the connection that is open works on");
  },
}));

const life: readonly Check[] = [
  {
    id: "lifecycle.open.again",
    title: "open gives the store, again and again, also twice at once",
    why: "Two opens at once open two databases, or take the lock from each other.",
    tier: "smoke",
    behaviours: [151],
    guarantees: ["life.open"],
    kills: ["N44"],
    needs: rw,
    async run(t) {
      const other = await t.connect();
      const [one, two] = await Promise.all([other.open(), other.open()]);
      ok(one === other && two === other, "open resolves to the store itself");
      ok((await other.open()) === other, "also when it was open");
      await put(t, "/w/f", "file");
      await holds(t, "/w/f", "file", "and it works", other);
    },
  },
  {
    id: "lifecycle.open.implicit",
    title: "many first calls at once all work without an open",
    why: "The first call opens; the second one meets a store that is half open.",
    tier: "smoke",
    behaviours: [151],
    guarantees: ["life.open"],
    kills: ["N185"],
    needs: rw,
    async run(t) {
      await put(t, "/w/f", pattern(500, "first"));
      // A late store may show another connection nothing yet; the calls of one that has waited for it would not be the first ones.
      await t.settled("read", async () => {
        const other = await t.connect();
        const found = await Promise.all(
          Array.from({ length: 8 }, (_, index) =>
            index % 2 === 0 ? readAll(other, "/w/f").then((bytes) => bytes.length) : other.stat("/w/f").then((entry) => entry.size),
          ),
        );
        equal(
          found,
          Array.from({ length: 8 }, () => 500),
          "each of them",
        );
      });
    },
  },
  {
    id: "lifecycle.open.aborted",
    title: "an open whose signal has fired leaves a store that can be opened later",
    why: "A half-open store keeps its lock, and the next open waits for it for ever.",
    tier: "full",
    behaviours: [151, 76],
    guarantees: ["life.open"],
    kills: ["N186"],
    needs: rw,
    async run(t) {
      const other = await t.connect();
      const { error } = await outcome(other.open({ signal: AbortSignal.abort(new Error("not now")) }));
      if (error !== undefined) await rejects("aborted", Promise.reject(error), "an open whose signal has fired");
      await other.open();
      await put(t, "/w/f", "file");
      await holds(t, "/w/f", "file", "it works", other);
    },
  },
  {
    id: "lifecycle.close.again",
    title: "a second close, also at the same time, waits for the first and succeeds",
    why: "`await using` closes once more; a close that fails the second time hides the error that mattered.",
    tier: "smoke",
    behaviours: [151],
    guarantees: ["life.close"],
    kills: ["N38"],
    needs: rw,
    async run(t) {
      const other = await t.connect();
      await other.write("/w/f", "file");
      await Promise.all([other.close(), other.close(), other[Symbol.asyncDispose]()]);
      await other.close();
      await other[Symbol.asyncDispose]();
      await holds(t, "/w/f", "file", "what was written is there");
    },
  },
  {
    id: "lifecycle.close.unused",
    title: "a store that was never used can be closed, and is closed then",
    why: "Closing what was never opened throws in half of all clients.",
    tier: "smoke",
    behaviours: [151],
    guarantees: ["life.close", "life.closed"],
    kills: ["N187"],
    needs: rw,
    async run(t) {
      const other = await t.connect();
      await other.close();
      await rejects("closed", () => other.stat("/"), "a call after close");
    },
  },
  {
    id: "lifecycle.close.bodies",
    title: "close ends open bodies: a body that is not in memory rejects with closed, and none is short",
    why: "A download that ends because the client was closed, and looks complete, is the worst of all ends.",
    tier: "smoke",
    behaviours: [151, 59],
    guarantees: ["life.closedBodies", "read.broken"],
    kills: ["N10"],
    needs: rw,
    async run(t) {
      const content = pattern(sizeFor(t, 700_000), "open");
      await put(t, "/w/f", content);
      const other = await t.connect();
      const inMemory = await t.settled("read", () => keptInMemory(other, "/w/f"));
      const unread = await other.read("/w/f");
      const begun = await other.read("/w/f");
      const iterator = begun[Symbol.asyncIterator]();
      const first = await iterator.next();
      ok(first.done !== true && first.value.length > 0, "the second one has begun");
      await other.close();
      for (const [what, promise] of [
        ["a body that nobody has read", unread.bytes()],
        ["a body that was begun", rest(iterator, first.value)],
      ] as const) {
        const { value, error } = await outcome(promise);
        if (error === undefined && value !== undefined) {
          sameBytes(value, content, `${what}: whole, or an error`);
          ok(inMemory || value.length === first.value.length, `${what}: close ends it, unless its bytes were in memory already`);
        } else await rejects("closed", Promise.reject(error), what);
      }
      await holds(t, "/w/f", content, "the file is as it was");
    },
  },
  {
    id: "lifecycle.close.running",
    title: "close waits for running calls: each has ended when it resolves, and what succeeded is there",
    why: "A process that ends after `await close()` loses the upload that was acknowledged a moment later.",
    tier: "smoke",
    behaviours: [151],
    guarantees: ["life.close"],
    kills: ["N188"],
    needs: rwl,
    async run(t) {
      const other = await t.connect();
      await other.open();
      const settledOnes = new Set<number>();
      const writes = Array.from({ length: 8 }, (_, index) =>
        outcome(other.write(`/w/f${index}`, pieces(pattern(20_000, `f${index}`), 5_000), { size: 20_000 })).then((result) => {
          settledOnes.add(index);
          return result;
        }),
      );
      await other.close();
      const ended = new Set(settledOnes);
      const results = await Promise.all(writes);
      for (const [index, { error }] of results.entries()) {
        if (error === undefined) {
          ok(ended.has(index), `write ${index} succeeded, so it had ended when close resolved`, [...ended]);
          await holds(t, `/w/f${index}`, pattern(20_000, `f${index}`), `write ${index} succeeded, so its bytes are there`);
        } else {
          await rejects(["closed", "aborted"], Promise.reject(error), `write ${index} did not succeed`);
          await gone(t, `/w/f${index}`, `write ${index} did not succeed, so nothing is there`);
        }
      }
    },
  },
  {
    id: "lifecycle.close.signal",
    title: "close with a signal that has fired closes all the same",
    why: '"Give up waiting" is not "stay open".',
    tier: "full",
    behaviours: [151, 76],
    guarantees: ["life.close", "life.closed"],
    kills: ["N189"],
    needs: rw,
    async run(t) {
      const other = await t.connect();
      await other.write("/w/f", "file");
      await outcome(other.close({ signal: AbortSignal.abort(new Error("hurry")) }));
      await rejects("closed", () => other.stat("/w/f"), "a call after it");
      await holds(t, "/w/f", "file", "what was written is there");
    },
  },
  {
    id: "lifecycle.close.stops-listing",
    title: "a listing that is under way when its store is closed ends with all entries or with closed, never short",
    why: "The last page that could not be fetched is taken for the end of the list.",
    tier: "full",
    behaviours: [151, 103],
    guarantees: ["life.closed", "list.whole"],
    kills: ["N190"],
    needs: rwl,
    timeoutMs: 120_000,
    async run(t) {
      const all = await many(t, "/w", 1_101);
      await lists(t, "/w", all, "the fixture is listed");
      const other = await t.connect();
      let seen = 0;
      const { error } = await outcome(
        (async () => {
          for await (const page of other.list("/w").pages()) {
            seen += page.length;
            await other.close();
          }
        })(),
      );
      if (error === undefined) equal(seen, all.length, "all entries");
      else await rejects("closed", Promise.reject(error), "or closed");
    },
  },
  {
    id: "lifecycle.close.other",
    title: "closing one connection leaves the others alone",
    why: "Clients that share a pool of the module close it for everybody.",
    tier: "smoke",
    behaviours: [151, 137],
    guarantees: ["life.close"],
    kills: ["N191"],
    needs: rw,
    async run(t) {
      const content = pattern(sizeFor(t, 300_000), "shared");
      await put(t, "/w/f", content);
      const other = await t.connect();
      const third = await t.connect();
      await holds(t, "/w/f", content, "the third works", third);
      const open = await third.read("/w/f");
      await holds(t, "/w/f", content, "the other works", other);
      await other.close();
      sameBytes(await open.bytes(), content, "a body of the third that was open is whole");
      await third.write("/w/g", "by the third");
      await holds(t, "/w/g", "by the third", "and the first sees what the third writes");
    },
  },
  {
    id: "lifecycle.reconnect",
    title: "after reconnect everything works as before, and what was stored is there",
    why: "New credentials, old sockets: the first call after a reconnect fails, or meets the id cache of the old session.",
    tier: "smoke",
    behaviours: [151],
    guarantees: ["life.reconnect"],
    rows: ["CF23"],
    kills: ["N192"],
    needs: rwld,
    async run(t) {
      await tree(t, "/w", { f: "before", "d/g": "in d" });
      await t.store.reconnect();
      await holds(t, "/w/f", "before", "what was stored is there");
      await lists(t, "/w", ["d", "f"], "and listed");
      await put(t, "/w/f", "after");
      await t.store.reconnect();
      await t.store.reconnect();
      await holds(t, "/w/f", "after", "an overwrite after it");
      await t.store.delete("/w/d/g");
      await gone(t, "/w/d/g", "a delete after it");
    },
  },
  {
    id: "lifecycle.reconnect.parallel",
    title: "calls that run during a reconnect end right, or with a transient error",
    why: "The token is replaced while it is being sent.",
    tier: "full",
    behaviours: [151],
    guarantees: ["life.reconnect"],
    kills: ["N193"],
    needs: rwl,
    async run(t) {
      await put(t, "/w/f", pattern(50_000, "steady"));
      const results = await Promise.all([
        ...Array.from({ length: 6 }, () => outcome(readAll(t.store, "/w/f"))),
        outcome(t.store.reconnect().then(() => new Uint8Array(0))),
        ...Array.from({ length: 6 }, (_, index) => outcome(t.store.write(`/w/new${index}`, "new").then(() => new Uint8Array(0)))),
      ]);
      for (const [index, { value, error }] of results.entries()) {
        if (error !== undefined)
          ok((await rejects(["unavailable", "conflict", "timeout"], Promise.reject(error), `call ${index}`)).transient, "it may be tried again");
        else if (index < 6 && value !== undefined) sameBytes(value, pattern(50_000, "steady"), `read ${index}`);
      }
      equal(results[6]!.error, undefined, "the reconnect itself succeeds");
      await holds(t, "/w/f", pattern(50_000, "steady"), "afterwards all is well");
    },
  },
  {
    id: "lifecycle.reopen",
    title: "a store that is opened again has every file, directory and property it had",
    why: "What was kept in memory only, and what was acknowledged before it was on disk, is gone after a restart.",
    tier: "smoke",
    behaviours: [151, 153],
    guarantees: ["life.reopen"],
    kills: ["N35"],
    needs: rwl,
    offers: ["reopens"],
    async run(t) {
      await tree(t, "/w", { a: pattern(5000, "a"), empty: new Uint8Array(0), "d/e/f": "deep", "a b+c%20": "odd" });
      if (t.capabilities.mkdir !== false) await directory(t, "/w/made");
      if (t.capabilities.writeMetadata !== false) await put(t, "/w/annotated", "m", { metadata: { colour: "green" } });
      if (t.capabilities.writeContentType !== false) await put(t, "/w/typed", "t", { contentType: "text/x-typed" });
      const before = await t.settled("list", () => snapshot(t.store));
      const entry = await t.store.stat("/w/a");
      const store = await t.reopen();
      await t.settled("list", async () => sameTree(await snapshot(store), before, "everything is there again"));
      equal(await store.stat("/w/a"), entry, "stat says what it said");
      await store.write("/w/a", "written after it was opened again");
      await holds(t, "/w/a", "written after it was opened again", "and it works", store);
    },
  },
  {
    id: "lifecycle.reopen.deleted",
    title: "what was deleted, moved or overwritten stays so after the store is opened again",
    why: "A journal that is replayed from the start brings the dead back.",
    tier: "full",
    behaviours: [151, 133],
    guarantees: ["life.reopen", "delete.gone"],
    kills: ["N35b"],
    needs: [...rwld, "move"],
    offers: ["reopens"],
    async run(t) {
      await tree(t, "/w", { deleted: "1", moved: "2", over: "old" });
      await t.store.delete("/w/deleted");
      await t.store.move("/w/moved", "/w/target");
      await put(t, "/w/over", "new");
      const store = await t.reopen();
      await gone(t, "/w/deleted", "the deleted file", store);
      await gone(t, "/w/moved", "the source of the move", store);
      await holds(t, "/w/target", "2", "the target of the move", store);
      await holds(t, "/w/over", "new", "the overwritten file", store);
      await lists(t, "/w", ["over", "target"], "and the listing", { store });
    },
  },
  {
    id: "lifecycle.reopen.identity",
    title: "a store that is opened again, and another connection to it, say that they are the same bytes",
    why: "A write-back cache compares identities before it brings pending uploads to a store: one that changes loses them, one that is shared sends them to somebody else.",
    tier: "full",
    behaviours: [153],
    guarantees: ["life.reopen"],
    kills: ["N194"],
    needs: rw,
    offers: ["reopens"],
    async run(t) {
      const identity = identityOf(t.store);
      ok(typeof identity === "string" && identity !== "", "a store has an identity", identity);
      equal(identityOf(await t.connect()), identity, "another connection to the same place");
      equal(identityOf(await t.reopen()), identity, "the same connection, opened again");
    },
  },
  {
    id: "lifecycle.text",
    title: "a store can say what it is, in one line, without secrets",
    why: 'With six layers the first question is "which stack?", and the answer is pasted into a public issue.',
    tier: "smoke",
    behaviours: [153],
    guarantees: ["life.text"],
    kills: ["N195"],
    async run(t) {
      const text = String(t.store);
      ok(text !== "" && text !== "[object Object]", "it is a text", text);
      ok(!text.includes("\n"), "of one line", text);
      ok(!/:\/\/[^\s/@]*:[^\s/@]*@/.test(text), "without user and password of an address", text);
      ok(!/secret|password|token|authorization/i.test(text), "and without anything that is called a secret", text);
      equal(String(t.store), text, "the same each time");
      ok(typeof t.store.name === "string" && t.store.name !== "", "it has a name", t.store.name);
      for (const [name, layer] of Object.entries(t.store.layers)) {
        for (const [key, value] of Object.entries(layer.settings)) {
          if (/secret|password|token|passphrase/i.test(key) && typeof value === "string" && value !== "")
            equal(value, "***", `the setting ${name}.${key} is hidden`);
          if (value === "***" || typeof value !== "string" || value.length < 8 || !/key|user/i.test(key)) continue;
          ok(!text.includes(value), `the text does not hold ${name}.${key}`, text);
        }
      }
    },
  },
  {
    id: "lifecycle.layers",
    title: "every layer has a control: its kind, its settings, a flat report, a flush that resolves",
    why: "Statistics and settings that hang on the innermost store are out of reach from the top of a stack, unless each layer passes them on.",
    tier: "smoke",
    behaviours: [157],
    guarantees: ["life.settings"],
    rows: ["CF24"],
    kills: ["N196"],
    async run(t) {
      const layers = Object.entries(t.store.layers);
      ok(layers.length >= 1, "there is at least the provider");
      for (const [name, control] of layers) {
        ok(typeof control.kind === "string" && control.kind !== "", `${name} has a kind`, control.kind);
        ok(typeof control.settings === "object" && control.settings !== null, `${name} has settings`, control.settings);
        const report = control.report();
        for (const [key, value] of Object.entries(report)) ok(["string", "number", "boolean"].includes(typeof value), `${name} reports ${key} flat`, value);
        equal(JSON.parse(JSON.stringify(report)) as unknown, { ...report }, `the report of ${name} is data`);
        await control.flush();
      }
      for (const inner of t.store.inner) {
        for (const name of Object.keys(inner.layers))
          if (t.store.inner.length === 1) ok(name in t.store.layers, `the layer ${name} below is reachable from the top`, Object.keys(t.store.layers));
      }
    },
  },
  {
    id: "lifecycle.settings",
    title: "settings can be read and given back; an unknown key or a wrong value is config and changes nothing",
    why: "A mistyped setting that is ignored is a limit that does not hold.",
    tier: "smoke",
    behaviours: [153, 156],
    guarantees: ["life.settings"],
    rows: ["CF24"],
    kills: ["N37"],
    async run(t) {
      for (const [name, control] of Object.entries(t.store.layers)) {
        const before = { ...control.settings };
        await control.configure({});
        equal({ ...control.settings }, before, `${name}: configuring nothing changes nothing`);
        await rejectsConfig(() => control.configure({ "no-such-setting": 1 }), `${name}: a setting that does not exist`);
        equal({ ...control.settings }, before, `${name}: a refused change changes nothing`);
        for (const [key, value] of Object.entries(before)) {
          const { error } = await outcome(control.configure({ [key]: value }));
          if (error !== undefined) await rejectsConfig(() => Promise.reject(error), `${name}.${key}, fixed at the start`);
          equal({ ...control.settings }, before, `${name}.${key}: what was read, given back`);
          // No setting is a function; each must refuse one, with its neighbours untouched.
          await rejectsConfig(() => control.configure({ [key]: () => 0 }), `${name}.${key} with a value of no type`);
          equal({ ...control.settings }, before, `${name}.${key}: a refused change changes nothing`);
        }
      }
      await lists(t, "/", [], "the store still works").catch((error: unknown) => (t.capabilities.list === false ? undefined : Promise.reject(error)));
    },
  },
  {
    id: "lifecycle.quiet",
    title: "calls that fail, are aborted or are left alone leave no rejection that nobody handles",
    why: "An unhandled rejection ends the process, hours after the call that caused it.",
    tier: "smoke",
    behaviours: [151, 144],
    guarantees: ["life.close"],
    kills: ["M67"],
    needs: rwl,
    async run(t) {
      const other = await t.connect();
      await put(t, "/w/f", pattern(100_000, "quiet"));
      // On a late store it would write below a file that it does not see.
      await t.settled("read", () => other.stat("/w/f"));
      const stop = new AbortController();
      const failures = [
        outcome(other.read("/w/missing")),
        outcome(other.write("/w/f/below", "x")),
        outcome(other.write("/w/g", pieces(pattern(10_000, "g"), 100), { signal: stop.signal })),
        outcome(listAll(other, "/w/missing")),
        outcome(other.stat("no-path")),
      ];
      stop.abort();
      await Promise.all(failures);
      const unread = await other.read("/w/f");
      other.list("/w-missing");
      await unread[Symbol.asyncDispose]();
      await other.close();
      // The suite itself watches for rejections, timers and sockets after every check; this gives them the time to show.
      for (let turn = 0; turn < 10; turn += 1) await new Promise((next) => setImmediate(next));
      await holds(t, "/w/f", pattern(100_000, "quiet"), "the store works on");
    },
  },
  {
    id: "lifecycle.leftovers",
    title: "writes that fail or are aborted leave nothing at the service: no temporary name, no unfinished upload",
    why: "Unfinished uploads are invisible and cost money: one product had 35 MiB of them after twelve failed runs of its own tests.",
    tier: "full",
    behaviours: [68, 102],
    guarantees: ["write.failed"],
    kills: ["N197"],
    needs: rwl,
    timeoutMs: 120_000,
    async run(t) {
      await put(t, "/w/there", "there");
      const before = await t.settled("list", () => snapshot(t.store));
      const size = Math.min(
        Math.max(300_000, ...t.capabilities.sizeSteps.filter((step) => step <= 2 ** 25).map((step) => step + 1)),
        t.capabilities.maxFileBytes,
      );
      const content = pattern(size, "fails");
      await rejects("bad-body", () => t.store.write("/w/short", pieces(content.subarray(0, size - 1), 65_536), { size }), "a body that is too short");
      await rejects("bad-body", () => t.store.write("/w/long", pieces(content, 65_536), { size: size - 1 }), "a body that is too long");
      await rejects(
        "integrity",
        () => t.store.write("/w/wrong", pieces(content, 65_536), { size, expect: { md5: "0".repeat(32) } }),
        "a body with another hash",
      );
      const stop = new AbortController();
      let given = 0;
      const body = {
        async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
          for (let at = 0; at < size; at += 65_536) {
            given += 1;
            if (at > size / 2) stop.abort(new Error("half way"));
            yield content.subarray(at, at + 65_536);
          }
        },
      };
      const error = await rejects("aborted", () => t.store.write("/w/aborted", body, { size, signal: stop.signal }), "a write that is aborted half way");
      ok(given > 0, "it had begun", given);
      if (error.applied === false) await gone(t, "/w/aborted", "the error says that nothing was done");
      await t.settled("list", async () => sameTree(await snapshot(t.store), before, "the store lists what it listed before"));
      const left = (await t.subject.leftovers?.(t.place)) ?? [];
      equal([...left], [], "nothing is left over at the service");
    },
  },
];

/** Whether the bytes of a read are in memory already, which is known only below the front: those cannot break off. True also where nobody can look below. */
async function keptInMemory(store: Store, path: string): Promise<boolean> {
  try {
    // Below the front nobody opens it.
    await store.open();
    const { body } = await backendOf(store).read(calls.read(parsePath(path)));
    await body.close();
    return body.inMemory;
  } catch (error) {
    if (hasCode(error, "config")) return true;
    throw error;
  }
}

async function rest(iterator: AsyncIterator<Uint8Array>, first: Uint8Array): Promise<Uint8Array> {
  const chunks = [first.slice()];
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) chunks.push(next.value.slice());
  return Buffer.concat(chunks);
}

/** Settings are not calls with a path: their errors need a code and a reason, no more. */
async function rejectsConfig(action: () => Promise<unknown>, what: string): Promise<void> {
  const { error } = await outcome((async () => action())());
  if (error === undefined) fail(what, "a StoreError with code config", "success");
  ok((error as { readonly code?: unknown }).code === "config", `${what}: a StoreError with code config`, error);
}

export const checks: readonly Check[] = [...life, ...closed];
