/** What each verb sends and makes of the answers, against a service that follows a script. Both transports keep the same promises. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { hasCode, type Store } from "../../../src/store/index.ts";
import { failure, keys, listing, scripted, storeAt, transports, type Answer, type Scripted, type Seen } from "./scripted.ts";

const head = (size: number, more: Record<string, string> = {}): Answer => ({
  status: 200,
  headers: { etag: '"e"', "content-length": String(size), "last-modified": "Sat, 21 Nov 2026 09:30:59 GMT", ...more },
});
const nothing = listing([]);
/** "HEAD a", "LIST d/ max 1": what a request asks, without how. */
const asked = ({ method, path, query }: Seen): string => {
  const key = decodeURIComponent(path.replace(/^\/bucket\/?/, ""));
  if (query.has("list-type"))
    return `LIST ${query.get("prefix") ?? ""}${query.has("delimiter") ? " /" : ""} max ${query.get("max-keys")}${query.has("continuation-token") ? ` from ${query.get("continuation-token")}` : ""}`;
  return `${method} ${key}${query.has("delete") ? "?delete" : ""}`.trim();
};
const log = (server: Scripted): string[] => server.seen.map(asked);

describe.each(transports)("over %s", (transport) => {
  const open = (server: Scripted, more: object = {}): ReturnType<typeof storeAt> => storeAt(server, { transport, ...more });

  test("stat: one request for a file, two for a directory, three for nothing where old markers may be", async () => {
    await using server = await scripted(({ method, path, query }) => {
      if (method === "HEAD") return path === "/bucket/f" ? head(5, { "content-type": "text/x", "x-amz-meta-a": "b" }) : { status: 404 };
      return query.get("prefix") === "d/" ? listing([{ key: "d/x" }]) : nothing;
    });
    await using store = open(server, { folderMarkers: true, vendor: "minio" });
    expect(await store.stat("/f")).toMatchObject({
      kind: "file",
      size: 5,
      etag: "e",
      modifiedMs: Date.parse("2026-11-21T09:30:59Z"),
      contentType: "text/x",
      metadata: { a: "b" },
      complete: true,
    });
    expect(await store.stat("/d")).toMatchObject({ kind: "directory", size: 0 });
    await expect(store.stat("/n")).rejects.toMatchObject({ code: "not-found" });
    expect(log(server)).toEqual(["HEAD f", "HEAD d", "LIST d/ max 1", "HEAD n", "LIST n/ max 1", "HEAD n_$folder$"]);
  });

  test("the MD5 is told where the etag is one: one piece, no key of a key service", async () => {
    const md5 = "5d41402abc4b2a76b9719d911017c592";
    for (const [more, hashes] of [
      [{}, { md5 }],
      [{ "x-amz-server-side-encryption": "AES256" }, { md5 }],
      [{ "x-amz-server-side-encryption": "aws:kms" }, {}],
      [{ etag: `"${md5}-2"` }, {}],
      [{ etag: `W/"${md5}"` }, {}],
    ] as const) {
      await using server = await scripted(() => head(5, { etag: `"${md5}"`, ...more }));
      await using store = open(server, { vendor: "minio" });
      expect((await store.stat("/f")).hashes).toEqual(hashes);
    }
    await using server = await scripted(() => head(5, { etag: `W/"${md5}"` }));
    await using store = open(server);
    expect((await store.stat("/f")).etag).toBeNull();
  });

  test("markers of other tools are directories: a slash, _$folder$, a directory's content type (CF81)", async () => {
    await using server = await scripted(({ method, path, query }) => {
      if (method === "HEAD") {
        if (path === "/bucket/old_%24folder%24") return head(0);
        if (path === "/bucket/typed") return head(0, { "content-type": "application/x-directory" });
        if (path === "/bucket/empty") return head(0, { "content-type": "text/plain" });
        return { status: 404 };
      }
      if (path === "/bucket/old") return failure(404, "NoSuchKey");
      const prefix = query.get("prefix") ?? "";
      if (prefix === "slash/") return listing([{ key: "slash/" }]);
      if (prefix !== "") return nothing;
      const all = [{ key: "empty" }, { key: "old_$folder$" }, { key: "typed" }, { key: "both_$folder$" }];
      return query.has("delimiter")
        ? listing(all, undefined, ["slash/", "both/"])
        : listing([...all, { key: "both/x", size: 1 }, { key: "slash/" }].toSorted((a, b) => (a.key < b.key ? -1 : 1)));
    });
    await using store = open(server, { folderMarkers: true, contentTypeMarkers: true });
    for (const name of ["slash", "old", "typed"]) expect([name, (await store.stat(`/${name}`)).kind]).toEqual([name, "directory"]);
    expect((await store.stat("/empty")).kind).toBe("file");
    const found = await store.list("/").toArray();
    expect(found.map(({ path, kind }) => `${path} ${kind}`).toSorted()).toEqual([
      "/both directory",
      "/empty file",
      "/old directory",
      "/slash directory",
      "/typed directory",
    ]);
    const below = await store.list("/", { recursive: true }).toArray();
    expect(below.map(({ path, kind }) => `${path} ${kind}`).toSorted()).toEqual([
      "/both directory",
      "/both/x file",
      "/empty file",
      "/old directory",
      "/slash directory",
      "/typed directory",
    ]);
    expect(await store.list("/old").toArray()).toEqual([]);
    await expect(store.read("/old")).rejects.toMatchObject({ code: "is-a-directory" });
  });

  test("without folderMarkers they are neither found nor listed, and cost nothing", async () => {
    await using server = await scripted(({ method }) => (method === "HEAD" ? { status: 404 } : listing([{ key: "old_$folder$" }])));
    await using store = open(server);
    expect(await store.list("/").toArray()).toEqual([]);
    expect(log(server)).toEqual(["LIST  / max 1000"]);
  });

  test("a listing goes through all pages, tries one that fails again, and tells each directory once", async () => {
    let failed = 0;
    await using server = await scripted(({ query }) => {
      const token = query.get("continuation-token");
      if (token === null)
        return listing(
          [
            { key: "d/a", size: 1 },
            { key: "d/s/x", size: 1 },
          ],
          "t1",
        );
      if (token === "t1") return failed++ === 0 ? failure(500, "InternalError") : listing([{ key: "d/s/y", size: 1 }, { key: "d/s_$folder$" }], "t2");
      return token === "t2" ? listing([{ key: "d/t/z", size: 1 }]) : undefined;
    });
    await using store = open(server, { folderMarkers: false });
    expect((await store.list("/d", { recursive: true }).toArray()).map(({ path }) => path)).toEqual(["/d/a", "/d/s", "/d/s/x", "/d/s/y", "/d/t", "/d/t/z"]);
    expect(log(server)).toEqual(["LIST d/ max 1000", "LIST d/ max 1000 from t1", "LIST d/ max 1000 from t1", "LIST d/ max 1000 from t2"]);
  });

  test("an old marker on a later page is looked into: what lies below it came pages before", async () => {
    await using server = await scripted(({ query }) => {
      if (query.get("max-keys") === "1") return query.get("prefix") === "d/s/" ? listing([{ key: "d/s/x" }]) : nothing;
      return query.has("continuation-token") ? listing([{ key: "d/s_$folder$" }, { key: "d/u_$folder$" }]) : listing([{ key: "d/a", size: 1 }], "t1", ["d/s/"]);
    });
    await using store = open(server, { folderMarkers: true });
    expect((await store.list("/d").toArray()).map(({ path }) => path).toSorted()).toEqual(["/d/a", "/d/s", "/d/u"]);
  });

  test("a page that stays broken is an error after what was given, never the end", async () => {
    await using server = await scripted(({ query }) =>
      query.has("continuation-token") ? { status: 200, body: "<ListBucketResult><Contents><Key>b</Key>" } : listing([{ key: "a", size: 1 }], "t1"),
    );
    await using store = open(server);
    const names: string[] = [];
    const all = async (): Promise<void> => {
      for await (const { path } of store.list("/")) names.push(path);
    };
    await expect(all()).rejects.toMatchObject({ code: expect.stringMatching(/unavailable|unknown/) as string });
    expect(names).toEqual(["/a"]);
  });

  test("keys outside of what was asked are refused: a prefix that the service ignores would delete strangers", async () => {
    await using server = await scripted(({ method }) => (method === "HEAD" ? { status: 404 } : listing([{ key: "other/x" }])));
    await using store = open(server);
    await expect(store.list("/d").toArray()).rejects.toMatchObject({ code: "unavailable" });
    await expect(store.delete("/d", { recursive: true })).rejects.toMatchObject({ code: "unavailable" });
    await expect(store.delete("/d")).rejects.toMatchObject({ code: "unavailable" });
    await expect(store.mkdir("/d")).rejects.toMatchObject({ code: "unavailable" });
    await expect(store.stat("/d")).rejects.toMatchObject({ code: "unavailable" });
    expect(server.seen.some(({ method }) => method === "POST" || method === "DELETE")).toBe(false);
  });

  test("delete looks first: a file in two requests, a full directory is refused and nothing removed", async () => {
    await using server = await scripted(({ method, path, query }) => {
      if (method === "HEAD") return path === "/bucket/f" ? head(1) : { status: 404 };
      if (method === "DELETE") return { status: 204 };
      const prefix = query.get("prefix");
      return prefix === "full/" ? listing([{ key: "full/" }, { key: "full/x", size: 1 }]) : prefix === "empty/" ? listing([{ key: "empty/" }]) : nothing;
    });
    await using store = open(server);
    await store.delete("/f");
    await store.delete("/none");
    await store.delete("/empty");
    await expect(store.delete("/full")).rejects.toMatchObject({ code: "not-empty" });
    expect(log(server)).toEqual([
      "HEAD f",
      "DELETE f",
      "HEAD none",
      "LIST none/ max 2",
      "HEAD empty",
      "LIST empty/ max 2",
      "DELETE empty/",
      "HEAD full",
      "LIST full/ max 2",
    ]);
  });

  test("a tree goes by pages; keys that XML cannot hold go one by one, what failed for the moment goes again, what is refused is told", async () => {
    let bulk = 0;
    await using server = await scripted(({ method, query }) => {
      if (method === "HEAD") return { status: 404 };
      if (method === "DELETE") return { status: 204 };
      if (method === "GET")
        return query.has("continuation-token") ? listing([{ key: "d/c" }]) : listing([{ key: "d/a" }, { key: "d/a\u0001" }, { key: "d/b" }], "t1");
      bulk++;
      if (bulk === 1) return { status: 200, body: "<DeleteResult><Error><Key>d/b</Key><Code>InternalError</Code></Error></DeleteResult>" };
      return { status: 200, body: "<DeleteResult/>" };
    });
    await using store = open(server, { vendor: "ceph" });
    await store.delete("/d", { recursive: true });
    const bodies = server.seen
      .filter(({ method }) => method === "POST")
      .map(({ body }) => [...body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map((match) => match[1]));
    expect(bodies).toEqual([["d/a", "d/b"], ["d/b"], ["d/c"]]);
    expect(log(server).filter((line) => line.startsWith("DELETE"))).toEqual(["DELETE d/a\u0001", "DELETE d"]);
    await using refusing = await scripted(({ method }) =>
      method === "GET"
        ? listing([{ key: "d/a" }, { key: "d/b" }])
        : { status: 200, body: "<DeleteResult><Error><Key>d/b</Key><Code>AccessDenied</Code></Error></DeleteResult>" },
    );
    await using other = open(refusing, { vendor: "ceph" });
    await expect(other.delete("/d", { recursive: true })).rejects.toMatchObject({ code: "permission-denied", applied: "partly", partial: { done: 1 } });
  });

  test("a batch without an answer is not sent again, and leaves the whole tree in doubt, also after a page that went", async () => {
    for (const lost of [1, 2]) {
      let bulk = 0;
      await using server = await scripted(({ method, query }) => {
        if (method === "GET") return query.has("continuation-token") ? listing([{ key: "d/c" }]) : listing([{ key: "d/a" }, { key: "d/b" }], "t1");
        return ++bulk === lost ? "drop" : { status: 200, body: "<DeleteResult/>" };
      });
      await using store = open(server, { vendor: "ceph" });
      await expect(store.delete("/d", { recursive: true })).rejects.toMatchObject({
        code: "unavailable",
        applied: "unknown",
        partial: lost === 1 ? null : { done: 2, at: "/d" },
      });
      expect([lost, bulk]).toEqual([lost, lost]);
    }
  });

  test("of keys that are deleted one by one: a doubt is told, although another key was refused before", async () => {
    await using server = await scripted(({ method, path }) => {
      if (method === "GET") return listing([{ key: "d/a\u0001" }, { key: "d/b\u0001" }, { key: "d/c\u0001" }]);
      if (path.startsWith("/bucket/d/a")) return failure(403, "AccessDenied");
      if (path.startsWith("/bucket/d/b")) return new Promise((done) => setTimeout(() => done("drop"), 50));
      return { status: 204 };
    });
    await using store = open(server, { vendor: "ceph" });
    await expect(store.delete("/d", { recursive: true })).rejects.toMatchObject({ code: "unavailable", applied: "unknown", partial: { done: 1 } });
  });

  test("mkdir: the marker is made exclusively where the service can, never over something", async () => {
    await using server = await scripted(({ method, query }) =>
      method === "PUT" ? { status: 200, headers: { etag: '"e"' } } : query.get("prefix") === "d/" ? nothing : listing([{ key: "x/", size: 3 }]),
    );
    await using store = open(server, { vendor: "ceph" });
    await store.mkdir("/d");
    expect(server.seen.at(-1)).toMatchObject({
      method: "PUT",
      path: "/bucket/d/",
      headers: { "if-none-match": "*", "content-length": "0", "content-type": "application/x-directory" },
    });
    // A file without a name in it: its key is that of the marker.
    await store.mkdir("/x", { existOk: true });
    await expect(store.mkdir("/x")).rejects.toMatchObject({ code: "already-exists" });
    expect(log(server)).toEqual(["LIST d/ max 1", "PUT d/", "LIST x/ max 1", "LIST x/ max 1"]);
  });

  test("a file without a name cannot be empty: its key would be the directory's marker", async () => {
    await using server = await scripted(() => ({ status: 200, headers: { etag: '"e"' } }));
    await using store = open(server);
    await expect(store.write("/d/%{}", "")).rejects.toMatchObject({ code: "invalid-path", applied: false });
    expect(server.log).toEqual([]);
    await store.write("/d/%{}", "x");
    expect(server.seen[0]?.path).toBe("/bucket/d/");
  });

  test("etags of conditions are quoted, bare for Ceph's writes; what no etag can be asks nothing", async () => {
    for (const [vendor, header] of [
      ["ceph", "abc"],
      ["r2", '"abc"'],
    ] as const) {
      await using server = await scripted(({ method }) => (method === "PUT" ? { status: 200, headers: { etag: '"e"' } } : head(0)));
      await using store = open(server, { vendor });
      await store.write("/f", "x", { ifMatch: "abc" });
      expect(server.seen[0]?.headers["if-match"]).toBe(header);
      await expect(store.read("/f", { ifMatch: 'a"b' })).rejects.toMatchObject({ code: "precondition-failed" });
      await expect(store.write("/f", "x", { ifMatch: "ü\r\nx: y" })).rejects.toMatchObject({ code: "precondition-failed" });
      expect(server.log).toHaveLength(1);
    }
  });

  test("ifMatch of something missing is a lost condition, whatever the service calls it", async () => {
    for (const answer of [failure(404, "NoSuchKey"), failure(412, "PreconditionFailed")]) {
      await using server = await scripted(() => answer);
      await using store = open(server, { vendor: "r2" });
      await expect(store.write("/f", "x", { ifMatch: "abc" })).rejects.toMatchObject({ code: "precondition-failed", applied: false });
    }
  });

  test("another writer at this moment: three tries, then conflict", async () => {
    await using server = await scripted(() => failure(409, "ConditionalRequestConflict"));
    await using store = open(server, { vendor: "r2" });
    await expect(store.write("/f", "x", { ifAbsent: true })).rejects.toMatchObject({ code: "conflict", transient: true, applied: false });
    expect(server.log).toHaveLength(3);
  });

  test("the MD5 that the caller expects is checked by the service", async () => {
    await using server = await scripted(() => ({ status: 200, headers: { etag: '"e"' } }));
    await using store = open(server);
    await store.write("/f", "hello", { expect: { md5: "5d41402abc4b2a76b9719d911017c592" } });
    expect(server.seen[0]?.headers["content-md5"]).toBe("XUFAKrxLKna5cZ2REBfFkg==");
  });

  test("ranges: what came is told, an empty file has offset 0 and any suffix, past the end is bad-range with the size", async () => {
    await using server = await scripted(({ method, path, headers }) => {
      if (path === "/bucket/empty") return method === "HEAD" ? head(0) : failure(416, "InvalidRange");
      if (method === "HEAD") return head(5);
      if (headers.range === "bytes=1-2") return { status: 206, headers: { etag: '"e"', "content-range": "bytes 1-2/5" }, body: "el" };
      return headers.range === undefined ? { status: 200, headers: { etag: '"e"' }, body: "hello" } : failure(416, "InvalidRange");
    });
    await using store = open(server);
    await using part = await store.read("/f", { range: { offset: 1, length: 2 } });
    expect([part.entry.size, part.offset, part.length, await part.text()]).toEqual([5, 1, 2, "el"]);
    await expect(store.read("/f", { range: { offset: 5 } })).rejects.toMatchObject({ code: "bad-range", entry: { size: 5 } });
    for (const range of [{ offset: 0 }, { offset: 0, length: 9 }, { offset: -3 }]) expect(await (await store.read("/empty", { range })).text()).toBe("");
    await expect(store.read("/empty", { range: { offset: 1 } })).rejects.toMatchObject({ code: "bad-range", entry: { size: 0 } });
  });

  test("a service that ignores ranges is cut here", async () => {
    await using server = await scripted(() => ({ status: 200, headers: { etag: '"e"' }, body: "hello" }));
    await using store = open(server);
    expect(await (await store.read("/f", { range: { offset: 1, length: 3 } })).text()).toBe("ell");
  });

  test("a copy asks for the source first, sends nothing for a missing one, and reports the copy of another version as it is", async () => {
    await using server = await scripted(({ method, path, query }) => {
      if (query.has("list-type")) return nothing;
      if (method === "HEAD") return path === "/bucket/none" ? { status: 404 } : path === "/bucket/b" ? head(7, { etag: '"e2"' }) : head(5);
      return { status: 200, body: '<CopyObjectResult><ETag>"e2"</ETag><LastModified>2026-11-21T09:30:59Z</LastModified></CopyObjectResult>' };
    });
    await using store = open(server);
    await expect(store.copy("/none", "/b")).rejects.toMatchObject({ code: "not-found" });
    expect(server.seen.some(({ method }) => method === "PUT")).toBe(false);
    expect(await store.copy("/a +%", "/b")).toMatchObject({ path: "/b", size: 7, etag: "e2" });
    expect(server.seen.find(({ method }) => method === "PUT")?.headers).toMatchObject({
      "x-amz-copy-source": "/bucket/a%20%2B%25",
      "x-amz-copy-source-if-match": '"e"',
      "x-amz-metadata-directive": "COPY",
    });
  });

  test("a missing bucket is config on every verb, never not-found and never made", async () => {
    await using server = await scripted(({ method }) => (method === "HEAD" ? { status: 404 } : failure(404, "NoSuchBucket")));
    await using store: Store = open(server, { vendor: "ceph", folderMarkers: true });
    const calls: Record<string, () => Promise<unknown>> = {
      "stat root": () => store.stat("/"),
      stat: () => store.stat("/f"),
      read: () => store.read("/f"),
      write: () => store.write("/f", "x"),
      list: () => store.list("/d").toArray(),
      "list root": () => store.list("/").toArray(),
      "list recursive": () => store.list("/", { recursive: true }).toArray(),
      delete: () => store.delete("/f"),
      "delete recursive": () => store.delete("/d", { recursive: true }),
      mkdir: () => store.mkdir("/d"),
      copy: () => store.copy("/f", "/g"),
      move: () => store.move("/f", "/g"),
      space: () => store.space(),
      account: () => store.account(),
      "write create": () => store.write("/f", "x", { ifAbsent: true }),
      "write replace": () => store.write("/f", "x", { ifMatch: "e" }),
      "large write": () => store.write("/f", new Uint8Array(9 * 1024 ** 2)),
    };
    for (const [name, call] of Object.entries(calls))
      await expect(call(), name).rejects.toMatchObject({
        code: "config",
        transient: false,
        applied: false,
        reason: expect.stringContaining("bucket") as string,
      });
  });

  test("createBucket makes a missing one, once; a taken name gives an error with another name (CF82)", async () => {
    let made = 0;
    await using server = await scripted(({ method, path, body }) => {
      if (path !== "/bucket" && path !== "/bucket/") return method === "PUT" ? { status: 200, headers: { etag: '"e"' } } : undefined;
      if (method === "HEAD") return made > 0 ? { status: 200 } : { status: 404 };
      expect(body.toString()).toBe("");
      made++;
      return { status: 200 };
    });
    await using store = open(server, { createBucket: true });
    await Promise.all([store.write("/a", "x"), store.write("/b", "x")]);
    await store.write("/c", "x");
    expect(made).toBe(1);
    await using taken = await scripted(({ method, query }) =>
      method === "HEAD" ? { status: 403 } : query.has("list-type") ? failure(403, "AccessDenied") : failure(409, "BucketAlreadyExists"),
    );
    await using other = open(taken, { createBucket: true });
    const error: unknown = await other.stat("/").catch((each: unknown) => each);
    expect(hasCode(error, "config") && error.reason).toMatch(/taken by another account; bucket-[a-z0-9]{8} is hardly taken/);
  });

  test("the region goes into a new bucket where the service wants it, and never to Ceph", async () => {
    for (const [vendor, body] of [
      ["minio", /<LocationConstraint>eu-x-1<\/LocationConstraint>/],
      ["ceph", /^$/],
    ] as const) {
      let made = false;
      await using server = await scripted(({ method }) => {
        if (method === "HEAD") return made ? { status: 200 } : { status: 404 };
        made = true;
        return { status: 200 };
      });
      await using store = open(server, { vendor, region: "eu-x-1", createBucket: true });
      await store.stat("/");
      expect(server.seen.find(({ method }) => method === "PUT")?.body.toString()).toMatch(body);
    }
  });

  test("a service that names another region is asked again, signed for it, and from then on at once", async () => {
    const signedFor = ({ headers }: Seen): string | undefined => /Credential=[^/]+\/\d+\/([^/]+)\//.exec(headers.authorization ?? "")?.[1];
    await using server = await scripted((request) => {
      if (signedFor(request) === "eu-x-1")
        return request.method === "GET" ? nothing : request.method === "HEAD" ? head(1) : { status: 200, headers: { etag: '"e"' } };
      return request.method === "HEAD" ? { status: 400 } : failure(400, "AuthorizationHeaderMalformed", "<Region>eu-x-1</Region>");
    });
    await using store = open(server);
    expect(await store.stat("/f")).toMatchObject({ kind: "file" });
    await store.write("/f", "x");
    expect(server.seen.map(signedFor)).toEqual(["us-east-1", "us-east-1", "eu-x-1", "eu-x-1", "eu-x-1"]);
    // The wrong region and no other named: that is the caller's to mend.
    await using stubborn = await scripted(() => failure(400, "AuthorizationHeaderMalformed"));
    await using other = open(stubborn);
    await expect(other.read("/f")).rejects.toMatchObject({ code: "config" });
  });

  test("CF23: expired credentials are obtained once more, and the call works; then the error stands", async () => {
    let count = 0;
    await using server = await scripted(({ headers }) =>
      headers.authorization?.includes("KEY2/") === true ? { status: 200, headers: { etag: '"e"' } } : failure(400, "ExpiredToken"),
    );
    const credentials = (): Promise<{ accessKeyId: string; secretAccessKey: string; sessionToken: string }> =>
      Promise.resolve({ accessKeyId: `KEY${++count}`, secretAccessKey: "s", sessionToken: `T${count}` });
    await using store = open(server, { credentials });
    await store.write("/f", "x");
    expect(server.seen.map(({ headers }) => headers["x-amz-security-token"])).toEqual(["T1", "T2"]);
    await using never = await scripted(() => failure(400, "ExpiredToken"));
    await using other = open(never, { credentials });
    await expect(other.write("/f", "x")).rejects.toMatchObject({ code: "unauthenticated", applied: false });
    expect(never.log).toHaveLength(2);
  });

  test("an unreachable service is unavailable, at once and never not-found", async () => {
    const server = await scripted(() => undefined);
    await using store = open(server);
    await server[Symbol.asyncDispose]();
    for (const call of [
      () => store.stat("/f"),
      () => store.list("/").toArray(),
      () => store.write("/f", "x"),
      () => store.delete("/f"),
      () => store.read("/f"),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: "unavailable", transient: true, applied: false });
    }
  });

  test("the space of a bucket of Ceph, and what is known without asking", async () => {
    await using server = await scripted(() => ({ status: 200, headers: { "x-rgw-bytes-used": "7", "x-rgw-quota-bucket-size": "10" } }));
    await using store = open(server, { vendor: "ceph" });
    expect(await store.space()).toEqual({ used: 7, free: 3, total: 10 });
    await using open1 = await scripted(() => ({ status: 200, headers: { "x-rgw-bytes-used": "7", "x-rgw-quota-bucket-size": "-1" } }));
    await using unlimited = open(open1, { vendor: "ceph" });
    expect(await unlimited.space()).toEqual({ used: 7, free: null, total: null });
    await using r2 = open(open1, { vendor: "r2" });
    expect(await r2.space()).toEqual({ used: null, free: Infinity, total: Infinity });
  });

  test("the account: asked once; keys that may not ask have no name", async () => {
    await using server = await scripted(({ method }) =>
      method === "HEAD"
        ? { status: 200 }
        : { status: 200, body: "<ListAllMyBucketsResult><Owner><ID>id1</ID><DisplayName>ann</DisplayName></Owner></ListAllMyBucketsResult>" },
    );
    await using store = open(server);
    expect(await store.account()).toMatchObject({ provider: "s3", user: "ann" });
    await store.account();
    expect(server.log).toHaveLength(2);
    await using denied = await scripted(({ method }) => (method === "HEAD" ? { status: 200 } : failure(403, "AccessDenied")));
    await using other = open(denied);
    expect(await other.account()).toMatchObject({ user: null });
  });

  test("a content type that a header cannot hold is refused before a request", async () => {
    await using server = await scripted(() => undefined);
    await using store = open(server);
    for (const contentType of ["text/x\r\nx-evil: 1", "tüxt/x", " text/x", ""])
      await expect(store.write("/f", "x", { contentType })).rejects.toMatchObject({ applied: false });
    expect(server.log).toEqual([]);
  });

  test("closing ends what is under way, and nothing works afterwards", async () => {
    await using server = await scripted(() => ({ status: 200, headers: { etag: '"e"' }, body: new Uint8Array(4 * 1024 ** 2) }));
    const store = open(server);
    const read = await store.read("/f");
    await store.close();
    await expect(read.bytes()).rejects.toMatchObject({ code: "closed" });
    await expect(store.stat("/f")).rejects.toMatchObject({ code: "closed" });
    await expect.poll(() => server.connections).toBe(0);
  });

  test("reconnect obtains credentials anew", async () => {
    let count = 0;
    await using server = await scripted(() => head(1));
    await using store = open(server, { credentials: () => Promise.resolve({ accessKeyId: `KEY${++count}`, secretAccessKey: "s" }) });
    await store.stat("/f");
    await store.stat("/f");
    await store.reconnect();
    await store.stat("/f");
    expect(server.seen.map(({ headers }) => /KEY\d/.exec(headers.authorization ?? "")?.[0])).toEqual(["KEY1", "KEY1", "KEY2"]);
  });
});

