/** Questions and changes under way at once, in orders that a network may give them. */
import assert from "node:assert/strict";
import { StoreError, exists } from "../../../src/store/index.ts";
import type { Operation } from "../../../src/store/index.ts";
import type { Proof } from "../../broken-layers/registry.ts";
import { code, names } from "./proofs-answers.ts";
import { settled, worldOf } from "./world.ts";
import type { Maker, Net, Request } from "./world.ts";

/** The waiting request of this kind, the n-th of them. */
function waiting(net: Net, operation: Operation, nth = 0): Request {
  const found = net.waiting.filter(({ call }) => call.operation === operation)[nth];
  assert.ok(found !== undefined, `a ${operation} is under way`);
  return found;
}
async function finish(net: Net): Promise<void> {
  while (net.waiting.length > 0) await (net.waiting[0] as Request).answer();
}
const quiet = { cache: { prefetch: false } } as const;

export const oldAnswersAreNotKept: Proof<Maker> = {
  name: "an answer asked for before a change and given after it is not remembered",
  async run(make) {
    for (const question of ["stat", "list"] as const) {
      const { store, net } = worldOf(make, quiet);
      await store.write("/d/a", "a");
      net.holds = true;
      const asked = question === "stat" ? exists(store, "/d/new") : names(store, "/d");
      await settled();
      await waiting(net, question).effect();
      const write = store.write("/d/new", "new");
      await settled();
      await waiting(net, "write").answer();
      await write;
      await finish(net);
      await asked;
      net.holds = false;
      assert.equal((await store.stat("/d/new")).size, 3);
      assert.deepEqual(await names(store, "/d"), ["/d/a", "/d/new"]);
    }
  },
};

export const parentsAreHeld: Proof<Maker> = {
  name: "the absence of a directory that is on its way while a write makes it is not remembered",
  async run(make) {
    const { store, net, control } = worldOf(make, quiet);
    net.holds = true;
    const write = store.write("/d/e/x", "x");
    await settled();
    const before = exists(store, "/d");
    await settled();
    await waiting(net, "stat").answer();
    assert.equal(await before, false);
    await waiting(net, "write").answer();
    await write;
    net.holds = false;
    assert.equal((await store.stat("/d")).kind, "directory");
    assert.deepEqual(await names(store, "/"), ["/d"]);
    // One that was asked for before the write, and is answered after it.
    control.invalidate();
    net.holds = true;
    const late = exists(store, "/n");
    await settled();
    await waiting(net, "stat").effect();
    const below = store.write("/n/m/x", "x");
    await settled();
    await waiting(net, "write").answer();
    await below;
    await finish(net);
    assert.equal(await late, false);
    net.holds = false;
    assert.equal((await store.stat("/n")).kind, "directory");
    assert.equal((await store.stat("/n/m/x")).size, 1);
  },
};

export const joinsOnlyWhatIsNewer: Proof<Maker> = {
  name: "a question joins one under way, but not one that was asked before an own change",
  async run(make) {
    const { store, net, control } = worldOf(make, quiet);
    await store.write("/d/a", "a");
    net.holds = true;
    const first = [names(store, "/d"), names(store, "/d"), exists(store, "/d/x"), exists(store, "/d/x")];
    await settled();
    assert.deepEqual([net.count("list"), net.count("stat")], [1, 1]);
    assert.equal(control.report().joined, 2);
    await waiting(net, "list").effect();
    await waiting(net, "stat").effect();
    const write = store.write("/d/x", "x");
    await settled();
    await waiting(net, "write").answer();
    await write;
    const after = names(store, "/d");
    await settled();
    await finish(net);
    await Promise.all(first);
    assert.deepEqual(await after, ["/d/a", "/d/x"]);
    assert.equal(await exists(store, "/d/x"), true);
    // The reply tells too little for an answer, so that it has to be asked for.
    const short = worldOf(make, { ...quiet, service: { shortReplies: true } });
    short.net.holds = true;
    const before = exists(short.store, "/f");
    await settled();
    await waiting(short.net, "stat").effect();
    const made = short.store.write("/f", "f");
    await settled();
    await waiting(short.net, "write").answer();
    await made;
    const now = exists(short.store, "/f");
    await settled();
    await finish(short.net);
    assert.deepEqual([await before, await now], [false, true]);
  },
};

