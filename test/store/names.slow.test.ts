/** The scheme of names over each of seven tables: 300,000 random names. */
import { expect, test } from "vitest";
import { TABLES, violation } from "./random-names.ts";

test.each(TABLES.map((table) => [table.name, table] as const))("%s: 300,000 random names there and back", (_, table) => {
  expect(violation(table, 300_000, 20261121)).toBeUndefined();
});
