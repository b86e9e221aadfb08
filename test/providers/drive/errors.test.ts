/** Every refusal by its reason (reference/providers.md 4.6), and what is tried again: CF92, CF93, CF94. */
import { describe, expect, test } from "vitest";
import { manualClock, stack } from "../../../src/index.ts";
import { retry } from "../../../src/wrappers/index.ts";
import { addressOf, at, bytesOf, pieces } from "./at.ts";

const HOUR = 3_600_000;
const reasons: readonly (readonly [status: number, reason: string, code: string, transient: boolean, retryAfterMs?: number])[] = [
  [403, "rateLimitExceeded", "rate-limited", true],
  [403, "userRateLimitExceeded", "rate-limited", true],
  [403, "sharingRateLimitExceeded", "rate-limited", true],
  [429, "rateLimitExceeded", "rate-limited", true],
  [403, "dailyLimitExceeded", "rate-limited", true, HOUR],
  [403, "downloadQuotaExceeded", "rate-limited", true, 24 * HOUR],
  [403, "storageQuotaExceeded", "no-space", false],
  [403, "quotaExceeded", "no-space", false],
  [403, "teamDriveFileLimitExceeded", "no-space", false],
  [403, "activeItemCreationLimitExceeded", "no-space", false],
  [403, "numChildrenInNonRootLimitExceeded", "no-space", false],
  [403, "insufficientFilePermissions", "permission-denied", false],
  [403, "insufficientPermissions", "permission-denied", false],
  [403, "appNotAuthorizedToFile", "permission-denied", false],
  [403, "domainPolicy", "permission-denied", false],
  [403, "forbidden", "permission-denied", false],
  [403, "cannotCopyFile", "permission-denied", false],
  [403, "teamDriveMembershipRequired", "permission-denied", false],
  [403, "cannotDownloadAbusiveFile", "permission-denied", false],
  [403, "accessNotConfigured", "config", false],
  [400, "keyInvalid", "config", false],
  [403, "fileNotDownloadable", "unsupported", false],
  [403, "cannotDownloadFile", "unsupported", false],
  [403, "fileNotExportable", "unsupported", false],
  [403, "exportSizeLimitExceeded", "too-large", false],
  [413, "uploadTooLarge", "too-large", false],
  [403, "teamDriveHierarchyTooDeep", "invalid-path", false],
  [403, "myDriveHierarchyDepthLimitExceeded", "invalid-path", false],
  [403, "somethingNew", "permission-denied", false],
  [400, "badRequest", "unknown", false],
  [412, "conditionNotMet", "precondition-failed", false],
  [500, "backendError", "unavailable", true],
  [502, "", "unavailable", true],
  [503, "", "unavailable", true],
  [504, "", "unavailable", true],
];

describe("an answer to a question", () => {
  test.each([...reasons] as [number, string, string, boolean, number?][])("%i %s is %s", async (status, reason, code, transient, retryAfterMs) => {
    const { store, server, asked } = await at();
    await store.write("/f", "x");
    asked();
    server.fail({ status, reason, match: ({ path }) => path === "/drive/v3/files" });
    await expect(store.stat("/f")).rejects.toMatchObject({ code, transient, applied: false, status, retryAfterMs: retryAfterMs ?? null });
    // CF93: nobody asks again, least of all here.
    expect(asked()).toHaveLength(1);
  });
});

test("a refused change is not applied, and nothing is there", async () => {
  const { store, server, raw } = await at();
  await store.write("/other", "x");
  for (const [status, reason] of [
    [403, "storageQuotaExceeded"],
    [403, "userRateLimitExceeded"],
    [400, "badRequest"],
  ] as const) {
    server.fail({ status, reason, match: ({ path }) => path.startsWith("/upload/") });
    await expect(store.write("/f", "x")).rejects.toMatchObject({ applied: false, status });
    server.fail({ status, reason, match: ({ path }) => path.startsWith("/upload/") });
    await expect(store.write("/g", bytesOf(400_000))).rejects.toMatchObject({ applied: false, status });
  }
  expect(await raw.list("/")).toEqual(["other"]);
  expect(server.uploads.open).toBe(0);
});

