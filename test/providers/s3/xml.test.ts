import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readDeleted, readError, readPage, readStored, writeDelete } from "../../../src/providers/s3/messages.ts";
import { childText, children, escapeXml, parseXml, unwritable, XmlError } from "../../../src/providers/s3/xml.ts";

describe("the parser", () => {
  test("elements, text, entities, references, CDATA, comments, prefixes, empty elements", () => {
    const root = parseXml(
      '\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<!-- x --><s3:List xmlns:s3="u" a=\'1\'><Key>a&amp;b&#x1F4BE;&#10;</Key><Key><![CDATA[<&amp;>]]></Key><Empty/><Size >4</Size ></s3:List>\n',
    );
    expect(root.name).toBe("List");
    expect(children(root, "Key").map((each) => each.text)).toEqual(["a&b💾\n", "<&amp;>"]);
    expect(childText(root, "Empty")).toBe("");
    expect(childText(root, "Size")).toBe("4");
    expect(childText(root, "Nothing")).toBeUndefined();
  });
  test.each([
    "",
    "   ",
    "text",
    "<a>",
    "<a></b>",
    "<a><b></a>",
    "</a>",
    "<a/><b/>",
    "<a/>x",
    "<a>&nope;</a>",
    "<a>&amp</a>",
    "<a>&#x110000;</a>",
    "<a",
    "<a>x</a",
    "<a><![CDATA[x</a>",
    '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    "<?php ?><a/>",
    `<a>${"<b>".repeat(40)}`,
    "<a b=c/>",
    "<1/>",
  ])("%j is refused", (text) => {
    expect(() => parseXml(text)).toThrow(XmlError);
  });
  test("every cut of a right answer is refused, so that half a page never reads as a short listing", () => {
    const text = '<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>';
    for (let length = 0; length < text.length; length++) expect(() => parseXml(text.slice(0, length))).toThrow(XmlError);
    expect(readPage(parseXml(text)).objects).toHaveLength(1);
  });
  test("any writable text survives escaping and parsing", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }).filter((text) => text.isWellFormed() && !unwritable(text)),
        (text) => {
          expect(parseXml(`<a>${escapeXml(text)}</a>`).text).toBe(text);
        },
      ),
      { numRuns: 5_000 },
    );
    expect(unwritable("a\u0001")).toBe(true);
    expect(unwritable("\uffff")).toBe(true);
    expect(unwritable("a\r\n\tb")).toBe(false);
  });
});

const page = (inner: string): string => `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</ListBucketResult>`;

describe("listings", () => {
  test("keys, prefixes, times cut to the second, the next page", () => {
    const read = readPage(
      parseXml(
        page(
          "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>t/1+2=</NextContinuationToken>" +
            "<Contents><Key>d/a+b%2Bc</Key><LastModified>2026-11-21T09:30:59.955Z</LastModified><ETag>&quot;abc&quot;</ETag><Size>5</Size></Contents><CommonPrefixes><Prefix>d/x%20y/</Prefix></CommonPrefixes>",
        ),
      ),
    );
    expect(read).toEqual({
      objects: [{ key: "d/a b+c", size: 5, etag: "abc", modifiedMs: Date.parse("2026-11-21T09:30:59Z") }],
      prefixes: ["d/x y/"],
      next: "t/1+2=",
    });
  });
  test("names are taken as they are where the service did not encode them", () => {
    expect(readPage(parseXml(page("<IsTruncated>false</IsTruncated><Contents><Key>a+b%20</Key><Size>0</Size></Contents>"))).objects[0]?.key).toBe("a+b%20");
  });
  test.each([
    ["no word about the end", "<Contents><Key>a</Key><Size>1</Size></Contents>"],
    ["more to come and no way to it", "<IsTruncated>true</IsTruncated>"],
    ["a key without a size", "<IsTruncated>false</IsTruncated><Contents><Key>a</Key></Contents>"],
    ["a size that is none", "<IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>-1</Size></Contents>"],
    ["a size that is no number", "<IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>NaN</Size></Contents>"],
  ])("%s is refused", (_, inner) => {
    expect(() => readPage(parseXml(page(inner)))).toThrow(XmlError);
  });
  test("another document is refused", () => {
    expect(() => readPage(parseXml("<html><IsTruncated>false</IsTruncated></html>"))).toThrow(XmlError);
    expect(() => readDeleted(parseXml("<html/>"))).toThrow(XmlError);
    expect(() => readStored(parseXml("<html/>"))).toThrow(XmlError);
  });
});

test("a bulk deletion names each key so that it arrives as it is, and its failures are read", () => {
  const keys = ["a&b<c>", "a\rb\n\tc", "ü\"'"];
  expect(children(parseXml(writeDelete(keys)), "Object").map((each) => childText(each, "Key"))).toEqual(keys);
  expect(
    readDeleted(
      parseXml("<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>AccessDenied</Code><Message></Message></Error></DeleteResult>"),
    ),
  ).toEqual([{ key: "b", code: "AccessDenied", message: "" }]);
});

test("whatever comes with a refusal is read without failing", () => {
  expect(readError("")).toEqual({ code: "" });
  expect(readError("<html>Bad Gateway</html>")).toEqual({ code: "" });
  expect(readError("<Error><Code>Cut").code).toBe("");
  expect(readError("<Error><Code>InvalidRange</Code><Message></Message><ActualObjectSize>7</ActualObjectSize></Error>")).toEqual({
    code: "InvalidRange",
    message: "",
    region: undefined,
    size: 7,
  });
});
