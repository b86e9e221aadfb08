/** Repacks and collections: what nothing needs goes, what is needed stays. */
import { describe, expect, test } from "vitest";
import { readText } from "../../../src/store/index.ts";
import { failure, paths } from "../at.ts";
import { Bed } from "./make.ts";
import type { Installation } from "./make.ts";

const HOUR_MS = 3_600_000;

/** Marks, waits for the grace period, deletes. */
async function collected(bed: Bed, ...all: readonly Installation[]): Promise<void> {
  for (const { control } of all) await control.collect();
  await bed.clock.advance(2 * HOUR_MS + 1);
  for (const { control } of all) await control.collect();
}

describe("CF71: an archive without live members is deleted", () => {
  test("after the grace period; its tombstones after tombMs", async () => {
    const bed = new Bed();
    const one = bed.install();
    await Promise.all([one.store.write("/a", "x"), one.store.write("/b", "y")]);
    await Promise.all([one.store.delete("/a"), one.store.delete("/b")]);
    expect(await bed.objects()).toHaveLength(2);
    await one.control.collect();
    expect(await bed.objects()).toHaveLength(2);
    await bed.clock.advance(2 * HOUR_MS + 1);
    await one.control.collect();
    expect(await bed.objects()).toHaveLength(1);
    await bed.clock.advance(24 * HOUR_MS);
    await collected(bed, one);
    expect(await bed.objects()).toEqual([]);
    expect(one.control.report()).toMatchObject({ archives: 0, tombstones: 0 });
    expect(await paths(bed.install().store)).toEqual([]);
  });

  test("also when the process ends at any step in between", async () => {
    for (const stop of ["unneeded", "delete sent", "deleted"] as const) {
      const bed = new Bed();
      let armed = false;
      let one = bed.install(
        {},
        {
          step: (step) => {
            if (armed && step === stop) throw new Error("the process ends here");
          },
        },
      );
      await one.store.write("/a", "x");
      await one.store.delete("/a");
      armed = true;
      await collected(bed, one).catch(() => {});
      armed = false;
      await one.store.close();
      one = bed.install({ directory: one.directory });
      expect(await paths(one.store)).toEqual([]);
      await bed.clock.advance(25 * HOUR_MS);
      await collected(bed, one);
      await collected(bed, one);
      expect(await bed.objects(), stop).toEqual([]);
    }
  });

  test("a deletion whose answer was lost is repeated", async () => {
    const bed = new Bed();
    const one = bed.install();
    await one.store.write("/a", "x");
    await one.store.delete("/a");
    one.script.after = (call) => {
      if (call.operation === "delete") throw failure("unavailable");
    };
    await one.control.collect();
    await bed.clock.advance(2 * HOUR_MS + 1);
    await expect(one.control.collect()).rejects.toMatchObject({ code: "unavailable" });
    one.script.after = undefined;
    expect(await one.control.collect()).toEqual({ deleted: 0 });
    expect(await bed.objects()).toHaveLength(1);
  });

  test("nobody deletes what a foreign writer wrote", async () => {
    const bed = new Bed();
    const [one, two] = [bed.install(), bed.install()];
    await one.store.write("/a", "x");
    await two.store.delete("/a");
    await bed.clock.advance(25 * HOUR_MS);
    await collected(bed, two);
    expect((await bed.objects()).length).toBe(2);
    await collected(bed, one, two);
    await collected(bed, two, one);
    expect(await bed.objects()).toEqual([]);
  });
});

