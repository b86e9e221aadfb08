/** `npm run check`: types, lint, format and the quick tests, in under a minute, with no server. */
import { staticChecks } from "./static.ts";
import { runAll } from "./tasks.ts";

const outcomes = await runAll([
  ...staticChecks,
  {
    name: "quick tests",
    command: "vitest",
    args: [
      "run",
      "--project",
      "unit",
      "--exclude",
      "**/*.slow.test.ts",
      "--exclude",
      "test/examples/acme.test.ts",
      "--exclude",
      "test/conformance-suite/vitest.test.ts",
      "--reporter",
      "dot",
    ],
  },
]);
process.exitCode = outcomes.every(({ ok }) => ok) ? 0 : 1;
