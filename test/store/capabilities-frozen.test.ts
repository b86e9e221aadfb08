/** Capabilities belong to one store: nobody changes those of another one through a shared list. */
import { expect, test } from "vitest";
import { createStore } from "../../src/store/index.ts";
import type { HashName, Provider } from "../../src/store/index.ts";

test("the capabilities of a store are frozen copies of what its provider said", async () => {
  const hashes: HashName[] = ["md5"];
  const consistency = { read: "strong", list: "eventual", settleMs: 10 } as const;
  const never = (): Promise<never> => Promise.reject(new Error("not called"));
  const provider: Provider & { readonly kind: "shared" } = {
    kind: "shared",
    capabilities: { hashes, consistency },
    stat: never,
    read: never,
    write: never,
    list: never,
    delete: never,
  };
  await using store = createStore(provider);
  hashes.push("sha1");
  expect(store.capabilities.hashes).toEqual(["md5"]);
  expect(store.capabilities.sizeSteps).toEqual([]);
  expect(store.capabilities.consistency).toEqual(consistency);
  expect(() => Object.assign(store.capabilities.consistency, { settleMs: 0 })).toThrow(TypeError);
  expect(() => (store.capabilities.hashes as HashName[]).push("sha1")).toThrow(TypeError);
  expect(consistency.settleMs).toBe(10);
});
