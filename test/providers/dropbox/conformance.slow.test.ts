/** CF76: the suite over Dropbox, on the emulator: at the root of an account, and in a folder of it with a token that is renewed. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { dropboxSubject } from "./subject.ts";

const tier = process.env["STRATUS_TIER"] as "smoke" | "full" | "torture" | undefined;
conformance({ describe, test }, await dropboxSubject(tier === undefined ? {} : { tier }));
