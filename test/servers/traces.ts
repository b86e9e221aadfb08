/**
 * What there still is of a home, or of all homes below a base directory: seen from outside, without asking the keeper.
 *
 *     expect(traces(server.home)).toEqual({ processes: [], ports: [], directories: [] });
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { portsOfHome } from "./keeper.ts";

export interface Traces {
  /** Processes that name the path in their environment, command line or working directory (zombies have none of the three). */
  readonly processes: readonly number[];
  /** Ports of the home's block that somebody listens on. */
  readonly ports: readonly number[];
  readonly directories: readonly string[];
}

export function traces(path: string): Traces {
  return { processes: processesOf(path), ports: portsOf(path), directories: existsSync(path) ? [path] : [] };
}

function processesOf(path: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
    .filter((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/environ`, "utf8").includes(`STRATUS_SERVER=${path}`) ||
          readlinkSync(`/proc/${pid}/cwd`).startsWith(path) ||
          readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(path)
        );
      } catch {
        return false; // Gone meanwhile, or of another user.
      }
    });
}

function portsOf(path: string): number[] {
  const first = Number(basename(path));
  if (!Number.isInteger(first)) return [];
  const listening = new Set<number>();
  for (const line of readFileSync("/proc/net/tcp", "utf8").split("\n").slice(1)) {
    const [, local = "", , state] = line.trim().split(/\s+/);
    if (state === "0A") listening.add(Number.parseInt(local.split(":")[1] ?? "", 16));
  }
  return Array.from({ length: portsOfHome }, (_, index) => first + index).filter((port) => listening.has(port));
}
