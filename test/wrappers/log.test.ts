/** One record per call (CF99, CF109); see support/log-proofs.ts. Many processes at once: log.slow.test.ts. */
import { test } from "vitest";
import * as wrappers from "../../src/wrappers/index.ts";
import { logProofs } from "../broken-layers/support/log-proofs.ts";

for (const proof of logProofs) test(proof.name, () => proof.run(wrappers));
