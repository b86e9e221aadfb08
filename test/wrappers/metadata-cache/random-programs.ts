/** Programs by fast-check, for the layer and for its one-bug variants. */
import fc from "fast-check";
import { run, settings } from "./programs.ts";
import type { Program, Step } from "./programs.ts";
import type { Maker } from "./world.ts";

/** Few names, so that steps meet. */
const files = fc.constantFrom("/a", "/b", "/d/a", "/d/b", "/d/e/x");
const paths = fc.constantFrom("/a", "/b", "/d", "/d/a", "/d/b", "/d/e", "/d/e/x");
const directories = fc.constantFrom("/", "/", "/d", "/d", "/d/e", "/m");
const targets = fc.constantFrom("/a", "/b", "/d/b", "/m", "/d/e");
const some = fc.nat(6);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("stat" as const), path: paths, detail: fc.constantFrom("basic" as const, "full" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("stat" as const), path: paths, detail: fc.constant("full" as const), fresh: fc.constant(true) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("list" as const), path: directories }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("list" as const), path: directories, recursive: fc.constant(true) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("list" as const), path: directories, fresh: fc.constant(true) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("read" as const), path: files }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("write" as const), path: files }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("delete" as const), path: paths }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("mkdir" as const), path: fc.constantFrom("/d", "/d/e", "/m") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("move" as const, "copy" as const), path: paths, to: targets }) },
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constant("net" as const),
      nth: some,
      how: fc.constantFrom("answer" as const, "answer" as const, "effect" as const, "fail" as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("theirs" as const), what: fc.constantFrom("write" as const, "delete" as const, "mkdir" as const), path: files }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("theirs move" as const), path: paths, to: targets }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 30, 60, 110, 1100) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("invalidate" as const, "evict" as const), path: directories }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), nth: some }) },
);
const program: fc.Arbitrary<Program> = fc
  .array(step, { minLength: 1, maxLength: 40, size: "max" })
  .map((steps) => steps.filter((one) => !("to" in one) || (one.to !== one.path && !one.to.startsWith(`${one.path}/`))));
const setting = fc.constantFrom(...Object.keys(settings));

/** Runs so many programs. Throws with the shrunk one, where one fails. */
export async function hunt(make: Maker, { programs, seed, only }: { readonly programs: number; readonly seed: number; readonly only?: string }): Promise<void> {
  const property = fc.asyncProperty(only === undefined ? setting : fc.constant(only), program, (name, steps) => run(make, name, steps));
  await fc.assert(property, { numRuns: programs, seed });
}
