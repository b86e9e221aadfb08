/** What must hold of the uniform wrappers, as functions that both vitest and the registry of one-bug layers run. */
import assert from "node:assert/strict";
import { memory } from "../../../src/providers/memory/index.ts";
import { byteStream, layer, stack, uniform } from "../../../src/store/index.ts";
import type { Layer } from "../../../src/store/index.ts";
import type { Proof } from "../registry.ts";
import type { Wrappers } from "./mutant.ts";

/** Bodies as a service gives them: not in memory. */
export function streaming(): Layer<"streaming"> {
  return layer("streaming", (inner) => ({
    backend: uniform(inner, {
      around: (call, next) => next(call),
      async read(call, next) {
        const { body, ...rest } = await next(call);
        return { ...rest, body: byteStream({ length: body.length, pull: () => body.pull(), close: () => body.close() }) };
      },
    }),
  }));
}

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
