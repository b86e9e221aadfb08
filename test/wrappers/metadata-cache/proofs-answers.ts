/** What is answered without a request, and what is not: each proof holds for the layer, and fails for the one-bug variants in test/broken-layers/metadata-cache.ts. */
import assert from "node:assert/strict";
import { StoreError, exists, hasCode } from "../../../src/store/index.ts";
import type { Store } from "../../../src/store/index.ts";
import { prefix, retry } from "../../../src/wrappers/index.ts";
import type { Proof } from "../../broken-layers/registry.ts";
import { worldOf } from "./world.ts";
import type { Maker } from "./world.ts";

export const BASIC = { detail: "basic" } as const;
export const names = async (store: Store, dir: string, recursive = false): Promise<string[]> =>
  (await store.list(dir, { recursive }).toArray()).map(({ path }) => path as string).sort();
export async function code(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "nothing",
    (error: unknown) => (StoreError.is(error) ? error.code : String(error)),
  );
}

export const secondIsFree: Proof<Maker> = {
  name: "CF58 a second listing and a second stat make no provider call; CF26 one listing gives the metadata of all children",
  async run(make) {
    const { store, other, net, control } = worldOf(make, { cache: { prefetch: false } });
    for (const name of ["a", "b", "c"]) await other.write(`/d/${name}`, name);
    const first = await store.list("/d").toArray();
    assert.deepEqual(await store.list("/d").toArray(), first);
    for (const entry of first) assert.deepEqual(await store.stat(entry.path), entry);
    assert.equal(net.calls.length, 1);
    const dir = await store.stat("/d");
    assert.deepEqual(await store.stat("/d"), dir);
    assert.equal(net.calls.length, 2);
    const { hits, misses, entries } = control.report();
    assert.deepEqual({ hits, misses, entries }, { hits: 5, misses: 2, entries: 4 });
  },
};

export const absencesAreFree: Proof<Maker> = {
  name: "CF59 stat of an absent name makes no provider call: after a listing, after a miss, below an absent directory, below a file",
  async run(make) {
    const { store, other, net, control } = worldOf(make, { cache: { prefetch: false } });
    await other.write("/d/a", "a");
    await store.list("/d").toArray();
    assert.equal(await code(store.stat("/d/none")), "not-found");
    assert.equal(await code(store.stat("/d/a/below")), "not-found");
    assert.equal(net.calls.length, 1);
    assert.equal(await exists(store, "/gone"), false);
    assert.equal(net.calls.length, 2);
    for (const path of ["/gone", "/gone/x", "/gone/x/y"]) assert.equal(await code(store.stat(path)), "not-found");
    assert.equal(await code(store.list("/gone").toArray()), "not-found");
    assert.equal(await code(store.list("/d/a").toArray()), "not-a-directory");
    assert.equal(net.calls.length, 2);
    assert.equal(control.report().negativeHits, 6);
  },
};

export const emptyIsKnown: Proof<Maker> = {
  name: "an empty directory is complete, which is worth remembering",
  async run(make) {
    const { store, other, net } = worldOf(make);
    await other.mkdir("/empty");
    for (let i = 0; i < 3; i++) assert.deepEqual(await names(store, "/empty"), []);
    assert.equal(await exists(store, "/empty/x"), false);
    assert.equal(net.calls.length, 1);
  },
};

export const recursiveIsSplit: Proof<Maker> = {
  name: "a recursive listing makes each directory in it complete, and complete directories answer a recursive one",
  async run(make) {
    const { store, other, net } = worldOf(make, { service: { pageSize: 2 } });
    for (const path of ["/a/x", "/a/y/z", "/b-c", "/b/d"]) await other.write(path, path);
    await other.mkdir("/a/empty");
    const all = await store.list("/", { recursive: true }).toArray();
    const asked = net.calls.length;
    assert.deepEqual(await store.list("/", { recursive: true }).toArray(), all);
    assert.deepEqual(await names(store, "/a", true), ["/a/empty", "/a/x", "/a/y", "/a/y/z"]);
    assert.deepEqual(await names(store, "/a/empty"), []);
    assert.equal(await exists(store, "/a/y/none"), false);
    assert.equal(net.calls.length, asked);
  },
};

