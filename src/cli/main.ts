/** Finds the subcommand and runs it. Each is a file of its own, loaded when it is asked for. */
import { suiteVersion } from "../conformance/suite.ts";
import { StoreError } from "../store/index.ts";
import { UsageError } from "./usage.ts";

interface Command {
  readonly about: string;
  /** Gives the exit code. */
  readonly load: () => Promise<(args: readonly string[]) => Promise<number>>;
}

const commands: Readonly<Record<string, Command>> = {
  conformance: {
    about: "Run the conformance suite against a store, probe it, list and explain checks",
    load: async () => (await import("./conformance.ts")).conformance,
  },
  auth: {
    about: "Sign in to dropbox, drive or sugarsync and store the tokens",
    load: async () => (await import("./auth.ts")).auth,
  },
  pool: {
    about: "Files by their hash on several hosts: upload, sync, verify, repair, dump",
    load: async () => (await import("./pool.ts")).poolCommand,
  },
  repo: {
    about: "Files with states, versions and tags: add, publish, expire, find, verify, gc",
    load: async () => (await import("./repo.ts")).repoCommand,
  },
  top: {
    about: "Show live what a store does: rates, latencies, errors, what is pending",
    load: async () => (await import("./top.ts")).topCommand,
  },
};

/** 0: done. 1: done, and what was asked about does not hold. 2: it could not be done. */
export async function main(args: readonly string[]): Promise<number> {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", nobodyReads);
  const [name, ...rest] = args;
  if (name === "--version" || name === "-v") {
    process.stdout.write(`${suiteVersion}\n`);
    return 0;
  }
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    (name === undefined ? process.stderr : process.stdout).write(usage());
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    process.stderr.write(`stratus: there is no command "${name}"\n\n${usage()}`);
    return 2;
  }
  try {
    const run = await command.load();
    return await run(rest);
  } catch (error) {
    // With a stack: what nobody expected.
    if (!(error instanceof UsageError) && !(StoreError.is(error) && error.code !== "unknown")) throw error;
    process.stderr.write(`stratus ${name}: ${error.message}\n`);
    return 2;
  }
}

/** Who reads no more than the beginning (`| head`) ends neither the run nor its clean-up, and the exit code stays what it is. */
function nobodyReads(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

function usage(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, { about }]) => `  ${name.padEnd(width)}  ${about}`);
  return `stratus <command> [...]\n\n${lines.join("\n")}\n\nstratus <command> --help says more. stratus --version\n`;
}
