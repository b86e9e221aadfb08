/** Laws of every uniform wrapper, whatever it does besides. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { referenceStore } from "../../../src/conformance/model/reference.ts";
import { memory } from "../../../src/providers/memory/index.ts";
import { StoreError, borrow, layer, readText, stack, uniform } from "../../../src/store/index.ts";
import type { Layer } from "../../../src/store/index.ts";
import type { Proof } from "../registry.ts";
import type { Wrappers } from "./mutant.ts";

export function uniformLayers(wrappers: Wrappers): readonly Layer[] {
  const { fault, latency, limit, log, retry, stats, throttle, timeout } = wrappers;
  return [fault({ probability: 0 }), latency(), limit(), log({ sink: { write() {} } }), retry({ attempts: 1 }), stats(), throttle(), timeout()];
}

export const capabilitiesAreThoseBelow: Proof<Wrappers> = {
  name: "uniform wrappers: the capabilities are exactly those of the store below, whatever it has",
  async run(wrappers) {
    const bases = [
      (): ReturnType<typeof referenceStore> => referenceStore(),
      () => referenceStore({ declare: "little", capabilities: { readRange: "native" } }),
      () => referenceStore({ capabilities: { copy: false, space: false, account: false, writeIfMatch: false, maxFileBytes: 1000 } }),
    ];
    for (const make of bases)
      for (const one of uniformLayers(wrappers)) {
        const base = make();
        const { capabilities } = base;
        await using store = stack(base, one);
        assert.deepEqual(store.capabilities, capabilities, one.layerName);
      }
  },
};

export const errorsAreThoseBelow: Proof<Wrappers> = {
  name: "uniform wrappers: an error of the store below comes up as it is, of every operation, and of a body",
  async run(wrappers) {
    for (const code of ["unavailable", "no-space", "conflict", "integrity"] as const)
      for (const one of uniformLayers(wrappers)) {
        const failing = layer("failing", (inner) => ({
          backend: uniform(inner, {
            around: ({ operation, path }) =>
              Promise.reject(new StoreError(code, "from below", { operation, path, applied: "unknown", store: "below", attempts: 3 })),
          }),
        }));
        await using store = stack(memory(), failing, one);
        for (const work of [
          () => store.stat("/f"),
          () => store.read("/f"),
          () => store.write("/f", "x"),
          () => store.list("/").toArray(),
          () => store.delete("/f"),
          () => store.mkdir("/d"),
          () => store.copy("/f", "/g"),
          () => store.move("/f", "/g"),
        ]) {
          const error: unknown = await work().then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          assert.ok(StoreError.is(error), one.layerName);
          assert.deepEqual([error.code, error.reason, error.store, error.applied, error.attempts], [code, "from below", "below", "unknown", 3], one.layerName);
        }
      }
  },
};

export const closingIsOnesOwn: Proof<Wrappers> = {
  name: "uniform wrappers: closing one store ends nothing that another shares with it: the borrowed store, the log file",
  async run(wrappers) {
    const directory = await mkdtemp(join(tmpdir(), "stratus-law-"));
    const base = memory();
    try {
      for (const one of uniformLayers(wrappers)) {
        const [first, second] = [stack(borrow(base), one), stack(borrow(base), one)];
        await first.write("/f", "text");
        await second.stat("/f");
        await first.close();
        assert.equal(await readText(second, "/f"), "text", one.layerName);
        await second.close();
        assert.equal(await readText(base, "/f"), "text");
      }
      const file = join(directory, "log");
      const sink = wrappers.logFile(file);
      const [first, second] = [stack(borrow(base), wrappers.log({ sink })), stack(borrow(base), wrappers.log({ sink }))];
      await first.stat("/f");
      await second.stat("/f");
      await first.close();
      await second.stat("/f");
      assert.deepEqual(second.layers.log.report(), { records: 2, lost: 0, level: "all" });
      await second.close();
      assert.equal((await readFile(file, "utf8")).split("\n").length, 4);
    } finally {
      await base.close();
      await rm(directory, { recursive: true, force: true });
    }
  },
};

export const lawProofs: readonly Proof<Wrappers>[] = [capabilitiesAreThoseBelow, errorsAreThoseBelow, closingIsOnesOwn];
