/** CF88: the suite in tier smoke over the emulator; the full tier is in conformance.slow.test.ts. */
import { afterAll, describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { startDrive } from "../../servers/drive/index.ts";
import { driveSubject } from "./subject.ts";

const server = await startDrive();
afterAll(() => server[Symbol.asyncDispose]());

conformance({ describe, test }, driveSubject(server, { tier: "smoke" }));
