/** CF87: the suite over SugarSync, on its emulator; in full with STRATUS_TIER. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { secondOpinion } from "../../conformance/tier.ts";
import { sugarsyncSubject } from "./subject.ts";

conformance({ describe, test }, secondOpinion(await sugarsyncSubject()));
