/**
 * The suite over plowshare and file hosts in a directory. With commands that are answered in this process (a call costs a millisecond, not the start of a process), in full
 * with STRATUS_TIER, and in smoke with processes; STRATUS_PLOWSHARE_TIER=full runs those in full too.
 */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { secondOpinion } from "../../conformance/tier.ts";
import { inProcessSubject } from "./in-process-subject.ts";
import { plowshareSubject } from "./subject.ts";

const tier = process.env["STRATUS_PLOWSHARE_TIER"] === "full" ? "full" : "smoke";

conformance({ describe, test }, secondOpinion(inProcessSubject()));
conformance({ describe, test }, plowshareSubject({ tier }));