export const overlappingChangesForget: Proof<Maker> = {
  name: "of two changes of one path at once nobody knows which came last: what is remembered of it goes",
  async run(make) {
    const { store, net } = worldOf(make, quiet);
    net.holds = true;
    const one = store.write("/a", "1");
    const two = store.write("/a", "22");
    await settled();
    await waiting(net, "write", 1).effect();
    await waiting(net, "write", 0).effect();
    await waiting(net, "write", 0).answer();
    await waiting(net, "write", 0).answer();
    await Promise.all([one, two]);
    net.holds = false;
    assert.equal((await store.stat("/a")).size, 1);
    net.holds = true;
    const write = store.write("/d/x", "x");
    const gone = store.delete("/d", { recursive: true });
    await settled();
    await waiting(net, "delete").effect();
    await waiting(net, "write").answer();
    await waiting(net, "delete").answer();
    await Promise.all([write, gone]);
    net.holds = false;
    assert.equal(await exists(store, "/d/x"), true);
    assert.equal(await exists(store, "/d"), true);
  },
};

export const parallelUploadsKeep: Proof<Maker> = {
  name: "uploads of different files into one new directory know what they made",
  async run(make) {
    const { store, net } = worldOf(make, quiet);
    net.holds = true;
    const writes = ["a", "b", "c"].map((name) => store.write(`/d/${name}`, name));
    await settled();
    await finish(net);
    await Promise.all(writes);
    for (const name of ["a", "b", "c"]) assert.equal((await store.stat(`/d/${name}`)).size, 1);
    assert.equal(net.calls.length, 3);
  },
};

export const pagesArePatched: Proof<Maker> = {
  name: "a write or delete that ends while a listing is under way is seen by the caller who asked before, also where listings come late",
  async run(make) {
    for (const late of [undefined, "listings"] as const) {
      const { store, net, service, clock } = worldOf(make, { ...quiet, service: late === undefined ? {} : { late } });
      await store.write("/d/a", "a");
      await store.write("/d/gone", "g");
      await clock.advance(5000);
      net.holds = true;
      const listing = names(store, "/d");
      await settled();
      service.lagMs = 0;
      await waiting(net, "list").effect();
      const write = store.write("/d/new", "n");
      const deleted = store.delete("/d/gone");
      await settled();
      await waiting(net, "write").answer();
      await waiting(net, "delete").answer();
      await Promise.all([write, deleted]);
      await finish(net);
      assert.deepEqual(await listing, ["/d/a", "/d/new"]);
    }
  },
};

export const runningChangeKeepsOpen: Proof<Maker> = {
  name: "a listing during a change does not make the directory complete in that name",
  async run(make) {
    const { store, net } = worldOf(make, quiet);
    await store.write("/d/a", "a");
    net.holds = true;
    const write = code(store.write("/d/new", "n"));
    await settled();
    const listing = names(store, "/d");
    await settled();
    await waiting(net, "list").answer();
    assert.deepEqual(await listing, ["/d/a"]);
    await waiting(net, "write").fail();
    assert.equal(await write, "unavailable");
    net.holds = false;
    assert.equal(await exists(store, "/d/new"), false);
    assert.equal(net.count("stat"), 1);
  },
};

export const invalidationHolds: Proof<Maker> = {
  name: "what is invalidated is not brought back by an answer under way; without a path everything goes; a subtree, and not what is beside it",
  async run(make) {
    const { store, other, net, control } = worldOf(make, quiet);
    for (const path of ["/d/a", "/d/s/b", "/dd"]) await other.write(path, "1");
    await store.list("/", { recursive: true }).toArray();
    await other.write("/d/s/b", "longer");
    control.invalidate("/d");
    let asked = net.calls.length;
    assert.equal((await store.stat("/dd")).size, 1);
    assert.equal(net.calls.length, asked);
    assert.equal((await store.stat("/d/s/b")).size, 6);
    for (const question of ["stat", "list"] as const) {
      control.invalidate("/d");
      net.holds = true;
      const answer = question === "stat" ? store.stat("/d/a") : store.list("/d").toArray();
      await settled();
      await waiting(net, question).effect();
      await other.write("/d/a", "123");
      control.invalidate("/d/a");
      await finish(net);
      await answer;
      net.holds = false;
      assert.equal((await store.stat("/d/a")).size, 3);
      await other.write("/d/a", "1");
    }
    control.invalidate();
    asked = net.calls.length;
    await store.stat("/dd");
    assert.equal(net.calls.length, asked + 1);
    assert.throws(
      () => control.invalidate("no path"),
      (error) => StoreError.is(error) && error.code === "invalid-path",
    );
  },
};

