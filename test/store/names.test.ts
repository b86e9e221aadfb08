/** The scheme of names: injective, its own inverse, and silent where nothing has to be written differently. */
import { expect, test } from "vitest";
import { nameCodec } from "../../src/store/index.ts";
import { TABLES, violation } from "./random-names.ts";

// CF95
test.each(TABLES.map((table) => [table.name, table] as const))("%s: 4,000 random names there and back (300,000 in names.slow.test.ts)", (_, table) => {
  expect(violation(table, 4_000, 1)).toBeUndefined();
});

test("a codec that is no bijection is found out", () => {
  const table = {
    ...(TABLES[0] as (typeof TABLES)[number]),
    codec: { encode: (name: string) => name.replace(/[<>:"|?*\\]/g, "_"), decode: (name: string) => name },
  };
  expect(violation(table, 1000, 1)).toBeDefined();
});

const windows = (TABLES[0] as (typeof TABLES)[number]).codec;
test.each([
  ["a:b", "a%{3A}b"],
  ["100%", "100%"],
  ["a%20b", "a%20b"],
  ["a%3Ab", "a%3Ab"],
  ["a%{3A}b", "a%{25}{3A}b"],
  ["a%{25}{3A}b", "a%{25}{25}{3A}b"],
  ["a%{61}b", "a%{61}b"],
  ["con", "%{63}on"],
  ["%{63}on", "%{25}{63}on"],
  ["CON.txt", "%{43}ON.txt"],
  ["end.", "end%{2E}"],
  ["end%{2E}", "end%{25}{2E}"],
  ["mid.dle", "mid.dle"],
  ["\u{1f600}:", "\u{1f600}%{3A}"],
])("%j is %j on Windows", (name, native) => {
  expect([windows.encode(name), windows.decode(native)]).toEqual([native, name]);
});

test("tokens in lower case are read where the service folds case, and are plain text where it does not", () => {
  expect(windows.decode("a%{3a}b")).toBe("a:b");
  expect(nameCodec({ any: ":" }).decode("a%{3a}b")).toBe("a%{3a}b");
});

test("the empty name, where it is one", () => {
  const codec = nameCodec({ empty: true });
  expect([codec.encode(""), codec.decode("%{}"), codec.encode("%{}"), codec.decode("%{25}{}")]).toEqual(["%{}", "", "%{25}{}", "%{}"]);
  expect(nameCodec({}).encode("")).toBe("");
});

test("a very long name takes no time to speak of", () => {
  for (const bit of ["%", "%{25}", "{25}", "%{3A}", ":"]) {
    const name = `%${bit.repeat(30_000)}`;
    expect(windows.decode(windows.encode(name))).toBe(name);
  }
}, 10_000);
