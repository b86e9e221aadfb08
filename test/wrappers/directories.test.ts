/** A directory that cannot be made is `config`, at once: Node's recursive mkdir never ends in /proc. */
import { expect, test } from "vitest";
import { local } from "../../src/providers/local/index.ts";
import { memory } from "../../src/providers/memory/index.ts";
import { stack } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { archive, caching, metadataCache } from "../../src/wrappers/index.ts";

const directory = "/proc/stratus/a";
const stores: Readonly<Record<string, () => Store>> = {
  local: () => local({ directory, createRoot: true }),
  caching: () => stack(memory(), caching({ directory })),
  archive: () => stack(memory(), archive({ directory })),
  metadataCache: () => stack(memory(), metadataCache({ file: `${directory}/file` })),
};

test.runIf(process.platform === "linux").each(Object.keys(stores))("%s", async (name) => {
  const store = stores[name]!();
  await expect(store.open()).rejects.toMatchObject({ code: "config", store: name, operation: "open" });
  await store.close();
});
