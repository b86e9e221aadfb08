/** The code of docs/write-a-wrapper.md: what it says it does. The suite over it is in wrappers-suite.slow.test.ts. */
import { expect, test } from "vitest";
import { find, manualClock, readBytes, readText, stack } from "stratus";
import { memory } from "stratus/memory";
import { prefix } from "stratus/wrappers";
import { ScrambleKind, scramble } from "../../examples/wrappers/scramble.ts";
import { slowLog } from "../../examples/wrappers/slow-log.ts";

test("slowLog tells of slow operations only, bodies included, without their paths", async () => {
  const clock = manualClock();
  const lines: string[] = [];
  const store = stack(memory({ clock }), slowLog({ write: (line) => lines.push(line), clock }));
  await store.write("/secret-name", "12345");
  const body = await store.read("/secret-name");
  await clock.advance(1500);
  await body.text();
  await expect(store.stat("/gone")).rejects.toMatchObject({ code: "not-found" });
  expect(lines).toEqual(["read took 1500 ms, 0 bytes up, 5 bytes down"]);
  await store.layers.slowLog.configure({ overMs: 0 });
  await expect(store.stat("/secret-name/x")).rejects.toMatchObject({ code: "not-found" });
  expect(lines.at(-1)).toBe("stat took 0 ms, 0 bytes up, 0 bytes down, failed");
  expect(store.layers.slowLog.told).toBe(2);
  expect(lines.join()).not.toContain("secret");
  expect(store.layers.slowLog.settings).toEqual({ overMs: 0 });
});

test("scramble stores other bytes and gives back the right ones, ranges too", async () => {
  const base = memory();
  const store = stack(base, scramble("some key"));
  const text = "the quick brown fox jumps over the lazy dog";
  await store.write("/f", text);
  expect(await readText(store, "/f")).toBe(text);
  expect(await readText(store, "/f", { range: { offset: 4, length: 5 } })).toBe("quick");
  expect(await readText(store, "/f", { range: { offset: -3 } })).toBe("dog");
  const below = stack(memory(), scramble("some key"), prefix("/d"));
  await below.write("/f", text);
  expect(find(below, ScrambleKind)?.kind).toBe("scramble");
  const raw = stack(memory(), scramble("x"), scramble("x").as("again"));
  await raw.write("/f", text);
  expect(Buffer.from(await readBytes(raw, "/f")).toString()).toBe(text);
  expect(String(store)).not.toContain("some key");
  expect(() => scramble("")).toThrowError(expect.objectContaining({ code: "config" }) as Error);
});
