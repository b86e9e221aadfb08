/** Directories that are named after the process that made them: what a killed one left behind is removed by the next. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** `name`: its first group is the number of the process. */
export function removeLeftBehind(above: string, name: RegExp): void {
  for (const one of readdirSync(above)) {
    const pid = name.exec(one)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(above, one), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is a process.
    return (error as { readonly code?: unknown }).code === "EPERM";
  }
}
