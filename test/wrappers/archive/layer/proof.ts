/** How a proof of the real layer is written: a world, steps, and what an installation then reads. Under plain Node. */
import type { Proof } from "../../../broken-layers/registry.ts";
import { StoreError } from "../../../../src/store/index.ts";
import type { Command } from "./commands.ts";
import type { LayerOptions } from "./world.ts";
import { LayerWorld } from "./world.ts";
import type { MakeLayer } from "./subject.ts";
import { MINUTE } from "./subject.ts";

export type LayerProof = Proof<MakeLayer>;
type Options = Omit<LayerOptions, "open" | "installations"> & { readonly installations?: number; readonly refreshMs?: number; readonly quiet?: boolean };

export function proof(name: string, options: Options, run: (world: LayerWorld) => Promise<void>): LayerProof {
  const { refreshMs = MINUTE, quiet = false, installations = 2, ...rest } = options;
  return {
    name: `archive: ${name}`,
    async run(make) {
      const world = new LayerWorld({
        ...rest,
        installations,
        open: make({ refreshMs, ...(rest.settleMs === undefined ? {} : { settleMs: rest.settleMs }) }, { upkeep: false }),
      });
      try {
        await run(world);
        if (quiet) await world.quietEnd();
      } finally {
        await world.end();
      }
    },
  };
}

export async function steps(world: LayerWorld, ...commands: Command[]): Promise<void> {
  for (const command of commands) await world.step(command);
}
/** What an installation reads: "body 3", "nothing", or the code of an error. */
export async function reads(world: LayerWorld, i: number, path: string): Promise<string> {
  try {
    const text = await (await (world.sites[i] as LayerWorld["sites"][number]).store.read(path)).text();
    return /^body \d+/.exec(text)?.[0] ?? text;
  } catch (error) {
    if (!StoreError.is(error)) throw error;
    return error.code === "not-found" ? "nothing" : error.code;
  }
}
export const site = (world: LayerWorld, i: number): LayerWorld["sites"][number] => world.sites[i] as LayerWorld["sites"][number];