export const sharedCallsOutlive: Proof<Maker> = {
  name: "a shared call goes on when one who waits leaves, and ends when the last has",
  async run(make) {
    const { store, other, net, memory } = worldOf(make, quiet);
    await other.write("/d/a", "a");
    net.holds = true;
    const [one, two] = [new AbortController(), new AbortController()];
    const first = store.stat("/d/a", { signal: one.signal });
    const second = store.stat("/d/a", { signal: two.signal });
    await settled();
    assert.equal(net.calls.length, 1);
    one.abort();
    assert.equal(await code(first), "aborted");
    assert.equal(net.waiting.length, 1);
    await finish(net);
    assert.equal((await second).size, 1);
    const third = store.list("/d", { signal: one.signal }).toArray();
    assert.equal(await code(third), "aborted");
    const both = [two, new AbortController()].map((who) => ({ who, answer: store.list("/d", { signal: who.signal }).toArray() }));
    await settled();
    for (const { who } of both) who.abort();
    for (const { answer } of both) assert.equal(await code(answer), "aborted");
    assert.equal(net.waiting.length, 0);
    assert.equal(memory.flights.size, 0);
    const late = new AbortController();
    const timed = store.stat("/d/b", { signal: late.signal });
    await settled();
    late.abort(new DOMException("late", "TimeoutError"));
    assert.equal(await code(timed), "timeout");
    net.holds = false;
    assert.equal(await exists(store, "/d/b"), false);
  },
};

export const lateListingsComplete: Proof<Maker> = {
  name: "CF47 a fresh upload is in a late listing, and what was deleted is not, for as long as the service may be late, and no longer",
  async run(make) {
    const { store, other, service, clock } = worldOf(make, { service: { late: "listings" }, cache: { ttlMs: 1, prefetch: false } });
    await store.write("/d/a", "a");
    await store.write("/d/gone/x", "x");
    await store.mkdir("/d/empty");
    await clock.advance(5000);
    service.lagMs = 900;
    await store.write("/d/new", "n");
    await store.write("/d/sub/deep/y", "y");
    await store.delete("/d/gone", { recursive: true });
    await store.delete("/d/empty");
    await clock.advance(10);
    for (const fresh of [false, true]) {
      const seen = (await store.list("/d", { fresh }).toArray()).map(({ path }) => path as string).sort();
      assert.deepEqual(seen, ["/d/a", "/d/new", "/d/sub"]);
    }
    assert.deepEqual(await names(store, "/d", true), ["/d/a", "/d/new", "/d/sub", "/d/sub/deep", "/d/sub/deep/y"]);
    assert.deepEqual(await names(store, "/d/sub/deep"), ["/d/sub/deep/y"]);
    assert.equal(await code(store.list("/d/gone").toArray()), "not-found");
    // Somebody else's deletion is not undone for ever.
    await other.delete("/d/new");
    await clock.advance(2000);
    assert.deepEqual(await names(store, "/d"), ["/d/a", "/d/sub"]);
  },
};

export const lateFoldedTrees: Proof<Maker> = {
  name: "CF47 where names are folded too, a late listing of a tree has everything that was made here once, as it was spelled",
  async run(make) {
    const { store, service, clock } = worldOf(make, {
      service: { late: "listings", capabilities: { caseSensitive: false } },
      cache: { ttlMs: 1, prefetch: false },
    });
    await store.write("/D/Old/a", "a");
    await clock.advance(5000);
    service.lagMs = 900;
    await store.mkdir("/D/Made");
    for (const path of ["/D/Old/B", "/D/Made/C", "/D/Sub/Deep/Y"]) await store.write(path, path);
    const all = ["/D/Made", "/D/Made/C", "/D/Old", "/D/Old/B", "/D/Old/a", "/D/Sub", "/D/Sub/Deep", "/D/Sub/Deep/Y"];
    // First the listing has none of it, then all of it.
    for (const passed of [10, 950]) {
      await clock.advance(passed);
      assert.deepEqual((await names(store, "/D", true)).sort(), all);
      assert.deepEqual((await names(store, "/D")).sort(), ["/D/Made", "/D/Old", "/D/Sub"]);
    }
  },
};

