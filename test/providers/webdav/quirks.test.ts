/** CF85 and its like: what servers do that others don't, each by a server that does exactly that. */
import { describe, expect, test } from "vitest";
import { webdav } from "../../../src/providers/webdav/index.ts";
import type { WebdavOptions } from "../../../src/providers/webdav/index.ts";
import { manualClock, readBytes, readText } from "../../../src/store/index.ts";
import { found, multistatus, resource, scripted } from "./scripted.ts";
import type { Asked, Say } from "./scripted.ts";

const open = (server: { readonly origin: string }, options: Partial<WebdavOptions> = {}) =>
  webdav({ url: `${server.origin}/dav`, server: "apache", ...options });
const root = found("/dav/", { directory: true });
const missing: Say = { status: 404 };
/** PROPFIND of the base is there, everything else by the script. */
const withRoot = (script: (asked: Asked) => Say | Promise<Say>) => (asked: Asked) =>
  asked.method === "PROPFIND" && asked.path === "/dav/" ? root : script(asked);

describe("collections", () => {
  test("CF85 a 301 that only adds a slash is followed, by a request of the same kind with the same body", async () => {
    await using server = await scripted(({ path }) =>
      path.endsWith("/") ? found(path, { directory: true }) : { status: 301, headers: { Location: `${path}/` } },
    );
    await using store = open(server);
    expect(await store.stat("/a")).toMatchObject({ path: "/a", kind: "directory" });
    expect(server.lines).toEqual(["PROPFIND /dav/a", "PROPFIND /dav/a/"]);
    expect(server.asked[1]!.body.toString()).toBe(server.asked[0]!.body.toString());
    expect(server.asked[1]!.headers["depth"]).toBe("0");
  });

  test.each([
    ["another path", "/login"],
    ["another server", "http://127.0.0.1:9/dav/a/"],
    ["another scheme", "https://127.0.0.1:9/dav/a/"],
  ])("a redirect to %s is followed nowhere: what was meant for one address is not done to another", async (_what, location) => {
    await using server = await scripted(
      withRoot(({ method }) => (method === "DELETE" ? { status: 302, headers: { Location: location } } : found("/dav/a", { size: 1 }))),
    );
    await using store = open(server);
    await expect(store.delete("/a")).rejects.toMatchObject({ code: "config", applied: false });
    expect(server.lines).toEqual(["PROPFIND /dav/a", "DELETE /dav/a"]);
  });

  test("GET of a directory answered by a redirect, a refusal or a page is is-a-directory", async () => {
    for (const say of [
      { status: 301, headers: { Location: "/dav/d/" } },
      { status: 403 },
      { status: 405 },
      { status: 501 },
      { status: 200, headers: { "Content-Type": "text/html" }, body: "<h1>Index of /d</h1>" },
    ]) {
      await using server = await scripted(({ method }) => (method === "PROPFIND" ? found("/dav/d/", { directory: true }) : say));
      await using store = open(server, { server: "nginx" });
      await expect(readText(store, "/d"), String(say.status)).rejects.toMatchObject({ code: "is-a-directory" });
    }
  });

  test("the directory's own entry is found by equality: last, absolute, escaped otherwise", async () => {
    await using server = await scripted(() =>
      multistatus(
        resource("/dav/d%20d/b", { size: 2 }),
        resource("/dav/d%20d/a/", { directory: true }),
        resource("http://elsewhere/dav/d d/", { directory: true }),
      ),
    );
    await using store = open(server);
    expect((await store.list("/d d").toArray()).map(({ path, kind }) => `${path} ${kind}`)).toEqual(["/d d/b file", "/d d/a directory"]);
  });

  test("a listing under another address is a wrong url, not an empty directory", async () => {
    await using server = await scripted(() => multistatus(resource("/internal/d/", { directory: true }), resource("/internal/d/a", { size: 1 })));
    await using store = open(server);
    await expect(store.list("/d").toArray()).rejects.toMatchObject({ code: "config" });
  });

  test("a child that the server cannot tell about fails the listing; one that went meanwhile does not", async () => {
    let status = 403;
    await using server = await scripted(() =>
      multistatus(
        resource("/dav/d/", { directory: true }),
        resource("/dav/d/a", { size: 1 }),
        `<D:response><D:href>/dav/d/b</D:href><D:status>HTTP/1.1 ${status} x</D:status></D:response>`,
      ),
    );
    await using store = open(server);
    await expect(store.list("/d").toArray()).rejects.toMatchObject({ code: "permission-denied" });
    status = 404;
    expect((await store.list("/d").toArray()).map(({ path }) => path)).toEqual(["/d/a"]);
  });

  test("a name answered twice is listed once", async () => {
    await using server = await scripted(() =>
      multistatus(resource("/dav/d/", { directory: true }), resource("/dav/d/a", { size: 1 }), resource("/dav/d/%61", { size: 1 })),
    );
    await using store = open(server);
    expect(await store.list("/d").toArray()).toHaveLength(1);
  });

  test("listings go at depth 1: infinity is refused by some and answered shallow by others", async () => {
    await using server = await scripted(({ path, headers }) => {
      if (headers["depth"] !== "1") return { status: 403 };
      return path === "/dav/"
        ? multistatus(resource("/dav/", { directory: true }), resource("/dav/d/", { directory: true }))
        : multistatus(resource("/dav/d/", { directory: true }), resource("/dav/d/f", { size: 1 }));
    });
    await using store = open(server);
    expect((await store.list("/", { recursive: true }).toArray()).map(({ path }) => path)).toEqual(["/d", "/d/f"]);
  });
});

