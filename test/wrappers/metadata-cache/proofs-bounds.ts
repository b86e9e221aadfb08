/** Bounds, order, names and settings. */
import assert from "node:assert/strict";
import { memory as memoryStore } from "../../../src/providers/memory/index.ts";
import { StoreError, exists, find, stack } from "../../../src/store/index.ts";
import type { Proof } from "../../broken-layers/registry.ts";
import { code, names } from "./proofs-answers.ts";
import { worldOf } from "./world.ts";
import type { Maker } from "./world.ts";

export const staysBounded: Proof<Maker> = {
  name: "the memory stays within maxEntries, the least recently used directories leave whole, and nothing is wrong afterwards",
  async run(make) {
    const { store, other, control, net } = worldOf(make, { cache: { maxEntries: 100, prefetch: false } });
    const bound = (): void => {
      const { entries, directories } = control.report();
      assert.ok(entries + 2 * directories <= 100 + 12, `${entries} entries in ${directories} directories`);
    };
    for (let d = 0; d < 40; d++) for (let f = 0; f < 8; f++) await other.write(`/d${d}/f${f}`, "x");
    for (let d = 0; d < 40; d++) {
      await store.list(`/d${d}`).toArray();
      await exists(store, `/d${d}/none`);
      await store.stat("/d0/f0");
      bound();
    }
    assert.ok(control.report().evicted > 20);
    const asked = net.calls.length;
    assert.equal((await store.stat("/d0/f7")).size, 1);
    assert.equal(net.calls.length, asked, "what is used often stays");
    for (let d = 0; d < 40; d++) assert.equal((await store.stat(`/d${d}/f3`)).size, 1);
    bound();
    for (let f = 0; f < 300; f++) {
      await store.write("/many/" + f, "y");
      bound();
    }
    assert.equal((await names(store, "/many")).length, 300);
    bound();
    assert.equal((await store.stat("/many/7")).size, 1);
    await control.configure({ maxEntries: 1000 });
    assert.equal((await names(store, "/many")).length, 300);
    const again = net.calls.length;
    assert.equal((await names(store, "/many")).length, 300);
    assert.equal(net.calls.length, again);
    await control.configure({ maxEntries: 100 });
    bound();
  },
};

export const figuresAddUp: Proof<Maker> = {
  name: "entries, directories and bytes are what is remembered, and nothing is left when all is forgotten",
  async run(make) {
    const { store, control, memory } = worldOf(make, { cache: { prefetch: false } });
    for (const path of ["/a/b/c", "/a/b/d", "/e", "/f/g"]) await store.write(path, path);
    await store.list("/", { recursive: true }).toArray();
    await store.move("/a", "/h");
    await store.delete("/f", { recursive: true });
    await store.list("/", { recursive: true }).toArray();
    let [facts, directories] = [0, 0];
    for (const left = [memory.tree.top]; left.length > 0;) {
      const one = left.pop() as typeof memory.tree.top;
      directories++;
      facts += one.kids.size;
      left.push(...(one.children?.values() ?? []));
    }
    const { entries, bytes, ...more } = control.report();
    assert.deepEqual([entries, more.directories], [facts, directories]);
    assert.ok(bytes > 0);
    control.invalidate();
    const empty = control.report();
    assert.deepEqual([empty.entries, empty.directories, empty.bytes], [0, 1, 0]);
    assert.equal(memory.holds.size, 0);
    assert.equal(memory.flights.size, 0);
  },
};

export const orderStays: Proof<Maker> = {
  name: "listings keep the order that the service promises, by code points, also after own changes",
  async run(make) {
    const base = memoryStore();
    const store = stack(base, make({}));
    for (const name of ["b", "a-", "a", "\u{10000}", "\uffee", "Z"]) await store.write(`/d/${name}`, name);
    await store.write("/d/a/x", "x").catch(() => {});
    await store.list("/d").toArray();
    for (const name of ["aa", "\u{10001}", "0"]) await store.write(`/d/${name}`, name);
    await store.write("/d/sub/x", "x");
    await store.write("/d/sub-", "x");
    await store.list("/d/sub").toArray();
    for (const recursive of [false, true]) {
      const known = (await store.list("/d", { recursive }).toArray()).map(({ path }) => path);
      assert.deepEqual(
        known,
        (await store.list("/d", { recursive, fresh: true }).toArray()).map(({ path }) => path),
      );
      assert.deepEqual(
        (await store.list("/d", { recursive }).toArray()).map(({ path }) => path),
        known,
      );
    }
    await store.close();
  },
};

