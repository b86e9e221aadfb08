/** The suite over archives: on memory in full; in small groups, twice, and on a store that has next to nothing as smoke. */
import { join } from "node:path";
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import type { Place, Subject } from "../../../src/conformance/index.ts";
import { ModelState, referenceStore } from "../../../src/conformance/model/reference.ts";
import type { Layer } from "../../../src/store/index.ts";
import { archive } from "../../../src/wrappers/index.ts";
import type { ArchiveOptions } from "../../../src/wrappers/index.ts";
import { memorySubject } from "../../conformance-suite/memory-subject.ts";

function packed(place: Place, options: Partial<ArchiveOptions> = {}, folder = "archive"): Layer {
  return archive({ directory: join(place.scratch, folder), maxDelayMs: 0, refreshMs: 0, ...options });
}

/** Four entries a page, empty pages, no ranges, no etags, writes in place. */
const states = new Map<string, ModelState>();
const little: Subject = {
  name: "a store that has next to nothing",
  reopens: false,
  tier: "smoke",
  open(place) {
    const state = states.get(place.id) ?? new ModelState();
    states.set(place.id, state);
    return referenceStore({ state, declare: "little", pageSize: 4, emptyPages: true, sparse: true, chunkBytes: 1000 });
  },
  stacks: { archive: (place) => [packed(place)] },
};

conformance({ describe, test }, memorySubject({ name: "memory, archives", stacks: { archive: (place) => [packed(place)] } }));
conformance(
  { describe, test },
  memorySubject({
    name: "memory, archives, smoke",
    tier: "smoke",
    stacks: {
      "small groups": (place) => [packed(place, { maxDelayMs: 2, maxMembers: 3, smallBytes: 1000, maxBytes: 65_536, readCacheBytes: 0 })],
      twice: (place) => [packed(place, {}, "inner").as("inner"), packed(place)],
    },
  }),
);
conformance({ describe, test }, little);
