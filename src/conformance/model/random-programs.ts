/**
 * Programs made by fast-check, and shrunk by it. The package is an optional peer dependency: whoever runs the suite installs it.
 *
 *   const found = await hunt({ programs: 20, steps: 25, seed: 7, reopen: false, capabilities, run });
 *   if (found !== undefined) console.log(printed(found.program), found.seed, found.path);
 */
import type * as fastCheck from "fast-check";
import type { Arbitrary } from "fast-check";
import type { Capabilities } from "../../store/index.ts";
import { fail } from "../assert.ts";
import { possible } from "./programs.ts";
import type { How, Program, Step } from "./programs.ts";

/** Few names, so that programs meet what they made. Upper case and two forms of one letter are one name where the service says so. */
const names = [
  ["a", 6],
  ["b", 4],
  ["ab", 2],
  ["A", 1],
  ["\u00e9", 1],
  ["e\u0301", 1],
] as const;
const sizes = [0, 1, 17, 1000, 5000, 70_000];

export interface Hunt {
  readonly programs: number;
  readonly steps: number;
  readonly seed: number;
  /** Of an earlier failure: goes straight to it. */
  readonly path?: string | undefined;
  readonly reopen: boolean;
  readonly capabilities: Capabilities;
  readonly run: (program: Program) => Promise<void>;
}
export interface Found {
  /** Shrunk as far as it goes. */
  readonly program: Program;
  readonly error: unknown;
  readonly seed: number;
  readonly path: string;
}

/** Runs programs until one fails, and shrinks that one. Undefined: all of them held. */
export async function hunt({ programs, steps, seed, path, reopen, capabilities, run }: Hunt): Promise<Found | undefined> {
  const fc = await load();
  const step = stepOf(fc, reopen);
  // A handful of places per program, and their parents and children: most steps meet what others did.
  const places = fc.array(pathOf(fc), { minLength: 2, maxLength: 5 });
  const program = fc
    .tuple(places, fc.array(step, { minLength: 1, maxLength: steps, size: "max" }))
    .map(([pool, made]) => made.map((one) => placed(one, pool)).filter((one) => possible(one, capabilities)));
  const details = await fc.check(fc.asyncProperty(program, run), { seed, numRuns: programs, ...(path === undefined ? {} : { path }) });
  if (!details.failed) return undefined;
  const shrunk = await reduced({ program: details.counterexample?.[0] ?? [], error: details.errorInstance }, run);
  return { ...shrunk, seed: details.seed, path: details.counterexamplePath ?? "" };
}

/** What fast-check leaves: steps and options that the failure does not need. Each is taken away, as long as the program still fails. */
async function reduced(
  from: { readonly program: Program; readonly error: unknown },
  run: (program: Program) => Promise<void>,
): Promise<{ readonly program: Program; readonly error: unknown }> {
  let best = from;
  const tries = async (program: Program): Promise<boolean> => {
    try {
      await run(program);
      return false;
    } catch (error) {
      best = { program, error };
      return true;
    }
  };
  for (let again = true; again;) {
    again = false;
    for (let at = best.program.length - 1; at >= 0; at -= 1) if (best.program.length > 1 && (await tries(best.program.toSpliced(at, 1)))) again = true;
    for (const [at, step] of best.program.entries()) {
      for (const option of Object.keys(step)) {
        if (["do", "on", "path", "to", "size"].includes(option)) continue;
        const { [option as keyof Step]: _, ...rest } = best.program[at] as Step;
        if (option in (best.program[at] as Step) && (await tries(best.program.with(at, rest as Step)))) again = true;
      }
    }
  }
  return best;
}

type FastCheck = typeof fastCheck;

async function load(): Promise<FastCheck> {
  try {
    return await import("fast-check");
  } catch (error) {
    return fail(
      "the checks of the model need the package fast-check",
      "npm install --save-dev fast-check",
      error instanceof Error ? error.message : String(error),
      error,
    );
  }
}

