/** No faster than asked for; see support/pace-proofs.ts, which the one-bug variants meet too. */
import { expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { stack } from "../../src/store/index.ts";
import * as wrappers from "../../src/wrappers/index.ts";
import { throttle } from "../../src/wrappers/index.ts";
import { rateHolds, rateIsLive, waitsEnd } from "../broken-layers/support/pace-proofs.ts";

for (const proof of [rateHolds, rateIsLive, waitsEnd]) test(proof.name, () => proof.run(wrappers));

test("a rate is at least one byte per second, and text will do", async () => {
  expect(() => stack(memory(), throttle({ upBytesPerSecond: 0 }))).toThrow("upBytesPerSecond");
  await using store = stack(memory(), throttle({ downBytesPerSecond: "2 MB" as unknown as number }));
  expect(store.layers.throttle.settings).toEqual({ upBytesPerSecond: Infinity, downBytesPerSecond: 2_000_000 });
});