export const foldedNames: Proof<Maker> = {
  name: "where a service folds case one name is one, and of names beyond ASCII nothing is remembered that could be wrong",
  async run(make) {
    const { store, net, memory } = worldOf(make, { service: { capabilities: { caseSensitive: false } }, cache: { prefetch: false } });
    await store.write("/Dir/File", "1");
    assert.deepEqual(await names(store, "/Dir"), ["/Dir/File"]);
    const asked = net.calls.length;
    // The double does not fold: what it is asked in another spelling comes from memory alone.
    const found = await store.stat("/dir/FILE");
    assert.deepEqual([found.path, found.size], ["/dir/FILE", 1]);
    assert.deepEqual(await names(store, "/Dir"), ["/Dir/File"]);
    assert.equal(net.calls.length, asked);
    await exists(store, "/k");
    await store.write("/\u212a", "the Kelvin sign folds to k");
    assert.equal(memory.look("/k" as never), undefined);
    await store.stat("/\u212a");
    await store.stat("/\u212a");
    assert.equal(net.calls.length, asked + 4);
  },
};

export const dataIsOwn: Proof<Maker> = {
  name: "who changes an entry that he was given changes nothing that is remembered",
  async run(make) {
    const { store, other } = worldOf(make);
    await other.write("/a", "a");
    for (const given of [await store.stat("/a"), await store.stat("/a"), ...(await store.list("/").toArray())]) {
      Object.assign(given, { size: 99 });
      try {
        Object.assign(given.metadata ?? {}, { version: "99" });
      } catch (error) {
        assert.ok(error instanceof TypeError);
      }
    }
    const { size, metadata } = await store.stat("/a");
    assert.equal(size, 1);
    assert.notEqual(metadata?.["version"], "99");
  },
};

export const settingsHold: Proof<Maker> = {
  name: "CF99 settings are checked, and changed while it runs; what is fixed is refused",
  async run(make) {
    const { store, control } = worldOf(make);
    assert.deepEqual(
      { ...control.settings },
      { ttlMs: 60_000, negativeTtlMs: 60_000, maxEntries: 100_000, settleMs: 0, prefetch: true, spaceMs: 60_000, file: "", maxStaleMs: 0 },
    );
    await control.configure({ ttlMs: "2 min" as never, prefetch: false });
    assert.equal(control.settings.ttlMs, 120_000);
    for (const patch of [{ file: "x" }, { maxStaleMs: 1 }, { ttlMs: -1 }, { maxEntries: 1 }, { no: 1 }])
      assert.equal(await code(control.configure(patch as never)), "config");
    assert.throws(
      () => make({ ttlMs: Number.NaN })(memoryStore()),
      (error) => StoreError.is(error) && error.code === "config",
    );
    assert.match(String(store), /metadataCache\(.*ttlMs=60000\)/);
    assert.equal(find(store, { kind: "metadataCache" }), control);
  },
};

export const capabilitiesPass: Proof<Maker> = {
  name: "M85 the capabilities are those of the store below, exactly, and what it lacks is refused",
  async run(make) {
    for (const service of [
      {},
      { implied: true, loose: true },
      { late: "listings" as const },
      { capabilities: { listRecursive: false as const, etag: false } },
    ]) {
      const { store, other } = worldOf(make, { service });
      assert.deepEqual(store.capabilities, other.capabilities);
      if (store.capabilities.listRecursive === false) assert.equal(await code(store.list("/", { recursive: true }).toArray()), "unsupported");
    }
  },
};

export const bounds: readonly Proof<Maker>[] = [staysBounded, figuresAddUp, orderStays, foldedNames, dataIsOwn, settingsHold, capabilitiesPass];
