/** Names on disk: a bijection in both directions, and the native form that each platform can hold. */
import { isUtf8 } from "node:buffer";
import { array, assert, constantFrom, oneof, property, string } from "fast-check";
import { expect, test } from "vitest";
import { diskNames, isTemporary, temporaryName, toDisk, toNative, undecodable } from "../../../src/providers/local/names.ts";
import type { Native } from "../../../src/providers/local/names.ts";
import { profiles } from "../../../src/providers/local/profiles.ts";

const RUNS = { numRuns: 5_000 };
const latin1 = (bytes: readonly number[]): Native => Buffer.from(bytes).toString("latin1") as Native;

/** Pieces that make names look like tokens, escaped tokens, halves of tokens, and characters cut apart. */
const piece = constantFrom(
  "%",
  "{",
  "}",
  "{25}",
  "{x",
  "{xFF}",
  "%{xFF}",
  "%{xC3}",
  "%{xA9}",
  "%{25}{xC3}",
  "%{25}",
  "%{2E}",
  "C3",
  "é",
  "a",
  "😀",
  ".",
  "con",
  ".stratus-",
  "0".repeat(20),
  ".tmp",
  "%{x7F}",
  "%{xff}",
);
const texts = array(piece, { maxLength: 8 })
  .map((parts) => parts.join(""))
  .filter((text) => text !== "" && text.isWellFormed());
const byteStrings = array(
  oneof(
    piece.map((text) => [...Buffer.from(text)]),
    constantFrom([0xff], [0xc3], [0xa9], [0xe2, 0x82], [0xf0, 0x9f], [0x80], [0xed, 0xa0, 0x80]),
  ),
  { minLength: 1, maxLength: 8 },
).map((parts) => latin1(parts.flat()));

test("CF95: every byte string has one text, and every text one byte string", () => {
  assert(
    property(byteStrings, (native) => {
      expect(undecodable.hide(undecodable.show(native))).toBe(native);
    }),
    RUNS,
  );
  assert(
    property(texts, (text) => {
      expect(undecodable.show(undecodable.hide(text))).toBe(text);
    }),
    RUNS,
  );
  assert(
    property(byteStrings, (native) => {
      expect(undecodable.show(native).isWellFormed()).toBe(true);
    }),
    RUNS,
  );
});

test("ordinary names stay as they are, with percent signs, tokens of other kinds, and any script", () => {
  for (const name of ["a", "100%", "a%20b", "%3A", "%{3A}", "%{25}", "%{xZZ}", "%{x41}", "Zoë", "日本語", "😀", "a\nb", " ", "%{x", "\\", "\x7f"]) {
    expect(undecodable.hide(name)).toBe(toNative(name));
    expect(undecodable.show(toNative(name))).toBe(name);
  }
});

test("an undecodable byte is shown as a token; the text of such a token is escaped", () => {
  expect(undecodable.show(latin1([0x61, 0xff]))).toBe("a%{xFF}");
  expect(undecodable.show(toNative("a%{xFF}"))).toBe("a%{25}{xFF}");
  expect(undecodable.show(toNative("a%{25}{xFF}"))).toBe("a%{25}{25}{xFF}");
  expect(undecodable.show(latin1([0xff, ...Buffer.from("%{xFE}")]))).toBe("%{xFF}%{25}{xFE}");
  // Two tokens that together are a character stand for themselves: as bytes they would be that character.
  expect(undecodable.show(toNative("%{xC3}%{xA9}"))).toBe("%{xC3}%{xA9}");
});

test.each(Object.entries(profiles))("names of %s round-trip, and no native name breaks the rules of the platform", (platform, profile) => {
  const names = diskNames(profile.names);
  const { any = "", last = "", reserved = () => false } = profile.names;
  assert(
    property(
      oneof(
        texts,
        string({ unit: "binary", minLength: 1, maxLength: 12 }).filter((name) => name.isWellFormed() && !/[/\0]/.test(name)),
        constantFrom("con", "NUL.txt", "com1 ", "a.", "a ", "a:b", "aux .x", ".", "LPT¹", "con%", "%{63}on"),
      ),
      (name) => {
        const native = names.native(name);
        expect(names.logical(native)).toBe(name);
        expect(isTemporary(native)).toBe(false);
        if (platform !== "windows") return;
        const held = Buffer.from(native, "latin1").toString();
        for (const char of held) expect(any).not.toContain(char);
        expect(last).not.toContain(held.at(-1));
        expect(reserved(held)).toBe(false);
      },
    ),
    RUNS,
  );
});

test("a user's file with the shape of a temporary name is another file on disk; the shape itself is no name", () => {
  const names = diskNames(profiles.linux.names);
  const mine = ".stratus-abcdefghij0123456789.tmp";
  expect(isTemporary(mine)).toBe(true);
  expect(isTemporary(names.native(mine))).toBe(false);
  expect(names.logical(names.native(mine))).toBe(mine);
  expect(names.logical(mine as Native)).toBeUndefined();
  for (const near of [".stratus-abc.tmp", ".stratus-abcdefghij0123456789.tmpx", "x.stratus-abcdefghij0123456789.tmp", "%{2E}stratus-abcdefghij0123456789.tmp"])
    expect(names.logical(names.native(near))).toBe(near);
});

test("temporary names have the shape that is hidden, whatever the random numbers", () => {
  for (const value of [0, 0.5, 1 - Number.EPSILON]) expect(isTemporary(temporaryName(() => value))).toBe(true);
});

test("what node:fs gets is text for ASCII and bytes for the rest", () => {
  expect(toDisk("/a/b" as Native)).toBe("/a/b");
  expect(toDisk(latin1([0x2f, 0xff]))).toEqual(Buffer.from([0x2f, 0xff]));
  expect(isUtf8(toDisk(toNative("/é")) as Buffer)).toBe(true);
});
