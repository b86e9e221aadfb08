/** What must hold of `limit`, beside test/wrappers/limit.test.ts: run by the registry of one-bug layers as well. */
import assert from "node:assert/strict";
import { memory } from "../../../src/providers/memory/index.ts";
import { stack } from "../../../src/store/index.ts";
import type { Proof } from "../registry.ts";
import type { Wrappers } from "./mutant.ts";
import { streaming } from "./turns.ts";

export const permitHeldByBody: Proof<Wrappers> = {
  name: "limit: a read holds its place until its body ends",
  async run({ limit }) {
    await using store = stack(memory(), streaming(), limit({ concurrency: 1 }));
    await store.write("/f", new Uint8Array(1000));
    const body = await store.read("/f");
    assert.equal(store.layers.limit.report()["reading"], 1);
    await body.bytes();
    assert.equal(store.layers.limit.report()["reading"], 0);
  },
};
