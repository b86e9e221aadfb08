/** docs/contract.md lists what the suite proves, no more and no less. */
import { expect, test } from "vitest";
import { contractPage, unproved } from "../../scripts/contract-page.ts";

test("every guarantee is proved by a check", () => {
  expect(unproved()).toEqual([]);
});

test("the page is current: node scripts/run.js scripts/docs", async () => {
  const { now, wanted } = await contractPage();
  expect(now).toBe(wanted);
});
