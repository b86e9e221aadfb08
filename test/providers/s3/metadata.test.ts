import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeName, decodeValue, encodeName, encodeValue, fromHeaders, toHeaders } from "../../../src/providers/s3/metadata.ts";

const text = fc.string({ unit: "binary" }).filter((each) => each.isWellFormed());

test("any text comes back from headers that only hold lower-case names and printable values", () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        text.filter((name) => name !== ""),
        text,
      ),
      (metadata) => {
        const headers = toHeaders(metadata, Infinity);
        for (const [name, value] of Object.entries(headers)) {
          expect(name).toMatch(/^[a-z0-9%-]+$/);
          expect(value).toMatch(/^(?:[!-~]+(?: [!-~]+)*)$/);
        }
        expect({ ...fromHeaders(headers) }).toEqual({ ...metadata });
      },
    ),
    { numRuns: 5_000 },
  );
});

test("what HTTP would change is encoded, ordinary text is not", () => {
  expect(encodeValue("plain text; q=1")).toBe("plain text; q=1");
  for (const value of ["", " a", "a ", "a  b", "a\tb", "a\r\nx-evil: 1", "=?UTF-8?B?YQ==?=", "ü"]) {
    expect(encodeValue(value)).toMatch(/^=\?UTF-8\?B\?[A-Za-z0-9+/=]*\?=$/);
    expect(decodeValue(encodeValue(value))).toBe(value);
  }
  expect(encodeName("author")).toBe("author");
  expect(encodeName("Author")).toBe("%41uthor");
  expect(encodeName("a_b")).toBe("a%5fb");
});

test("what other tools wrote reads as they meant it", () => {
  expect(decodeValue("=?utf-8?Q?Zo=C3=AB_x?=")).toBe("Zoë x");
  expect(decodeValue("=?UTF-8?B?Wm8=?= =?UTF-8?B?w6s=?=")).toBe("Zoë");
  expect(decodeValue("=?iso-8859-1?Q?=E9?=")).toBe("=?iso-8859-1?Q?=E9?=");
  expect(decodeName("100%25")).toBe("100%");
  expect(decodeName("100%zz")).toBe("100%zz");
  expect(decodeName("%61")).toBe("%61");
});

test("a name that JavaScript treats specially is a name like any other", () => {
  const headers = toHeaders(JSON.parse('{"__proto__":"x"}') as Record<string, string>, Infinity);
  expect(Object.getPrototypeOf(fromHeaders(headers))).toBe(Object.prototype);
  expect(Object.entries(fromHeaders(headers))).toEqual([["__proto__", "x"]]);
});

test("too much is refused before a request", () => {
  expect(() => toHeaders({ a: "x".repeat(2048) }, 2048)).toThrow(expect.objectContaining({ code: "too-large", applied: false }));
  expect(toHeaders({ a: "x".repeat(2047) }, 2048)).toEqual({ a: "x".repeat(2047) });
});
