/** CF76: the suite over Dropbox, on the emulator: at the root of an account, and in a folder of it with a token that is renewed. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { depth } from "../../conformance/tier.ts";
import { dropboxSubject } from "./subject.ts";

conformance({ describe, test }, await dropboxSubject({ tier: depth() }));
const name = "dropbox, a folder of the account, by a refresh token";
conformance({ describe, test }, await dropboxSubject({ name, tier: "smoke" }, { root: "/Apps/Über uns", createRoot: true }, true));
