/** Nothing waits for ever, and `applied` is the truth; see support/timeout-proofs.ts. */
import { test } from "vitest";
import * as wrappers from "../../src/wrappers/index.ts";
import { timeoutProofs } from "../broken-layers/support/timeout-proofs.ts";

for (const proof of timeoutProofs) test(proof.name, () => proof.run(wrappers));
