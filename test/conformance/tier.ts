/**
 * How deep `npm test` goes: full on the main server of each provider, smoke on the second opinions, so that the whole takes minutes.
 * STRATUS_TIER=full (or `npm run test:torture`) goes as deep everywhere.
 */
import type { Subject } from "../../src/conformance/index.ts";

export function secondOpinion(subject: Subject): Subject {
  const asked = process.env["STRATUS_TIER"];
  return asked === undefined || asked === "" ? { ...subject, tier: "smoke" } : subject;
}
