/** The suite under vitest, as every user of it writes it. CF111 */
import { describe, test } from "vitest";
import { conformance } from "../../src/conformance/index.ts";
import { memorySubject } from "./memory-subject.ts";

conformance({ describe, test }, memorySubject({ tier: "smoke" }));
