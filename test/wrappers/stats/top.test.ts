/** CF100: the views as text and JSON, and the live one: in place on a terminal, a line elsewhere. */
import { expect, test } from "vitest";
import { memory } from "../../../src/providers/memory/index.ts";
import { StoreError, control, layer, manualClock, stack } from "../../../src/store/index.ts";
import type { Store } from "../../../src/store/index.ts";
import { limit, stats, top, viewText, views } from "../../../src/wrappers/index.ts";
import type { reporting } from "../../broken-layers/support/stats-export-proofs.ts";
import { turns } from "../../broken-layers/support/turns.ts";
import { terminal } from "./terminal.ts";

/** As the caching store: something waits for its upload. */
const pendingLayer = (files: { path: string; state: string; size: number }[]): ReturnType<typeof reporting<"caching">> =>
  layer("caching", (inner) => ({
    backend: inner,
    control: { ...control("caching", {}, {}), report: () => ({ dirtyFiles: files.length, uploader: "running" }), dirty: () => files },
  }));

test("CF100, CF30: figures, errors and pending files as data and as text, live", async () => {
  const files = [{ path: "/a b", state: "waiting", size: 3 }];
  await using store = stack(memory(), pendingLayer(files), stats());
  const all = views(store);
  expect([viewText(store, "errors"), viewText(store, "stats")]).toEqual(["no errors", "up 0 B, down 0 B, 0 calls, 1 files pending"]);
  expect(all.pending()).toEqual([{ layer: "caching", path: "/a b", state: "waiting", size: 3 }]);
  expect(viewText(store, "pending")).toBe("/a b  waiting  3 B  caching");
  await store.stat("/none").catch(() => {});
  await store.write("/f", "text");
  files.length = 0;
  expect(all.errors()).toMatchObject([{ operation: "stat", code: "not-found", count: 1 }]);
  expect(viewText(store, "errors")).toMatch(/^\d{4}-\d\d-\d\dT.*Z {2}stat not-found ×1 {2}\S/);
  expect(viewText(store, "pending")).toBe("nothing is pending");
  expect(JSON.parse(JSON.stringify(all.stats()))).toMatchObject({ calls: 2, failed: 1, up: { bytes: 4 } });
});

test("CF30: a layer that is not open says so among what is pending: not that nothing is", async () => {
  const closed = layer("caching", (inner) => ({
    backend: inner,
    control: {
      ...control("caching", {}, {}),
      dirty() {
        throw new StoreError("closed", "the cache is not open");
      },
    },
  }));
  await using store = stack(memory(), closed, stats());
  expect(views(store).pending()).toEqual([{ layer: "caching", path: "", state: "the cache is not open" }]);
  expect(viewText(store, "pending")).toBe("the cache is not open  caching");
});

test("of a stack without stats the views show what its layers report", async () => {
  await using store: Store = stack(memory(), limit({ concurrency: 3 }));
  expect(viewText(store, "stats")).toBe("limit concurrency=3 reading=0 changing=0 waiting=0");
  expect(views(store).stats()).toBeNull();
  const output = terminal(80, 24);
  await top(store, { output, signal: AbortSignal.abort() });
  expect(output.screen().join("\n")).toContain("no stats layer");
  expect(output.screen().join("\n")).toContain("limit  concurrency 3");
});

test("on a terminal the frame is redrawn in place: one write each, nothing left over, nothing wrapped, no flicker, cursor back", async () => {
  for (const [columns, rows] of [
    [120, 40],
    [60, 24],
    [30, 8],
  ] as const) {
    const clock = manualClock(1_700_000_000_000);
    const files = Array.from({ length: 9 }, (_, i) => ({ path: `/odd\n\u001b[2J${i}`, state: "waiting", size: 1 }));
    await using store = stack(memory({ clock }), pendingLayer(files), stats({ clock }));
    const output = terminal(columns, rows);
    const stop = new AbortController();
    const view = top(store, { output, clock, signal: stop.signal, intervalMs: 500 });
    await turns();
    expect(output.cursorShown()).toBe(false);
    for (let i = 0; i < 30; i++) await store.write(`/${i}`, new Uint8Array(1000));
    await store.stat("/none").catch(() => {});
    await clock.advance(500);
    if (columns === 120) {
      const seen = output.screen();
      expect(seen[0]).toBe(`stratus top  ${String(store)}`);
      expect(seen.find((line) => line.startsWith("up"))).toContain("30.0 kB done");
      expect(seen.find((line) => line.startsWith("write"))).toMatch(/^write +30 +60\.0 +0 +0/);
      expect(seen.find((line) => line.startsWith("stat "))).toMatch(/^stat +1 +2\.0 +0 +1/);
      expect(seen.join("\n")).toMatch(/errors\n.*stat not-found ×1/);
      expect(seen.join("\n")).toContain("  and 4 more");
      expect(seen.join("\n")).toContain("/odd??[2J0  waiting");
    }
    // Fewer lines than before: nothing of the old ones may stay.
    files.length = 0;
    await clock.advance(500);
    expect(output.screen().join("\n")).not.toContain("more");
    expect(output.writes.length).toBe(3);
    expect(output.flickered()).toBe(false);
    const last = output.screen();
    await clock.advance(100);
    stop.abort();
    await view;
    expect(
      output
        .screen()
        .slice(0, last.length)
        .filter((line) => !line.includes("counted")),
    ).toEqual(last.filter((line) => !line.includes("counted")));
    expect(output.cursorShown()).toBe(true);
  }
});

test("elsewhere each look is a line; JSON where asked for; the signal ends it, also before the first look", async () => {
  const clock = manualClock();
  await using store = stack(memory(), stats({ clock }));
  for (const mode of [undefined, "json"] as const) {
    const lines: string[] = [];
    const stop = new AbortController();
    const view = top(store, { output: { write: (text) => lines.push(text) }, clock, signal: stop.signal, ...(mode === undefined ? undefined : { mode }) });
    await store.write("/f", "text");
    await clock.advance(5000);
    stop.abort();
    await view;
    expect(lines.length).toBe(3);
    expect(lines.every((line) => line.endsWith("\n") && !line.slice(0, -1).includes("\n") && !line.includes("\u001b"))).toBe(true);
    if (mode === "json") expect(JSON.parse(lines.at(-1) as string)).toMatchObject({ up: { bytes: 8 } });
    else expect(lines.at(-1)).toBe("up 4 B, down 0 B, 1 calls\n");
  }
  const lines: string[] = [];
  await top(store, { output: { write: (text) => lines.push(text) }, signal: AbortSignal.abort() });
  expect(lines.length).toBe(1);
});
