/**
 * How deep a second opinion goes: another way to the same service, an emulator, a stack of wrappers. Smoke in `npm test`, so that the whole takes minutes;
 * in full with STRATUS_TIER=full and in `npm run test:torture`, which goes deeper than full on the main subjects alone.
 */
import type { Subject } from "../../src/conformance/index.ts";

export function depth(): NonNullable<Subject["tier"]> {
  return (process.env["STRATUS_TIER"] ?? "") === "" ? "smoke" : "full";
}

export function secondOpinion<S extends Subject>(subject: S): S {
  return { ...subject, tier: depth() };
}