/** A place of the program: the so-manieth of its pool, or what is above or below it. */
interface Somewhere {
  readonly nth: number;
  readonly turn: "here" | "above" | "below";
}
type Placed = Step & { readonly path?: unknown; readonly to?: unknown };

function placed(step: Placed, pool: readonly (readonly string[])[]): Step {
  const at = (where: unknown): readonly string[] => {
    const { nth, turn } = where as Somewhere;
    const path = pool[nth % pool.length] ?? [];
    return turn === "above" ? path.slice(0, -1) : turn === "below" ? [...path, "a"] : path;
  };
  return { ...step, ...(step.path === undefined ? {} : { path: at(step.path) }), ...(step.to === undefined ? {} : { to: at(step.to) }) };
}

function pathOf(fc: FastCheck): Arbitrary<string[]> {
  const name = fc.oneof(...names.map(([text, weight]) => ({ weight, arbitrary: fc.constant(text as string) })));
  return fc.oneof(
    { weight: 5, arbitrary: fc.tuple(name) },
    { weight: 5, arbitrary: fc.tuple(name, name) },
    { weight: 1, arbitrary: fc.tuple(name, name, name) },
  );
}

function stepOf(fc: FastCheck, reopen: boolean): Arbitrary<Placed> {
  const turn = fc.oneof(
    { weight: 8, arbitrary: fc.constant("here" as const) },
    { weight: 2, arbitrary: fc.constant("above" as const) },
    { weight: 1, arbitrary: fc.constant("below" as const) },
  );
  const path = fc.record({ nth: fc.nat({ max: 4 }), turn });
  const on = fc.oneof({ weight: 3, arbitrary: fc.constant(0 as const) }, { weight: 1, arbitrary: fc.constant(1 as const) });
  const yes = fc.constant(true as const);
  const some = <T>(arbitrary: Arbitrary<T>): Arbitrary<T | undefined> => fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
  const etag = fc.constantFrom("current" as const, "stale" as const);
  const good = fc.record({
    do: fc.constant("write" as const),
    on,
    path,
    size: fc.constantFrom(...sizes),
    how: some(fc.constantFrom<How[]>("pieces", "unknown")),
    ifAbsent: some(yes),
    ifMatch: some(etag),
    properties: some(yes),
  });
  const bad = fc.record({
    do: fc.constant("write" as const),
    on,
    path,
    size: fc.constantFrom(1000, 70_000),
    how: fc.constantFrom<How[]>("fails", "short", "long", "aborted", "aborted before"),
    ifAbsent: some(yes),
  });
  const offset = fc.constantFrom(0, 1, 16, 999, 4999, 5000, -1, -17, -6000);
  const kinds: { readonly weight: number; readonly arbitrary: Arbitrary<object> }[] = [
    { weight: 8, arbitrary: good },
    { weight: 2, arbitrary: bad },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("read"),
        on,
        path,
        offset: some(offset),
        length: some(fc.constantFrom(0, 1, 17, 4000)),
        take: some(fc.constantFrom(1, 700)),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("stat"), on, path }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("list"), on, path, recursive: some(yes) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("delete"), on, path, recursive: some(yes), ifMatch: some(etag) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("mkdir"), on, path, existOk: some(yes) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("copy"), on, path, to: path, ifAbsent: some(yes) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("move"), on, path, to: path, ifAbsent: some(yes) }) },
    ...(reopen ? [{ weight: 1, arbitrary: fc.constant({ do: "reopen" }) }] : []),
  ];
  // Options that are not given are not there: what is printed is what is kept. Not together: ifAbsent and ifMatch; a range and an early end.
  return fc.oneof(...kinds).map((one) => {
    const step = Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined)) as Record<string, unknown>;
    if (step["ifAbsent"] === true) delete step["ifMatch"];
    if (step["offset"] === undefined || (step["offset"] as number) < 0) delete step["length"];
    return step as unknown as Placed;
  });
}
