/** Processes by a mark in their environment: what a test starts has it, what that starts inherits it, and nothing else on the machine is looked at. */
import { randomUUID } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";

const NAME = "STRATUS_TEST_MARK";

export interface Running {
  readonly pid: number;
  /** Arguments, as `ps` shows them. */
  readonly line: string;
  /** "NAME=value", as `ps e` shows them. */
  readonly environment: readonly string[];
}
export interface Marked {
  /** For the environment of what is started. */
  readonly environment: Readonly<Record<string, string>>;
  /** Those that run now. One that has ended and is not yet waited for has no environment any more. */
  running(): Promise<Running[]>;
  /** Ends those that run, and those that they start meanwhile. */
  kill(): Promise<void>;
}

export function marked(): Marked {
  const mark = randomUUID();
  const running = async (): Promise<Running[]> => {
    const found: Running[] = [];
    for (const pid of await readdir("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      const environment = await partsOf(pid, "environ");
      if (environment.includes(`${NAME}=${mark}`)) found.push({ pid: Number(pid), line: (await partsOf(pid, "cmdline")).join(" "), environment });
    }
    return found;
  };
  return {
    environment: { [NAME]: mark },
    running,
    async kill() {
      for (let left = await running(); left.length > 0; left = await running()) {
        for (const { pid } of left) end(pid);
        await new Promise((done) => setTimeout(done, 10));
      }
    },
  };
}

/** Nothing of a process that has ended, or belongs to somebody else. */
async function partsOf(pid: string, file: "environ" | "cmdline"): Promise<string[]> {
  try {
    return (await readFile(`/proc/${pid}/${file}`, "utf8")).split("\0").slice(0, -1);
  } catch (error) {
    if (["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(String((error as NodeJS.ErrnoException).code))) return [];
    throw error;
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
