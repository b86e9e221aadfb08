/** Stores whose root takes no files: a file there is an invalid path, the root itself is a directory. */
import { expect, test } from "vitest";
import { referenceStore } from "../../src/conformance/model/reference.ts";

test("a write to the root is is-a-directory, a write of a file in it invalid-path", async () => {
  await using store = referenceStore({ capabilities: { filesAtRoot: false } });
  await expect(store.write("/", "x")).rejects.toMatchObject({ code: "is-a-directory", path: "/" });
  await expect(store.write("/file", "x")).rejects.toMatchObject({ code: "invalid-path", path: "/file" });
  await expect(store.write("/dir/file", "x")).resolves.toMatchObject({ size: 1 });
});