test("an account without room is no-space", async () => {
  const { store } = await at({}, { limitBytes: 1_000_000 });
  await store.write("/a", bytesOf(200_000));
  expect(await store.space()).toEqual({ used: 200_000, free: 800_000, total: 1_000_000 });
  await expect(store.write("/b", bytesOf(900_000))).rejects.toMatchObject({ code: "no-space", applied: false, transient: false });
  await expect(store.write("/c", pieces(bytesOf(900_000)))).rejects.toMatchObject({ code: "no-space" });
  await expect(store.stat("/c")).rejects.toMatchObject({ code: "not-found" });
});

test("CF92: rate limits are waited out by the retry layer, in the service's own words", async () => {
  const { server, store: bare } = await at();
  const store = stack(bare, retry({ firstDelayMs: 1 }));
  await store.write("/f", "x");
  for (const [status, reason] of [
    [403, "userRateLimitExceeded"],
    [403, "rateLimitExceeded"],
    [503, "backendError"],
  ] as const) {
    server.fail({ status, reason, times: 2, match: ({ path }) => path.startsWith("/upload/") });
    await store.write("/f", reason);
    await using result = await store.read("/f");
    expect(await result.text()).toBe(reason);
  }
});

test("CF93: a quota error makes one call below the retry layer as well", async () => {
  const { server, store: bare, asked } = await at();
  const store = stack(bare, retry());
  await store.write("/f", "x");
  asked();
  server.fail({ status: 403, reason: "storageQuotaExceeded", times: 100, match: ({ path }) => path.startsWith("/upload/") });
  await expect(store.write("/f", "y")).rejects.toMatchObject({ code: "no-space" });
  expect(asked().filter((one) => one.includes("upload"))).toHaveLength(1);
});

test("CF94: a piece that is refused again and again is waited for at most 30 seconds", async () => {
  const clock = manualClock(Date.now());
  const slept: number[] = [];
  const watched = {
    ...clock,
    sleep: async (ms: number, signal?: AbortSignal, options?: { background?: boolean }) =>
      options?.background === true ? clock.sleep(ms, signal) : void slept.push(ms),
  };
  const { server, store } = await at({ clock: watched });
  await store.write("/other", "x");
  server.fail({
    status: 429,
    reason: "rateLimitExceeded",
    headers: { "retry-after": "14" },
    times: 100,
    match: ({ method, path }) => method === "PUT" && path.startsWith("/upload/"),
  });
  await expect(store.write("/f", bytesOf(400_000))).rejects.toMatchObject({ code: "rate-limited", applied: false, retryAfterMs: 14_000 });
  expect(slept).toEqual([14_000, 14_000]);
  expect(server.uploads.open).toBe(0);
});

test("a search that says itself that it is incomplete is an error", async () => {
  let incomplete = false;
  const lying: typeof fetch = async (url, init) => {
    const answer = await fetch(url, init);
    if (!incomplete || !addressOf(url).includes("/files?")) return answer;
    return Response.json({ ...((await answer.json()) as object), incompleteSearch: true });
  };
  const { store } = await at({ fetch: lying });
  await store.write("/d/f", "x");
  incomplete = true;
  await expect(store.list("/d").toArray()).rejects.toMatchObject({ code: "unavailable", applied: false });
  await expect(store.stat("/d/g")).rejects.toMatchObject({ code: "unavailable" });
});

test("a page in the middle of a listing is asked for again, and a place that Drive forgot does not end it", async () => {
  const { store, server } = await at();
  await store.write("/d/0", "x");
  const folder = (await store.stat("/d")).id as string;
  const one = server.state.get((await store.stat("/d/0")).id as string);
  for (let i = 1; i < 2300; i++) server.state.put({ ...one, id: server.state.newId(), name: String(i), parents: [folder] });
  server.fail({ status: 500, reason: "backendError", times: 2, match: ({ query }) => query.has("pageToken") });
  expect(new Set((await store.list("/d").toArray()).map(({ path }) => path)).size).toBe(2300);
  server.fail({ status: 400, reason: "invalid", match: ({ query }) => query.has("pageToken") });
  const entries = await store.list("/d").toArray();
  expect(entries).toHaveLength(2300);
  expect(new Set(entries.map(({ path }) => path)).size).toBe(2300);
});
