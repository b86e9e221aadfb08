/** The local half: what is acknowledged is readable at once and after a reopening, without a request. */
import { describe, expect, test } from "vitest";
import { memory } from "../../../src/providers/memory/index.ts";
import { borrow, readBytes, readText, stack } from "../../../src/store/index.ts";
import { caching } from "../../../src/wrappers/index.ts";
import { code, paths } from "../at.ts";
import { cacheDirectory } from "./cache-directory.ts";

const lazy = { uploadDelayMs: 1e9, maxDelayMs: 1e9, flushOnClose: false };

describe("acknowledged is readable, at once and after a reopening", () => {
  test("files of all forms, deletes, moves and directories (CF39)", async () => {
    const base = memory();
    const directory = cacheDirectory();
    const large = new Uint8Array(300_000).map((_, i) => i % 251);
    {
      await using store = stack(borrow(base), caching({ directory, ...lazy }));
      await store.write("/a/small", "one");
      await store.write("/a/large", large);
      await store.write("/a/stream", new Blob([large]).stream());
      await store.write("/b", "two");
      await store.move("/b", "/c/b");
      await store.copy("/a/small", "/a/copy");
      await store.write("/gone", "x");
      await store.delete("/gone");
      await store.mkdir("/empty");
      expect(await paths(store, "/", true)).toEqual(["/a", "/a/copy", "/a/large", "/a/small", "/a/stream", "/c", "/c/b", "/empty"]);
    }
    expect(await paths(base, "/", true)).toEqual(["/empty"]);
    await using again = stack(borrow(base), caching({ directory, ...lazy }));
    expect(await paths(again, "/", true)).toEqual(["/a", "/a/copy", "/a/large", "/a/small", "/a/stream", "/c", "/c/b", "/empty"]);
    expect(await readText(again, "/a/copy")).toBe("one");
    expect(await readText(again, "/c/b")).toBe("two");
    expect(await readBytes(again, "/a/large")).toEqual(large);
    expect(await readBytes(again, "/a/stream")).toEqual(large);
    expect(await code(again.stat("/gone"))).toBe("not-found");
    expect(await code(again.stat("/b"))).toBe("not-found");
    await again.layers.caching.flush();
    expect(await paths(base, "/", true)).toEqual(["/a", "/a/copy", "/a/large", "/a/small", "/a/stream", "/c", "/c/b", "/empty"]);
    expect(await readBytes(base, "/a/large")).toEqual(large);
    expect(again.layers.caching.dirty()).toEqual([]);
  });
});
