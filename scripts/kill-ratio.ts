/**
 * `npm run kill-ratio`: runs the suite against every one-bug store and every strange but legal one, and the proofs of the
 * wrappers against every one-bug layer (test/broken-layers), and says what it saw.
 *
 *   node scripts/kill-ratio.ts                 // each one-bug store under the checks that claim it
 *   node scripts/kill-ratio.ts --all           // under all checks: what else would have seen it
 *   node scripts/kill-ratio.ts M07 L03 W       // only those whose id begins like this
 *
 * Exits 1 on a one-bug store or layer that survives, on a check that claims a kill and does not make it, and on a legal store that does not pass.
 */
import { killRatio } from "./kill-ratio/run.ts";

const args = process.argv.slice(2);
const unknown = args.filter((arg) => arg.startsWith("-") && arg !== "--all");
if (unknown.length > 0) {
  console.error(`unknown option ${unknown.join(", ")}: there is --all`);
  process.exit(2);
}
const result = await killRatio({ all: args.includes("--all"), only: args.filter((arg) => !arg.startsWith("-")), say: (line) => console.log(line) });
process.exitCode = result.ok ? 0 : 1;
