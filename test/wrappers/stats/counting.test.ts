/** The statistics count what passed: CF27, CF28, CF31. The same proofs kill the one-bug variants of test/broken-layers/stats.ts. */
import { test } from "vitest";
import * as wrappers from "../../../src/wrappers/index.ts";
import { countingProofs } from "../../broken-layers/support/stats-proofs.ts";

for (const proof of countingProofs) test(proof.name, () => proof.run(wrappers));
