/** `npm run check`: types, lint, format and the quick tests, in under a minute, with no server. */
import { staticChecks } from "./static.ts";
import { runAll } from "./tasks.ts";

const outcomes = await runAll([
  ...staticChecks,
  {
    name: "quick tests",
    command: "vitest",
    args: ["run", "--project", "unit", "--reporter", "dot"],
    env: { STRATUS_QUICK: "1" },
  },
]);
process.exitCode = outcomes.every(({ ok }) => ok) ? 0 : 1;
