/** CF112: the suite over the caching store in full, forced to synchronise with every call, each connection with a cache of its own. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { memorySubject } from "../../conformance-suite/memory-subject.ts";
import { stacksOf } from "./stacks.ts";

conformance({ describe, test }, memorySubject({ name: "memory, forced", stacks: stacksOf([["caching"]]) }));
