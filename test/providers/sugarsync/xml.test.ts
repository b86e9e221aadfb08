/** The XML of the Platform API, strictly. */
import { expect, test } from "vitest";
import { XmlError, children, parseXml, request, textOf } from "../../../src/providers/sugarsync/xml.ts";

test("attributes, children, text, entities, CDATA, comments", () => {
  const page = parseXml(
    '\ufeff<?xml version="1.0"?>\n<!-- x --><p:page start="0" hasMore=\'a&lt;b\'><file><displayName> a &amp; b&#xA;</displayName></file><file/><x><![CDATA[<]]></x></p:page>\n',
  );
  expect(page.name).toBe("page");
  expect(page.attributes).toEqual({ start: "0", hasMore: "a<b" });
  expect(children(page, "file")).toHaveLength(2);
  expect(textOf(children(page, "file")[0] as never, "displayName")).toBe(" a & b\n");
  expect(textOf(page, "x")).toBe("<");
});

test("what is cut anywhere is an error", () => {
  const whole = '<page a="1"><file><displayName>a&amp;b</displayName></file></page>';
  parseXml(whole);
  for (let end = 0; end < whole.length; end++) expect(() => parseXml(whole.slice(0, end)), String(end)).toThrow(XmlError);
});

test("what is no XML is an error", () => {
  for (const text of [
    "",
    "text",
    "<a></b>",
    "<a/><b/>",
    "<a>&unknown;</a>",
    "<a>&#x110000;</a>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    `${"<a>".repeat(40)}${"</a>".repeat(40)}`,
  ])
    expect(() => parseXml(text), text).toThrow(XmlError);
});

test("what is sent reads back", () => {
  const text = request("fileCopy", { displayName: "a<&>\"'\r\n\tb", parent: undefined }, { source: 'x"&' });
  const element = parseXml(text);
  expect([element.name, element.attributes["source"], textOf(element, "displayName"), textOf(element, "parent")]).toEqual([
    "fileCopy",
    'x"&',
    "a<&>\"'\r\n\tb",
    undefined,
  ]);
});
