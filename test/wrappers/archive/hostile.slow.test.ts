/** Hostile and damaged archives: set aside and told of, never wrong bytes, nothing else lost. The checks left out: test/broken-layers/archive.ts. */
import { test } from "vitest";
import { hostileProofs } from "./layer/hostile-proofs.ts";
import { layerWith } from "./layer/subject.ts";

test.each(hostileProofs)("$name", { timeout: 120_000 }, async ({ run }) => run((more, proof) => layerWith({}, more, proof)));
