/** `npm run rows`: every feature row of docs/rows.md with its state and the tests that name it; exits 1 where a claim has no test. */
import { styleText } from "node:util";
import { faults, readRows } from "./rows-table.ts";

const rows = await readRows();
const width = Math.min(140, process.stdout.columns ?? 140);
for (const { id, feature, state, tests } of rows) {
  const where = tests.length === 0 ? "" : ` ${tests.slice(0, 3).join(", ")}${tests.length > 3 ? ` and ${tests.length - 3} more` : ""}`;
  const color = state === "covered" ? "green" : state.startsWith("not yet") ? "dim" : "yellow";
  console.log(`${id.padEnd(6)} ${styleText(color, state.padEnd(10))} ${feature}${state === "covered" ? styleText("dim", where) : ""}`.slice(0, width * 2));
}
const count = (test: (state: string) => boolean): number => rows.filter(({ state }) => test(state)).length;
console.log(
  `\n${rows.length} rows: ${count((s) => s === "covered")} covered, ${count((s) => s.startsWith("not yet"))} not yet, ${count((s) => s.startsWith("out of scope"))} out of scope`,
);
const wrong = faults(rows);
for (const fault of wrong) console.error(fault);
process.exitCode = wrong.length === 0 ? 0 : 1;