test("a missing package is config, and names the package and its install command", async () => {
  const run = (missing: string): Promise<{ stdout: string }> =>
    promisify(execFile)(process.execPath, [
      "--input-type=module",
      "--eval",
      `
      import { registerHooks } from "node:module";
      registerHooks({ resolve(specifier, context, next) {
        if (specifier === ${JSON.stringify(missing)}) throw Object.assign(new Error("Cannot find package '" + specifier + "' imported from x"), { code: "ERR_MODULE_NOT_FOUND" });
        return next(specifier, context);
      } });
      const { s3 } = await import(${JSON.stringify(new URL("../../../src/providers/s3/index.ts", import.meta.url).href)});
      const store = s3({ bucket: "photos", endpoint: "http://127.0.0.1:1", credentials: ${JSON.stringify(keys)} });
      for (const call of [() => store.open(), () => store.stat("/f")]) console.log(await call().catch((error) => error.code + ": " + error.reason));
    `,
    ]);
  for (const name of ["undici", "@smithy/signature-v4", "@aws-sdk/client-s3"]) {
    const lines = (await run(name)).stdout.trim().split("\n");
    expect(lines).toHaveLength(2);
    for (const line of lines)
      expect(line).toBe(`config: the s3 provider needs the package ${name}: npm install @aws-sdk/client-s3 @smithy/signature-v4 undici`);
  }
}, 60_000);
