/** Copies and moves of a provider that has neither: the adaptor makes them of reads, writes and deletes, and says what it could not finish. */
import { expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { StoreError, createStore, layer, readText, uniform } from "../../src/store/index.ts";
import type { Backend, DeleteCall, Provider, Store } from "../../src/store/index.ts";

/** Five operations and mkdir, over a store in memory. */
function plain(deleting: (call: DeleteCall) => void = () => {}, written: (path: string) => Promise<unknown> = async () => {}): Store {
  let inner!: Backend;
  layer("keep", (below) => {
    inner = below;
    return { backend: uniform(below, { around: (call, next) => next(call) }) };
  })(memory());
  const provider: Provider & { readonly kind: "plain" } = {
    kind: "plain",
    capabilities: { etag: true },
    stat: (call) => inner.stat(call),
    read: (call) => inner.read(call),
    async write(call) {
      const made = await inner.write(call);
      await written(call.path);
      return made;
    },
    list: (call) => inner.list(call),
    mkdir: (call) => inner.mkdir(call),
    delete: async (call) => {
      deleting(call);
      await inner.delete(call);
    },
  };
  return createStore(provider);
}
const paths = async (store: Store): Promise<string[]> => (await store.list("/", { recursive: true }).toArray()).map(({ path }) => path as string).sort();

test("CF15: a provider without move still renames files and trees", async () => {
  const store = plain();
  expect(store.capabilities).toMatchObject({ move: "emulated", moveTree: "emulated", copy: "emulated" });
  await store.write("/t/a/f", "x");
  await store.write("/g", "y");
  await store.move("/t", "/new/t");
  await store.move("/g", "/new/t/a/f");
  expect(await paths(store)).toEqual(["/new", "/new/t", "/new/t/a", "/new/t/a/f"]);
  expect(await readText(store, "/new/t/a/f")).toBe("y");
});

test("CF15: a delete that fails after the copy is reported: nothing is lost, and how far it came is said", async () => {
  const store = plain(({ path }) => {
    if (path === "/f") throw new StoreError("permission-denied", "not this one");
  });
  await store.write("/f", "x");
  expect(await store.move("/f", "/g").catch((error: unknown) => error)).toMatchObject({
    code: "permission-denied",
    applied: "partly",
    partial: { done: 1, at: "/f" },
    path: "/f",
    to: "/g",
  });
  expect([await readText(store, "/f"), await readText(store, "/g")]).toEqual(["x", "x"]);
});

test("CF15: what changes at the source while it is moved stays there, and the move says so", async () => {
  const store: Store = plain(undefined, async (path) => {
    if (path === "/u/b") await store.write("/t/b", "newer");
  });
  await store.write("/t/a", "1");
  await store.write("/t/b", "2");
  expect(await store.move("/t", "/u").catch((error: unknown) => error)).toMatchObject({ code: "conflict", applied: "partly" });
  expect(await readText(store, "/t/b")).toBe("newer");
  expect([await readText(store, "/u/a"), await readText(store, "/u/b")]).toEqual(["1", "2"]);
});
