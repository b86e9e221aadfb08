/** Each call later; see support/pace-proofs.ts. */
import { test } from "vitest";
import * as wrappers from "../../src/wrappers/index.ts";
import { delayAborts, delays } from "../broken-layers/support/pace-proofs.ts";

for (const proof of [delays, delayAborts]) test(proof.name, () => proof.run(wrappers));