export const prefetches: Proof<Maker> = {
  name: "CF60 one stat in a directory makes all siblings free, also through other wrappers; one page only, and not again",
  async run(make) {
    for (const layers of [{}, { above: [prefix("/d")] }, { below: [prefix("/d")] }, { above: [retry()], below: [retry().as("under")] }]) {
      const { store, other, net, control } = worldOf(make, layers);
      const dir = "above" in layers && layers.above?.[0]?.layerName === "prefix" ? "" : "below" in layers && !("above" in layers) ? "" : "/d";
      for (const name of ["a", "b", "c"]) await other.write(`/d/${name}`, name);
      for (const name of ["a", "b", "c"]) assert.equal((await store.stat(`${dir}/${name}`)).size, 1);
      assert.equal(await exists(store, `${dir}/none`), false);
      assert.deepEqual([net.count("list"), net.count("stat"), control.report().prefetches], [1, 0, 1]);
    }
    const { store, other, net } = worldOf(make, { service: { pageSize: 2 } });
    for (const name of ["a", "b", "c", "d"]) await other.write(`/d/${name}`, name);
    for (const name of ["a", "b", "c", "d"]) await store.stat(`/d/${name}`);
    assert.deepEqual([net.count("list"), net.count("stat")], [1, 2]);
  },
};

export const prefetchesWhatTellsEnough: Proof<Maker> = {
  name: "CF60 where listings tell less than a stat, only a basic question is answered by one; one who may not list may still ask",
  async run(make) {
    const { store, other, net } = worldOf(make, { service: { shortListings: true } });
    await other.write("/d/a", "a", { metadata: {} });
    assert.equal((await store.stat("/d/a", BASIC)).metadata, null);
    assert.deepEqual([net.count("list"), net.count("stat")], [1, 0]);
    assert.notEqual((await store.stat("/d/a")).metadata, null);
    assert.deepEqual([net.count("list"), net.count("stat")], [1, 1]);

    const closed = worldOf(make);
    await closed.other.write("/d/a", "a");
    closed.net.before = ({ operation }) => {
      if (operation === "list") throw new StoreError("permission-denied", "no listings");
    };
    assert.equal((await closed.store.stat("/d/a")).size, 1);
    assert.equal(await exists(closed.store, "/d/b"), false);
    assert.deepEqual([closed.net.count("list"), closed.net.count("stat")], [1, 2]);
  },
};

export const fullNeedsComplete: Proof<Maker> = {
  name: "a full question is not answered from a listing that tells less, a basic one is",
  async run(make) {
    const { store, other, net } = worldOf(make, { service: { shortListings: true } });
    await other.write("/d/a", "a");
    await store.list("/d").toArray();
    assert.equal((await store.stat("/d/a", BASIC)).complete, false);
    assert.equal(net.calls.length, 1);
    const full = await store.stat("/d/a");
    assert.deepEqual([full.complete, full.metadata], [true, { version: full.etag }]);
    assert.equal(net.calls.length, 2);
    // What is known completely stays so when a poorer answer says the same.
    await (await store.read("/d/a")).bytes();
    assert.deepEqual(await store.stat("/d/a"), full);
    assert.equal(net.calls.length, 3);
  },
};

export const thinReplies: Proof<Maker> = {
  name: "a reply that tells less than a listing would is not given as an answer, and shows all the same that the file is there",
  async run(make) {
    const { store, other, net } = worldOf(make, { service: { shortReplies: true }, cache: { prefetch: false } });
    await other.write("/d/a", "a");
    await store.list("/d").toArray();
    await store.write("/d/b", "b");
    const asked = net.calls.length;
    assert.notEqual((await store.stat("/d/b", BASIC)).modifiedMs, null);
    assert.equal(net.calls.length, asked + 1);
    for (const entry of await store.list("/d").toArray()) assert.notEqual(entry.modifiedMs, null);
  },
};

