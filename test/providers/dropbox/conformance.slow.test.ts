/** CF76: the suite over Dropbox, on the emulator: at the root of an account, and in a folder of it with a token that is renewed. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { dropboxSubject } from "./subject.ts";

const asked = process.env["STRATUS_TIER"] as "smoke" | "full" | "torture" | undefined;
conformance({ describe, test }, await dropboxSubject(asked === undefined ? {} : { tier: asked }));
const name = "dropbox, a folder of the account, by a refresh token";
conformance({ describe, test }, await dropboxSubject({ name, tier: asked ?? "smoke" }, { root: "/Apps/Über uns", createRoot: true }, true));
