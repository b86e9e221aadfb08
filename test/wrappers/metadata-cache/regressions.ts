/** Programs that once failed, shrunk: each must hold for ever. What was wrong then stands beside it. */
import type { Program } from "./programs.ts";

export const regressions: readonly { readonly setting: string; readonly why: string; readonly program: Program }[] = [
  {
    setting: "late listings",
    why: "invalidate took away what completes late listings: the file written before it was missing",
    program: [
      { do: "wait", ms: 1 },
      { do: "write", path: "/a" },
      { do: "net", nth: 0, how: "answer" },
      { do: "invalidate", path: "/" },
      { do: "list", path: "/" },
      { do: "write", path: "/a" },
    ],
  },
  {
    setting: "late listings",
    why: "a late listing hid a file whose upload had ended without an answer",
    program: [
      { do: "write", path: "/a" },
      { do: "net", nth: 0, how: "effect" },
      { do: "net", nth: 0, how: "fail" },
      { do: "wait", ms: 1 },
      { do: "list", path: "/" },
      { do: "write", path: "/a" },
    ],
  },
  {
    setting: "late listings, short replies",
    why: "two writes of one file at once left nothing to complete a late listing with",
    program: [
      { do: "wait", ms: 1 },
      { do: "write", path: "/b" },
      { do: "write", path: "/b" },
      { do: "net", nth: 0, how: "answer" },
      { do: "list", path: "/" },
      { do: "net", nth: 0, how: "answer" },
    ],
  },
  {
    setting: "late listings",
    why: "a listing that came late said of a directory in doubt that it was not there, and that was remembered",
    program: [
      { do: "mkdir", path: "/d" },
      { do: "net", nth: 0, how: "answer" },
      { do: "invalidate", path: "/" },
      { do: "stat", path: "/d/b", detail: "basic" },
      { do: "wait", ms: 1 },
      { do: "net", nth: 0, how: "answer" },
    ],
  },
  {
    setting: "late listings",
    why: "the same, told to the caller",
    program: [
      { do: "write", path: "/d/b" },
      { do: "net", nth: 0, how: "answer" },
      { do: "invalidate", path: "/" },
      { do: "stat", path: "/a", detail: "full", fresh: true },
      { do: "list", path: "/d" },
      { do: "wait", ms: 1 },
      { do: "leave", nth: 0 },
    ],
  },
  {
    setting: "late listings",
    why: "a parent that a listing had shown before the write that made it ended was missing in the next late listing",
    program: [
      { do: "list", path: "/" },
      { do: "write", path: "/d/e/x" },
      { do: "net", nth: 0, how: "fail" },
      { do: "net", nth: 0, how: "effect" },
      { do: "list", path: "/" },
      { do: "net", nth: 3, how: "answer" },
      { do: "net", nth: 0, how: "answer" },
      { do: "wait", ms: 1 },
      { do: "list", path: "/", fresh: true },
    ],
  },
  {
    setting: "implied directories",
    why: "a write that makes a directory and a move that empties it at once: the directory was remembered although it had gone",
    program: [
      { do: "delete", path: "/a" },
      { do: "move", path: "/d/b", to: "/a" },
      { do: "write", path: "/d/b" },
      { do: "net", nth: 2, how: "effect" },
      { do: "net", nth: 0, how: "answer" },
    ],
  },
  {
    setting: "others, times, short listings",
    why: "an absence that had grown old was kept alive by an own delete under way",
    program: [
      { do: "stat", path: "/d/e/x", detail: "basic" },
      { do: "net", nth: 0, how: "answer" },
      { do: "theirs", what: "write", path: "/d/e/x" },
      { do: "wait", ms: 110 },
      { do: "delete", path: "/d/e" },
      { do: "list", path: "/d/e" },
      { do: "write", path: "/a" },
    ],
  },
];
