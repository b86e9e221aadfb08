/** The suite over the metadata cache on services that are strange, and right by what they declare: implied directories, late answers, folded names, few capabilities. */
import { describe, test } from "vitest";
import { legalStores } from "../../../src/conformance/broken/legal.ts";
import { conformance } from "../../../src/conformance/index.ts";
import { stack } from "../../../src/store/index.ts";
import { metadataCache } from "../../../src/wrappers/index.ts";

/**
 * Those that concern what is remembered. The bare ones are proved in test/conformance-suite. Not L07, where reads are late as well: the suite waits until `stat` shows
 * a file before it reads it, and here `stat` shows it at once.
 */
const ids = ["L03", "L06", "L08", "L11", "L12", "L19"];

for (const { id, strange, subject } of legalStores.filter((one) => ids.includes(one.id))) {
  const bare = subject();
  conformance(
    { describe, test },
    {
      ...bare,
      name: `${id} with a metadata cache: ${strange}`,
      tier: "smoke",
      open: async (place) => stack(await bare.open(place), metadataCache({ clock: place.clock })),
    },
  );
}
