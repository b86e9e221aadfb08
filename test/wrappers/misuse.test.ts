/** What the types forbid or a machine cannot do is refused at once, where it is said: no wrapper takes it and then does nothing. */
import { expect, test } from "vitest";
import { local } from "../../src/providers/local/index.ts";
import { memory } from "../../src/providers/memory/index.ts";
import { stack } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { archive, caching, fault, log, metadataCache } from "../../src/wrappers/index.ts";
import { cacheDirectory } from "./caching/cache-directory.ts";

// Node's recursive mkdir never ends in /proc.
const directory = "/proc/stratus/a";
const stores: Readonly<Record<string, () => Store>> = {
  local: () => local({ directory, createRoot: true }),
  caching: () => stack(memory(), caching({ directory })),
  archive: () => stack(memory(), archive({ directory })),
  metadataCache: () => stack(memory(), metadataCache({ file: `${directory}/file` })),
};
test.runIf(process.platform === "linux").each(Object.keys(stores))("%s: a directory that cannot be made is `config`, at once", async (name) => {
  const store = stores[name]!();
  await expect(store.open()).rejects.toMatchObject({ code: "config", store: name, operation: "open" });
  await store.close();
});

test.each<[string, () => unknown]>([
  ["a fault that comes at no known time", () => stack(memory(), fault({ rules: [{ when: "sometimes" as never }] }))],
  ["a log without a sink", () => log({} as never)],
  ["a log whose sink is a function", () => log({ sink: (() => {}) as never })],
])("%s is `config`", (_, make) => {
  expect(make).toThrow(expect.objectContaining({ code: "config" }));
});

test("a listener that is no function is a TypeError when it is given, not when something happens", async () => {
  await using cached = stack(memory(), caching({ directory: cacheDirectory() }));
  await using packed = stack(memory(), archive({ directory: cacheDirectory() }));
  expect(() => cached.layers.caching.on("conflict" as never)).toThrow(TypeError);
  expect(() => packed.layers.archive.onEvent("damaged" as never)).toThrow(TypeError);
});
