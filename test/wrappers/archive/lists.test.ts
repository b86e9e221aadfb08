/** Listings: order, pages, names that services fold. */
import { describe, expect, test } from "vitest";
import { byCodePoint, parsePath, readText } from "../../../src/store/index.ts";
import { listPage } from "../../../src/wrappers/archive/lists.ts";
import { paths } from "../at.ts";
import { Bed } from "./make.ts";

describe("recursive listings", () => {
  test("are in path order across directories, and every page begins where the last one ended", async () => {
    const one = new Bed().install({ refreshMs: Infinity });
    const { store } = one;
    const names = ["a", "a-b", "a-", "a!", "a/x", "a/x/y", "a/x-", "a-b/c", "a-/z", "b", "ab/c", "\u{1f600}/x", "\u{e000}", "z/\u{1f600}", "!/a", "a/x/y/z"];
    await store.list("/").toArray();
    for (const name of names) await store.mkdir(`/t/${name}`, { existOk: true }).catch(() => {});
    const all = (await store.list("/t", { recursive: true }).toArray()).map(({ path }) => path as string);
    expect(all).toEqual([...all].sort(byCodePoint));
    expect(all).toEqual([...all].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    expect(new Set(all).size).toBe(all.length);
    expect(all.length).toBeGreaterThan(15);
    const path = parsePath("/t");
    for (const [i, after] of all.entries()) {
      const page = listPage(one.parts.core.index, {
        operation: "list",
        path,
        recursive: true,
        cursor: after,
        fresh: false,
        ifNoneMatch: undefined,
        signal: undefined,
      });
      expect(page.entries.map((entry) => entry.path)).toEqual(all.slice(i + 1));
    }
    expect(await paths(store, "/t/a", true)).toEqual(["/t/a/x", "/t/a/x-", "/t/a/x/y", "/t/a/x/y/z"]);
  });

  test("of more than a page, with changes between pages", async () => {
    const { store } = new Bed().install({ refreshMs: Infinity });
    await Promise.all(Array.from({ length: 2500 }, (_, i) => store.write(`/d${i % 7}/${i}`, "")));
    for (const recursive of [true, false]) {
      const seen: string[] = [];
      for await (const page of store.list(recursive ? "/" : "/d0", { recursive }).pages()) {
        seen.push(...page.map(({ path }) => path as string));
        await store.write(`/d0/new ${seen.length}`, "");
      }
      expect(new Set(seen).size).toBe(seen.length);
      const old = seen.filter((path) => !path.includes("new"));
      expect(old.length).toBe(recursive ? 2507 : 358);
    }
  });
});

describe("names", () => {
  test("CF74: file and FILE are two files over a service that folds case and Unicode forms", async () => {
    const { referenceStore } = await import("../../../src/conformance/model/reference.ts");
    const { archive } = await import("../../../src/wrappers/index.ts");
    const { stack } = await import("../../../src/store/index.ts");
    const { scratch } = await import("./make.ts");
    const store = stack(
      referenceStore({ capabilities: { caseSensitive: false, normalisation: "nfc", forbidden: '"*:<>?|\\', maxNameBytes: 100 } }),
      archive({ directory: scratch(), maxDelayMs: 0 }),
    );
    const names = ["/file", "/FILE", "/\u00e4", "/a\u0308", "/a:b?", "/with space ", `/${"long".repeat(100)}`];
    await Promise.all(names.map((name) => store.write(name, name)));
    for (const name of names) expect(await readText(store, name)).toBe(name);
    expect(await paths(store)).toEqual([...names].sort());
    await store.close();
  });
});
