/** The programs of the caching store as `npm run programs -- caching` runs them, and how a property is checked: shrunk, with figures. */
import fc from "fast-check";
import type { Family, Found } from "../../../../scripts/programs/family.ts";
import { subject } from "./caching-subject.ts";
import { pairs, programs } from "./program.ts";
import { runProgram } from "./run.ts";
import type { Figures } from "./run.ts";
import type { Subject } from "./subject.ts";
import { runShared, sharedPrograms } from "./two-clients.ts";

export interface Checked<P> {
  readonly name: string;
  readonly programs: fc.Arbitrary<P>;
  readonly run: (subject: Subject, program: P) => Promise<Figures>;
}

export async function check<P>({ programs: arbitrary, run }: Checked<P>, against: Subject, seed: number, runs: number): Promise<Found> {
  const figures: Record<string, number> = {};
  const result = await fc.check(
    fc.asyncProperty(arbitrary, async (program) => {
      for (const [key, value] of Object.entries(await run(against, program))) figures[key] = (figures[key] ?? 0) + (value as number);
    }),
    { numRuns: runs, seed },
  );
  if (!result.failed) return { runs: result.numRuns, figures };
  const [program] = result.counterexample as [P];
  return { runs: result.numRuns, figures, failure: { program, message: String((result.errorInstance as Error | null)?.stack ?? result.errorInstance) } };
}

export const crashes: Checked<Parameters<typeof runProgram>[1]> = { name: "faults and crashes", programs: programs("crashes"), run: runProgram };
export const power: Checked<Parameters<typeof runProgram>[1]> = { name: "power failures", programs: programs("power"), run: runProgram };
export const shared: Checked<Parameters<typeof runShared>[1]> = { name: "two clients", programs: sharedPrograms, run: runShared };

/** Short ones about one file and one other place: without and with crashes. */
export const one: Checked<Parameters<typeof runProgram>[1]> = { name: "one file", programs: pairs("faults"), run: runProgram };
export const oneCrashes: Checked<Parameters<typeof runProgram>[1]> = { name: "one file, crashes", programs: pairs("crashes"), run: runProgram };

export const family: Family = {
  name: "caching",
  properties: [crashes, one, shared, oneCrashes, power].map((each) => ({
    name: each.name,
    check: (seed: number, runs: number) => check(each as Checked<unknown>, subject(), seed, runs),
  })),
};
