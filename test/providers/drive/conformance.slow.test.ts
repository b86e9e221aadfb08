/** CF88: the suite in tier full over the emulator. */
import { afterAll, describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { startDrive } from "../../servers/drive/index.ts";
import { cost, driveSubject } from "./subject.ts";

const server = await startDrive();
afterAll(() => server[Symbol.asyncDispose]());

conformance({ describe, test }, driveSubject(server, { tier: "full", cost }));
