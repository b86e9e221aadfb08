/** The names that users and authors import: a name that comes or goes is a decision, not an accident. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as author from "../../src/author.ts";
import * as user from "../../src/index.ts";

test("values for users", () => {
  expect(Object.keys(user).toSorted()).toEqual(
    [
      "StoreError",
      "borrow",
      "copyBetween",
      "download",
      "exists",
      "find",
      "fromFile",
      "hasCode",
      "isDirectory",
      "manualClock",
      "modifiedOf",
      "readBytes",
      "readText",
      "sizeOf",
      "stack",
      "systemClock",
      "toErrno",
      "toHttpStatus",
      "upload",
    ].toSorted(),
  );
});

test("values for authors", () => {
  expect(Object.keys(author).toSorted()).toEqual(
    [
      "byteStream",
      "bytesInMemory",
      "bytesFrom",
      "byCodePoint",
      "calls",
      "combine",
      "control",
      "copyChunks",
      "createStore",
      "entry",
      "errorFromResponse",
      "abortError",
      "hasher",
      "inDoubt",
      "inPart",
      "identityOf",
      "isInside",
      "join",
      "kindOf",
      "layer",
      "mapSource",
      "mayRepeat",
      "nameCodec",
      "nameOf",
      "observe",
      "parentOf",
      "parsePath",
      "parseRangeHeader",
      "rangeHeader",
      "rebase",
      "root",
      "setting",
      "spool",
      "uniform",
      "beforehand",
      "undone",
    ].toSorted(),
  );
});

/** Names of types: exported by name, or all of a file. */
function typesOf(file: string): string[] {
  const read = (name: string): string => readFileSync(new URL(`../../src/store/${name}`, import.meta.url), "utf8");
  const text = read(file);
  const named = [...text.matchAll(/export type \{([^}]*)\}/g)].flatMap(([, names = ""]) => names.split(",").map((name) => name.trim()));
  const whole = [...text.matchAll(/export type \* from "\.\/([^"]+)"/g)].flatMap(([, other = ""]) =>
    [...read(other).matchAll(/^export (?:interface|type) (\w+)/gm)].map(([, name = ""]) => name),
  );
  return [...named, ...whole].filter((name) => name !== "").toSorted();
}

test("types for users", () => {
  expect(typesOf("user.ts")).toEqual(
    [
      "Account",
      "Body",
      "ByteRange",
      "CallOptions",
      "Capabilities",
      "Clock",
      "Control",
      "CopyBetweenOptions",
      "CopyOptions",
      "DeleteOptions",
      "Entry",
      "ErrorCode",
      "ErrorContext",
      "ErrorDetails",
      "HashName",
      "Hashes",
      "Injected",
      "Kind",
      "Layer",
      "Layered",
      "ListOptions",
      "Listing",
      "Metadata",
      "MkdirOptions",
      "Operation",
      "QuestionOptions",
      "ReadOptions",
      "ReadResult",
      "Reopenable",
      "Space",
      "Stacked",
      "StatOptions",
      "Store",
      "StorePath",
      "Support",
      "SupportKey",
      "WriteOptions",
    ].toSorted(),
  );
});

test("types for authors", () => {
  expect(typesOf("author.ts")).toEqual(
    [
      "AccountCall",
      "Backend",
      "ByteObserver",
      "ByteSource",
      "ByteStream",
      "Call",
      "CallObserver",
      "Calls",
      "CopyCall",
      "DeleteCall",
      "EntryFields",
      "Hasher",
      "Hook",
      "LayerParts",
      "Lifecycle",
      "ListCall",
      "MkdirCall",
      "MoveCall",
      "NameCodec",
      "NameRules",
      "Next",
      "Page",
      "Provider",
      "ProviderRead",
      "RawBody",
      "ReadCall",
      "ReadReply",
      "Replies",
      "Setting",
      "SettingsOf",
      "Source",
      "SpaceCall",
      "StatCall",
      "WriteCall",
    ].toSorted(),
  );
});
