/** What a long work told of itself, held against what must hold of it. */
import { expect } from "vitest";
import type { WorkProgress } from "../../src/catalogue/index.ts";

export interface Heard {
  readonly onProgress: (progress: WorkProgress) => void;
  /** The last word. @throws where it went backwards, passed its total, or nothing was told */
  last(): WorkProgress;
}

export function listener(): Heard {
  const told: WorkProgress[] = [];
  return {
    onProgress: (progress) => void told.push(progress),
    last: () => {
      told.forEach(({ done, total, bytes, totalBytes }, n) => {
        const before = told[n - 1];
        expect(done).toBeGreaterThanOrEqual(before?.done ?? 0);
        expect(bytes).toBeGreaterThanOrEqual(before?.bytes ?? 0);
        expect(done).toBeLessThanOrEqual(total ?? Infinity);
        expect(bytes).toBeLessThanOrEqual(totalBytes ?? Infinity);
      });
      expect(told.length).toBeGreaterThan(1);
      return told.at(-1) as WorkProgress;
    },
  };
}
