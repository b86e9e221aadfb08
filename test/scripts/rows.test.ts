/** The claims of docs/rows.md. */
import { expect, test } from "vitest";
import { faults, readRows } from "../../scripts/rows-table.ts";

test("every row that is claimed as covered is named by a test", async () => {
  const rows = await readRows();
  expect(rows.length).toBe(217);
  expect(faults(rows)).toEqual([]);
});

test("a claim without a test, an unknown state and a row that stands twice are found", () => {
  const row = { id: "CF1", feature: "x", state: "covered", tests: ["a"] };
  expect(faults([row])).toEqual([]);
  expect(faults([{ ...row, tests: [] }])).toEqual(["CF1 is claimed as covered and named by no test"]);
  expect(faults([{ ...row, state: "done" }])).toEqual(["CF1 has no state that is known: done"]);
  expect(faults([row, row])).toEqual(["CF1 stands twice in docs/rows.md"]);
});
