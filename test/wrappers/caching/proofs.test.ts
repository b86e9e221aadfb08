/** What random programs meet too rarely, or cannot see, step by step. Each of these is what kills a one-bug variant: test/broken-layers/caching.ts. */
import { test } from "vitest";
import * as proofs from "../../broken-layers/support/caching-proofs.ts";

for (const proof of Object.values(proofs)) test(proof.name, { timeout: 60_000 }, () => proof.run({}));
