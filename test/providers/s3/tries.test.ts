/** What the provider repeats by itself, and for how long (CF92, CF93, CF94); one listing for all children (CF18, CF26). */
import { expect, test } from "vitest";
import { S3Failure } from "../../../src/providers/s3/failure.ts";
import { readOptions } from "../../../src/providers/s3/options.ts";
import { Session } from "../../../src/providers/s3/session.ts";
import { tries } from "../../../src/providers/s3/tries.ts";
import { manualClock } from "../../../src/store/index.ts";
import { failure, listing, scripted, storeAt } from "./scripted.ts";

function session(clock: ReturnType<typeof manualClock>, random: () => number = () => 1): Session {
  const settings = readOptions({ bucket: "bucket", endpoint: "http://127.0.0.1:1", credentials: { id: "a", secret: "b" }, clock, random });
  const never = (): Promise<never> => Promise.reject(new Error("not asked"));
  return new Session(settings, { credentials: never, region: never, bucketUrl: never, forget() {} });
}
/** Runs to the end under a clock that is moved on as soon as somebody sleeps. */
async function waited(clock: ReturnType<typeof manualClock>, run: Promise<unknown>): Promise<{ readonly ms: number; readonly failed: boolean }> {
  let over = false;
  let failed = false;
  const start = clock.monotonic();
  const end = run
    .then(
      () => {},
      () => void (failed = true),
    )
    .finally(() => (over = true));
  for (let i = 0; !over && i < 1000; i++) await clock.advance(100);
  await end;
  return { ms: clock.monotonic() - start, failed };
}

test("a passing trouble is tried three times, with growing waits; what stays goes up (CF92)", async () => {
  const clock = manualClock();
  let calls = 0;
  const once = await waited(
    clock,
    tries(session(clock), undefined, () => (++calls < 3 ? Promise.reject(new S3Failure({ status: 503, code: "SlowDown" })) : Promise.resolve("x"))),
  );
  expect([calls, once.failed]).toEqual([3, false]);
  expect(once.ms).toBeGreaterThanOrEqual(600);
  calls = 0;
  const never = await waited(
    clock,
    tries(session(clock), undefined, () => (calls++, Promise.reject(new S3Failure({ status: 500, code: "InternalError" })))),
  );
  expect([calls, never.failed]).toEqual([3, true]);
});

test("what will not pass is called once (CF93)", async () => {
  for (const facts of [
    { status: 400, code: "InvalidPart" },
    { status: 403, code: "QuotaExceeded" },
    { status: 403, code: "AccessDenied" },
    { status: 404, code: "NoSuchBucket" },
  ]) {
    let calls = 0;
    const clock = manualClock();
    expect(
      (
        await waited(
          clock,
          tries(session(clock), undefined, () => (calls++, Promise.reject(new S3Failure(facts)))),
        )
      ).failed,
    ).toBe(true);
    expect([facts.code, calls]).toEqual([facts.code, 1]);
  }
});

test("the waits that a service asks for are kept, and all together stay below 30 seconds (CF94)", async () => {
  for (const [retryAfter, calls, least, most] of [
    ["7", 3, 14_000, 14_200],
    ["20", 2, 20_000, 20_200],
    ["31", 1, 0, 200],
    ["3600", 1, 0, 200],
  ] as const) {
    let called = 0;
    const clock = manualClock();
    const { ms, failed } = await waited(
      clock,
      tries(session(clock), undefined, () => (called++, Promise.reject(new S3Failure({ status: 503, code: "SlowDown", retryAfter })))),
    );
    expect([retryAfter, called, failed]).toEqual([retryAfter, calls, true]);
    expect(ms).toBeGreaterThanOrEqual(least);
    expect(ms).toBeLessThanOrEqual(most);
  }
});

test("a signal ends the waiting", async () => {
  const clock = manualClock();
  const giveUp = new AbortController();
  const run = tries(session(clock), giveUp.signal, () => Promise.reject(new S3Failure({ status: 503, code: "SlowDown", retryAfter: "20" })));
  await clock.advance(1000);
  giveUp.abort(new Error("enough"));
  await expect(run).rejects.toThrow("enough");
});

test("one request lists all children with size, time and etag, three times the same, none twice and none with two slashes (CF18, CF26)", async () => {
  await using server = await scripted(() =>
    listing(
      [
        { key: "a", size: 1 },
        { key: "b", size: 2 },
      ],
      undefined,
      ["d/"],
    ),
  );
  await using store = storeAt(server);
  for (let time = 1; time <= 3; time++) {
    const found = await store.list("/").toArray();
    expect(found.map(({ path, kind, size }) => [path, kind, size]).toSorted()).toEqual([
      ["/a", "file", 1],
      ["/b", "file", 2],
      ["/d", "directory", 0],
    ]);
    for (const { kind, modifiedMs, etag } of found) if (kind === "file") expect([modifiedMs, etag]).toEqual([Date.parse("2026-11-21T09:30:59Z"), "e"]);
    expect(server.log).toHaveLength(time);
  }
});

test("a quota that is used up makes one call of a write (CF93)", async () => {
  await using server = await scripted(() => failure(403, "QuotaExceeded"));
  await using store = storeAt(server);
  await expect(store.write("/f", "x")).rejects.toMatchObject({ code: "no-space", transient: false, applied: false });
  expect(server.log).toHaveLength(1);
});
