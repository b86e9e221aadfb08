/**
 * Programs that once failed, shrunk to what the failure needs, and run before any random one. Each says what went wrong there.
 * A new one comes from the failure text of `model.programs`: it prints the program in this form.
 */
import type { Program } from "./programs.ts";

export interface Regression {
  readonly found: string;
  readonly program: Program;
}

export const regressions: readonly Regression[] = [
  {
    found: "a move onto itself with ifAbsent: the contract was read in two ways",
    program: [
      { do: "write", on: 0, path: ["a", "a"], size: 0 },
      { do: "move", on: 0, path: [], to: [], ifAbsent: true },
      { do: "move", on: 1, path: ["a", "a"], to: ["a"] },
    ],
  },
  {
    found: "a missing source below another spelling of itself",
    program: [
      { do: "copy", on: 0, path: ["A"], to: ["a", "a"] },
      { do: "list", on: 0, path: ["a", "a", "a"] },
    ],
  },
  {
    found: "a directory that was deleted by the other connection came back",
    program: [
      { do: "mkdir", on: 0, path: ["a", "b"] },
      { do: "delete", on: 1, path: ["a", "b"] },
      { do: "list", on: 0, path: ["a"] },
    ],
  },
  {
    found: "a delete took what only began with the same name",
    program: [
      { do: "write", on: 0, path: ["a"], size: 1 },
      { do: "write", on: 0, path: ["ab"], size: 17 },
      { do: "delete", on: 0, path: ["a"], recursive: true },
    ],
  },
  {
    found: "a deleted file was still listed at the place it had been moved to",
    program: [
      { do: "write", on: 0, path: ["b", "b"], size: 0 },
      { do: "move", on: 1, path: ["b", "b"], to: ["a", "b"] },
      { do: "delete", on: 0, path: ["a", "b"] },
    ],
  },
  {
    found: "a second write of the same size was taken for the first",
    program: [
      { do: "write", on: 0, path: ["b"], size: 1000 },
      { do: "write", on: 1, path: ["b"], size: 1000, properties: true },
      { do: "read", on: 0, path: ["b"] },
    ],
  },
  {
    found: "a shorter file kept the tail of the longer one",
    program: [
      { do: "write", on: 0, path: ["b"], size: 5000 },
      { do: "write", on: 0, path: ["b"], size: 17 },
      { do: "read", on: 1, path: ["b"] },
    ],
  },
  {
    found: "an empty file was taken for none",
    program: [
      { do: "write", on: 0, path: ["b"], size: 0 },
      { do: "copy", on: 1, path: ["b"], to: ["a"] },
      { do: "read", on: 0, path: ["a"] },
    ],
  },
  {
    found: "half a body was committed where nothing had been",
    program: [
      { do: "write", on: 1, path: ["a"], size: 1000, how: "fails" },
      { do: "stat", on: 0, path: ["a"] },
      { do: "write", on: 0, path: ["a"], size: 1, how: "unknown" },
    ],
  },
  {
    found: "a failed body destroyed the old version",
    program: [
      { do: "write", on: 0, path: ["a"], size: 5000 },
      { do: "write", on: 1, path: ["a"], size: 70_000, how: "fails" },
      { do: "read", on: 1, path: ["a"] },
    ],
  },
  {
    found: "a body one byte short was filled up",
    program: [
      { do: "write", on: 0, path: ["a", "a"], size: 1000, how: "short" },
      { do: "stat", on: 0, path: ["a", "a"] },
    ],
  },
  {
    found: "a body one byte long was cut",
    program: [
      { do: "write", on: 0, path: ["a", "a"], size: 1000, how: "long" },
      { do: "stat", on: 1, path: ["a", "a"] },
    ],
  },
  {
    found: "a write was given up and appeared later",
    program: [
      { do: "write", on: 0, path: ["a"], size: 17 },
      { do: "write", on: 1, path: ["a"], size: 70_000, how: "aborted" },
      { do: "read", on: 0, path: ["a"] },
    ],
  },
  {
    found: "what a failed write left stood in the way of the next",
    program: [
      { do: "write", on: 1, path: ["ab", "ab"], size: 1000, how: "fails" },
      { do: "write", on: 0, path: ["ab"], size: 1000 },
    ],
  },
  {
    found: "a copy changed when its source did",
    program: [
      { do: "write", on: 0, path: ["b"], size: 0 },
      { do: "copy", on: 1, path: ["b"], to: ["a"] },
      { do: "write", on: 1, path: ["b"], size: 1000 },
      { do: "read", on: 0, path: ["a"] },
    ],
  },
  {
    found: "a copy lost content type and metadata",
    program: [
      { do: "write", on: 0, path: ["b"], size: 1, properties: true },
      { do: "copy", on: 1, path: ["b"], to: ["a"] },
      { do: "move", on: 0, path: ["a"], to: ["c"] },
      { do: "stat", on: 1, path: ["c"] },
    ],
  },
  {
    found: "a move onto itself deleted what it moved",
    program: [
      { do: "write", on: 0, path: ["b"], size: 17 },
      { do: "move", on: 0, path: ["b"], to: ["b"] },
      { do: "move", on: 0, path: [], to: [] },
    ],
  },
  {
    found: "a move to another spelling deleted the file",
    program: [
      { do: "write", on: 0, path: ["a"], size: 17 },
      { do: "move", on: 0, path: ["A"], to: ["a"] },
      { do: "list", on: 0, path: [] },
    ],
  },
  {
    found: "a file moved over its own parent",
    program: [
      { do: "write", on: 0, path: ["b", "b"], size: 0 },
      { do: "move", on: 1, path: ["b", "b"], to: ["b"] },
    ],
  },
  {
    found: "a directory moved over an empty one, and over a full one",
    program: [
      { do: "mkdir", on: 0, path: ["a", "b"] },
      { do: "mkdir", on: 0, path: ["ab"] },
      { do: "move", on: 1, path: ["a"], to: ["ab"] },
      { do: "copy", on: 0, path: ["ab"], to: ["a"] },
      { do: "copy", on: 0, path: ["ab"], to: ["a"] },
    ],
  },
  {
    found: "a listing after a change by the other connection was the one before",
    program: [
      { do: "mkdir", on: 0, path: ["b"] },
      { do: "list", on: 0, path: [] },
      { do: "delete", on: 1, path: ["b"] },
      { do: "list", on: 0, path: [] },
    ],
  },
  {
    found: "a connection kept what it had written, whatever the other wrote",
    program: [
      { do: "write", on: 0, path: ["b"], size: 0 },
      { do: "write", on: 0, path: ["a"], size: 1000 },
      { do: "copy", on: 1, path: ["b"], to: ["a"] },
      { do: "read", on: 0, path: ["a"] },
    ],
  },
  {
    found: "a write below a file went nowhere and was a success",
    program: [
      { do: "write", on: 0, path: ["b"], size: 0 },
      { do: "write", on: 0, path: ["b", "b"], size: 0 },
    ],
  },
  {
    found: "a write over a directory replaced it and everything in it",
    program: [
      { do: "write", on: 0, path: ["ab", "b"], size: 0 },
      { do: "write", on: 0, path: ["ab"], size: 0 },
    ],
  },
  {
    found: "two forms of one letter were one name for a write and two for a listing",
    program: [
      { do: "write", on: 0, path: ["\u00e9"], size: 1 },
      { do: "write", on: 0, path: ["e\u0301"], size: 17 },
      { do: "list", on: 1, path: [] },
    ],
  },
  {
    found: "ifAbsent held for bodies of known size only",
    program: [
      { do: "write", on: 0, path: ["a"], size: 0 },
      { do: "write", on: 0, path: ["a"], size: 17, how: "unknown", ifAbsent: true },
    ],
  },
  {
    found: "a stale etag deleted the file",
    program: [
      { do: "write", on: 0, path: ["a"], size: 17 },
      { do: "delete", on: 0, path: ["a"], ifMatch: "stale" },
      { do: "delete", on: 0, path: ["a"], ifMatch: "current" },
    ],
  },
  {
    found: "a range at the end of a file, from both sides",
    program: [
      { do: "write", on: 0, path: ["a"], size: 5000 },
      { do: "read", on: 0, path: ["a"], offset: 4999, length: 17 },
      { do: "read", on: 0, path: ["a"], offset: 5000 },
      { do: "read", on: 0, path: ["a"], offset: -6000 },
      { do: "read", on: 1, path: ["a"], offset: -17 },
    ],
  },
  {
    found: "a cache told of its own pending target before it told of the missing source",
    program: [
      { do: "write", on: 0, path: ["b", "a"], size: 0 },
      { do: "move", on: 1, path: ["a", "a"], to: ["b"], ifAbsent: true },
      { do: "copy", on: 0, path: ["a", "a"], to: ["b", "a"], ifAbsent: true },
    ],
  },
  {
    found: "the etag that a cache gave to a copy was nobody's at the service",
    program: [
      { do: "write", on: 0, path: ["A"], size: 17, ifAbsent: true },
      { do: "copy", on: 1, path: ["A"], to: ["b"] },
      { do: "write", on: 1, path: ["b"], size: 0, ifMatch: "current" },
      { do: "copy", on: 1, path: ["A"], to: ["c"] },
      { do: "delete", on: 1, path: ["c"], ifMatch: "current" },
    ],
  },
];
