/** The suite over the metadata cache: alone in full and doubled, over memory and over a local disk. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { metadataCache } from "../../../src/wrappers/index.ts";
import { memorySubject } from "../../conformance-suite/memory-subject.ts";
import { localSubject } from "../../providers/local/subject.ts";

const stacks = {
  "metadata cache": () => [metadataCache()],
  "metadata cache twice": () => [metadataCache().as("inner"), metadataCache()],
};

conformance({ describe, test }, memorySubject({ stacks }));
conformance({ describe, test }, localSubject({ stacks }));
