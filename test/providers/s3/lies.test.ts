/** What a service, or a proxy in between, says wrongly or leaves out becomes neither wrong bytes nor a success. */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { scripted, storeAt, transports } from "./scripted.ts";

describe.each(transports)("over %s", (transport) => {
  test("a part of a file that does not say where it stands in it is refused, not taken for the beginning", async () => {
    const text = "0123456789abcdef";
    for (const range of [undefined, "bytes 2-9/*", "bytes */16", "bites 2-9/16"]) {
      await using server = await scripted(() => ({
        status: 206,
        headers: { etag: '"e"', ...(range === undefined ? {} : { "content-range": range }) },
        body: text.slice(2, 10),
      }));
      await using store = storeAt(server, { transport });
      const read = async (): Promise<string> => await (await store.read("/f", { range: { offset: 2, length: 8 } })).text();
      await expect(read()).rejects.toMatchObject({ code: "unavailable", transient: true, path: "/f" });
    }
  });

  test("the root is a directory to a read, of a whole bucket and of a prefix, empty or not", async () => {
    await using server = await scripted(({ path }) => ({ status: path.startsWith("/bucket") ? 200 : 500 }));
    for (const prefix of ["", "p"]) {
      await using store = storeAt(server, { transport, ...(prefix === "" ? {} : { prefix }) });
      await expect(store.read("/")).rejects.toMatchObject({ code: "is-a-directory", operation: "read", path: "/" });
    }
  });

  test("an answer without a length that breaks off is no shorter file", async () => {
    await using server = await lengthless("hello world", 5);
    await using store = storeAt(server, { transport });
    const read = async (): Promise<string> => await (await store.read("/f")).text();
    await expect(read()).rejects.toMatchObject({ code: "unavailable", transient: true, path: "/f" });
  });

  test("an answer without a length that is whole is read, and its entry has the size", async () => {
    await using server = await lengthless("hello world", 11);
    await using store = storeAt(server, { transport });
    await using file = await store.read("/f");
    expect([file.entry.size, await file.text()]).toEqual([11, "hello world"]);
  });

  test("an answer to a write that names no etag is the page of a proxy, not the word of the service", async () => {
    await using server = await scripted(() => ({ status: 200, headers: { "content-type": "text/html" }, body: "<html>please log in</html>" }));
    await using store = storeAt(server, { transport });
    await expect(store.write("/f", "hello")).rejects.toMatchObject({ code: "unavailable", applied: "unknown", path: "/f" });
  });

  test("a write that names no etag and is not there was lost to a delete: sent again, and where that goes on nobody knows", async () => {
    for (const lost of [1, 9]) {
      let puts = 0;
      await using server = await scripted(({ method }) => {
        if (method === "PUT") return { status: 200, headers: ++puts <= lost ? {} : { etag: '"5d41402abc4b2a76b9719d911017c592"' } };
        return { status: puts <= lost ? 404 : 200, headers: { etag: '"5d41402abc4b2a76b9719d911017c592"' } };
      });
      await using store = storeAt(server, { transport, random: () => 0 });
      if (lost === 1) expect((await store.write("/f", "hello")).etag).toBe("5d41402abc4b2a76b9719d911017c592");
      else await expect(store.write("/f", "hello")).rejects.toMatchObject({ code: "unavailable", applied: "unknown", path: "/f" });
    }
  });

  test.each([
    ["its own bytes are there", "5d41402abc4b2a76b9719d911017c592", 1],
    ["another writer's bytes are there: sent again", "99999999999999999999999999999999", 3],
  ])("a write that names no etag, as Swift answers those that lost a race, looks what became of it: %s", async (_, etag, sent) => {
    let puts = 0;
    await using server = await scripted(({ method }) => {
      if (method === "PUT") return { status: 200, headers: ++puts < sent ? {} : puts === 1 ? {} : { etag: '"5d41402abc4b2a76b9719d911017c592"' } };
      return { status: 200, headers: { etag: `"${etag}"` } };
    });
    await using store = storeAt(server, { transport, random: () => 0 });
    expect((await store.write("/f", "hello")).etag).toBe("5d41402abc4b2a76b9719d911017c592");
    expect(puts).toBe(sent);
  });

  test("a write that loses every race is a conflict, and nobody knows whether it was there for a moment", async () => {
    await using server = await scripted(({ method }) => ({ status: 200, headers: method === "PUT" ? {} : { etag: '"99999999999999999999999999999999"' } }));
    await using store = storeAt(server, { transport, random: () => 0 });
    await expect(store.write("/f", "hello")).rejects.toMatchObject({ code: "conflict", applied: "unknown", path: "/f" });
  });
});

test("a source that fills one Buffer again and again is stored as it was, whole or in parts", async () => {
  const part = 5 * 1024 ** 2;
  for (const chunks of [3, 30]) {
    const stored: Buffer[] = [];
    await using server = await scripted(({ method, query, body }) => {
      if (query.has("uploads")) return xml("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
      if (method === "POST") return xml('<CompleteMultipartUploadResult><ETag>"e-2"</ETag></CompleteMultipartUploadResult>');
      stored[Number(query.get("partNumber") ?? 1)] = body;
      return { status: 200, headers: { etag: '"e"' } };
    });
    await using store = storeAt(server, { partBytes: part });
    const size = 256 * 1024;
    const one = Buffer.alloc(size);
    await store.write(
      "/f",
      (async function* () {
        for (let n = 0; n < chunks; n++) yield one.fill(n);
      })(),
    );
    expect(Buffer.compare(Buffer.concat(stored.filter(Boolean)), Buffer.concat(Array.from({ length: chunks }, (_, n) => Buffer.alloc(size, n))))).toBe(0);
  }
});

const xml = (body: string): { status: number; headers: Record<string, string>; body: string } => ({
  status: 200,
  headers: { "content-type": "application/xml" },
  body: `<?xml version="1.0"?>${body}`,
});

/** HTTP as of old: the end of the connection is the end of the body. HEAD tells the length. */
async function lengthless(text: string, sent: number): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (request) => {
      const isHead = request.toString("latin1").startsWith("HEAD");
      socket.end(`HTTP/1.1 200 OK\r\nETag: "e"\r\nConnection: close\r\n${isHead ? `Content-Length: ${text.length}\r\n\r\n` : `\r\n${text.slice(0, sent)}`}`);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      await new Promise((done) => server.close(done));
    },
  };
}
