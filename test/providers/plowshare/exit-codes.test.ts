/** PS4: every exit code of every command is one error of ours, with its class of retry. */
import { expect, test } from "vitest";
import { failureOf as meaningOf, exitCodeOf, hider, mostHopeful } from "../../../src/providers/plowshare/errors.ts";
import { StoreError } from "../../../src/index.ts";

const ended = (code: number | null) => ({ code, stopped: null, stdout: "", stderr: "" });
const meaning = (task: Parameters<typeof meaningOf>[0], code: number) => {
  const error = meaningOf(task, ended(code), (text) => text);
  expect(error.applied).toBe(false);
  return [error.code, error.transient, error.retryAfterMs];
};

test("PS4: exit codes 1 to 17 of an upload", () => {
  expect([1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 126, 127].map((code) => [code, ...meaning("upload", code)])).toEqual([
    [1, "unknown", false, null],
    [2, "config", false, null],
    [3, "unavailable", true, null],
    [4, "unauthenticated", false, null],
    [5, "timeout", true, null],
    [6, "unavailable", true, null],
    [7, "unsupported", false, null],
    [8, "config", false, null],
    [10, "rate-limited", true, 60_000],
    [11, "permission-denied", false, null],
    [12, "permission-denied", false, null],
    [13, "unknown", false, null],
    [14, "too-large", false, null],
    [15, "config", false, null],
    [16, "unsupported", false, null],
    [17, "unauthenticated", true, null],
    [126, "config", false, null],
    [127, "config", false, null],
  ]);
});

test("PS4: what a dead link is depends on the task", () => {
  expect(meaning("download", 13)).toEqual(["corrupt", false, null]);
  expect(meaning("probe", 13)).toEqual(["corrupt", false, null]);
  expect(meaning("list", 13)).toEqual(["not-found", false, null]);
  expect(meaning("download", 14)).toEqual(["unknown", false, null]);
  expect(meaning("delete", 2)).toEqual(["unsupported", false, null]);
});

test("PS4: without retries plowdown says 1 also of a network that failed", () => {
  expect(meaning("download once", 1)).toEqual(["unavailable", true, null]);
  expect(meaning("download", 1)).toEqual(["unknown", false, null]);
  expect(meaning("download once", 13)).toEqual(["corrupt", false, null]);
});

test("PS4: 100 + n is n, and what nobody knows is unknown", () => {
  expect([113, 103, 117, 99, 100, 126, 130].map(exitCodeOf)).toEqual([13, 3, 17, 99, 100, 126, 130]);
  expect(meaning("download", 113)).toEqual(["corrupt", false, null]);
  expect(meaning("upload", 99)).toEqual(["unknown", false, null]);
});

test("runs that we ended, and ones that somebody else did", () => {
  const stopped = (why: "time" | "output" | "too-much") => meaningOf("download", { ...ended(null), stopped: why }, (text) => text);
  expect([stopped("time").code, stopped("output").code, stopped("too-much").code]).toEqual(["timeout", "unknown", "integrity"]);
  expect(meaningOf("download", ended(null), (text) => text).code).toBe("unavailable");
});

test("PS28: what a command said is told without colours, passwords and links", () => {
  const hide = hider(["ann:s3cret", "s3cret"]);
  const error = meaningOf("upload", { ...ended(1), stderr: "\u001b[1;33mlogin ann:s3cret at https://x.invalid/d/1/2 s3cret\u001b[0m\n" }, hide);
  expect((error.cause as Error).message).toBe("exit 1: login *** at <link> ***");
});

test("of several failures the one with most hope is told", () => {
  const of = (...codes: StoreError["code"][]) => mostHopeful(codes.map((code) => new StoreError(code, ""))).code;
  expect(of("corrupt", "integrity", "unavailable")).toBe("unavailable");
  expect(of("corrupt", "unsupported", "config")).toBe("unsupported");
  expect(of("corrupt", "integrity")).toBe("integrity");
  expect(of("corrupt", "corrupt")).toBe("corrupt");
  expect(of()).toBe("corrupt");
});
