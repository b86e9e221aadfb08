/** CF91: stored tokens per account: private, whole or not at all, one file each. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listTokens, readTokens, tokensDirectory, writeTokens } from "../../src/tokens/index.ts";
import { scratch } from "../scratch.ts";

const fresh = (): string => join(mkdtempSync(join(scratch(), "tokens-")), "a", "tokens");
const keys = { accessKeyId: "id", privateAccessKey: "private", refreshToken: "refresh" };

test("what was written is read, by account, and only its owner can read it", async () => {
  const directory = fresh();
  const file = await writeTokens("sugarsync", keys, { directory });
  await writeTokens("sugarsync", { ...keys, refreshToken: "other" }, { directory, account: "ann@example.org/*:é" });
  await writeTokens("dropbox", { clientId: "app", refreshToken: "r" }, { directory });
  expect(await readTokens("sugarsync", { directory })).toEqual(keys);
  expect((await readTokens("sugarsync", { directory, account: "ann@example.org/*:é" })).refreshToken).toBe("other");
  expect(await readTokens("dropbox", { directory })).toEqual({ clientId: "app", refreshToken: "r" });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect((await listTokens({ directory })).map(({ provider, account }) => [provider, account])).toEqual([
    ["dropbox", "default"],
    ["sugarsync", "ann@example.org/*:é"],
    ["sugarsync", "default"],
  ]);
});

test("a directory that others could enter is closed, and a file that others can read is refused", async () => {
  const directory = fresh();
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const file = await writeTokens("sugarsync", keys, { directory });
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  chmodSync(file, 0o644);
  await expect(readTokens("sugarsync", { directory })).rejects.toMatchObject({ code: "config", reason: expect.stringContaining("chmod 600") as string });
});

test("nobody signed in: unauthenticated, with the command to run", async () => {
  await expect(readTokens("drive", { directory: fresh() })).rejects.toMatchObject({
    code: "unauthenticated",
    reason: expect.stringContaining("stratus auth drive") as string,
  });
  expect(await listTokens({ directory: fresh() })).toEqual([]);
});

test("a write that fails leaves the old tokens and no temporary file", async () => {
  const directory = fresh();
  await writeTokens("sugarsync", keys, { directory });
  await expect(writeTokens("sugarsync", { ...keys, refreshToken: "" }, { directory })).rejects.toMatchObject({ code: "corrupt" });
  // Its place is taken by a directory: the last step fails.
  mkdirSync(join(directory, "sugarsync-taken.json"));
  await expect(writeTokens("sugarsync", keys, { directory, account: "taken" })).rejects.toThrow();
  expect(await readTokens("sugarsync", { directory })).toEqual(keys);
  expect(readdirSync(directory).sort()).toEqual(["sugarsync-default.json", "sugarsync-taken.json"]);
});

test("what does not decode is corrupt, and says nothing of what is in it", async () => {
  const directory = fresh();
  const file = await writeTokens("sugarsync", keys, { directory });
  const whole = readFileSync(file, "utf8");
  for (const text of [
    "",
    whole.slice(0, -9),
    "null",
    "{}",
    whole.replace("stratus-tokens", "x"),
    whole.replace('"provider": "sugarsync"', '"provider": "drive"'),
    whole.replace('"accessKeyId"', '"surprise"'),
  ]) {
    writeFileSync(file, text);
    const error = (await readTokens("sugarsync", { directory }).catch((thrown: unknown) => thrown)) as Error & { code: string };
    expect(error.code, text).toBe("corrupt");
    expect(`${String(error)} ${String(error.cause)}`).not.toContain("private");
  }
  writeFileSync(file, whole.replace('"version": 1', '"version": 2'));
  await expect(readTokens("sugarsync", { directory })).rejects.toMatchObject({ code: "config" });
});

test("names that are none are config", async () => {
  for (const account of ["", "a\nb", "x".repeat(101)])
    await expect(readTokens("sugarsync", { directory: fresh(), account })).rejects.toMatchObject({ code: "config" });
  await expect(readTokens("ftp" as never, { directory: fresh() })).rejects.toMatchObject({ code: "config" });
  expect(tokensDirectory({ XDG_CONFIG_HOME: "/x" })).toBe("/x/stratus/tokens");
});
