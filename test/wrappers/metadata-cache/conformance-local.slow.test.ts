/** The suite over the metadata cache on a local disk, whose directories change their time with their children: alone in full, doubled as smoke. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { metadataCache } from "../../../src/wrappers/index.ts";
import { localSubject } from "../../providers/local/subject.ts";

conformance({ describe, test }, localSubject({ stacks: { "metadata cache": () => [metadataCache()] } }));
conformance(
  { describe, test },
  localSubject({ name: "local, doubled", tier: "smoke", stacks: { "metadata cache twice": () => [metadataCache().as("inner"), metadataCache()] } }),
);
