/** The wrappers of the mission: caching, metadata cache, archive, statistics. Each figure is a function of its own, so that one can be read alone. */
import { memory } from "../src/providers/memory/index.ts";
import { layer, stack, uniform } from "../src/store/index.ts";
import type { Layer, Store } from "../src/store/index.ts";
import { stats } from "../src/wrappers/index.ts";
import { diskFigures } from "./caching-disk.ts";
import { metadataCacheFigures } from "./caching-metadata.ts";
import { scaleFigures } from "./caching-scale.ts";
import { serviceFigures } from "./caching-service.ts";
import type { Figure, FigureSet } from "./figure.ts";
import { least } from "./measure.ts";

type Report = (figure: Figure) => void;

export const figures: FigureSet = {
  name: "caching",
  async run(report) {
    await diskFigures(report);
    await metadataCacheFigures(report);
    await serviceFigures(report);
    await statsCost(report);
    await scaleFigures(report);
  },
};

/** (f) What `stats` costs per call, beside a layer that does nothing but pass through the same hook. */
async function statsCost(report: Report): Promise<void> {
  const bytes = Buffer.alloc(4096, 7);
  const hooked = stack(memory(), nothing());
  const counted = stack(memory(), stats());
  for (const store of [hooked, counted]) await store.write("/f", bytes);
  const calls: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
    stat: (store) => store.stat("/f"),
    "read 4 KiB": async (store) => (await store.read("/f")).bytes(),
    "write 4 KiB": (store) => store.write("/f", bytes),
  };
  for (const [name, call] of Object.entries(calls)) {
    const ns = await least({ hook: () => call(hooked), stats: () => call(counted) });
    const cost = ns.stats - ns.hook;
    report({
      name: `(f) stats, per ${name}`,
      value: cost / 1000,
      unit: "µs more",
      against: "hook alone",
      ratio: ns.hook / ns.stats,
      goal: "below 0.5 µs",
      met: cost < 500,
    });
  }
  if (counted.layers.stats.snapshot().operations.stat === undefined) throw new Error("the statistics did not count");
  await hooked.close();
  await counted.close();
}

function nothing(): Layer<"nothing"> {
  return layer("nothing", (inner) => ({
    backend: uniform(inner, {
      async around(call, next) {
        const reply = await next(call);
        return reply;
      },
    }),
  }));
}
