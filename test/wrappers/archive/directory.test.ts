/** The local folder: damaged, newer, lost; options that do not go together. */
import Sqlite from "better-sqlite3";
import { chmodSync, existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { memory } from "../../../src/providers/memory/index.ts";
import { find, readText, stack } from "../../../src/store/index.ts";
import type { Store } from "../../../src/store/index.ts";
import { referenceStore } from "../../../src/conformance/model/reference.ts";
import { Archive, archive } from "../../../src/wrappers/index.ts";
import { code, paths } from "../at.ts";
import { Bed, scratch, until } from "./make.ts";

describe("the index", () => {
  test("damaged: set aside, made anew, with a new writer", async () => {
    const bed = new Bed();
    const one = bed.install();
    await one.store.write("/a", "x");
    const before = one.parts.core.identity.writer;
    await one.store.close();
    writeFileSync(`${one.directory}/archive.db`, "this is no database, and long enough to be looked at".repeat(100));
    for (const end of ["-wal", "-shm"]) rmSync(`${one.directory}/archive.db${end}`, { force: true });
    const again = bed.install({ directory: one.directory });
    expect(await readText(again.store, "/a")).toBe("x");
    expect(again.parts.core.identity.writer).not.toBe(before);
    expect(readdirSync(one.directory).some((name) => name.startsWith("archive.db.bad-"))).toBe(true);
    expect(readFileSync(`${one.directory}/writers`, "utf8").split("\n").filter(Boolean)).toEqual([before, again.parts.core.identity.writer]);
  });

  test("CF109: the folder and what lies in it are for their owner's eyes only, also a folder that was made by hand", async () => {
    const bed = new Bed();
    const directory = scratch();
    chmodSync(directory, 0o755);
    const one = bed.install({ directory });
    await one.store.write("/a", "x");
    const names = readdirSync(directory);
    expect(names).toContain("archive.db");
    for (const name of names) expect(statSync(`${directory}/${name}`).mode & 0o077, name).toBe(0);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  test("of a newer version: refused, and left as it is", async () => {
    const bed = new Bed();
    const one = bed.install();
    await one.store.write("/a", "x");
    await one.store.close();
    const db = new Sqlite(`${one.directory}/archive.db`);
    db.pragma("user_version = 99");
    db.close();
    const again = bed.install({ directory: one.directory });
    expect(await code(again.store.open())).toBe("config");
    expect(readdirSync(one.directory).some((name) => name.includes(".bad-"))).toBe(false);
  });

  test("CF73: the whole folder lost: every path, byte and time", async () => {
    const bed = new Bed();
    const one = bed.install();
    await Promise.all(Array.from({ length: 30 }, (_, i) => one.store.write(`/d${i % 3}/${i}`, `${i}`, { modifiedMs: i })));
    await one.store.move("/d1", "/e");
    const seen = await one.store.list("/", { recursive: true }).toArray();
    await one.store.close();
    rmSync(one.directory, { recursive: true });
    const again = bed.install({ directory: one.directory });
    expect(await again.store.list("/", { recursive: true }).toArray()).toEqual(seen);
    expect(await readText(again.store, "/e/4")).toBe("4");
    expect(existsSync(`${one.directory}/archive.db`)).toBe(true);
  });

  test("a copied folder is noticed: the second installation gets an identity of its own", async () => {
    const { cpSync } = await import("node:fs");
    const bed = new Bed();
    const one = bed.install();
    await one.store.write("/a", "x");
    await one.store.close();
    const copy = scratch();
    cpSync(one.directory, copy, { recursive: true });
    const [left, right] = [bed.install({ directory: one.directory }), bed.install({ directory: copy })];
    await Promise.all([left.store.open(), right.store.open()]);
    const events: string[] = [];
    right.control.onEvent(({ type }) => events.push(type));
    await left.store.write("/b", "y");
    await right.control.refresh();
    await right.store.write("/c", "z");
    expect(events).toEqual(["identity-changed"]);
    expect(await paths(left.store)).toEqual(["/a", "/b", "/c"]);
    expect(await paths(right.store)).toEqual(["/a", "/b", "/c"]);
    expect(left.parts.core.identity.writer).not.toBe(right.parts.core.identity.writer);
  });
});

test("a close that does not wait lets go of the folder at once, and says what it knows of the calls", async () => {
  const bed = new Bed();
  const one = bed.install({ smallBytes: 10 });
  const held: unknown[] = [];
  one.script.before = (call) => (call.operation === "write" ? new Promise<void>((done) => held.push(done)) : undefined);
  const calls = [one.store.write("/small", "x"), one.store.write("/large", "x".repeat(1000))];
  const settled = Promise.allSettled(calls);
  await until(() => held.length === 2);
  await one.store.close({ signal: AbortSignal.abort() });
  const again = bed.install({ directory: one.directory });
  await again.store.open();
  expect(again.control.report()["inDoubt"]).toBe(1);
  for (const go of held) (go as () => void)();
  const results = await settled;
  expect(results.map((result) => (result.status === "rejected" ? (result.reason as { applied: unknown }).applied : "stored"))[0]).toBe("unknown");
  expect(results.every((result) => result.status === "rejected")).toBe(true);
});

describe("options", () => {
  const make = (options: object, base: Store): unknown => stack(base, archive({ directory: "/nowhere", ...options }));
  const wrong = (options: object, base: Store = memory()): string => {
    try {
      make(options, base);
      return "nothing";
    } catch (error) {
      return (error as { readonly code: string }).code;
    }
  };

  test("what does not go together is config when the stack is made", () => {
    expect(wrong({})).toBe("nothing");
    expect(wrong({ directory: "" })).toBe("config");
    expect(wrong({ folder: "/" })).toBe("config");
    expect(wrong({ folder: "relative" })).toMatch(/config|invalid-path/);
    expect(wrong({ smallBytes: 2 << 20, maxBytes: 1 << 20 })).toBe("config");
    expect(wrong({ memoryBytes: 1000 })).toBe("config");
    expect(wrong({ graceMs: 1000 })).toBe("config");
    expect(wrong({ tombMs: 3 * 3_600_000 })).toBe("config");
    expect(wrong({ minLiveRatio: 0.99 })).toBe("config");
    expect(wrong({ unknown: 1 })).toBe("config");
    expect(wrong({ lateMs: 10 * 3_600_000 })).toBe("nothing");
    expect(wrong({}, referenceStore({ capabilities: { maxFileBytes: 1 << 20 } }))).toBe("config");
  });

  test("live ones change while running, fixed ones do not", async () => {
    const store = stack(memory(), archive({ directory: scratch(), maxDelayMs: 0 }));
    const control = find(store, Archive);
    await control?.configure({ maxDelayMs: 5, minLiveRatio: 0.7 });
    expect(control?.settings.minLiveRatio).toBe(0.7);
    expect(await code(control?.configure({ folder: "/x" }) ?? Promise.resolve())).toBe("config");
    expect(await code(control?.configure({ graceMs: 5 }) ?? Promise.resolve())).toBe("config");
    expect(await code(control?.refresh() ?? Promise.resolve())).toBe("closed");
    expect(String(store)).toBe("archive(memory, folder=/.stratus-archive)");
    await store.close();
  });
});
