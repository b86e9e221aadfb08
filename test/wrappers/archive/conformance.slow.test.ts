/** The suite over archives on memory: alone, and with a second installation where a check opens one. */
import { join } from "node:path";
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { archive } from "../../../src/wrappers/index.ts";
import { memorySubject } from "../../conformance-suite/memory-subject.ts";

conformance(
  { describe, test },
  memorySubject({
    name: "memory, archives",
    stacks: {
      archive: (place) => [archive({ directory: join(place.scratch, "archive"), maxDelayMs: 0, refreshMs: 0 })],
      "archive, small groups": (place) => [
        archive({
          directory: join(place.scratch, "archive"),
          maxDelayMs: 2,
          refreshMs: 0,
          maxMembers: 3,
          smallBytes: 1000,
          maxBytes: 65_536,
          readCacheBytes: 0,
        }),
      ],
    },
  }),
);
