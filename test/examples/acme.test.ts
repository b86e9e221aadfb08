/** The worked example of docs/write-a-provider.md passes what it says it passes. CF1 */
import { describe, test } from "vitest";
import { conformance } from "../../src/conformance/index.ts";
import subject from "../../examples/acme/suite.ts";

conformance({ describe, test }, { ...subject, tier: "smoke" });
