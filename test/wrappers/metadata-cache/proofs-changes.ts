/** Own changes: what they do to what is remembered. */
import assert from "node:assert/strict";
import { StoreError, exists } from "../../../src/store/index.ts";
import type { StorePath } from "../../../src/store/index.ts";
import type { Proof } from "../../broken-layers/registry.ts";
import { code, names } from "./proofs-answers.ts";
import { settled, worldOf } from "./world.ts";
import type { Maker } from "./world.ts";

export const changesPatch: Proof<Maker> = {
  name: "own writes, deletes and mkdirs are seen at once and cost no request, and the directory stays complete",
  async run(make) {
    const { store, other, net } = worldOf(make, { cache: { prefetch: false } });
    await other.write("/d/a", "a");
    await store.list("/d").toArray();
    assert.equal(await exists(store, "/d/b"), false);
    const made = await store.write("/d/b", "bb");
    await store.mkdir("/d/sub");
    await store.delete("/d/a");
    const asked = net.calls.length;
    assert.deepEqual(await store.stat("/d/b"), made);
    assert.equal(await exists(store, "/d/a"), false);
    assert.equal((await store.stat("/d/sub")).kind, "directory");
    assert.deepEqual(await store.list("/d").toArray(), await other.list("/d").toArray());
    assert.equal(await exists(store, "/d/c"), false);
    assert.equal(net.calls.length, asked);
  },
};

export const writeEndsAbsence: Proof<Maker> = {
  name: "M70 a name that was asked for before it existed is found once it is written, copied or moved to, also its parents",
  async run(make) {
    const { store } = worldOf(make, { cache: { prefetch: false } });
    for (const path of ["/a", "/p/q/b", "/c", "/m", "/t", "/t/x"]) assert.equal(await exists(store, path), false);
    await store.write("/a", "1");
    assert.equal((await store.stat("/a")).size, 1);
    await store.write("/p/q/b", "22");
    for (const path of ["/p", "/p/q"]) assert.equal((await store.stat(path)).kind, "directory");
    assert.equal((await store.stat("/p/q/b")).size, 2);
    assert.deepEqual(await names(store, "/p"), ["/p/q"]);
    await store.copy("/a", "/c");
    assert.equal((await store.stat("/c")).size, 1);
    await store.move("/a", "/m");
    assert.equal((await store.stat("/m")).size, 1);
    assert.equal(await exists(store, "/a"), false);
    await store.mkdir("/u/v");
    assert.equal((await store.stat("/u")).kind, "directory");
    await store.move("/p", "/t/x");
    assert.equal((await store.stat("/t/x/q/b")).size, 2);
  },
};

export const treesDrop: Proof<Maker> = {
  name: "M69 a move, copy or delete of a tree changes what is known of everything below, and of nothing beside",
  async run(make) {
    const { store, other, net } = worldOf(make, { cache: { prefetch: false } });
    for (const path of ["/a/x", "/a/s/y", "/ab/x", "/a-"]) await other.write(path, path);
    const know = async (): Promise<void> => {
      for (const path of ["/ab/x", "/a-"]) await store.stat(path);
      for (const path of ["/a/x", "/a/s/y", "/b/x", "/b/s/y"]) await exists(store, path);
    };
    const beside = async (): Promise<void> => {
      const asked = net.calls.length;
      for (const path of ["/ab/x", "/a-"]) assert.equal((await store.stat(path)).size, path.length);
      assert.equal(net.calls.length, asked, "siblings with the same beginning are remembered");
    };
    await know();
    await store.move("/a", "/b");
    await beside();
    for (const path of ["/x", "/s/y"]) {
      assert.equal(await exists(store, `/a${path}`), false);
      assert.equal((await store.stat(`/b${path}`)).size, path.length + 2);
    }
    await know();
    await store.copy("/b", "/a");
    await beside();
    for (const path of ["/a/x", "/a/s/y"]) {
      const copied = await store.stat(path);
      assert.equal(copied.etag, (await other.stat(path)).etag);
    }
    await store.delete("/a", { recursive: true });
    await beside();
    for (const path of ["/a", "/a/x", "/a/s", "/a/s/y"]) assert.equal(await exists(store, path), false);
    await store.write("/a/new", "n");
    for (const path of ["/a/x", "/a/s", "/a/s/y"]) assert.equal(await exists(store, path), false);
    assert.deepEqual(await names(store, "/a"), ["/a/new"]);
  },
};

