/** The checks that read the code and run nothing. */
import type { Task } from "./tasks.ts";

export const staticChecks: readonly Task[] = [
  { name: "types", command: "tsc", args: ["--noEmit"] },
  { name: "declarations", command: "tsc", args: ["-p", "tsconfig.build.json", "--noEmit"] },
  { name: "lint", command: "oxlint", args: ["--type-aware", "--deny-warnings"] },
  { name: "format", command: "oxfmt", args: ["--check", "src", "test", "bench", "scripts", "vitest.config.ts"] },
];
