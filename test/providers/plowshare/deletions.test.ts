/** An upload believes no link that was deleted at any time while it ran. */
import { expect, test } from "vitest";
import { Deletions } from "../../../src/providers/plowshare/deletions.ts";

const link = { url: "http://a.invalid/f/1", remove: "http://a.invalid/d/1" };
const other = { url: "http://a.invalid/f/2", remove: null };

/** A deletion that runs until it is told to end. */
function running(deletions: Deletions, target: typeof link): { readonly end: (failed?: Error) => void; readonly done: Promise<unknown> } {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return { end: (failed) => (failed === undefined ? resolve() : reject(failed)), done: deletions.during(target, () => promise) };
}

test("deletions before, during and after an upload", async () => {
  const deletions = new Deletions();
  await deletions.during(link, async () => {});
  using watch = deletions.watch();
  // It had ended before the upload began.
  expect(await watch.meets([link])).toBe(false);
  await deletions.during(other, async () => {});
  expect(await watch.meets([link])).toBe(false);
  // Begun and ended while it ran.
  await deletions.during({ ...other, remove: link.remove }, async () => {});
  expect(await watch.meets([link])).toBe(true);
  using later = deletions.watch();
  expect(await later.meets([link, other])).toBe(false);
});

test("one that began before the upload counts, is waited for, and counts also when it fails", async () => {
  const deletions = new Deletions();
  const deletion = running(deletions, link);
  using watch = deletions.watch();
  let known: boolean | undefined;
  const asked = watch.meets([link]).then((met) => (known = met));
  expect(await watch.meets([other])).toBe(false);
  expect(known).toBeUndefined();
  deletion.end(new Error("the host was not reached"));
  await expect(deletion.done).rejects.toThrow("not reached");
  expect(await asked).toBe(true);
  // Ended before this one began.
  using later = deletions.watch();
  expect(await later.meets([link])).toBe(false);
});

test("deletions without a delete link are not taken for each other", async () => {
  const deletions = new Deletions();
  using watch = deletions.watch();
  await deletions.during(other, async () => {});
  expect(await watch.meets([{ url: "http://a.invalid/f/3", remove: null }])).toBe(false);
});
