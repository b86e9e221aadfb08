/**
 * One-bug layers: a wrapper with exactly one bug, and the proof that must see it. `npm run kill-ratio` runs all of them in its worker processes, counts
 * and gates them beside the one-bug stores of src/conformance/broken (which are for providers, and may not import wrappers).
 *
 * How to add some: a file of your own beside this one that exports `layers: readonly BrokenLayer[]`. EVERY file directly in this folder but this one is
 * such a list (helpers go to `support/`). It runs under plain Node, not under vitest: assert with `node:assert/strict`, import nothing of vitest.
 *
 *   // test/broken-layers/proofs/stats.ts or wherever your tests are: the proof, once, for the right layer and for the wrong ones
 *   export const parallelSeconds: Proof<Wrappers> = {
 *     name: "stats: two parallel seconds are one",
 *     run: async ({ stats }) => { const store = stack(memory(), stats()); ...; assert.equal(busy, 1); },
 *   };
 *   // test/wrappers/stats/....test.ts, under vitest: the right layer
 *   test(parallelSeconds.name, () => parallelSeconds.run(wrappers));
 *   // test/broken-layers/stats.ts: the wrong one, made from the real source with one place of it changed
 *   export const layers: readonly BrokenLayer[] = [
 *     brokenLayer({
 *       id: "S01", rows: ["cache.md 3"], bug: "rate sums parallel seconds", proofs: [parallelSeconds], right: real,
 *       wrong: mutant("src/wrappers/stats/union.ts", "if (--this.#open === 0)", "if (--this.#open >= 0)"),
 *     }),
 *   ];
 *
 * A wrong layer may be made in any way: `mutant` (support/mutant.ts: the module `src/wrappers/index.ts` loaded once more, with one place of one file
 * changed; the place must be there exactly once, so that a variant cannot rot), a model, a layer put around the right one, an option.
 *
 * Ids are unique over everything that is killed. Taken: M.. L.. W.. X.. (stores); S.. statistics and uniform wrappers; use C.. for caching, D.. for the
 * metadata cache ("directory"), T.. for the archive ("tar"; A.. and N.. are stores), or M69-M86 where the variant IS that row. `rows` names what it covers (M69, "cache.md 1.8 no-hold").
 */
import { AssertionError } from "node:assert";
import { StoreError } from "../../src/store/index.ts";

/** What must hold of a layer, as a function that throws where it doesn't. `S` is what it tries: a module, a maker of layers, a model. */
export interface Proof<S> {
  readonly name: string;
  run(subject: S): Promise<void> | void;
  /** Default 60,000. A proof that takes longer fails on the right layer, and on a wrong one it is a kill only where that `hangs`. */
  readonly timeoutMs?: number | undefined;
}

export interface Kills {
  /** Names of the proofs that saw the bug, for the right reason. */
  readonly killed: readonly string[];
  /** Proofs that are said to see it and did not, with what happened instead. */
  readonly missed: readonly { readonly check: string; readonly instead: string }[];
  /** Why each of `killed` failed, in one line. */
  readonly reasons: readonly string[];
}

export interface BrokenLayer {
  readonly id: string;
  readonly bug: string;
  /** What of the references it covers: "M83", "cache.md 3". */
  readonly rows?: readonly string[] | undefined;
  /** Tries it. Rejects where it cannot be tried: a proof fails on the right layer, or the place of a mutation is not there. */
  kill(): Promise<Kills>;
}

export interface BrokenLayerParts<S> {
  readonly id: string;
  readonly bug: string;
  readonly rows?: readonly string[] | undefined;
  /** Each must hold for `right` and fail for `wrong`. */
  readonly proofs: readonly Proof<S>[];
  readonly right: () => S | Promise<S>;
  readonly wrong: () => S | Promise<S>;
  /** True where the bug shows as a call that never ends: then the time-out of a proof counts. */
  readonly hangs?: boolean | undefined;
}

export function brokenLayer<S>({ id, bug, rows, proofs, right, wrong, hangs = false }: BrokenLayerParts<S>): BrokenLayer {
  return {
    id,
    bug,
    rows,
    async kill() {
      const killed: string[] = [];
      const reasons: string[] = [];
      const missed: { readonly check: string; readonly instead: string }[] = [];
      for (const proof of proofs) {
        await holdsForRight(proof, right);
        const failure = await failureOf(proof, await wrong());
        if (failure === undefined) missed.push({ check: proof.name, instead: "it holds" });
        else if (isKill(failure.error) || (hangs && failure.error instanceof TimedOut)) {
          killed.push(proof.name);
          reasons.push(line(failure.error));
        } else missed.push({ check: proof.name, instead: line(failure.error) });
      }
      return { killed, missed, reasons };
    },
  };
}

/** A proof that fails on the right layer too kills everything, and says nothing. Once per process and proof. */
const tried = new Map<Proof<never>, Promise<void>>();
function holdsForRight<S>(proof: Proof<S>, right: () => S | Promise<S>): Promise<void> {
  const known = tried.get(proof);
  if (known !== undefined) return known;
  const work = (async () => {
    const failure = await failureOf(proof, await right());
    if (failure !== undefined) throw new Error(`"${proof.name}" fails on the right layer: ${line(failure.error)}`, { cause: failure.error });
  })();
  tried.set(proof, work);
  return work;
}

class TimedOut extends Error {}

async function failureOf<S>({ run, timeoutMs = 60_000 }: Proof<S>, subject: S): Promise<{ readonly error: unknown } | undefined> {
  let timer: NodeJS.Timeout | undefined;
  try {
    await Promise.race([
      // A proof that throws at once is one that rejects.
      (async () => run(subject))(),
      new Promise((_, fail) => {
        timer = setTimeout(() => fail(new TimedOut(`not over after ${timeoutMs} ms`)), timeoutMs);
      }),
    ]);
    return undefined;
  } catch (error) {
    return { error };
  } finally {
    clearTimeout(timer);
  }
}

/** By what it asserts, or because a call that must succeed was refused; a mistake in the proof (TypeError, RangeError ...) is no kill. fast-check wraps what it caught. */
function isKill(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 10; at = at.cause, depth++) if (at instanceof AssertionError || StoreError.is(at)) return true;
  return false;
}

function line(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).split("\n").slice(0, 3).join(" | ").slice(0, 300);
}
