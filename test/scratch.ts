/** Where tests put directories: in memory where the machine has a file system for that, below one directory of this process. What a killed process left behind the next one removes. */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeLeftBehind } from "../src/conformance/crash/left-behind.ts";

/** What lies here by itself outlives a run: the directories of a crash run that found something. */
export const memoryBase: string = process.platform === "linux" && existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const PREFIX = "stratus-test-";
let made: string | undefined;

export function scratch(): string {
  if (made !== undefined) return made;
  removeLeftBehind(memoryBase, /^stratus-test-(\d+)$/);
  made = join(memoryBase, `${PREFIX}${process.pid}`);
  mkdirSync(made, { recursive: true, mode: 0o700 });
  process.once("exit", () => rmSync(made as string, { recursive: true, force: true }));
  return made;
}