describe("answers in XML", () => {
  const xml = (body: string): Say => ({ status: 207, body });

  test("CF85 without namespaces", async () => {
    await using server = await scripted(() =>
      xml(
        '<multistatus><response><href>/dav/a</href><propstat><prop><resourcetype/><getcontentlength>7</getcontentlength><getetag>"x"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>',
      ),
    );
    await using store = open(server);
    expect(await store.stat("/a")).toMatchObject({ kind: "file", size: 7, etag: "x" });
  });

  test("CF85 under any prefix, declared anywhere", async () => {
    await using server = await scripted(() =>
      xml(
        '<?xml version="1.0"?><x0:multistatus xmlns:x0="DAV:"><x0:response><x0:href>/dav/a/</x0:href><x0:propstat><x0:prop><resourcetype xmlns="DAV:"><q:collection xmlns:q="DAV:"/></resourcetype></x0:prop><x0:status>HTTP/1.1 200 OK</x0:status></x0:propstat></x0:response></x0:multistatus>\n<!-- end -->',
      ),
    );
    await using store = open(server);
    expect(await store.stat("/a")).toMatchObject({ kind: "directory", size: 0 });
  });

  test("CF85 without a resource type: an empty one is a file, a missing one too unless the address has a slash", async () => {
    const bare = (href: string, type: string): Say =>
      xml(
        `<D:multistatus xmlns:D="DAV:"><D:response><D:href>${href}</D:href><D:propstat><D:prop>${type}<D:getcontentlength>3</D:getcontentlength></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>`,
      );
    const says = [bare("/dav/a", "<D:resourcetype/>"), bare("/dav/a", ""), bare("/dav/a/", "")];
    await using server = await scripted(({ index }) => says[index]!);
    await using store = open(server);
    expect([await store.stat("/a"), await store.stat("/a"), await store.stat("/a")].map(({ kind, size }) => `${kind} ${size}`)).toEqual([
      "file 3",
      "file 3",
      "directory 0",
    ]);
  });

  test("a 404 propstat before the 200 one (the package's stat fails on it), and properties in two of 200", async () => {
    const good = (prop: string): string => `<D:propstat><D:prop>${prop}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>`;
    const bad = "<D:propstat><D:prop><D:getetag/><D:x>1</D:x></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>";
    await using server = await scripted(() =>
      xml(
        `<D:multistatus xmlns:D="DAV:"><D:response><D:href>/dav/a</D:href>${bad}${good("<D:resourcetype/><D:getcontentlength>12</D:getcontentlength>")}${good('<D:getetag>"e"</D:getetag>')}</D:response></D:multistatus>`,
      ),
    );
    await using store = open(server);
    expect(await store.stat("/a")).toMatchObject({ kind: "file", size: 12, etag: "e" });
  });

  test("a resource that is not found inside a 207 is not found", async () => {
    await using server = await scripted(({ path }) =>
      path === "/dav/"
        ? root
        : xml('<D:multistatus xmlns:D="DAV:"><D:response><D:href>/dav/a</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response></D:multistatus>'),
    );
    await using store = open(server);
    await expect(store.stat("/a")).rejects.toMatchObject({ code: "not-found" });
  });

  test("etags and names that look like numbers stay text", async () => {
    await using server = await scripted(() =>
      xml(
        '<D:multistatus xmlns:D="DAV:"><D:response><D:href>/dav/1e5</D:href><D:propstat><D:prop><D:resourcetype/><D:getcontentlength>0012</D:getcontentlength><D:getetag>0x1F</D:getetag></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>',
      ),
    );
    await using store = open(server);
    expect(await store.stat("/1e5")).toMatchObject({ path: "/1e5", size: 12, etag: "0x1F" });
  });

  test("half a document is an error, not a shorter listing", async () => {
    const whole = multistatus(resource("/dav/d/", { directory: true }), resource("/dav/d/a", { size: 1 }), resource("/dav/d/b", { size: 1 })).body as string;
    for (const at of [whole.indexOf("<D:href>/dav/d/b"), whole.length - 5, 60]) {
      await using server = await scripted(() => xml(whole.slice(0, at)));
      await using store = open(server);
      await expect(store.list("/d").toArray()).rejects.toMatchObject({ code: "unavailable", transient: true });
    }
  });

  test("an empty listing has not even the directory in it: an error", async () => {
    await using server = await scripted(() => multistatus());
    await using store = open(server);
    await expect(store.list("/d").toArray()).rejects.toMatchObject({ code: "unavailable" });
  });

  test("an address that answers with a page speaks no WebDAV", async () => {
    await using server = await scripted(() => ({ status: 200, body: "<html>welcome</html>" }));
    await using store = open(server);
    await expect(store.stat("/a")).rejects.toMatchObject({ code: "config" });
  });

  test("weak etags: given without their mark where the server proves them, else null", async () => {
    await using server = await scripted(() => found("/dav/a", { size: 1, etag: 'W/"1-2"' }));
    for (const [name, etag] of [
      ["apache", "1-2"],
      ["lighttpd", null],
      ["nginx", null],
      ["generic", null],
    ] as const) {
      await using store = open(server, { server: name });
      expect((await store.stat("/a")).etag, name).toBe(etag);
    }
  });
});

