/** CF88: the suite over the emulator; in full with STRATUS_TIER. */
import { afterAll, describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { depth } from "../../conformance/tier.ts";
import { startDrive } from "../../servers/drive/index.ts";
import { cost, driveSubject } from "./subject.ts";

const server = await startDrive();
afterAll(() => server[Symbol.asyncDispose]());

conformance({ describe, test }, driveSubject(server, { tier: depth(), cost }));
