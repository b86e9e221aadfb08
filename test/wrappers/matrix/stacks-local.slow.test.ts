/** CF75: the suite over the stacks of production, on a local disk, where a store is opened again and finds what it left. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { localSubject } from "../../providers/local/subject.ts";
import { depth, production, stacksOf } from "./stacks.ts";

conformance({ describe, test }, localSubject({ name: "local, stacks", tier: depth(), stacks: stacksOf(production) }));
