/** One-bug variants of the uniform wrappers: limit, retry, and those that follow. */
import { permitHeldByBody } from "./support/uniform-proofs.ts";
import { brokenLayer } from "./registry.ts";
import type { BrokenLayer } from "./registry.ts";
import { mutant, real } from "./support/mutant.ts";

export const layers: readonly BrokenLayer[] = [
  brokenLayer({
    id: "S01",
    bug: "limit: a read gives its place back when its body begins",
    proofs: [permitHeldByBody],
    right: real,
    wrong: mutant("src/wrappers/limit.ts", "if (reply.body.inMemory) questions.release(held);", "questions.release(held);"),
  }),
];
