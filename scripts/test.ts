/**
 * `npm test`: all checks that a quarter of an hour has room for. Installs nothing; a server that is absent is named with the providers that are therefore
 * not proved, and is a failure in CI. `--torture` (`npm run test:torture`) runs everything: the other servers in full, the matrix of wrappers, 1,000 kills of
 * each kind, fresh seeds, 2 GiB streams. Ends with the line `N passed, N failed`.
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
}

const torture = process.argv.includes("--torture");
const directory = await mkdtemp(join(tmpdir(), "stratus-test-"));
try {
  const fixed = await runAll(staticChecks);
  // Side by side: what runs against servers mostly waits for them, the rest computes.
  const counts = await Promise.all([counted("unit", ["--maxWorkers", "2"]), counted("servers", ["--maxWorkers", "3"])]);
  if (torture) counts.push(await counted("alone", ["--maxWorkers", "1"]));
  // By itself: the suite judges one-bug stores by time limits too, and each must die of its own bug.
  const gate = await run({ name: "kill ratio", command: "node", args: ["scripts/kill-ratio.ts"] });
  if (gate.ok) console.log(gate.output.trimEnd().split("\n").at(-1));
  const all = [...fixed, gate];
  const passed = all.filter(({ ok }) => ok).length + sum(counts, "passed");
  const failed = all.filter(({ ok }) => !ok).length + sum(counts, "failed");
  if (sum(counts, "pending") > 0) console.log(`${sum(counts, "pending")} not run: see the lines NOT PROVED above`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly pending: number;
}

/** One project of vitest.config.ts. */
async function counted(project: string, options: readonly string[]): Promise<Counts> {
  const report = join(directory, `${project}.json`);
  const { ok } = await run({
    name: `tests: ${project}${torture ? ", torture" : ""}`,
    command: "vitest",
    args: ["run", "--project", project, "--reporter", "default", "--reporter", "json", "--outputFile.json", report, ...options],
    env: torture ? { STRATUS_TIER: "torture" } : {},
    live: true,
  });
  const found = JSON.parse(await readFile(report, "utf8").catch(() => "null")) as VitestReport | null;
  return {
    passed: found?.numPassedTests ?? 0,
    // A run that failed without a failed test failed all the same: a file that did not load, an error between tests.
    failed: Math.max(found?.numFailedTests ?? 0, ok ? 0 : 1),
    pending: found?.numPendingTests ?? 0,
  };
}

function sum(counts: readonly Counts[], key: keyof Counts): number {
  return counts.reduce((total, one) => total + one[key], 0);
}
