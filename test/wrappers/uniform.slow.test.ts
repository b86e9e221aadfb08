/** The whole suite over each uniform wrapper of the proofs and the figures, alone: the same store, as far as anybody can see. */
import { describe, test } from "vitest";
import { conformance } from "../../src/conformance/index.ts";
import { memorySubject } from "../conformance-suite/memory-subject.ts";
import { layerOf } from "./every.ts";

const names = ["fault", "throttle", "latency", "timeout", "log", "stats"];

conformance({ describe, test }, memorySubject({ name: "memory, uniform", stacks: Object.fromEntries(names.map((name) => [name, () => [layerOf(name)]])) }));
