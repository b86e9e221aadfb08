/**
 * `npm test`: all checks. Installs nothing; a server that is absent is named with the providers that are therefore not proved, and is a failure in CI.
 * `--torture` (`npm run test:torture`) runs the long tier as well. Ends with the line `N passed, N failed`.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { staticChecks } from "./static.ts";
import { run, runAll } from "./tasks.ts";

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
}

const torture = process.argv.includes("--torture");
const directory = await mkdtemp(join(tmpdir(), "stratus-test-"));
try {
  const report = join(directory, "report.json");
  const fixed = await runAll(staticChecks);
  const tests = await run({
    name: torture ? "tests, torture" : "tests",
    command: "vitest",
    args: ["run", "--reporter", "default", "--reporter", "json", "--outputFile.json", report],
    env: torture ? { STRATUS_TIER: "torture" } : {},
    live: true,
  });
  const counted = JSON.parse(await readFile(report, "utf8").catch(() => "null")) as VitestReport | null;
  const passed = fixed.filter(({ ok }) => ok).length + (counted?.numPassedTests ?? 0);
  // A run that failed without a failed test failed all the same: a file that did not load, an error between tests.
  const failedTests = Math.max(counted?.numFailedTests ?? 0, tests.ok ? 0 : 1);
  const failed = fixed.filter(({ ok }) => !ok).length + failedTests;
  if ((counted?.numPendingTests ?? 0) > 0) console.log(`${counted?.numPendingTests} not run: see the lines NOT PROVED above`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && tests.ok ? 0 : 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
