/** Laws of all uniform wrappers; see support/law-proofs.ts. */
import { test } from "vitest";
import * as wrappers from "../../src/wrappers/index.ts";
import { lawProofs } from "../broken-layers/support/law-proofs.ts";
import { permitHeldByBody } from "../broken-layers/support/limit-proofs.ts";

for (const proof of [...lawProofs, permitHeldByBody]) test(proof.name, () => proof.run(wrappers));