describe("downloads", () => {
  const file = (say: Say) => withRoot(({ method }) => (method === "PROPFIND" ? found("/dav/a", { size: 10, etag: '"e"' }) : say));
  const headers = { ETag: '"e"', "Last-Modified": "Sat, 21 Nov 2026 09:00:00 GMT" };

  test("one that breaks off is an error (the package's stream neither ends nor fails)", async () => {
    await using server = await scripted(file({ status: 200, headers, body: "0123456789", cutAfter: 4 }));
    await using store = open(server, { server: "nginx" });
    await expect(readBytes(store, "/a")).rejects.toMatchObject({ code: "unavailable", transient: true });
  });

  test("without a length the size is looked up, so that a clean end in the middle is noticed", async () => {
    await using server = await scripted(file({ status: 200, headers: { ...headers, "Transfer-Encoding": "chunked" }, body: "0123" }));
    await using store = open(server, { server: "nginx" });
    await expect(readBytes(store, "/a")).rejects.toMatchObject({ code: "unavailable" });
    expect(server.lines).toEqual(["GET /dav/a", "PROPFIND /dav/a"]);
  });

  test("one that is packed on the way although asked not to is refused; a file stored packed is not", async () => {
    await using server = await scripted(file({ status: 200, headers: { ...headers, "Content-Encoding": "gzip" }, body: "0123" }));
    await using store = open(server, { server: "nginx" });
    await expect(readBytes(store, "/a")).rejects.toMatchObject({ code: "unsupported" });
    expect(server.asked[0]!.headers["accept-encoding"]).toBe("identity");
    await using packed = await scripted(file({ status: 200, headers: { ...headers, "Content-Encoding": "x-gzip" }, body: "0123456789" }));
    await using other = open(packed, { server: "nginx" });
    expect(await readText(other, "/a")).toBe("0123456789");
  });

  test("the version whose length was announced and the one whose bytes come are compared (Apache looks, then opens)", async () => {
    let version = 1;
    await using server = await scripted(({ method }) => {
      const etag = `"v${version}"`;
      if (method === "GET" && version === 1) {
        version = 2; // Replaced between the look and the opening: the old length and etag, the new bytes.
        return { status: 200, headers: { ...headers, ETag: etag }, body: "new version".slice(0, 3) };
      }
      return { status: 200, headers: { ...headers, ETag: etag }, body: "new version" };
    });
    await using store = open(server);
    expect(await readText(store, "/a")).toBe("new version");
    expect(server.lines).toEqual(["GET /dav/a", "HEAD /dav/a", "GET /dav/a", "HEAD /dav/a"]);
  });

  test("a file that is replaced over and over ends in conflict", async () => {
    let version = 0;
    await using server = await scripted(() => ({ status: 200, headers: { ...headers, ETag: `"v${version++}"` }, body: "x" }));
    await using store = open(server);
    await expect(readText(store, "/a")).rejects.toMatchObject({ code: "conflict", transient: true });
  });

  test("not-modified is asked for in both forms of the etag where the server marks young ones, and never with what no etag can hold", async () => {
    await using server = await scripted(file({ status: 304, headers }));
    await using store = open(server);
    await expect(readText(store, "/a", { ifNoneMatch: "e" })).rejects.toMatchObject({ code: "not-modified" });
    expect(server.asked[0]!.headers["if-none-match"]).toBe('"e", W/"e"');
    await using other = await scripted(file({ status: 200, headers, body: "x" }));
    await using whole = open(other);
    expect(await readText(whole, "/a", { ifNoneMatch: 'e", "*' })).toBe("x");
    expect(other.asked[0]!.headers["if-none-match"]).toBeUndefined();
  });

  test("lighttpd serves the file for a path below it: looked at first", async () => {
    await using server = await scripted(
      withRoot(({ method, path }) =>
        method === "GET" ? { status: 200, headers, body: "not this" } : path === "/dav/a" ? found("/dav/a", { size: 8 }) : { status: 403 },
      ),
    );
    await using store = open(server, { server: "lighttpd" });
    await expect(readText(store, "/a/b")).rejects.toMatchObject({ code: "not-found" });
    expect(server.lines).not.toContain("GET /dav/a/b");
  });
});