describe("CF72: repacking", () => {
  test("the live share stays above the limit", async () => {
    const bed = new Bed();
    const one = bed.install();
    await Promise.all(Array.from({ length: 50 }, (_, i) => one.store.write(`/${i}`, `first ${i}`.repeat(50))));
    await Promise.all(Array.from({ length: 40 }, (_, i) => one.store.write(`/${i}`, `second ${i}`.repeat(50))));
    const done = await one.control.repack();
    expect(done).toMatchObject({ archives: 1 });
    await collected(bed, one);
    expect(one.control.report()).toMatchObject({ deadRecords: 0, members: 50, archives: 2 });
    for (const { store } of [one, bed.install()]) {
      expect(await readText(store, "/7")).toBe("second 7".repeat(50));
      expect(await readText(store, "/47")).toBe("first 47".repeat(50));
    }
    expect(await one.control.verify({ data: true })).toEqual([]);
  });

  test("what was packed again is not packed once more while it waits for its deletion", async () => {
    const bed = new Bed();
    const one = bed.install();
    await Promise.all([one.store.write("/a", "x"), one.store.write("/b", "y".repeat(10_000)), one.store.write("/c", "z")]);
    await one.store.delete("/b");
    expect((await one.control.repack()).archives).toBe(1);
    expect((await one.control.repack()).archives).toBe(0);
    const before = await bed.objects();
    await one.control.repack({ all: true });
    await one.control.repack({ all: true });
    expect(await bed.objects()).toEqual(before);
  });

  test("stamps, times and hashes stay; files that share bytes go on sharing them", async () => {
    const bed = new Bed();
    const one = bed.install();
    await Promise.all([one.store.write("/a", "x".repeat(10_000), { modifiedMs: 5, contentType: "text/x" }), one.store.write("/gone", "y".repeat(30_000))]);
    await one.store.copy("/a", "/b");
    await one.store.mkdir("/dir");
    await one.store.delete("/gone");
    const before = await one.store.list("/").toArray();
    expect((await one.control.repack()).bytesWritten).toBeLessThan(15_000);
    expect(await one.store.list("/").toArray()).toEqual(before);
    await collected(bed, one);
    expect(await bed.install().store.list("/").toArray()).toEqual(before);
    expect(await readText(one.store, "/b")).toBe("x".repeat(10_000));
  });

  test("CF70: a copied and moved member reads back when its first name and its archive are gone", async () => {
    const bed = new Bed();
    const one = bed.install();
    await Promise.all([one.store.write("/a", "bytes"), one.store.write("/other", "z".repeat(100_000))]);
    await one.store.copy("/a", "/b");
    await one.store.move("/b", "/c/d");
    await one.store.delete("/a");
    await one.store.delete("/other");
    await one.control.repack({ all: true });
    await collected(bed, one);
    one.parts.reads.spans.clear();
    expect(await readText(one.store, "/c/d")).toBe("bytes");
    expect(await readText(bed.install().store, "/c/d")).toBe("bytes");
    await bed.clock.advance(25 * HOUR_MS);
    await one.control.repack({ all: true });
    await collected(bed, one);
    await collected(bed, one);
    expect(one.control.report()).toMatchObject({ tombstones: 0, deadRecords: 0 });
    expect(await readText(bed.install().store, "/c/d")).toBe("bytes");
  });

  test("a reader with an old view finds the copy", async () => {
    const bed = new Bed();
    const one = bed.install();
    const two = bed.install({ refreshMs: Infinity, readCacheBytes: 0 });
    await Promise.all([one.store.write("/a", "bytes"), one.store.write("/b", "z".repeat(100_000))]);
    await two.store.list("/").toArray();
    await one.store.delete("/b");
    await one.control.repack({ all: true });
    await collected(bed, one);
    expect(await readText(two.store, "/a")).toBe("bytes");
    expect(two.script.count("list")).toBe(2);
  });

  test("a clock that jumps starts the waiting again", async () => {
    const bed = new Bed();
    const real = bed.clock;
    let offset = 0;
    const clock = { ...real, now: () => real.now() + offset, monotonic: () => real.monotonic() };
    const one = bed.install({ clock });
    await one.store.write("/a", "x");
    await one.store.delete("/a");
    await one.control.collect();
    offset = 3 * HOUR_MS;
    expect(await one.control.collect()).toEqual({ deleted: 0 });
    await bed.clock.advance(2 * HOUR_MS + 1);
    expect(await one.control.collect()).toEqual({ deleted: 1 });
  });
});