export const failuresForget: Proof<Maker> = {
  name: "CF62 after a failed upload of unknown outcome the entry is gone, whether or not it was applied; what certainly did nothing changes nothing",
  async run(make) {
    for (const applied of [true, false]) {
      const { store, net } = worldOf(make, { cache: { prefetch: false } });
      await store.write("/d/old", "old");
      await store.list("/d").toArray();
      const lost = new StoreError("unavailable", "the answer was lost");
      const breaks = async (change: () => Promise<unknown>): Promise<void> => {
        if (applied)
          net.after = () => {
            throw lost;
          };
        else
          net.before = () => {
            throw lost;
          };
        assert.equal(await code(change()), "unavailable");
        net.after = net.before = undefined;
      };
      await breaks(() => store.write("/d/new", "new"));
      assert.equal(await exists(store, "/d/new"), applied);
      assert.deepEqual(await names(store, "/d"), applied ? ["/d/new", "/d/old"] : ["/d/old"]);
      await breaks(() => store.delete("/d/old"));
      assert.equal(await exists(store, "/d/old"), !applied);
      await breaks(() => store.move("/d", "/e"));
      assert.equal(await exists(store, "/e"), applied);
      assert.equal(await exists(store, "/d/new"), false);
      await breaks(() => store.mkdir("/n/m"));
      assert.equal(await exists(store, "/n"), applied);
    }
    const { store, net } = worldOf(make, { cache: { prefetch: false } });
    await store.write("/d/old", "old");
    await store.list("/d").toArray();
    net.before = ({ operation }) => {
      if (operation === "write") throw new StoreError("no-space", "full", { applied: false });
    };
    assert.equal(await code(store.write("/d/old", "longer")), "no-space");
    const asked = net.calls.length;
    assert.equal((await store.stat("/d/old")).size, 3);
    assert.deepEqual(await names(store, "/d"), ["/d/old"]);
    assert.equal(net.calls.length, asked);
  },
};

export const refusalsTeach: Proof<Maker> = {
  name: "a refusal that contradicts what is remembered ends it",
  async run(make) {
    const { store, other } = worldOf(make, { cache: { prefetch: false } });
    assert.equal(await exists(store, "/a"), false);
    await other.write("/a", "theirs");
    assert.equal(await code(store.write("/a", "mine", { ifAbsent: true })), "already-exists");
    const { etag, size } = await store.stat("/a");
    assert.equal(size, 6);
    await other.write("/a", "other");
    assert.equal(await code(store.write("/a", "mine", { ifMatch: String(etag) })), "precondition-failed");
    assert.equal((await store.stat("/a")).size, 5);
    await other.delete("/a");
    assert.equal(await code(store.move("/a", "/b")), "not-found");
    assert.equal(await exists(store, "/a"), false);
    await store.mkdir("/p");
    await other.delete("/p");
    await other.write("/p", "a file now");
    assert.equal(await code(store.write("/p/x", "x")), "not-a-directory");
    assert.equal((await store.stat("/p")).kind, "file");
  },
};

export const conditionsPass: Proof<Maker> = {
  name: "conditions are decided by the service, never by what is remembered",
  async run(make) {
    const { store, other, net } = worldOf(make, { cache: { prefetch: false } });
    await other.write("/a", "a");
    const { etag } = await store.stat("/a");
    await other.delete("/a");
    assert.equal((await store.write("/a", "mine", { ifAbsent: true })).size, 4);
    assert.equal(await code(store.write("/a", "x", { ifMatch: String(etag) })), "precondition-failed");
    assert.equal(await exists(store, "/m"), false);
    await other.mkdir("/m");
    assert.equal(await code(store.mkdir("/m")), "already-exists");
    assert.equal(net.count("write", "mkdir"), 3);
  },
};

