/** The suite over the metadata cache on a local disk, whose directories change their time with their children: alone in full, and doubled. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { metadataCache } from "../../../src/wrappers/index.ts";
import { localSubject } from "../../providers/local/subject.ts";

conformance(
  { describe, test },
  localSubject({ stacks: { "metadata cache": () => [metadataCache()], "metadata cache twice": () => [metadataCache().as("inner"), metadataCache()] } }),
);
