/** Ranges as HTTP says them. */
import { expect, test } from "vitest";
import { parseRangeHeader, rangeHeader } from "../../src/store/index.ts";
import type { ByteRange } from "../../src/store/index.ts";
import { numbers } from "./random-names.ts";

test.each<[ByteRange | undefined, string | undefined]>([
  [undefined, undefined],
  [{ offset: 0 }, "bytes=0-"],
  [{ offset: 0, length: 100 }, "bytes=0-99"],
  [{ offset: 5, length: 1 }, "bytes=5-5"],
  [{ offset: -500 }, "bytes=-500"],
  [{ offset: 3, length: 0 }, undefined],
])("%j is %j", (range, header) => {
  expect(rangeHeader(range)).toBe(header);
});

test.each<[string | null | undefined, ByteRange | undefined]>([
  ["bytes=0-99", { offset: 0, length: 100 }],
  ["bytes=5-", { offset: 5 }],
  ["bytes=-500", { offset: -500 }],
  [" Bytes = 1 - 2 ", { offset: 1, length: 2 }],
  [undefined, undefined],
  [null, undefined],
  ["", undefined],
  ["bytes=-", undefined],
  ["bytes=-0", undefined],
  ["bytes=5-4", undefined],
  ["bytes=0-1,3-4", undefined],
  ["items=0-1", undefined],
  ["bytes=a-b", undefined],
  ["bytes=1.5-2", undefined],
  ["bytes=99999999999999999999-", undefined],
  ["bytes=0-9007199254740991", undefined],
  ["bytes=-99999999999999999999", undefined],
  ["bytes=0x1-2", undefined],
  ["bytes=+1-2", undefined],
])("%j is %j", (header, range) => {
  expect(parseRangeHeader(header)).toEqual(range);
});

test("there and back", () => {
  const random = numbers(7);
  for (let i = 0; i < 2000; i++) {
    const offset = Math.floor(random() * 1e12);
    for (const range of [{ offset }, { offset, length: 1 + Math.floor(random() * 1e12) }, { offset: -offset - 1 }])
      expect(parseRangeHeader(rangeHeader(range))).toEqual(range);
  }
});
