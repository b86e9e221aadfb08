/**
 * One measured figure, as the table and `--json` show it, and what makes a set of them.
 *
 *   export const figures: FigureSet = { name: "s3", async run(report) { report({ name: "GET 4 KiB", ... }); } };
 */

export interface Figure {
  /** What was done: "read 4 KiB". */
  readonly name: string;
  /** How our side did, in `unit`. */
  readonly value: number;
  /** "calls/s", "MiB/s": more is better. */
  readonly unit: string;
  /** What ran beside it in the same rounds: "opendal memory". */
  readonly against: string;
  /** Our value divided by theirs: above 1 we are faster. */
  readonly ratio: number;
  /** What the ratio should be, in words: "at least 10". Null: no goal, for information. */
  readonly goal: string | null;
  /** Null where there is no goal. */
  readonly met: boolean | null;
}

export interface FigureSet {
  readonly name: string;
  /** Reports each figure when it is known. Leaves nothing behind: no file, no server. */
  run(report: (figure: Figure) => void): Promise<void>;
}
