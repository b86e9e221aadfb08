/** CF87: the suite over SugarSync, on its emulator. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { sugarsyncSubject } from "./subject.ts";

conformance({ describe, test }, await sugarsyncSubject());
