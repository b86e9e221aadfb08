/** A refresh is shared by all who wait for it, and ends with the last of them. */
import { expect, test } from "vitest";
import { code } from "../at.ts";
import { Bed, until } from "./make.ts";

/** The listing of the folder hangs until its signal fires, or until it is let go. */
function hanging(one: ReturnType<Bed["install"]>): { readonly signals: (AbortSignal | undefined)[]; let(): void } {
  const signals: (AbortSignal | undefined)[] = [];
  let release: () => void = () => {};
  const open = new Promise<void>((done) => (release = done));
  one.script.before = async ({ operation, signal }) => {
    if (operation !== "list") return;
    signals.push(signal);
    await Promise.race([open, new Promise((_, fail) => signal?.addEventListener("abort", () => fail(signal.reason), { once: true }))]);
  };
  return { signals, let: () => release() };
}

test("is given up when the only caller leaves, and the next one begins anew", async () => {
  const one = new Bed().install({ refreshMs: 1000 });
  const folder = hanging(one);
  const stop = new AbortController();
  const first = code(one.store.stat("/a", { signal: stop.signal }));
  await until(() => folder.signals.length === 1);
  stop.abort();
  expect(await first).toBe("aborted");
  await until(() => folder.signals[0]?.aborted === true);
  const second = code(one.store.stat("/a"));
  await until(() => folder.signals.length === 2);
  folder.let();
  expect(await second).toBe("not-found");
  expect(folder.signals[1]?.aborted).toBe(false);
});

test("goes on for those who stay", async () => {
  const one = new Bed().install({ refreshMs: 1000 });
  const folder = hanging(one);
  const stop = new AbortController();
  const leaves = code(one.store.stat("/a", { signal: stop.signal }));
  const stays = code(one.store.stat("/b"));
  await until(() => folder.signals.length === 1);
  stop.abort();
  expect(await leaves).toBe("aborted");
  folder.let();
  expect(await stays).toBe("not-found");
  expect(folder.signals.length).toBe(1);
});