export const freshAsks: Proof<Maker> = {
  name: "a question with fresh goes to the service, and what it hears is remembered",
  async run(make) {
    const { store, other } = worldOf(make);
    await other.write("/d/a", "a");
    await store.list("/d").toArray();
    await other.write("/d/a", "longer");
    await other.write("/d/b", "b");
    assert.equal((await store.stat("/d/a")).size, 1);
    assert.equal((await store.stat("/d/a", { fresh: true })).size, 6);
    assert.equal((await store.stat("/d/a")).size, 6);
    assert.equal(await exists(store, "/d/b"), false);
    assert.equal((await store.list("/d", { fresh: true }).toArray()).length, 2);
    assert.equal(await exists(store, "/d/b"), true);
    // A file is seen where the directory was remembered as absent.
    assert.equal(await exists(store, "/new/x"), false);
    await other.write("/new/x", "x");
    assert.equal((await store.stat("/new/x", { fresh: true })).size, 1);
    assert.equal((await store.stat("/new")).kind, "directory");
    assert.equal((await store.stat("/new/x")).size, 1);
  },
};

export const expires: Proof<Maker> = {
  name: "what is older than ttlMs answers nothing, also where nobody cleaned up; a shorter time is in force at once",
  async run(make) {
    const { store, other, clock, control } = worldOf(make, { cache: { ttlMs: 1000, negativeTtlMs: 100, prefetch: false } });
    await other.write("/d/a", "a");
    await store.list("/d").toArray();
    assert.equal(await exists(store, "/e"), false);
    await other.write("/d/a", "longer");
    await other.write("/e", "e");
    await clock.advance(99);
    assert.equal(await exists(store, "/e"), false);
    await clock.advance(1);
    assert.equal(await exists(store, "/e"), true);
    await clock.advance(899);
    assert.equal((await store.stat("/d/a")).size, 1);
    await clock.advance(1);
    assert.equal((await store.stat("/d/a")).size, 6);
    await other.write("/d/a", "x");
    assert.equal((await store.stat("/d/a")).size, 6);
    await control.configure({ ttlMs: 0 });
    assert.equal((await store.stat("/d/a")).size, 1);
    assert.equal(control.report().file, "none");
  },
};

export const revalidates: Proof<Maker> = {
  name: "an old listing is asked for with its etag, and is as good as new if it is still the same",
  async run(make) {
    const { store, other, clock, net } = worldOf(make, { cache: { ttlMs: 1000 } });
    await other.write("/d/a", "a");
    const first = await store.list("/d").toArray();
    await clock.advance(1000);
    assert.deepEqual(await store.list("/d").toArray(), first);
    assert.deepEqual(await store.stat("/d/a"), first[0]);
    assert.notEqual(net.calls.at(-1), undefined);
    assert.deepEqual(
      net.calls.map((call) => call.operation === "list" && call.ifNoneMatch !== undefined),
      [false, true],
    );
    await other.write("/d/b", "b");
    await clock.advance(1000);
    assert.deepEqual(await names(store, "/d"), ["/d/a", "/d/b"]);
    // What an own change made of it has no etag.
    await store.write("/d/c", "c");
    await clock.advance(1000);
    assert.deepEqual(await names(store, "/d"), ["/d/a", "/d/b", "/d/c"]);
    assert.equal((net.calls.at(-1) as { ifNoneMatch?: string }).ifNoneMatch, undefined);
  },
};

export const readsTeach: Proof<Maker> = {
  name: "what a read tells is that of the whole file, whatever part was read; one that fails tells nothing, but that it is not there",
  async run(make) {
    const { store, other, net } = worldOf(make, { cache: { prefetch: false } });
    await other.write("/f", "0123456789");
    assert.equal(await (await store.read("/f", { range: { offset: 2, length: 3 } })).text(), "234");
    assert.equal((await store.stat("/f")).size, 10);
    assert.equal(net.calls.length, 1);
    assert.equal(await code(store.read("/none")), "not-found");
    assert.equal(await code(store.stat("/none")), "not-found");
    assert.equal(net.calls.length, 2);
    net.before = () => {
      throw new StoreError("unavailable", "down");
    };
    assert.equal(await code(store.read("/g")), "unavailable");
    assert.equal(await code(store.stat("/g")), "unavailable");
    assert.equal(await code(store.list("/h").toArray()), "unavailable");
    net.before = undefined;
    await other.write("/g", "g");
    await other.mkdir("/h");
    assert.equal((await store.stat("/g")).size, 1);
    assert.deepEqual(await names(store, "/h"), []);
  },
};

