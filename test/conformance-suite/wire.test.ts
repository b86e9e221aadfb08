/** The loopback proxy in front of a plain HTTP server: what passes, what is recorded, and every fault. */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import net from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openWire } from "../../src/conformance/wire/proxy.ts";
import type { WireProxy } from "../../src/conformance/wire/proxy.ts";
import type { FaultKind } from "../../src/conformance/wire/wire.ts";

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
}
const content = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));
let seen: Seen[];
let server: http.Server;
let connections: number;
let wire: WireProxy;
let agent: http.Agent;
let base: string;

beforeEach(async () => {
  seen = [];
  connections = 0;
  server = http.createServer((request, response) => void serve(request, response));
  server.on("checkContinue", (request, response) => {
    if (request.url === "/refuse") return void response.writeHead(417, { connection: "close" }).end("no");
    response.writeContinue();
    void serve(request, response);
  });
  server.on("connection", () => (connections += 1));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  wire = await openWire();
  agent = new http.Agent({ keepAlive: true });
  base = wire.route(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterEach(async () => {
  agent.destroy();
  await wire[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
});

async function serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return; // the client broke off
  }
  seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.rawHeaders, body: Buffer.concat(chunks) });
  if (request.url === "/chunked") {
    response.write(content.subarray(0, 600));
    return void response.end(content.subarray(600));
  }
  if (request.url === "/empty") return void response.writeHead(204, { "X-Twice": ["a", "b"] }).end();
  if (request.url === "/nolength") return void response.writeHead(200).end();
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  if (range !== null) {
    const [first, last] = [Number(range[1]), Number(range[2])];
    response.writeHead(206, { "content-range": `bytes ${first}-${last}/${content.length}`, "content-length": last - first + 1 });
    return void response.end(content.subarray(first, last + 1));
  }
  if (request.method === "PUT") return void response.writeHead(201, { "content-length": 0, etag: '"e"' }).end();
  response.writeHead(200, { "content-length": content.length });
  response.end(content);
}

interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
/** Resolves with the whole answer, rejects where it breaks off. */
function ask(
  method: string,
  path: string,
  options: { readonly headers?: OutgoingHttpHeaders; readonly body?: Uint8Array; readonly signal?: AbortSignal } = {},
): Promise<Got> {
  return new Promise((done, fail) => {
    const request = http.request(`${base}${path}`, {
      method,
      agent,
      headers: options.headers ?? {},
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    request.on("error", fail);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", (error) => fail(Object.assign(error, { got: Buffer.concat(chunks) })));
      response.on("end", () => done({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
    });
    request.end(options.body);
  });
}
async function idle(): Promise<void> {
  for (let i = 0; i < 200 && wire.busy > 0; i += 1) await new Promise((done) => setTimeout(done, 5));
  expect(wire.busy).toBe(0);
}

test("passes method, path, query, Host, header names and order, and bodies both ways unchanged", async () => {
  const got = await ask("PUT", "/a%2Fb/c+d?x=1&y=%7E", { headers: { "X-Amz-MetA": "v", host: "photos.example:8080", "content-length": 1000 }, body: content });
  expect(got.status).toBe(201);
  expect(got.headers.etag).toBe('"e"');
  expect(seen[0]?.url).toBe("/a%2Fb/c+d?x=1&y=%7E");
  expect(seen[0]?.headers).toEqual(expect.arrayContaining(["X-Amz-MetA", "v", "host", "photos.example:8080"]));
  expect(seen[0]?.body.equals(content)).toBe(true);
  expect((await ask("GET", "/x")).body.equals(content)).toBe(true);
  expect((await ask("GET", "/chunked")).body.equals(content)).toBe(true);
  expect(
    wire.exchanges.map(({ index, method, target, status, bytesUp, bytesDown, fault }) => [index, method, target, status, bytesUp, bytesDown, fault]),
  ).toEqual([
    [0, "PUT", "/a%2Fb/c+d?x=1&y=%7E", 201, 1000, 0, null],
    [1, "GET", "/x", 200, 0, 1000, null],
    [2, "GET", "/chunked", 200, 0, 1000, null],
  ]);
  wire.clear();
  expect(wire.exchanges).toEqual([]);
});

test("makes up no framing for requests without a body, and passes repeated headers", async () => {
  const got = await ask("MKCOL", "/empty", { headers: { "content-length": 0 } });
  expect(got.headers["x-twice"]).toBe("a, b");
  expect(seen[0]?.headers.map((text) => text.toLowerCase())).not.toContain("transfer-encoding");
  expect(seen[0]?.body.length).toBe(0);
});

test("HEAD keeps the length of what it would have sent", async () => {
  const got = await ask("HEAD", "/x");
  expect(got.headers["content-length"]).toBe("1000");
  expect(got.body.length).toBe(0);
});

test("keep-alive holds on both sides, and each connection has its own", async () => {
  for (let i = 0; i < 5; i += 1) await ask("GET", "/x");
  expect(connections).toBe(1);
  expect(wire.open).toBe(1);
  await Promise.all([ask("GET", "/x"), ask("GET", "/x"), ask("GET", "/x")]);
  expect(connections).toBe(3);
  agent.destroy();
  await expect.poll(() => wire.open).toBe(0);
  await expect.poll(() => new Promise((done) => server.getConnections((_, count) => done(count)))).toBe(0);
});

test("a HEAD without a length, after which no agent keeps its connection, leaves the client's open", async () => {
  for (let i = 0; i < 3; i += 1) expect((await ask("HEAD", "/nolength")).status).toBe(200);
  // As a client sees it that does keep such a connection: two heads on one socket.
  const socket = net.connect(Number(new URL(base).port), "127.0.0.1");
  for (let i = 0; i < 3; i += 1) {
    socket.write("HEAD /nolength HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(String((await once(socket, "data"))[0])).toMatch(/^HTTP\/1.1 200 /);
    await new Promise((done) => setTimeout(done, 20));
    expect(socket.readyState).toBe("open");
  }
  socket.destroy();
});

test("an idle connection that the service closes is closed for the client too", async () => {
  await ask("GET", "/x");
  expect(wire.open).toBe(1);
  server.closeAllConnections();
  await expect.poll(() => wire.open).toBe(0);
  expect((await ask("GET", "/x")).status).toBe(200);
});

test("large bodies stream: neither side is read ahead of the other", async () => {
  let sent = 0;
  const pausing = http.createServer((_request, response) => {
    response.writeHead(200, { "content-length": 256 * 1024 * 1024 });
    const chunk = randomBytes(64 * 1024);
    const push = (): void => {
      while (sent < 256 * 1024 * 1024) {
        sent += chunk.length;
        if (!response.write(chunk)) return void response.once("drain", push);
      }
      response.end();
    };
    push();
  });
  pausing.listen(0, "127.0.0.1");
  await once(pausing, "listening");
  const request = http.request(wire.route(`http://127.0.0.1:${(pausing.address() as AddressInfo).port}/big`), { agent });
  request.on("error", () => {});
  request.end();
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  response.on("error", () => {});
  response.pause();
  let before = -1;
  await expect
    .poll(
      () => {
        const still = sent === before;
        before = sent;
        return still;
      },
      { interval: 100, timeout: 5000 },
    )
    .toBe(true);
  expect(sent).toBeLessThan(32 * 1024 * 1024); // socket buffers, no more
  response.destroy();
  await idle();
  pausing.closeAllConnections();
  pausing.close();
});

test("Expect: 100-continue passes: the body waits for the service", async () => {
  const request = http.request(`${base}/x`, { method: "PUT", agent, headers: { expect: "100-continue", "content-length": 1000 } });
  request.flushHeaders();
  await once(request, "continue");
  expect(seen).toEqual([]);
  request.end(content);
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  expect(response.statusCode).toBe(201);
  response.resume();
  await once(response, "end");
  expect(seen[0]?.body.equals(content)).toBe(true);
});

test("Expect: 100-continue refused by the service: the answer passes, the body is never asked for", async () => {
  const request = http.request(`${base}/refuse`, { method: "PUT", agent, headers: { expect: "100-continue", "content-length": 1000 } });
  request.on("error", () => {});
  request.flushHeaders();
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  expect(response.statusCode).toBe(417);
  request.destroy();
  expect(seen).toEqual([]);
});

test("a client that goes away in the middle of its body leaves the service with a broken request, not a short one", async () => {
  const request = http.request(`${base}/x`, { method: "PUT", agent, headers: { "content-length": 1000 } });
  request.on("error", () => {});
  request.write(content.subarray(0, 400));
  await expect.poll(() => wire.exchanges[0]?.bytesUp).toBe(400);
  request.destroy();
  await idle();
  expect(seen).toEqual([]);
});

test("a client that leaves in the middle of an answer frees both connections", async () => {
  const request = http.request(`${base}/x`, { agent });
  request.on("error", () => {});
  wire.break({ kind: "stall", after: 10 });
  request.end();
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  response.on("error", () => {});
  expect(wire.busy).toBe(1);
  response.destroy();
  await idle();
  await expect.poll(() => wire.open).toBe(0);
});

const cuts = ["refused", "resetBefore", "resetAfter"] as const;
test.each(cuts)("%s: the client gets no answer", async (kind) => {
  wire.break({ kind });
  await expect(ask("PUT", "/x", { body: content })).rejects.toThrow(/ECONNRESET|socket hang up/);
  await idle();
  expect(seen.length).toBe(kind === "resetAfter" ? 1 : 0);
  expect(wire.exchanges[0]).toMatchObject({ fault: kind, status: kind === "resetAfter" ? 201 : null });
  if (kind === "resetBefore") expect(wire.exchanges[0]?.bytesUp).toBe(1000);
  // Once means once.
  expect((await ask("PUT", "/x", { body: content })).status).toBe(201);
});

const answers = [
  ["throttled", 429],
  ["unavailable", 503],
  ["expired", 401],
] as const;
test.each(answers)("%s: the proxy answers %d, the service sees nothing, the connection goes on", async (kind, status) => {
  wire.break({ kind, retryAfterSeconds: 7 });
  const got = await ask("PUT", "/x", { body: content, headers: { authorization: "Basic c2VjcmV0" } });
  expect(got.status).toBe(status);
  expect(got.headers["retry-after"]).toBe(kind === "expired" ? undefined : "7");
  if (kind === "expired") expect(got.headers["www-authenticate"]).toContain("Basic");
  expect(seen).toEqual([]);
  expect((await ask("GET", "/x")).status).toBe(200);
  expect(wire.exchanges.map(({ fault }) => fault)).toEqual([kind, null]);
});

test("failedAfter: the service does it, the client is told 502, and the connection goes on", async () => {
  wire.break({ kind: "failedAfter" });
  expect((await ask("PUT", "/x", { body: content })).status).toBe(502);
  expect(seen.length).toBe(1);
  expect(wire.exchanges[0]).toMatchObject({ fault: "failedAfter", status: 502, bytesUp: 1000 });
  expect((await ask("GET", "/x")).status).toBe(200);
});

test("expired speaks the words of the service: S3, bearer tokens, digest", async () => {
  const say = async (authorization: string): Promise<Got> => {
    wire.break({ kind: "expired" });
    return await ask("GET", "/x", { headers: { authorization } });
  };
  const s3 = await say("AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request");
  expect([s3.status, s3.body.toString()]).toEqual([403, expect.stringContaining("<Code>ExpiredToken</Code>") as string]);
  const bearer = await say("Bearer t");
  expect([bearer.status, JSON.parse(bearer.body.toString())]).toEqual([401, expect.objectContaining({ error: "expired_access_token" })]);
  const digest = await say('Digest username="u", realm="files", nonce="1"');
  expect(digest.headers["www-authenticate"]).toMatch(/^Digest realm="files".*stale=true$/);
});

test.each(["resetBefore", "twice"] as const)("%s of a client that waits to be asked: it is asked, since the body is needed", async (kind) => {
  wire.break({ kind });
  const request = http.request(`${base}/x`, { method: "PUT", agent, headers: { expect: "100-continue", "content-length": 1000 } });
  const outcome = new Promise<string>((done) => {
    request.once("error", () => done("reset"));
    request.once("response", (response: http.IncomingMessage) => {
      response.resume();
      done(String(response.statusCode));
    });
  });
  request.flushHeaders();
  await once(request, "continue");
  request.end(content);
  expect(await outcome).toBe(kind === "twice" ? "201" : "reset");
  expect(seen.length).toBe(kind === "twice" ? 2 : 0);
});

test("an answer in the place of the service does not ask for the body of a client that waits", async () => {
  wire.break({ kind: "unavailable" });
  const request = http.request(`${base}/x`, { method: "PUT", agent, headers: { expect: "100-continue", "content-length": 1000 } });
  request.on("error", () => {});
  request.flushHeaders();
  let asked = false;
  request.on("continue", () => (asked = true));
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  expect(response.statusCode).toBe(503);
  expect(asked).toBe(false);
  request.destroy();
});

test("stall: the head and the first bytes come, then nothing until the client gives up or the wire is mended", async () => {
  wire.break({ kind: "stall", after: 100 });
  const got = ask("GET", "/x", { signal: AbortSignal.timeout(300) });
  await expect(got).rejects.toThrow(/abort/i);
  await idle();
  wire.break({ kind: "stall" });
  const waiting = ask("GET", "/x").catch((error: Error & { got?: Buffer }) => error);
  await expect.poll(() => wire.exchanges[1]?.bytesDown).toBe(500);
  wire.mend();
  expect((await waiting) as object).toMatchObject({ got: content.subarray(0, 500) });
  await idle();
});

test("stall of an answer without a body: not even the head comes", async () => {
  wire.break({ kind: "stall" });
  const waiting = ask("PUT", "/x", { body: content }).catch((error: Error) => error);
  await expect.poll(() => seen.length).toBe(1);
  expect(wire.busy).toBe(1);
  wire.mend();
  expect(await waiting).toBeInstanceOf(Error);
  await idle();
});

test.each(["/x", "/chunked"])("truncated: %s breaks off after so many bytes, with the length as announced", async (path) => {
  wire.break({ kind: "truncated", after: 300 });
  const error = await ask("GET", path).catch((thrown: Error & { got: Buffer }) => thrown);
  expect(error).toMatchObject({ got: content.subarray(0, 300) });
  wire.break({ kind: "truncated" });
  expect(await ask("GET", path).catch((thrown: Error & { got: Buffer }) => thrown)).toMatchObject({ got: content.subarray(0, 500) });
  await idle();
});

test.each(["/x", "/chunked"])("short: %s ends early and cleanly", async (path) => {
  wire.break({ kind: "short", after: 300 });
  const got = await ask("GET", path);
  expect(got.body.equals(content.subarray(0, 300))).toBe(true);
  if (path === "/x") expect(got.headers["content-length"]).toBe("300");
  expect((await ask("GET", path)).body.equals(content)).toBe(true);
  expect(connections).toBe(1);
});

test("wrongRange: a 206 that begins later than asked and says so", async () => {
  wire.break({ kind: "wrongRange" });
  const got = await ask("GET", "/x", { headers: { range: "bytes=100-199" } });
  expect([got.status, got.headers["content-range"], got.headers["content-length"]]).toEqual([206, "bytes 150-199/1000", "50"]);
  expect(got.body.equals(content.subarray(150, 200))).toBe(true);
});

test("wholeForRange: 200, all bytes long, right where they were asked for", async () => {
  wire.break({ kind: "wholeForRange" });
  const got = await ask("GET", "/x", { headers: { range: "bytes=100-199" } });
  expect([got.status, got.headers["content-range"], got.body.length]).toEqual([200, undefined, 1000]);
  expect(got.body.subarray(100, 200).equals(content.subarray(100, 200))).toBe(true);
  expect(got.body.subarray(0, 100).equals(content.subarray(100, 200))).toBe(false);
});

test("twice: the service gets the request and its body twice, the second answer counts", async () => {
  wire.break({ kind: "twice" });
  expect((await ask("PUT", "/x", { body: content })).status).toBe(201);
  expect(seen.map(({ method, body }) => [method, createHash("sha256").update(body).digest("hex")])).toEqual(
    Array.from({ length: 2 }, () => ["PUT", createHash("sha256").update(content).digest("hex")]),
  );
  expect(wire.exchanges.length).toBe(1);
});

test("what a fault cannot change is not recorded as broken", async () => {
  for (const [kind, path, headers] of [
    ["truncated", "/empty", {}],
    ["short", "/empty", {}],
    ["wrongRange", "/x", {}],
    ["wholeForRange", "/x", {}],
    ["wrongRange", "/x", { range: "bytes=5-5" }],
  ] as const satisfies readonly (readonly [FaultKind, string, OutgoingHttpHeaders])[]) {
    wire.break({ kind });
    await ask("GET", path, { headers });
  }
  expect(wire.exchanges.map(({ fault }) => fault)).toEqual([null, null, null, null, null]);
});

test("which request: by index from the moment of break, by a look at it, and how many", async () => {
  await ask("GET", "/x");
  wire.break({ kind: "unavailable", at: 1, times: 2 });
  const statuses: number[] = [];
  for (let i = 0; i < 4; i += 1) statuses.push((await ask("GET", "/x")).status);
  expect(statuses).toEqual([200, 503, 503, 200]);
  wire.break({ kind: "throttled", at: ({ method, target, index }) => method === "PUT" && target === "/b" && index >= 1, times: Infinity });
  expect((await ask("PUT", "/b")).status).toBe(201); // index 0
  expect((await ask("PUT", "/a")).status).toBe(201);
  expect((await ask("PUT", "/b")).status).toBe(429);
  expect((await ask("PUT", "/b")).status).toBe(429);
  wire.mend();
  expect((await ask("PUT", "/b")).status).toBe(201);
});

test("secrets of signed URLs are cut from the transcript, and nothing else is", async () => {
  await ask("GET", "/x?X-Amz-Credential=AKIA%2F2026&X-Amz-Signature=f00&uploadId=u1&continuation-token=c", { headers: { authorization: "Bearer s3cret" } });
  expect(wire.exchanges[0]?.target).toBe("/x?X-Amz-Credential=***&X-Amz-Signature=***&uploadId=u1&continuation-token=c");
  expect(seen[0]?.url).toContain("X-Amz-Signature=f00");
  expect(JSON.stringify(wire.exchanges)).not.toMatch(/s3cret|f00|AKIA/);
});

test("a service that cannot be reached: no answer, no status", async () => {
  const closed = net.createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const port = (closed.address() as AddressInfo).port;
  closed.close();
  await once(closed, "close");
  base = wire.route(`http://127.0.0.1:${port}`);
  await expect(ask("GET", "/x")).rejects.toThrow(/ECONNRESET|socket hang up/);
  expect(wire.exchanges[0]).toMatchObject({ status: null, fault: null });
});

test("several services: one listener each, the same one every time; more than there are is an error", async () => {
  const port = (server.address() as AddressInfo).port;
  expect(wire.route(`http://127.0.0.1:${port}/base/path/`)).toBe(`${base}/base/path/`);
  expect(wire.route(`http://localhost:${port}/?a=b`)).not.toBe(`${base}/?a=b`);
  wire.route("http://127.0.0.1:1");
  wire.route("http://127.0.0.1:2");
  expect(() => wire.route("http://127.0.0.1:3")).toThrow(/no listener left/);
});

test("fetch goes through the same proxy with the service's own Host", async () => {
  const port = (server.address() as AddressInfo).port;
  const response = await wire.fetch(`http://127.0.0.1:${port}/x`, { method: "PUT", body: new Uint8Array(content), headers: { "x-a": "1" } });
  expect(response.status).toBe(201);
  expect(seen[0]?.headers).toEqual(expect.arrayContaining(["host", `127.0.0.1:${port}`, "x-a", "1"]));
  expect(seen[0]?.body.equals(content)).toBe(true);
  expect(wire.exchanges.length).toBe(1);
});
