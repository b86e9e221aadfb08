/** Paths: checked once, never altered. */
import { expect, test } from "vitest";
import { isInside, join, nameOf, parentOf, parsePath, rebase, root } from "../../src/store/index.ts";
import { memory } from "../../src/providers/memory/index.ts";
import { thrown } from "./make.ts";

const BAD = [
  "",
  "a",
  "a/b",
  "./a",
  "/a/",
  "//",
  "//a",
  "/a//b",
  "/.",
  "/..",
  "/a/.",
  "/a/..",
  "/./a",
  "/../a",
  "/a/../b",
  "/a\0",
  "/\ud800",
  "/a\udc00b",
  `/${"x".repeat(65_536)}`,
  `/${"é".repeat(32_768)}`,
];
const GOOD = [
  "/",
  "/a",
  "/a/b",
  "/...",
  "/.a",
  "/a.",
  "/a/.b",
  "/..a",
  "/a..",
  "/ ",
  "/\n",
  "/\\",
  "/%2e%2e",
  "/é",
  "/e\u0301",
  "/\u{1f600}",
  "/con",
  `/${"x".repeat(65_535)}`,
  `/${"a/".repeat(30_000)}b`,
];

test.each(BAD.map((path) => [path.slice(0, 30), path]))("%j is no path", (_, path) => {
  expect(() => parsePath(path)).toThrow(expect.objectContaining({ code: "invalid-path" }) as Error);
});
test.each(GOOD.map((path) => [path.slice(0, 30), path]))("%j is a path, as it is", (_, path) => {
  expect(parsePath(path)).toBe(path);
});

// CF2
test.each(["a/b", "", "/a/", "/a/../b", "/\ud800"])("every verb given %j rejects with invalid-path, never with anything else", async (path) => {
  const store = memory();
  for (const [operation, call] of [
    ["stat", () => store.stat(path)],
    ["read", () => store.read(path)],
    ["write", () => store.write(path, "x")],
    ["list", () => store.list(path).toArray()],
    ["list", () => store.list(path).pages()[Symbol.asyncIterator]().next()],
    ["delete", () => store.delete(path)],
    ["mkdir", () => store.mkdir(path)],
    ["copy", () => store.copy(path, "/b")],
    ["copy", () => store.copy("/b", path)],
    ["move", () => store.move(path, "/b")],
    ["move", () => store.move("/b", path)],
  ] as const) {
    expect(await thrown(call() as Promise<unknown>)).toMatchObject({ code: "invalid-path", operation, store: "memory", applied: false });
  }
  for (const wrong of [undefined, null, 7, {}, new String("/a")]) expect(await thrown(store.stat(wrong as never))).toBeInstanceOf(TypeError);
});

test("parts of paths", () => {
  const [a, ab, abc] = [parsePath("/a"), parsePath("/a/b"), parsePath("/a/bc")];
  expect([join(root, "a"), join(a, "b"), parentOf(root), parentOf(a), parentOf(ab), nameOf(root), nameOf(ab)]).toEqual(["/a", "/a/b", "/", "/", "/a", "", "b"]);
  expect([isInside(ab, a), isInside(a, a), isInside(abc, ab), isInside(a, ab), isInside(root, root), isInside(a, root), isInside(root, a)]).toEqual([
    true,
    true,
    false,
    false,
    true,
    true,
    false,
  ]);
  expect([
    rebase(ab, a, parsePath("/x/y")),
    rebase(a, a, abc),
    rebase(ab, root, a),
    rebase(root, root, a),
    rebase(ab, a, root),
    rebase(a, a, root),
    rebase(a, a, a),
  ]).toEqual(["/x/y/b", "/a/bc", "/a/a/b", "/a", "/b", "/", "/a"]);
  for (const name of ["", ".", "..", "a/b", "a\0", "\ud800"]) expect(() => join(a, name)).toThrow(expect.objectContaining({ code: "invalid-path" }) as Error);
});