export const errorsPass: Proof<Maker> = {
  name: "CF57 errors keep their class through the cache: a missing file is not-found, a service that is away is unavailable and never not-found",
  async run(make) {
    const { store, net } = worldOf(make, { cache: { prefetch: false } });
    for (const ask of [() => store.stat("/x"), () => store.read("/x"), () => store.list("/x").toArray()]) {
      await assert.rejects(ask, (error) => hasCode(error, "not-found") && error.path === "/x");
      await assert.rejects(ask, (error) => hasCode(error, "not-found") && error.path === "/x");
    }
    for (const failure of ["unavailable", "permission-denied", "unauthenticated", "rate-limited"] as const) {
      net.before = () => {
        throw new StoreError(failure, "no");
      };
      for (const ask of [() => store.stat(`/${failure}/y`), () => store.list(`/${failure}`).toArray()]) {
        assert.equal(await code(ask()), failure);
        assert.equal(await code(ask()), failure);
      }
      net.before = undefined;
      assert.equal(await code(store.stat(`/${failure}/y`)), "not-found");
    }
  },
};

export const spaceIsKept: Proof<Maker> = {
  name: "space is kept for a while, and not over an own change; the account until reconnect",
  async run(make) {
    const { store, net, clock } = worldOf(make, { cache: { spaceMs: 500 } });
    assert.equal((await store.space()).used, 0);
    assert.equal((await store.space()).used, 0);
    assert.equal(net.count("space"), 1);
    await store.write("/a", "abc");
    assert.equal((await store.space()).used, 3);
    await clock.advance(500);
    await store.space();
    assert.equal(net.count("space"), 3);
    await store.account();
    await store.account();
    assert.equal(net.count("account"), 1);
    await store.reconnect();
    await store.account();
    assert.equal(net.count("account"), 2);
  },
};

export const pagesEnd: Proof<Maker> = {
  name: "a listing that fails or is left half way says nothing about names it did not come to",
  async run(make) {
    const { store, other, net } = worldOf(make, { service: { pageSize: 2 }, cache: { prefetch: false } });
    for (const name of ["a", "b", "c", "d", "e"]) await other.write(`/d/${name}`, name);
    for await (const page of store.list("/d").pages()) {
      assert.equal(page.length, 2);
      break;
    }
    assert.equal((await store.stat("/d/a")).size, 1);
    assert.equal(net.calls.length, 1);
    assert.equal((await store.stat("/d/e")).size, 1);
    net.before = (call) => {
      if (call.operation === "list" && call.cursor !== undefined) throw new StoreError("unavailable", "cut");
    };
    assert.equal(await code(store.list("/d").toArray()), "unavailable");
    net.before = undefined;
    assert.equal((await store.stat("/d/d")).size, 1);
    assert.deepEqual(await names(store, "/d"), ["/d/a", "/d/b", "/d/c", "/d/d", "/d/e"]);
    const asked = net.calls.length;
    assert.equal(await exists(store, "/d/none"), false);
    assert.deepEqual(await names(store, "/d"), ["/d/a", "/d/b", "/d/c", "/d/d", "/d/e"]);
    assert.equal(net.calls.length, asked);
  },
};

export const answers: readonly Proof<Maker>[] = [
  secondIsFree,
  absencesAreFree,
  emptyIsKnown,
  recursiveIsSplit,
  prefetches,
  prefetchesWhatTellsEnough,
  fullNeedsComplete,
  thinReplies,
  freshAsks,
  expires,
  revalidates,
  readsTeach,
  errorsPass,
  spaceIsKept,
  pagesEnd,
];
