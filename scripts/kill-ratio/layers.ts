/** The lists of one-bug layers: every file in test/broken-layers but the registry itself. */
import { readdir } from "node:fs/promises";
import type { BrokenLayer } from "../../test/broken-layers/registry.ts";

const folder = new URL("../../test/broken-layers/", import.meta.url);

export async function brokenLayers(): Promise<readonly BrokenLayer[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".ts") && file !== "registry.ts").sort();
  const lists = await Promise.all(
    files.map(async (file) => {
      const { layers } = (await import(new URL(file, folder).href)) as { readonly layers?: readonly BrokenLayer[] };
      // One that is left out silently would be one that nobody tries.
      if (!Array.isArray(layers)) throw new TypeError(`test/broken-layers/${file} exports no \`layers\`: helpers belong to test/broken-layers/support`);
      return layers;
    }),
  );
  return lists.flat();
}
