/** Deleting, copying and moving: what a 207 means, what is never destroyed, what is guarded. */
import { describe, expect, test } from "vitest";
import { webdav } from "../../../src/providers/webdav/index.ts";
import type { WebdavOptions } from "../../../src/providers/webdav/index.ts";
import { found, multistatus, resource, scripted } from "./scripted.ts";
import type { Asked, Say } from "./scripted.ts";

const open = (server: { readonly origin: string }, options: Partial<WebdavOptions> = {}) =>
  webdav({ url: `${server.origin}/dav`, server: "apache", ...options });
const missing: Say = { status: 404 };
const directory = (href: string): Say => found(href, { directory: true, etag: 'W/"d1"' });
/** A 207 of failures. */
const failures = (...inner: readonly (readonly [href: string, status: number])[]): Say =>
  multistatus(...inner.map(([href, status]) => `<D:response><D:href>${href}</D:href><D:status>HTTP/1.1 ${status} no</D:status></D:response>`));
/** Answers PROPFIND by address, everything else by method. */
const serve =
  (there: Readonly<Record<string, Say>>, does: Readonly<Record<string, Say | ((asked: Asked) => Say)>>) =>
  (asked: Asked): Say => {
    const { method, path } = asked;
    if (method === "PROPFIND") return there[path] ?? there[path.replace(/\/$/, "")] ?? (path === "/dav/" ? directory("/dav/") : missing);
    const say = does[method] ?? { status: 405 };
    return typeof say === "function" ? say(asked) : say;
  };

describe("delete", () => {
  test("a 207 is a failure: the first real status in it, partly done", async () => {
    await using server = await scripted(serve({ "/dav/d": directory("/dav/d/") }, { DELETE: failures(["/dav/d/", 424], ["/dav/d/locked", 423]) }));
    await using store = open(server);
    await expect(store.delete("/d", { recursive: true })).rejects.toMatchObject({ code: "conflict", applied: "partly", status: 423 });
  });

  test("an empty directory is deleted under the condition that nothing came into it, said of its own address", async () => {
    let children = 0;
    await using server = await scripted((asked) => {
      if (asked.method === "DELETE") return children++ === 0 ? { status: 412 } : { status: 204 };
      return asked.headers["depth"] === "1" && children > 0
        ? multistatus(resource("/dav/d/", { directory: true }), resource("/dav/d/new", { size: 1 }))
        : directory("/dav/d/");
    });
    await using store = open(server);
    await expect(store.delete("/d")).rejects.toMatchObject({ code: "not-empty", applied: false });
    expect(server.asked.find(({ method }) => method === "DELETE")!.headers["if"]).toBe(`<${server.origin}/dav/d/> ([W/"d1"])`);
  });

  test("a directory in which somebody is writing is not deleted; a temporary file that was forgotten does not keep it", async () => {
    let modified = new Date().toUTCString();
    await using server = await scripted(serve({ "/dav/d": directory("/dav/d/") }, { DELETE: { status: 204 } }));
    await using other = await scripted(({ method, headers }) => {
      if (method === "DELETE") return { status: 204 };
      return headers["depth"] === "1"
        ? multistatus(resource("/dav/d/", { directory: true }), resource("/dav/d/.stratus-00000000000000000000.tmp", { size: 1, modified }))
        : directory("/dav/d/");
    });
    await using empty = open(server);
    await empty.delete("/d");
    await using store = open(other);
    expect(await store.list("/d").toArray()).toEqual([]);
    await expect(store.delete("/d")).rejects.toMatchObject({ code: "conflict", transient: true, applied: false });
    modified = new Date(Date.now() - 2 * 86_400_000).toUTCString();
    await store.delete("/d");
  });

  test("nothing there is success, but not where the root is gone", async () => {
    await using server = await scripted(serve({}, {}));
    await using store = open(server);
    await store.delete("/a");
    await using lost = await scripted(() => missing);
    await using other = open(lost);
    await expect(other.delete("/a")).rejects.toMatchObject({ code: "config" });
    await expect(other.delete("/a", { recursive: true })).rejects.toMatchObject({ code: "config" });
  });

  test("an access that is refused is never nothing there", async () => {
    await using server = await scripted(serve({ "/dav/d": directory("/dav/d/"), "/dav/d/a": { status: 403 } }, {}));
    await using store = open(server);
    for (const call of [() => store.delete("/d/a"), () => store.stat("/d/a"), () => store.copy("/d/a", "/b")])
      await expect(call()).rejects.toMatchObject({ code: "permission-denied" });
  });
});

