/** The checks as data: what other tools rely on. */
import { expect, test } from "vitest";
import { checks, groups, guarantees } from "../../src/conformance/index.ts";

test("the data of the suite is whole: ids, words, guarantees, rows", () => {
  expect(new Set(groups.map((group) => group.name)).size).toBe(groups.length);
  const problems: string[] = [];
  const known = new Set(guarantees.map((guarantee) => guarantee.id));
  for (const check of checks) {
    const complain = (text: string): void => void problems.push(`${check.id}: ${text}`);
    if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)+$/.test(check.id)) complain("the id is not of the form group.thing.case");
    if (check.title.trim().length < 15) complain("the title says too little");
    if (check.why.trim().length < 20) complain("why says too little");
    if (check.behaviours.some((row) => !Number.isInteger(row) || row < 1 || row > 170)) complain(`behaviours ${check.behaviours.join(", ")}`);
    for (const id of check.guarantees) if (!known.has(id)) complain(`no guarantee ${id}`);
    for (const row of check.rows ?? []) if (!/^CF\d+$/.test(row)) complain(`no row ${row}`);
  }
  expect(problems).toEqual([]);
  expect(new Set(checks.flatMap((check) => check.behaviours)).size).toBeGreaterThan(120);
});