export const directoriesAge: Proof<Maker> = {
  name: "the time of a directory in which something came or went is asked for again; that it is there stays known",
  async run(make) {
    const { store, other, net } = worldOf(make, { service: { directoryTimes: true }, cache: { prefetch: false } });
    await store.mkdir("/d/sub");
    const same = async (path: string): Promise<void> => assert.deepEqual(await store.stat(path), await other.stat(path));
    const changes: (() => Promise<unknown>)[] = [
      () => store.write("/d/a", "a"),
      () => store.copy("/d/a", "/d/b"),
      () => store.move("/d/b", "/d/sub/c"),
      () => store.delete("/d/a"),
      () => store.write("/d/new/deep/x", "x"),
    ];
    for (const change of changes) {
      await store.list("/", { recursive: true }).toArray();
      await same("/d");
      await change();
      for (const path of ["/d", "/d/sub"]) await same(path);
      assert.deepEqual(await store.list("/", { recursive: true }).toArray(), await other.list("/", { recursive: true }).toArray());
    }
    await store.write("/d/y", "y");
    const asked = net.calls.length;
    assert.equal(await exists(store, "/d/none"), false);
    assert.equal(net.calls.length, asked);
  },
};

export const lastChildLeaves: Proof<Maker> = {
  name: "where directories are implied, the last child that goes takes its directories along, and not those that still have another",
  async run(make) {
    const { store, other } = worldOf(make, { service: { implied: true }, cache: { prefetch: false } });
    await store.write("/a/b/c/x", "x");
    await store.write("/a/y", "y");
    for (const path of ["/a", "/a/b", "/a/b/c"]) assert.equal((await store.stat(path)).kind, "directory");
    await store.list("/a", { recursive: true }).toArray();
    await store.delete("/a/b/c/x");
    for (const path of ["/a/b", "/a/b/c"]) assert.equal(await exists(store, path), false);
    assert.equal((await store.stat("/a")).kind, "directory");
    assert.deepEqual(await names(store, "/a"), ["/a/y"]);
    await store.move("/a/y", "/z");
    assert.equal(await exists(store, "/a"), false);
    assert.deepEqual(await store.list("/").toArray(), await other.list("/").toArray());
  },
};

export const sideBySide: Proof<Maker> = {
  name: "a file and a directory of one name stand side by side where the service lets them",
  async run(make) {
    const { store, other } = worldOf(make, { service: { loose: true, implied: true }, cache: { prefetch: false } });
    const same = async (): Promise<void> => {
      for (const path of ["/n", "/n/x", "/m", "/m/x"] as StorePath[]) {
        const known = await store.stat(path).catch((error: StoreError) => error.code);
        assert.deepEqual(known, await other.stat(path).catch((error: StoreError) => error.code), path);
      }
      const kinds = async (of: typeof store): Promise<string[]> => (await of.list("/").toArray()).map(({ kind, path }) => `${kind} ${path}`).sort();
      assert.deepEqual(await kinds(store), await kinds(other));
    };
    await store.write("/n/x", "x");
    await same();
    await store.write("/n", "file");
    await same();
    assert.equal((await store.stat("/n")).kind, "file");
    assert.deepEqual(await names(store, "/n"), ["/n/x"]);
    await store.move("/n", "/m");
    await same();
    await store.delete("/m");
    await same();
    await store.write("/n", "again");
    await same();
    await store.delete("/n", { recursive: true });
    await same();
  },
};

export const uploadsPin: Proof<Maker> = {
  name: "CF61 the entry of a running upload survives its expiry, and only that",
  async run(make) {
    const { store, net, clock } = worldOf(make, { cache: { ttlMs: 1000, prefetch: false } });
    await store.write("/d/a", "old");
    await store.write("/d/b", "b");
    net.holds = true;
    const upload = store.write("/d/a", "longer");
    await settled();
    await clock.advance(5000);
    const pinned = store.stat("/d/a");
    await settled();
    assert.equal(net.calls.length, 3);
    assert.equal((await pinned).size, 3);
    const expired = store.stat("/d/b");
    await settled();
    assert.equal(net.waiting.length, 2);
    for (let request = net.waiting[0]; request !== undefined; request = net.waiting[0]) await request.answer();
    await Promise.all([upload, expired]);
    assert.equal((await store.stat("/d/a")).size, 6);
    assert.equal(net.calls.length, 4);
  },
};

export const changes: readonly Proof<Maker>[] = [
  changesPatch,
  writeEndsAbsence,
  treesDrop,
  failuresForget,
  refusalsTeach,
  conditionsPass,
  directoriesAge,
  lastChildLeaves,
  sideBySide,
  uploadsPin,
];
