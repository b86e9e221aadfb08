/** What becomes of an attempt that failed, with pauses of any length, and where even that cannot be written down. */
import { expect, test } from "vitest";
import { StoreError, readText, stack, borrow } from "../../../src/store/index.ts";
import { memory } from "../../../src/providers/memory/index.ts";
import { caching } from "../../../src/wrappers/index.ts";
import { failure, scripted } from "../at.ts";
import { bench, until } from "./bench.ts";
import { cacheDirectory } from "./cache-directory.ts";

test("pauses with fractions of a millisecond: a failed upload and a failed move are tried again", async () => {
  await using b = bench({ random: () => 0.123456789, uploadDelayMs: 0 });
  for (const path of ["/a/f", "/x/f"]) await b.base.write(path, "there");
  let failing = 2;
  b.script.before = ({ operation }) => {
    if ((operation === "write" || operation === "move") && failing-- > 0)
      throw failure("unavailable", { applied: false, transient: true, retryAfterMs: 10.25 });
  };
  await b.store.write("/f", "mine");
  await b.store.move("/a", "/b");
  const flushed = b.cache.flush();
  await until(() => failing <= 0);
  for (let i = 0; i < 50; i++) {
    await b.clock.advance(100.7);
    await new Promise((done) => setTimeout(done, 1));
  }
  await flushed;
  expect(await readText(b.base, "/f")).toBe("mine");
  expect(await readText(b.base, "/b/f")).toBe("there");
});

test("on the system's clock with the system's random numbers too", async () => {
  const base = memory();
  const script = scripted();
  await using store = stack(borrow(base), script.layer, caching({ directory: cacheDirectory(), uploadDelayMs: 0 }));
  await base.write("/a/f", "there");
  let failing = 2;
  script.before = ({ operation }) => {
    if ((operation === "write" || operation === "move") && failing-- > 0) throw failure("unavailable", { applied: false, transient: true });
  };
  await store.write("/f", "mine");
  await store.move("/a", "/b");
  await store.layers.caching.flush();
  expect(failing).toBeLessThanOrEqual(0);
  expect(await readText(base, "/f")).toBe("mine");
  expect(await readText(base, "/b/f")).toBe("there");
});

test.each(["write", "move"] as const)("a failed %s whose failure cannot be written down is in doubt, and comes to its end all the same", async (operation) => {
  let broken = 1;
  await using b = bench({
    uploadDelayMs: 0,
    // Asked for in the middle of the transaction that records the failure.
    random: () => {
      if (broken-- > 0) throw new StoreError("unavailable", "the disk does not take it");
      return 1;
    },
  });
  await b.base.write("/a/f", "there");
  let failing = 1;
  b.script.before = (call) => {
    if (call.operation === operation && failing-- > 0) throw failure("unavailable", { applied: false, transient: true });
  };
  if (operation === "write") await b.store.write("/f", "mine");
  else await b.store.move("/a", "/b");
  const flushed = b.cache.flush();
  await until(() => b.events.some(({ name, path }) => name === "failed" && path === null));
  let over = false;
  void flushed.then(() => (over = true));
  for (let i = 0; i < 500 && !over; i++) {
    await b.clock.advance(1000);
    await new Promise((done) => setTimeout(done, 1));
  }
  await flushed;
  expect(await readText(b.base, operation === "write" ? "/f" : "/b/f")).toBe(operation === "write" ? "mine" : "there");
});
