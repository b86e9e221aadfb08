/** CF84: the provider on five real servers, what only they can show; the suite itself runs in test/conformance/webdav-*.test.ts. */
import { randomBytes } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { detectWebdav, webdav } from "../../../src/providers/webdav/index.ts";
import type { WebdavOptions } from "../../../src/providers/webdav/index.ts";
import { readBytes, readText } from "../../../src/store/index.ts";
import type { WebDavConnection } from "../../servers/connection.ts";
import { webdavNames } from "../../servers/connection.ts";
import { webdavLeftovers } from "../../servers/leftovers.ts";
import { rawDav } from "../../servers/raw-dav.ts";
import { notProved, useServer } from "../../servers/shared.ts";

const unique = (): string => `t-${randomBytes(6).toString("hex")}`;
async function* pieces(count: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < count; n++) yield Buffer.alloc(65_536, n);
}

describe.each(webdavNames)("webdav on %s", (name) => {
  const why = notProved(name);
  let server: WebDavConnection;
  beforeAll(async () => {
    if (why === undefined) server = await useServer(name);
  }, 120_000);
  const options = (below: string): WebdavOptions => ({
    url: `${server.url}${below}`,
    username: server.username,
    password: server.password,
    server: name,
    createRoot: true,
  });

  test.skipIf(why !== undefined)("CF86 operations stay below the folder of the url, on its port", async () => {
    const place = unique();
    const raw = rawDav(server, place);
    await raw.put("outside.txt", Buffer.from("mine"));
    await using store = webdav(options(`${place}/in side/ü`));
    await store.write("/a/b.txt", "hello");
    await store.copy("/a", "/c");
    await store.move("/a/b.txt", "/d.txt");
    await store.delete("/c", { recursive: true });
    expect((await store.list("/", { recursive: true }).toArray()).map(({ path }) => path).toSorted()).toEqual(["/a", "/d.txt"]);
    expect((await readdir(join(server.directory, place))).toSorted()).toEqual(["in side", "outside.txt"]);
    expect(Buffer.from((await raw.get("in side/ü/d.txt"))!).toString()).toBe("hello");
    await rawDav(server).delete(`${place}/`);
  });

  test.skipIf(why !== undefined)(
    "CF85 what others make on the disk is seen, what is made here is on the disk, and nothing of ours stays beside it",
    async () => {
      const place = unique();
      await using store = webdav(options(place));
      await store.write("/stream", pieces(40));
      const bytes = await readBytes(store, "/stream");
      expect(bytes.byteLength).toBe(40 * 65_536);
      expect(bytes.every((byte, at) => byte === at >> 16)).toBe(true);
      // rclone remembers what its disk holds for five minutes: others come through the server there.
      if (name === "rclone") await rawDav(server, place).put("foreign.txt", Buffer.from("from elsewhere"));
      else await writeFile(join(server.directory, place, "foreign.txt"), "from elsewhere");
      expect(await readText(store, "/foreign.txt")).toBe("from elsewhere");
      await store.close();
      expect(await webdavLeftovers(server, place)).toEqual([]);
    },
  );

  test.skipIf(why !== undefined)("CF102 wrong credentials: unauthenticated with the server's words, on every verb", async () => {
    for (const auth of ["auto", "basic"] as const) {
      await using store = webdav({ ...options(""), password: "wrong", auth });
      for (const call of [
        () => store.stat("/x"),
        () => readText(store, "/x"),
        () => store.write("/x", "y"),
        () => store.list("/").toArray(),
        () => store.delete("/x"),
        () => store.mkdir("/x"),
        () => store.copy("/x", "/y"),
        () => store.move("/x", "/y"),
      ]) {
        await expect(call()).rejects.toMatchObject({
          code: "unauthenticated",
          transient: false,
          applied: false,
          cause: expect.objectContaining({ message: expect.stringMatching(/^HTTP 401/) }),
        });
      }
    }
  });

  test.skipIf(why !== undefined)("a missing folder is config on every verb, and none of them makes it", async () => {
    const place = unique();
    await using store = webdav({ ...options(place), createRoot: false });
    const calls = [
      () => store.stat("/"),
      () => store.stat("/x"),
      () => readText(store, "/x"),
      () => store.write("/x", "y"),
      () => store.write("/d/x", pieces(1)),
      () => store.list("/").toArray(),
      () => store.list("/d").toArray(),
      () => store.delete("/x"),
      () => store.delete("/x", { recursive: true }),
      () => store.mkdir("/x"),
      () => store.mkdir("/d/x"),
      () => store.copy("/x", "/y"),
      () => store.move("/x", "/y"),
      ...(store.capabilities.space === false ? [] : [() => store.space()]),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "config", applied: false });
    expect(await readdir(server.directory)).not.toContain(place);
  });

  test.skipIf(why !== undefined)("the server is told by what it says", async () => {
    expect(await detectWebdav(options(""))).toMatchObject({ server: name });
    await expect(detectWebdav(options(`${unique()}/`))).rejects.toMatchObject({ code: "config" });
  });

  test.skipIf(why !== undefined)("a directory that others make while a body is on its way is not destroyed by it", async () => {
    await using store = webdav(options(unique()));
    await store.write("/d/f", "a file at first, so that the write may replace it");
    async function* meanwhile(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(300_000, 1);
      await store.delete("/d/f");
      await store.write("/d/f/child", "theirs");
      yield Buffer.alloc(300_000, 2);
    }
    await expect(store.write("/d/f", meanwhile())).rejects.toMatchObject({ applied: false });
    expect(await readText(store, "/d/f/child")).toBe("theirs");
  });

  if (name === "sabredav")
    test.skipIf(why !== undefined)("CF20 free is total less used", async () => {
      await using store = webdav(options(""));
      const { used, free, total } = await store.space();
      expect(Math.abs(total! - used! - free!)).toBeLessThan(6000);
      expect(total).toBeGreaterThan(1 << 30);
    });

  if (name === "apache")
    test.skipIf(why !== undefined)("digest: streams, parallel calls and a second folder under it", async () => {
      const place = unique();
      await using store = webdav({ ...options(""), url: `${server.digestUrl}${place}`, auth: "digest" });
      await store.write("/stream", pieces(3));
      expect(await readBytes(store, "/stream")).toHaveLength(3 * 65_536);
      await Promise.all(Array.from({ length: 30 }, (_, n) => store.write(`/p/${n}`, pieces(1))));
      expect(await store.list("/p").toArray()).toHaveLength(30);
      await store.delete("/p", { recursive: true });
    });
});
