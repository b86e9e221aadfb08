/** CF89: the suite over local disk, and over local disk with the rules of Windows names. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { localSubject } from "./subject.ts";

conformance({ describe, test }, localSubject());
