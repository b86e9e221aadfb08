/** Many calls in one directory at once: each asks as much as it would alone, however many others there are. */
import { expect, test } from "vitest";
import { paths } from "../at.ts";
import { flat, gate } from "./bench.ts";
import type { Bench } from "./bench.ts";
import type { CachingOptions } from "../../../src/wrappers/index.ts";

const WRITERS = 40;
const numbers = Array.from({ length: WRITERS }, (_, i) => i);

/** A flat service that answers after a moment, so that calls meet. */
function slow(options: Partial<CachingOptions>): Bench {
  const b = flat({ freshMs: 0, ...options });
  b.script.before = () => new Promise((done) => setTimeout(done, 2));
  return b;
}

test("write-through: forty at once into one directory ask for it a few times each, not once for each of the others", async () => {
  await using b = slow({ mode: "write-through", unknownPaths: "ask", cacheBytes: 0 });
  await b.base.write("/w/first", "x");
  await Promise.all(numbers.map((i) => b.store.write(`/w/f${i}`, `file ${i}`)));
  expect(b.sent("stat").length).toBeLessThanOrEqual(3 * WRITERS);
  expect(b.sent("write")).toHaveLength(WRITERS);
  expect(await paths(b.base, "/w")).toHaveLength(WRITERS + 1);
});

test("stat of a directory into which others write is answered by one question", async () => {
  await using b = slow({});
  await b.base.write("/w/first", "x");
  let writing = true;
  const writers = numbers.slice(0, 4).map(async (i) => {
    for (let n = 0; writing; n++) await b.store.write(`/w/f${i}-${n}`, "x", { ifAbsent: true });
  });
  for (let n = 0; n < 5; n++) {
    const before = b.sent("stat").filter((one) => one === "stat /w").length;
    expect(await b.store.stat("/w", { fresh: true })).toMatchObject({ path: "/w", kind: "directory" });
    expect(b.sent("stat").filter((one) => one === "stat /w").length - before).toBe(1);
  }
  writing = false;
  await Promise.all(writers);
});

test("a listing while one file of the directory is being written asks for that file, not for each", async () => {
  await using b = slow({});
  for (const i of numbers) await b.base.write(`/w/f${i}`, "x");
  const answered = gate();
  b.script.before = async ({ operation }) => {
    if (operation === "write") await answered.open;
  };
  const writing = b.store.write("/w/new", "x", { ifAbsent: true });
  await expect.poll(() => b.sent("write")).toHaveLength(1);
  const before = b.sent("stat").length;
  expect(await paths(b.store, "/w")).toHaveLength(WRITERS);
  expect(b.sent("stat").length - before).toBeLessThanOrEqual(1);
  expect(b.sent("list")).toEqual(["list /w"]);
  answered.let();
  await writing;
  expect(await paths(b.store, "/w")).toHaveLength(WRITERS + 1);
});
