import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Keys, escapeKey, unescapeKey } from "../../../src/providers/s3/keys.ts";
import { hasCode, parsePath, root } from "../../../src/store/index.ts";

const keys = new Keys("", null);
const file = (text: string, under: Keys = keys): string => under.file(parsePath(text));

describe("paths to keys", () => {
  test("ordinary names stay as they are, percent signs and odd characters included", () => {
    for (const name of ["a", "a b", "100%", "a%20b", "a%3Ab", "%{41}", "\\", "ü", "u\u0308", "💾", "a\u0001b", "..a", "_$folder$x"]) {
      expect(file(`/d/${name}`)).toBe(`d/${name}`);
      expect(keys.name(name)).toBe(name);
    }
  });
  test("what a bucket holds and a path cannot is shown as tokens, and asked for in that form", () => {
    for (const [segment, name] of [
      ["", "%{}"],
      [".", "%{2E}"],
      ["..", "%{2E}."],
      ["a\0b", "a%{0}b"],
      ["%{}", "%{25}{}"],
      ["%{2E}", "%{25}{2E}"],
    ] as const) {
      expect(keys.name(segment)).toBe(name);
      expect(file(`/d/${name}/x`)).toBe(`d/${segment}/x`);
    }
  });
  test("a user's file of the shape of a Hadoop marker is stored under another key, and comes back (CF81)", () => {
    expect(file("/d/x_$folder$")).toBe("d/x_$folder%{24}");
    expect(keys.name("x_$folder%{24}")).toBe("x_$folder$");
    expect(file("/d/x_$folder%{24}")).toBe("d/x_$folder%{25}{24}");
    expect(keys.name("x_$folder%{25}{24}")).toBe("x_$folder%{24}");
    expect(keys.name("x_$folder$")).toBeUndefined();
  });
  test("the prefix stands before everything, and the root is the prefix itself", () => {
    const under = new Keys("backup/laptop/", null);
    expect(file("/a/b", under)).toBe("backup/laptop/a/b");
    expect(under.directory(root)).toBe("backup/laptop/");
    expect(under.directory(parsePath("/a"))).toBe("backup/laptop/a/");
    expect(under.folderMarker(parsePath("/a"))).toBe("backup/laptop/a_$folder$");
    expect(under.folderMarker(root)).toBeUndefined();
  });
  test("a key of 1,024 bytes is the longest, whatever is in it", () => {
    const under = new Keys("p/", null);
    expect(under.maxPathBytes).toBe(1023);
    expect(Buffer.byteLength(file(`/${"ü".repeat(511)}`, under))).toBe(1024);
    expect(() => file(`/${"ü".repeat(511)}a`, under)).toThrow(expect.objectContaining({ code: "invalid-path" }));
    // Characters that only the token scheme makes longer.
    expect(() => file(`/${"y".repeat(1010)}_$folder$`, under)).toThrow(expect.objectContaining({ code: "invalid-path" }));
    expect(() => under.marker(parsePath(`/${"a".repeat(1022)}`))).toThrow(expect.objectContaining({ code: "invalid-path" }));
    expect(under.directory(parsePath(`/${"a".repeat(1022)}`))).toHaveLength(1025);
  });
  test("a limit on names is kept on every segment", () => {
    const minio = new Keys("", 255);
    expect(file(`/${"a".repeat(255)}/b`, minio)).toHaveLength(257);
    expect(() => file(`/${"a".repeat(256)}/b`, minio)).toThrow(expect.objectContaining({ code: "invalid-path" }));
  });
  test("the empty key is none: a name that decodes to nothing in the root of a bucket", () => {
    try {
      file("/%{}");
      expect.unreachable();
    } catch (error) {
      expect(hasCode(error, "invalid-path")).toBe(true);
    }
  });
});

/** Text full of what the scheme is about: tokens, halves of them, escapes, markers. */
const piece = fc.constantFrom(
  "%",
  "%{",
  "%{}",
  "}",
  "{25}",
  "%{25}",
  "%{2E}",
  "%{0}",
  "%{24}",
  "{24}",
  "_$folder%",
  ".",
  "..",
  "_$folder$",
  "$",
  "a",
  "ü",
  "💾",
  "\u0001",
  "\0",
);
const segment = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(""));

describe("both directions, by random names", () => {
  test("every name of a path comes back from its key, and no two share one (CF95)", () => {
    const name = segment.filter((text) => text !== "" && text !== "." && text !== ".." && !text.includes("\0") && !text.includes("/"));
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
        const key = file(`/x/${names.join("/")}`);
        expect(
          key
            .split("/")
            .slice(1)
            .map((each) => keys.name(each)),
        ).toEqual(names);
      }),
      { numRuns: 20_000 },
    );
  });
  test("every segment of a key that is part of the store comes back from the name it shows", () => {
    fc.assert(
      fc.property(segment, (native) => {
        const name = keys.name(native);
        fc.pre(name !== undefined);
        expect(() => parsePath(`/${name}`)).not.toThrow();
        expect(file(`/x/${name}`)).toBe(`x/${native}`);
      }),
      { numRuns: 20_000 },
    );
  });
});

describe("keys in a request line", () => {
  test("everything but unreserved characters and slashes is escaped", () => {
    expect(escapeKey("a/b c+d?e#f&g=h%2F!'()*~ü")).toBe("a/b%20c%2Bd%3Fe%23f%26g%3Dh%252F%21%27%28%29%2A~%C3%BC");
    expect(escapeKey("a/./../b")).toBe("a/./../b");
  });
  test("names of listings are read with both ways of writing a space", () => {
    expect(unescapeKey("a+b%20c%2Bd")).toBe("a b c+d");
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => void expect(unescapeKey(escapeKey(text))).toBe(text)));
  });
});
