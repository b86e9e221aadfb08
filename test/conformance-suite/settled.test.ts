/** `settled`: how long a check waits for a store that says it may be late. */
import { expect, test } from "vitest";
import type { Check, CheckContext } from "../../src/conformance/check.ts";
import { referenceStore } from "../../src/conformance/model/reference.ts";
import { runCheck } from "../../src/conformance/run.ts";
import type { Subject } from "../../src/conformance/subject.ts";

function subject(list: "strong" | "eventual"): Subject {
  const settleMs = list === "strong" ? 0 : 60;
  return { name: "late", reopens: false, open: () => referenceStore({ capabilities: { consistency: { read: "strong", list, settleMs } } }) };
}

async function outcome(
  list: "strong" | "eventual",
  run: (t: CheckContext) => Promise<void>,
): Promise<{ readonly status: string; readonly notes: readonly string[] }> {
  const check: Check = { id: "self.settled", title: "a look of the test", why: "tries settled", tier: "smoke", behaviours: [], guarantees: [], kills: [], run };
  return await runCheck(check, subject(list));
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

test("a strong store is looked at once", async () => {
  let looks = 0;
  const { status } = await outcome("strong", (t) =>
    t.settled("list", async () => {
      looks += 1;
      throw new Error("not there");
    }),
  );
  expect(status).toBe("fail");
  expect(looks).toBe(1);
});

test("a late store is looked at until its time is over, and the time it took is noted", async () => {
  let looks = 0;
  const { status, notes } = await outcome("eventual", (t) =>
    t.settled("list", async () => {
      looks += 1;
      if (looks < 3) throw new Error("not there yet");
    }),
  );
  expect(status).toBe("pass");
  expect(notes.join()).toMatch(/list settled after \d+ ms \(declared: at most 60 ms\)/);
});

test("a look that takes longer than the whole time is not the last one: what counts is when it began", async () => {
  let looks = 0;
  const { status } = await outcome("eventual", (t) =>
    t.settled("list", async () => {
      looks += 1;
      await pause(100);
      if (looks < 2) throw new Error("it looked too early and took long");
    }),
  );
  expect(status).toBe("pass");
  expect(looks).toBe(2);
});

test("what is not there when the time is over fails", async () => {
  const began = performance.now();
  const { status } = await outcome("eventual", (t) =>
    t.settled("list", async () => {
      throw new Error("never there");
    }),
  );
  expect(status).toBe("fail");
  expect(performance.now() - began).toBeGreaterThan(60);
});
