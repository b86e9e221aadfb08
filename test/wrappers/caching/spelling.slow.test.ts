/** CF14 over a service that folds case: a file or directory that is renamed to another spelling of its name stands there in it, once, and nothing is lost. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readText } from "../../../src/index.ts";
import { borrow, stack } from "../../../src/store/index.ts";
import { caching } from "../../../src/wrappers/index.ts";
import { at } from "../../providers/sugarsync/at.ts";
import { scratch } from "../../scratch.ts";

for (const mode of ["write-back", "write-through"] as const)
  test(`a rename to another spelling, ${mode}`, async () => {
    await using a = await at({ cacheMs: 0 });
    await using store = stack(borrow(a.store), caching({ directory: mkdtempSync(join(scratch(), "spelling-")), mode, durability: "process" }));
    const names = async (): Promise<readonly string[]> => (await store.list("/d", { recursive: true }).toArray()).map(({ path }) => path).sort();
    await store.write("/d/x/name.txt", "bytes");
    // While the file waits for its upload, where it does.
    expect(await store.move("/d/x/name.txt", "/d/x/NAME.txt")).toMatchObject({ path: "/d/x/NAME.txt", size: 5 });
    expect(await names()).toEqual(["/d/x", "/d/x/NAME.txt"]);
    await store.move("/d/x", "/d/X");
    expect(await names()).toEqual(["/d/X", "/d/X/NAME.txt"]);
    expect(await readText(store, "/d/x/name.txt")).toBe("bytes");
    await store.layers.caching.flush();
    expect((await a.other().list("/d", { recursive: true }).toArray()).map(({ path }) => path).sort()).toEqual(["/d/X", "/d/X/NAME.txt"]);
  });
