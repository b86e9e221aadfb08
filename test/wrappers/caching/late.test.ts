/** Over a service whose listings are late, and whose reads are not. */
import { expect, test } from "vitest";
import { everything, referenceStore } from "../../../src/conformance/model/reference.ts";
import { manualClock } from "../../../src/store/index.ts";
import { code, paths } from "../at.ts";
import { bench } from "./bench.ts";
import { cacheDirectory } from "./cache-directory.ts";

test("a directory whose last file went by a conditional delete is removed, although it is still listed; one that has another is not", async () => {
  const clock = manualClock(1e12);
  const consistency = { read: "strong", list: "eventual", settleMs: 60_000 } as const;
  const base = referenceStore({ clock, capabilities: { consistency, listIfNoneMatch: false } });
  expect(everything.emptyOnlyDelete).toBe("native");
  await using b = bench({ freshMs: 0 }, { base, clock, directory: cacheDirectory() });
  for (const dir of ["/d", "/e"]) await b.store.write(`${dir}/a`, "x");
  await b.base.write("/e/theirs", "x");
  await b.cache.flush();
  await clock.advance(100_000);
  for (const dir of ["/d", "/e"]) {
    const { etag } = await b.store.stat(`${dir}/a`);
    await b.store.delete(`${dir}/a`, { ifMatch: etag as string });
  }
  expect(await paths(b.base, "/d")).toEqual(["/d/a"]);
  await b.store.delete("/d");
  expect(await code(b.store.delete("/e"))).toBe("not-empty");
  await b.cache.flush();
  expect(b.cache.conflicts()).toEqual([]);
  expect(await code(b.base.stat("/d"))).toBe("not-found");
  expect(await code(b.base.stat("/e/theirs"))).toBe("nothing");
});
