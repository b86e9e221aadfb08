/** The suite over the store in memory. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { memorySubject } from "../../conformance-suite/memory-subject.ts";

conformance({ describe, test }, memorySubject());
