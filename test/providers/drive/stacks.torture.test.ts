/** CF75, CF112, CF88: the other stacks of production over Drive. */
import { afterAll } from "vitest";
import { startDrive } from "../../servers/drive/index.ts";
import { overStacks } from "../../wrappers/matrix/run.ts";
import { others } from "../../wrappers/matrix/stacks.ts";
import { driveSubject } from "./subject.ts";

const server = await startDrive();
afterAll(() => server[Symbol.asyncDispose]());

overStacks(driveSubject(server), others, { looksFirst: true });
