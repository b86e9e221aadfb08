/** What a store keeps of its own changes ends with the time for which a search may lag. */
import { queryObjects } from "node:v8";
import { expect, test } from "vitest";
import { manualClock } from "../../../src/index.ts";
import { Recent } from "../../../src/providers/drive/recent.ts";
import type { DriveFile } from "../../../src/providers/drive/resource.ts";

/** Of a class of its own, so that those that are still held can be counted. */
class Kept implements DriveFile {
  readonly mimeType = "text/plain";
  readonly id: string;
  readonly name: string;
  readonly parents: readonly string[];
  readonly trashed: boolean;
  constructor(id: string, parent: string, { name = id, trashed = false } = {}) {
    this.id = id;
    this.name = name;
    this.parents = [parent];
    this.trashed = trashed;
  }
}
const held = (): number => queryObjects(Kept, { format: "count" });
const count = 50;
const ids = Array.from({ length: count }, (_, i) => `f${i}`);

test.each<[string, (recent: Recent) => void]>([
  ["deleted for good", (recent) => ids.forEach((id) => recent.left("a", new Kept(id, "a")))],
  [
    "moved out of a folder into which nothing is put again",
    (recent) =>
      ids.forEach((id) => {
        recent.put(new Kept(id, "a"));
        recent.left("a", new Kept(id, "b"));
        recent.put(new Kept(id, "b"));
      }),
  ],
  ["in the trash", (recent) => ids.forEach((id) => recent.put(new Kept(id, "a", { trashed: true })))],
])("of files that were %s nothing is kept after that", async (_, change) => {
  const clock = manualClock();
  const recent = new Recent(clock, 1000);
  change(recent);
  expect(recent.corrected("a", new Kept("f0", "a"))).toBeUndefined();
  expect(held()).toBeGreaterThanOrEqual(count);
  await clock.advance(1000);
  // The next change of this store, wherever it is, lets go of what is too old.
  recent.left("elsewhere", { id: "other", name: "other", mimeType: "text/plain" });
  expect(held()).toBe(0);
  expect(recent.in("b")).toEqual([]);
});

test("a file is found under its last name alone, for as long as it is kept", async () => {
  const clock = manualClock();
  const recent = new Recent(clock, 1000);
  recent.put(new Kept("f", "a", { name: "old" }));
  await clock.advance(600);
  recent.put(new Kept("f", "a", { name: "new" }));
  recent.put(new Kept("g", "a", { name: "old" }));
  await clock.advance(600);
  expect(recent.named("a", "old").map(({ id }) => id)).toEqual(["g"]);
  expect(recent.named("a", "new").map(({ id }) => id)).toEqual(["f"]);
  recent.forget("f");
  expect(recent.in("a").map(({ id }) => id)).toEqual(["g"]);
  await clock.advance(400);
  expect(recent.in("a")).toEqual([]);
});
