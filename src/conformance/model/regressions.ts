/** Programs that once failed, shrunk: run in the smoke tier, before any random one. Each says what it found. */
import type { Program } from "./programs.ts";

export interface Regression {
  /** What went wrong, where. */
  readonly found: string;
  readonly program: Program;
}

export const regressions: readonly Regression[] = [];
