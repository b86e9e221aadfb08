/** The suite over the metadata cache on memory: alone in full, and doubled. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { metadataCache } from "../../../src/wrappers/index.ts";
import { memorySubject } from "../../conformance-suite/memory-subject.ts";

conformance(
  { describe, test },
  memorySubject({
    stacks: { "metadata cache": () => [metadataCache()], "metadata cache twice": () => [metadataCache().as("inner"), metadataCache()] },
  }),
);
