/**
 * A store of which one call in twenty fails, seeded, under a retry: what stands above must not notice. Calls fail before they reach the store; where
 * twice is the same as once the answer is lost as well; bodies break on their way down.
 */
import type { Place } from "../../../src/conformance/index.ts";
import type { Call, Layer } from "../../../src/store/index.ts";
import { fault, retry } from "../../../src/wrappers/index.ts";
import { stacksOf } from "./stacks.ts";
import type { Stacks } from "./stacks.ts";
import type { WrapperName } from "./layers.ts";

const probability = 0.05;

function mayBeLost(call: Call): boolean {
  if (call.operation === "write") return call.body.replayable && !call.ifAbsent && call.ifMatch === undefined;
  return call.operation === "delete" && call.ifMatch === undefined;
}

export function faultyStacks(lists: readonly (readonly WrapperName[])[]): Stacks {
  return Object.assign({}, ...lists.map((names) => stacksOf([names], (place) => weather(place, names))));
}

function weather({ random }: Place, above: readonly WrapperName[]): readonly Layer[] {
  const firstCache = above.findIndex((name) => name === "caching" || name === "cachingBack");
  // A cache right above waits out by itself what is in doubt; an archive in between does, and is asked again.
  const waits = firstCache >= 0 && !above.slice(0, firstCache).includes("archive");
  return [
    fault({
      random,
      probability,
      rules: [
        { when: "before" },
        { when: "after", operations: ["stat", "list", "read"] },
        { when: "down", operations: ["read"] },
        // No part of a size that a check uses: what breaks after its very last byte is not continued.
        { when: "down", operations: ["read"], afterBytes: 100_003 },
        ...(waits ? [] : [{ when: "after" as const, match: mayBeLost }]),
      ],
    }).as("weather"),
    retry({ attempts: 10, firstDelayMs: 1, random, ambiguous: waits ? "reject" : "resend" }).as("patience"),
  ];
}
