/** The suite over your wrapper: the store below is proved already, so what fails is the wrapper. Alone, twice, and under others. */
import { describe, test } from "vitest"; // or from "node:test"
import { borrow, memory } from "./shared-memory.ts";
import { conformance } from "stratus/conformance";
import { retry } from "stratus/wrappers";
import { scramble } from "./scramble.ts";
import { slowLog } from "./slow-log.ts";

const quiet = (): void => {};

conformance(
  { describe, test },
  {
    name: "memory",
    reopens: false,
    tier: "smoke",
    open: (place) => borrow(memory(place.id)),
    stacks: {
      slowLog: () => [slowLog({ write: quiet })],
      scramble: () => [scramble("key")],
      "scramble twice": () => [scramble("one").as("inner"), scramble("two")],
      "retry over scramble": () => [scramble("key"), retry()],
      "scramble over retry": () => [retry(), scramble("key")],
    },
  },
);
