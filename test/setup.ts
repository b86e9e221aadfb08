/**
 * Temporary directories lie in memory where the machine has a file system for that: nearly all that a test waits for on a disk is flushes, and no test
 * cuts the power. What is about the disk itself stays there.
 */
import { expect } from "vitest";
import { scratch } from "./scratch.ts";
import { baseDirectory } from "./servers/home.ts";

const aboutTheDisk = /\/test\/(servers|providers\/local)\/|-local\.slow\.test/;

const path = expect.getState().testPath;
if (path !== undefined && !aboutTheDisk.test(path)) {
  // Shared servers are found where the first one of this run put them.
  process.env["STRATUS_SERVERS_DIR"] = baseDirectory();
  process.env["TMPDIR"] = scratch();
}