export const lateTreesAreNotKept: Proof<Maker> = {
  name: "what a late listing says of a tree that was moved or copied a moment ago is not remembered",
  async run(make) {
    const { store, service, clock } = worldOf(make, { service: { late: "listings" } });
    await store.write("/d/s/a", "a");
    await clock.advance(5000);
    service.lagMs = 900;
    await store.move("/d", "/m");
    await store.copy("/m", "/c");
    await clock.advance(10);
    for (const dir of ["/m", "/m/s", "/c"]) await names(store, dir).catch(() => []);
    await names(store, "/", true);
    await clock.advance(1000);
    assert.deepEqual(await names(store, "/m"), ["/m/s"]);
    assert.deepEqual(await names(store, "/m/s"), ["/m/s/a"]);
    assert.deepEqual(await names(store, "/", true), ["/c", "/c/s", "/c/s/a", "/m", "/m/s", "/m/s/a"]);
    // What came onto a deleted directory is not taken for what was deleted.
    await store.delete("/c", { recursive: true });
    await store.move("/m", "/c");
    service.lagMs = 0;
    assert.deepEqual(await names(store, "/c"), ["/c/s"]);
  },
};

export const lateListingsSayNoAbsence: Proof<Maker> = {
  name: "where only listings are late, a name that one lacks is asked for",
  async run(make) {
    const { store, other, service, clock, net } = worldOf(make, { service: { late: "listings" } });
    await other.write("/d/a", "a");
    await clock.advance(5000);
    service.lagMs = 900;
    await other.write("/d/theirs", "t");
    assert.equal((await store.stat("/d/theirs")).size, 1);
    assert.equal(await exists(store, "/d/none"), false);
    const asked = net.calls.length;
    assert.equal(await exists(store, "/d/none"), false);
    assert.equal(net.calls.length, asked);
  },
};

export const lateReads: Proof<Maker> = {
  name: "where single answers are late too, own changes are known better here",
  async run(make) {
    const { store, service, clock } = worldOf(make, { service: { late: "reads" }, cache: { ttlMs: 1, prefetch: false } });
    await store.write("/d/a", "a");
    await clock.advance(5000);
    service.lagMs = 900;
    await store.write("/d/new", "new");
    await store.delete("/d/a");
    await clock.advance(10);
    assert.equal((await store.stat("/d/new", { fresh: true })).size, 3);
    assert.equal(await code(store.stat("/d/a", { fresh: true })), "not-found");
    assert.deepEqual(await names(store, "/d"), ["/d/new"]);
  },
};

export const newerKnowledgeWins: Proof<Maker> = {
  name: "what was heard after a long listing began is not undone by its end",
  async run(make) {
    const { store, other, clock } = worldOf(make, { ...quiet, service: { pageSize: 2 } });
    for (const name of ["a", "b", "x", "y"]) await other.write(`/d/${name}`, name);
    const pages = store.list("/d").pages()[Symbol.asyncIterator]();
    await pages.next();
    await clock.advance(10);
    await other.write("/d/aa", "new");
    await other.delete("/d/b");
    assert.equal((await store.stat("/d/aa", { fresh: true })).size, 3);
    assert.equal(await code(store.stat("/d/b", { fresh: true })), "not-found");
    while ((await pages.next()).done !== true);
    assert.equal((await store.stat("/d/aa")).size, 3);
    assert.equal(await exists(store, "/d/b"), false);
  },
};

export const races: readonly Proof<Maker>[] = [
  oldAnswersAreNotKept,
  parentsAreHeld,
  joinsOnlyWhatIsNewer,
  overlappingChangesForget,
  parallelUploadsKeep,
  pagesArePatched,
  runningChangeKeepsOpen,
  invalidationHolds,
  sharedCallsOutlive,
  lateListingsComplete,
  lateFoldedTrees,
  lateTreesAreNotKept,
  lateListingsSayNoAbsence,
  lateReads,
  newerKnowledgeWins,
];
