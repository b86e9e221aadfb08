/** docs/checks is what the suite says of itself now. */
import { expect, test } from "vitest";
import { stalePages } from "../../scripts/check-pages.ts";

test("the pages of the checks are current: node scripts/check-pages.ts", () => {
  expect(stalePages()).toEqual([]);
});
