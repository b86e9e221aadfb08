/** The suite over the caching store on stores that are strange and legal: without conditions, without etags, flat, late, folding, with tiny pages. */
import { describe, test } from "vitest";
import { legalStores } from "../../../src/conformance/broken/legal.ts";
import { conformance } from "../../../src/conformance/index.ts";
import { overStacks } from "../matrix/run.ts";
import { cachingSubject } from "./caching-subject.ts";

/** What the cache does is another thing there; the rest is strange in ways that only pass through. */
const strange: ReadonlySet<string> = new Set(["L03", "L06", "L08", "L09", "L11", "L12", "L13", "L14", "L15", "L18", "L19", "L20", "L21", "L22", "L24"]);

for (const { id, strange: what, subject } of legalStores) {
  if (!strange.has(id)) continue;
  const bare = subject();
  conformance(
    { describe, test },
    cachingSubject(`caching over ${id}, ${what}`, { unknownPaths: "ask" }, { tier: "smoke" }, (place) => bare.open(place)),
  );
}

/** CF112, forced to synchronise: each connection has a cache of its own, and must not take what the other has changed for what it knows. */
const flat: ReadonlySet<string> = new Set(["L11", "L12", "L24"]);
for (const { id, subject } of legalStores) if (flat.has(id)) overStacks(subject(), [["caching"]]);
