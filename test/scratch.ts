/** Where tests put directories: in memory where the machine has a file system for that, below one directory of this process. What a killed process left behind the next one removes. */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const base = process.platform === "linux" && existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const PREFIX = "stratus-test-";
let made: string | undefined;

export function scratch(): string {
  if (made !== undefined) return made;
  for (const name of readdirSync(base)) {
    const pid = /^stratus-test-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(base, name), { recursive: true, force: true });
  }
  made = join(base, `${PREFIX}${process.pid}`);
  mkdirSync(made, { recursive: true, mode: 0o700 });
  process.once("exit", () => rmSync(made as string, { recursive: true, force: true }));
  return made;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is a process.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
