/** The suite under node:test, and what a newcomer with a bug is told there. CF111 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { collected, count, planOf } from "../../src/conformance/index.ts";
import { memorySubject } from "./memory-subject.ts";
import { fixture, node } from "./spawn.ts";

const time = { timeout: 120_000 };

test("every check of the tier runs and passes in the runner that comes with Node", time, async () => {
  const planned = planOf(memorySubject(), { tier: "smoke" }).items.length;
  const ran = await node(["--test", "--test-reporter=tap", fixture("node-test.ts")]);
  expect(ran.stdout).toMatch(new RegExp(`# tests ${planned}\\n`));
  expect(ran.stdout).toMatch(/# fail 0\n/);
  expect(ran.stdout).toMatch(/# skipped 0\n/);
  expect(ran.code).toBe(0);
  expect(ran.left).toEqual([]);
});

test("a bug is named by its check, with the reason and the way to see it again; the report of the run has it too", time, async () => {
  const reports = mkdtempSync(join(tmpdir(), "ct-reports-"));
  try {
    const ran = await node(["--test", "--test-reporter=tap", fixture("node-test.ts")], {
      env: { SUBJECT: "bug", STRATUS_REPORT: reports, STRATUS_SEED: "4711" },
    });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/not ok \d+ - writes\.overwrite: /);
    expect(ran.stdout).toMatch(/does not hold: /);
    expect(ran.stdout).toMatch(/why: {8}\S/);
    expect(ran.stdout).toMatch(/replay: {5}npx stratus conformance <module> --check \S+ --seed 4711/);
    expect(ran.stdout).toMatch(/read: {7}docs\/checks\/\S+\.md#\S+/);
    expect(ran.stdout).toMatch(/first difference at byte \d+/);

    const [subject, ...others] = await collected(reports);
    expect(others).toEqual([]);
    expect(subject).toMatchObject({ name: "acme", tier: "smoke", seed: 4711, notRun: [] });
    expect(subject?.stacks).toMatchObject([{ name: null, store: expect.stringContaining("tail") as string }]);
    expect(subject?.stacks[0]?.declared?.maxFileBytes).toBe(Infinity);
    const counts = count(subject?.outcomes ?? []);
    expect(counts.fail).toBeGreaterThan(0);
    expect(counts.pass).toBeGreaterThan(counts.fail);
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
});

test("an unhandled rejection of a store fails the check in which it happened", time, async () => {
  const ran = await node([fixture("unhandled.ts")]);
  expect(JSON.parse(ran.stdout)).toEqual(["fail", "leak", "an unhandled rejection: Error: nobody takes this"]);
});
