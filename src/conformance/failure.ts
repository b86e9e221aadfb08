/** The error of a check that does not hold. */

/** A check does not hold. Anything else that a check throws is a failure too, but says less. */
export class CheckFailure extends Error {
  override readonly name = "CheckFailure";
  /** What must hold, as the assertion said it. */
  readonly what: string;
  /** Short text, already cut; "" where there is nothing to compare. */
  readonly expected: string;
  readonly actual: string;
  constructor(what: string, expected: string = "", actual: string = "", cause?: unknown) {
    super(expected === "" && actual === "" ? what : `${what}\n  expected: ${expected}\n  found:    ${actual}`, cause === undefined ? undefined : { cause });
    this.what = what;
    this.expected = expected;
    this.actual = actual;
  }
}
