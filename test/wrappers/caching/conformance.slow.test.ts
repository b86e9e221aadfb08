/** The suite over the caching store on memory: as it is, asking before it writes, and forced to synchronise with every call (CF112). */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import type { Subject } from "../../../src/conformance/index.ts";
import { caching } from "../../../src/wrappers/index.ts";
import { memorySubject } from "../../conformance-suite/memory-subject.ts";
import { cacheDirectory } from "./cache-directory.ts";

type Stacks = NonNullable<Subject["stacks"]>;
const stacks: Stacks = {
  "caching asking": () => [caching({ directory: cacheDirectory(), unknownPaths: "ask" })],
  "caching forced": () => [caching({ directory: cacheDirectory(), unknownPaths: "ask", uploadDelayMs: 0, freshMs: 0, cacheBytes: 0 })],
  "caching through": () => [caching({ directory: cacheDirectory(), mode: "write-through" })],
};
conformance({ describe, test }, memorySubject({ stacks }));
