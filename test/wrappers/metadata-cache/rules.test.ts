/** CF26 CF47 CF57–CF62 CF99 CF109: each rule of the metadata cache, on the layer as it is. The same proofs kill its one-bug variants (test/broken-layers/metadata-cache.ts). */
import { describe, test } from "vitest";
import { answers } from "./proofs-answers.ts";
import { bounds } from "./proofs-bounds.ts";
import { changes } from "./proofs-changes.ts";
import { filed } from "./proofs-file.ts";
import { races } from "./proofs-races.ts";
import { right } from "./world.ts";

for (const [title, proofs] of Object.entries({ answers, changes, races, bounds, filed }))
  describe(title, () => proofs.forEach(({ name, run }) => test(name, async () => run(right))));
