/** Full, unless STRATUS_PLOWSHARE_TIER says otherwise: for a quick look while working. */
import type { Subject } from "../../../src/conformance/index.ts";

export const tier: NonNullable<Subject["tier"]> = process.env["STRATUS_PLOWSHARE_TIER"] === "smoke" ? "smoke" : "full";
