/** The bytes of the local copies: counted once, then kept, and never kept where something changed beside the count. */
import { expect, test } from "vitest";
import { LocalBytes } from "../../src/repository/local-bytes.ts";

const change = (bytes: LocalBytes, by: number): Promise<string> => bytes.change(async () => ["done", by] as const);

test("counted once, then by what comes and goes", async () => {
  const bytes = new LocalBytes();
  let counts = 0;
  const count = async (): Promise<number> => ((counts += 1), 100);
  expect(await change(bytes, 50)).toBe("done");
  expect(await bytes.get(count)).toBe(100);
  await change(bytes, 30);
  await change(bytes, -10);
  expect(await bytes.get(count)).toBe(120);
  expect(counts).toBe(1);
});

test("a sum that a change ran beside is not kept, whether the change began before or during the count", async () => {
  const bytes = new LocalBytes();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const running = bytes.change(async () => (await gate, ["late", 7] as const));
  expect(await bytes.get(async () => 1)).toBe(1);
  open();
  await running;
  expect(await bytes.get(async () => (await change(bytes, 5), 2))).toBe(2);
  expect(await bytes.get(async () => 3)).toBe(3);
  expect(await bytes.get(async () => 4)).toBe(3);
});

test("after a change that failed they are counted anew", async () => {
  const bytes = new LocalBytes();
  await bytes.get(async () => 10);
  await expect(bytes.change(async () => Promise.reject(new Error("lost")))).rejects.toThrow("lost");
  expect(await bytes.get(async () => 20)).toBe(20);
});
