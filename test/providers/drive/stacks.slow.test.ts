/** CF75, CF112, CF88: the stacks of production over Drive, all layers that keep something together; the others are in stacks.torture.test.ts. */
import { afterAll } from "vitest";
import { startDrive } from "../../servers/drive/index.ts";
import { overStacks } from "../../wrappers/matrix/run.ts";
import { everything } from "../../wrappers/matrix/stacks.ts";
import { driveSubject } from "./subject.ts";

const server = await startDrive();
afterAll(() => server[Symbol.asyncDispose]());

overStacks(driveSubject(server), everything, { looksFirst: true });
