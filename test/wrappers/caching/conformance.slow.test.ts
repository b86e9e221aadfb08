/** The suite over the caching store on memory: as it is, asking before it writes, forced to synchronise with every call (CF112), and written through. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { cachingSubject } from "./caching-subject.ts";

conformance({ describe, test }, cachingSubject("caching", { unknownPaths: "ask" }));
conformance({ describe, test }, cachingSubject("caching forced", { unknownPaths: "ask", uploadDelayMs: 0, freshMs: 0, cacheBytes: 0 }, { tier: "smoke" }));
conformance({ describe, test }, cachingSubject("caching through", { mode: "write-through" }, { tier: "smoke" }));
conformance({ describe, test }, cachingSubject("caching trusting", {}, { tier: "smoke" }));
