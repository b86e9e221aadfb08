/** CF88: the suite in tier full over the emulator. */
import { afterAll, describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { startDrive } from "../../servers/drive/index.ts";
import { driveSubject } from "./subject.ts";

const server = await startDrive();
afterAll(() => server[Symbol.asyncDispose]());

/** By verb, for a file in a directory that stands; of a path the folders below the root are looked up as well, one request each. */
const cost = { stat: 3, read: 4, write: 4, list: 3, delete: 5, mkdir: 6, copy: 10, move: 10 };

conformance({ describe, test }, driveSubject(server, { tier: "full", cost }));
