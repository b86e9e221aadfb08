/** Options are checked when the store is made, before anything is started or read. */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { StoreError } from "../../../src/index.ts";
import { plowshare, plowshareTools } from "../../../src/providers/plowshare/index.ts";

const good = { directory: "/nowhere/at/all", hosts: ["alpha", "beta"] };

function codeOf(options: object): string | undefined {
  try {
    plowshare({ ...good, ...options });
    return undefined;
  } catch (error) {
    return StoreError.is(error) ? error.code : String(error);
  }
}

test("what cannot be meant is `config`", () => {
  for (const options of [
    { nothing: 1 },
    { directory: "" },
    { directory: 1 },
    { hosts: [] },
    { hosts: "alpha" },
    { hosts: ["Alpha"] },
    { hosts: ["-x"] },
    { hosts: ["a/b"] },
    { hosts: ["alpha", "alpha"] },
    { copies: 0 },
    { copies: 3 },
    { minCopies: 3 },
    { copies: 1, minCopies: 2 },
    { waitMs: 0 },
    { waitMs: 1e9 },
    { retries: -1 },
    { retries: 1.5 },
    { graceMs: Number.NaN },
    { maxProcesses: 0 },
    { maxBytesPerSecond: 1 },
    { sessions: "always" },
    { credentials: { alpha: "no colon" } },
    { credentials: { alpha: 'a:quo"te' } },
    { credentials: { alpha: "a:line\nbreak" } },
    { credentials: { "../x": "a:b" } },
    { hostOptions: { alpha: { "bad key": "x" } } },
    { hostOptions: { alpha: { folder: "a\nb" } } },
    { environment: { HOME: "/" } },
    { environment: { BASH_ENV: "/evil" } },
    { environment: { "a b": "x" } },
    { commandDirectory: "" },
    { onServed: "log" },
  ])
    expect(codeOf(options), JSON.stringify(options)).toBe("config");
  expect(codeOf({})).toBeUndefined();
});

test("no message holds a password", () => {
  try {
    plowshareTools({ credentials: { alpha: 'ann:s3"cret' } });
    expect.unreachable();
  } catch (error) {
    expect(String(error)).not.toContain("s3");
  }
});

test("making a store starts nothing and makes nothing; its text has no secret", () => {
  const store = plowshare({ ...good, createRoot: true, credentials: { alpha: "ann:s3cret" } });
  expect(existsSync("/nowhere")).toBe(false);
  expect(String(store)).toBe("plowshare directory=/nowhere/at/all hosts=alpha,beta copies=2");
  expect(store.capabilities).toMatchObject({ writeIfAbsent: "native", atomicWrites: "native", readRange: "emulated", hashes: ["sha256"], afterlifeMs: 0 });
});