describe("late visibility", () => {
  test("CF85 what was written is looked for until it shows, on the injected clock", async () => {
    const clock = manualClock();
    const seen = { looks: 0 };
    await using server = await scripted(
      withRoot(({ method }) => (method === "PUT" ? { status: 201 } : ++seen.looks < 4 ? missing : found("/dav/a", { size: 5, etag: '"e"' }))),
    );
    await using store = open(server, { settleMs: 10_000, clock });
    const writing = store.write("/a", "hello");
    const written = async (): Promise<void> => void (await writing);
    const passing = async (): Promise<void> => {
      while (seen.looks < 4) await clock.advance(500);
    };
    await Promise.all([written(), passing()]);
    expect(await writing).toMatchObject({ size: 5, etag: "e" });
    expect(store.capabilities.consistency).toEqual({ read: "eventual", list: "eventual", settleMs: 10_000 });
    expect(seen.looks).toBe(4);
  });

  test("a server that shows at once is asked once, and nothing is hidden from a reader", async () => {
    await using server = await scripted(withRoot(({ method }) => (method === "PUT" ? { status: 201 } : missing)));
    await using store = open(server);
    await expect(store.write("/a", "hello")).rejects.toMatchObject({ code: "conflict", transient: true, applied: "unknown" });
    await expect(store.stat("/a")).rejects.toMatchObject({ code: "not-found" });
    expect(server.lines).toEqual(["PUT /dav/a", "PROPFIND /dav/a", "PROPFIND /dav/a", "PROPFIND /dav/"]);
  });
});

describe("space", () => {
  const quota = (available: string, used: string): Say => ({
    status: 207,
    body: `<d:multistatus xmlns:d="DAV:"><d:response><d:href>/dav/</d:href><d:propstat><d:prop><d:quota-available-bytes>${available}</d:quota-available-bytes><d:quota-used-bytes>${used}</d:quota-used-bytes></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>`,
  });
  test.each([
    ["1000", "24", { used: 24, free: 1000, total: 1024 }],
    ["-3", "24", { used: 24, free: Infinity, total: Infinity }],
    ["-2", "24", { used: 24, free: null, total: null }],
    ["-1", "-1", { used: null, free: null, total: null }],
    ["", "", { used: null, free: null, total: null }],
  ])("CF20 available %s, used %s", async (available, used, expected) => {
    await using server = await scripted(() => quota(available, used));
    await using store = open(server, { server: "nextcloud" });
    expect(await store.space()).toEqual(expected);
    expect(server.asked[0]!.body.toString()).toContain("quota-available-bytes");
  });
});
