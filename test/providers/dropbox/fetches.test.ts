/** A fetch that is not Node's own, as for a proxy: its headers, answers and streams are of other classes than the global ones. */
import { fetch as undiciFetch } from "undici";
import { expect, test } from "vitest";
import { MIB, bytes, dropboxAt, stream, withRefresh } from "./at.ts";

test("answers, refusals and bytes of undici's fetch are understood", async () => {
  await using at = await dropboxAt();
  const store = at.open({ pieceBytes: 4 * MIB, parallelPieces: 2, fetch: at.server.fetch(undiciFetch as unknown as typeof fetch) });
  await expect(store.stat("/none")).rejects.toMatchObject({ code: "not-found" });
  for (const content of [bytes(100), bytes(9 * MIB)]) {
    await store.write("/file", stream(content));
    await store.write("/file", content);
    expect(Buffer.compare(await (await store.read("/file")).bytes(), content)).toBe(0);
  }
  at.server.fail({ route: "files/get_metadata" }, { status: 429, headers: { "retry-after": "0" } });
  await expect(store.stat("/file")).rejects.toMatchObject({ code: "rate-limited" });
});

test("after a renewal the package's client has the new token", async () => {
  await using at = await dropboxAt(withRefresh);
  await at.store.write("/file", "x");
  at.server.advance(5 * 3600 * 1000);
  expect((await at.store.stat("/file")).size).toBe(1);
  const tokens = new Set(at.server.log.filter(({ route, status }) => route !== "oauth2/token" && status === 200).map(({ headers }) => headers.authorization));
  expect(tokens.size).toBe(2);
});