describe("copy and move", () => {
  test.each(["copy", "move"] as const)("%s of a missing source sends nothing that could destroy the target", async (verb) => {
    await using server = await scripted(serve({ "/dav/to": found("/dav/to", { size: 3 }) }, {}));
    await using store = open(server, { server: "sabredav" });
    await expect(store[verb]("/from", "/to")).rejects.toMatchObject({ code: "not-found", applied: false });
    expect(server.lines.filter((line) => !line.startsWith("PROPFIND"))).toEqual([]);
  });

  test.each(["apache", "lighttpd", "generic"] as const)("%s: the target is never overwritten unseen", async (name) => {
    const destroyed: string[] = [];
    const does = (asked: Asked): Say => {
      if (asked.headers["overwrite"] === "F") return { status: 412 };
      destroyed.push(asked.headers["destination"] as string);
      return { status: 204 };
    };
    const cases = [
      [found("/dav/from", { size: 1 }), directory("/dav/to/"), "is-a-directory"],
      [directory("/dav/from/"), found("/dav/to", { size: 1 }), "not-a-directory"],
      [directory("/dav/from/"), multistatus(resource("/dav/to/", { directory: true }), resource("/dav/to/x", { size: 1 })), "not-empty"],
    ] as const;
    for (const [from, to, code] of cases) {
      // The children of the target come with depth 1 only.
      await using server = await scripted((asked) =>
        asked.method === "PROPFIND" && asked.path.startsWith("/dav/to") && asked.headers["depth"] === "0" && code === "not-empty"
          ? directory("/dav/to/")
          : serve({ "/dav/from": from, "/dav/to": to }, { COPY: does, MOVE: does })(asked),
      );
      await using store = open(server, { server: name });
      await expect(store.copy("/from", "/to")).rejects.toMatchObject({ code, applied: false });
      await expect(store.move("/from", "/to")).rejects.toMatchObject({ code, applied: false });
    }
    expect(destroyed).toEqual([]);
  });

  test("a copy of a tree that fails half way is taken back; a move is left, because bytes may stand nowhere else", async () => {
    const there = { "/dav/from": directory("/dav/from/") };
    await using server = await scripted(serve(there, { COPY: failures(["/dav/to/x", 507]), MOVE: failures(["/dav/to/x", 507]), DELETE: { status: 204 } }));
    await using store = open(server);
    await expect(store.copy("/from", "/to")).rejects.toMatchObject({ code: "no-space", applied: false });
    expect(server.lines.at(-1)).toBe("DELETE /dav/to/");
    await expect(store.move("/from", "/to")).rejects.toMatchObject({ code: "no-space", applied: "partly" });
    expect(server.lines.filter((line) => line.startsWith("DELETE"))).toHaveLength(1);
  });

  test("a copy of a tree whose removal has no answer is in doubt: it may still take what is written there", async () => {
    await using server = await scripted(serve({ "/dav/from": directory("/dav/from/") }, { COPY: failures(["/dav/to/x", 507]), DELETE: { status: 504 } }));
    await using store = open(server);
    await expect(store.copy("/from", "/to")).rejects.toMatchObject({ code: "no-space", applied: "unknown" });
  });

  test("the empty directory that made room comes back when the copy fails", async () => {
    let stands = true;
    await using server = await scripted(({ method, path, headers }) => {
      if (method === "PROPFIND")
        return path.startsWith("/dav/to") ? (stands ? directory("/dav/to/") : missing) : directory(path.endsWith("/") ? path : `${path}/`);
      if (method === "COPY") return headers["overwrite"] === "F" && stands ? { status: 412 } : { status: 507 };
      if (method === "DELETE") return ((stands = false), { status: 204 });
      if (method === "MKCOL") return ((stands = true), { status: 201 });
      return { status: 405 };
    });
    await using store = open(server);
    await expect(store.copy("/from", "/to")).rejects.toMatchObject({ code: "no-space" });
    expect(stands).toBe(true);
  });

  test("lighttpd: a 207 that names only the whole says what a status would; its COPY over a file goes aside", async () => {
    const sent: string[] = [];
    await using server = await scripted(
      serve(
        { "/dav/from": found("/dav/from", { size: 1 }), "/dav/to": found("/dav/to", { size: 1 }) },
        {
          COPY: ({ headers }) => (sent.push(`COPY ${String(headers["overwrite"])} ${new URL(headers["destination"] as string).pathname}`), { status: 201 }),
          MOVE: ({ path, headers }) => (
            sent.push(`MOVE ${String(headers["overwrite"])} ${path} ${new URL(headers["destination"] as string).pathname}`),
            { status: 204 }
          ),
        },
      ),
    );
    await using store = open(server, { server: "lighttpd" });
    await store.copy("/from", "/to");
    expect(sent).toEqual([
      expect.stringMatching(/^COPY F \/dav\/\.stratus-\w{20}\.tmp$/),
      expect.stringMatching(/^MOVE T \/dav\/\.stratus-\w{20}\.tmp \/dav\/to$/),
    ]);
    await using busy = await scripted(serve({ "/dav/from": directory("/dav/from/") }, { COPY: failures(["/dav/to/", 412]) }));
    await using other = open(busy, { server: "lighttpd" });
    await expect(other.copy("/from", "/to")).rejects.toMatchObject({ code: "conflict", applied: false });
  });

  test.each(["copy", "move"] as const)(
    "%s: success that left nothing at the target is no success (SabreDAV says 201 to both of two moves of one file)",
    async (verb) => {
      await using server = await scripted(serve({ "/dav/from": found("/dav/from", { size: 1 }) }, { COPY: { status: 201 }, MOVE: { status: 201 } }));
      await using store = open(server);
      await expect(store[verb]("/from", "/to")).rejects.toMatchObject({ code: "conflict", transient: true, applied: "unknown" });
    },
  );

  test("a lost answer to MOVE is settled where a look can: nothing at the source, its like at the target", async () => {
    let moved = false;
    await using server = await scripted(({ method, path }) => {
      if (method === "MOVE") return ((moved = true), { status: 0, hangUp: true });
      return (path === "/dav/to") === moved ? found(path, { size: 5 }) : missing;
    });
    await using store = open(server);
    expect(await store.move("/from", "/to")).toMatchObject({ path: "/to", size: 5 });
    expect(server.lines.filter((line) => line.startsWith("MOVE"))).toHaveLength(1);
  });
});

describe("mkdir", () => {
  test("a server that says 201 to what exists (rclone) is asked first", async () => {
    await using server = await scripted(serve({ "/dav/d": directory("/dav/d/") }, { MKCOL: { status: 201 } }));
    await using store = open(server, { server: "rclone" });
    await expect(store.mkdir("/d")).rejects.toMatchObject({ code: "already-exists" });
    expect(await store.mkdir("/e")).toMatchObject({ path: "/e", kind: "directory" });
  });

  test("parents are made, and somebody who makes them at the same time is no failure", async () => {
    const made = new Set<string>();
    await using server = await scripted((asked) => {
      const { method, path } = asked;
      if (method === "MKCOL") {
        if (path === "/dav/a/b/" && !made.has("/dav/a/")) return { status: 409 };
        // Somebody else was first.
        if (path === "/dav/a/") return (made.add(path), { status: 405 });
        return (made.add(path), { status: 201 });
      }
      return path === "/dav/" || made.has(`${path}/`) || made.has(path) ? directory(path.endsWith("/") ? path : `${path}/`) : missing;
    });
    await using store = open(server);
    expect(await store.mkdir("/a/b")).toMatchObject({ path: "/a/b" });
  });
});
