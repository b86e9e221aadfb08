/** The model: random programs over the whole interface, side by side with the oracle of model/oracle.ts. What fails is shrunk and printed as a program. */
import { CheckFailure, fail } from "../assert.ts";
import type { Check, CheckContext } from "../check.ts";
import { printed, runProgram } from "../model/programs.ts";
import type { Ground, Program } from "../model/programs.ts";
import { hunt } from "../model/random-programs.ts";
import { regressions } from "../model/regressions.ts";
import { rwld } from "./look.ts";

/** The same programs every time below the torture tier: what passed yesterday passes today, or something has changed. */
const fixedSeed = 20_261_121;
const amounts = { smoke: { programs: 4, steps: 20 }, full: { programs: 40, steps: 30 }, torture: { programs: 400, steps: 40 } } as const;

/** Each program, and each try to shrink it, begins in a directory of its own. */
async function grounds(t: CheckContext, reopen: boolean): Promise<(program: Program) => Promise<void>> {
  const other = await t.connect();
  let store = t.store;
  let count = 0;
  return async (program) => {
    count += 1;
    const ground: Ground = {
      t: Object.create(t, { store: { get: () => store } }) as CheckContext,
      other,
      base: `/m/p${count}`,
      ...(reopen ? { reopen: async () => (store = await t.reopen()) } : {}),
    };
    await runProgram(ground, program);
  };
}

async function random(t: CheckContext, reopen: boolean): Promise<void> {
  const { programs, steps } = amounts[t.tier];
  // A service that is late by declaration is waited for after every change.
  const slow = t.capabilities.consistency.settleMs > 0;
  const fresh: Replay = {
    seed: t.tier === "torture" ? Math.floor(t.random() * 2 ** 31) : fixedSeed,
    path: undefined,
    steps: slow ? Math.min(steps, 10) : steps,
  };
  const from = replay() ?? fresh;
  t.note(`programs from seed ${from.seed}`);
  const found = await hunt({ ...from, programs: slow ? Math.min(programs, 4) : programs, reopen, capabilities: t.capabilities, run: await grounds(t, reopen) });
  if (found === undefined) return;
  const failure = found.error instanceof CheckFailure ? found.error : undefined;
  throw new CheckFailure(
    failure?.what ?? "a random program runs as the model says",
    failure?.expected ?? "",
    `${failure?.actual ?? String(found.error)}\nthe program (replay it with STRATUS_MODEL="${found.seed} ${found.path} ${from.steps}"):\n${printed(found.program)}`,
    found.error,
  );
}

interface Replay {
  readonly seed: number;
  readonly path: string | undefined;
  /** The longest program, which decides what the seed and the path mean. */
  readonly steps: number;
}

/** STRATUS_MODEL="<seed> <path> <steps>", as a failure prints it. */
function replay(): Replay | undefined {
  const text = process.env["STRATUS_MODEL"];
  if (text === undefined || text === "") return undefined;
  const [, seed, path, steps] =
    /^(-?\d+) ([\d:]+) (\d+)$/.exec(text) ?? fail("STRATUS_MODEL is the seed, the path and the steps that a failure printed", '"7 12:0:1 30"', text);
  return { seed: Number(seed), path, steps: Number(steps) };
}

export const checks: readonly Check[] = [
  {
    id: "model.programs",
    title: "random programs over the whole interface, by two connections: every answer and the outcome are those of the model",
    why: "Single calls work; what breaks is the sequence that nobody thought of: a directory moved over an empty one, a file written where a failed one was, a listing after a move by somebody else.",
    tier: "smoke",
    behaviours: [165],
    guarantees: ["model.equal"],
    kills: ["M01", "M02", "M04", "M05", "M06", "M08", "M16", "M17", "M20", "M21", "M42", "M55", "M57", "M58", "A34", "N174", "N178", "N216"],
    needs: rwld,
    timeoutMs: 600_000,
    run: (t) => random(t, false),
  },
  {
    id: "model.reopened",
    title: "random programs with reopening in between: what was acknowledged is there",
    why: "What lives in a connection and not in the store is gone after a restart: an index, a cache, a list of directories.",
    tier: "full",
    behaviours: [165, 153],
    guarantees: ["model.equal"],
    kills: ["R01", "R02"],
    needs: rwld,
    offers: ["reopens"],
    timeoutMs: 600_000,
    run: (t) => random(t, true),
  },
  {
    id: "model.regressions",
    title: "programs that once failed, on this store or another",
    why: "Each was shrunk from a random program that found a real mistake.",
    tier: "smoke",
    behaviours: [165],
    guarantees: ["model.equal"],
    kills: ["M02", "M07", "M10", "M56", "M57"],
    needs: rwld,
    timeoutMs: 120_000,
    async run(t) {
      const run = await grounds(t, false);
      for (const { found, program } of regressions) {
        try {
          await run(program);
        } catch (error) {
          if (error instanceof CheckFailure)
            throw new CheckFailure(`${error.what} (${found})`, error.expected, `${error.actual}\nthe program:\n${printed(program)}`, error);
          throw error;
        }
      }
    },
  },
];
