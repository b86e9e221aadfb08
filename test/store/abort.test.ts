/** An abort keeps what the provider, or the walk over a tree, knows of how far the change came. */
import { expect, test } from "vitest";
import { StoreError, createStore, entry, root } from "../../src/store/index.ts";
import type { Entry, Provider, StorePath } from "../../src/store/index.ts";

function provider(files: readonly string[], deleted: (path: string) => void): Provider & { readonly kind: "walked" } {
  const left = new Set(files);
  return {
    kind: "walked",
    capabilities: {},
    stat: async ({ path }): Promise<Entry> => entry({ path, kind: path === root || path === "/t" ? "directory" : "file", size: 0 }),
    read: async ({ path }) => ({ entry: entry({ path, kind: "file", size: 0 }), body: new Uint8Array() }),
    write: async ({ path }) => entry({ path, kind: "file" }),
    list: async () => ({ entries: [...left].map((path) => entry({ path: path as StorePath, kind: "file", size: 0 })) }),
    delete: async ({ path }) => {
      left.delete(path);
      deleted(path);
    },
  };
}

test("a walked delete that is aborted half way is applied partly, and says where it stopped", async () => {
  const stop = new AbortController();
  let count = 0;
  const store = createStore(
    provider(
      Array.from({ length: 100 }, (_, i) => `/t/${i}`),
      () => {
        if (++count === 3) stop.abort();
      },
    ),
  );
  const error: unknown = await store.delete("/t", { recursive: true, signal: stop.signal }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "aborted", applied: "partly" });
  expect((error as StoreError).partial?.done).toBeGreaterThanOrEqual(3);
});

test.each([["partly" as const], [true], ["unknown" as const], [false]])("a provider that knows that an aborted change was applied: %s", async (applied) => {
  const stop = new AbortController();
  const broken = provider([], () => {
    stop.abort();
    throw new StoreError("aborted", "gave up", { applied, operation: "delete" });
  });
  await expect(createStore(broken).delete("/f", { signal: stop.signal })).rejects.toMatchObject({ code: "aborted", applied });
});

test("an abort of a change that says nothing leaves it unknown", async () => {
  const stop = new AbortController();
  const broken = provider([], () => {
    stop.abort();
    throw stop.signal.reason;
  });
  await expect(createStore(broken).delete("/f", { signal: stop.signal })).rejects.toMatchObject({ code: "aborted", applied: "unknown" });
});
