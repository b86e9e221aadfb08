/** How many uploads run at once (CF50). */
import { describe, expect, test } from "vitest";
import { Parallel } from "../../../src/wrappers/caching/parallel.ts";

let now = 0;

/** Fills all places with uploads of one size, `rounds` times, each taking `ms`; gives how many ran in the last. */
function run(parallel: Parallel, bytes: number, ms: number, rounds: number, refused = false): number {
  let running = 0;
  for (let round = 0; round < rounds; round++) {
    running = 0;
    while (parallel.mayStart(bytes, 30)) {
      parallel.started(bytes);
      running++;
    }
    now += Math.max(1000, ms);
    for (let i = 0; i < running; i++) parallel.ended(bytes, ms, refused, now, 30);
  }
  return running;
}

describe("adaptive parallelism (CF50)", () => {
  test("files of 0.05 MB use up to 30 places", () => {
    expect(run(new Parallel({ concurrency: 100 }), 50_000, 50, 100)).toBe(30);
  });

  test("files of 9 MB at most 3 at once", () => {
    expect(run(new Parallel({ concurrency: 100 }), 9e6, 5000, 100)).toBe(3);
  });

  test("slower after slow uploads, and after a service that limits", () => {
    const slow = new Parallel({ concurrency: 100 });
    run(slow, 50_000, 50, 20);
    expect(run(slow, 50_000, 500, 30)).toBeLessThan(10);
    const limited = new Parallel({ concurrency: 100 });
    expect(run(limited, 50_000, 50, 20, true)).toBe(3);
  });

  test("never more than the remote names", () => {
    expect(run(new Parallel({ concurrency: 4 }), 50_000, 50, 50)).toBe(4);
  });

  test("over a layer that groups calls small bodies do not count", () => {
    const grouped = new Parallel({ concurrency: 2000 });
    expect(run(grouped, 1000, 50, 1)).toBe(1000);
  });
});
