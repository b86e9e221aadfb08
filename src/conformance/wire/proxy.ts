/**
 * The loopback proxy between a provider and its service: counts, records and breaks requests.
 *
 *   await using wire = await openWire();
 *   const endpoint = wire.route("http://127.0.0.1:9000");        // give this to the provider
 *   wire.break({ kind: "resetAfter", at: ({ method }) => method === "PUT" });
 *   …                                                            // one PUT happens, and its answer is lost
 *   wire.exchanges                                               // what went through
 *
 * Paths, queries, headers (Host included) and bodies pass unchanged and unbuffered, so signatures hold; `Expect: 100-continue` and its answer pass
 * too. Each connection of the provider has a connection of its own to the service and both end together, so keep-alive, and losing it, is the service's.
 */
import http from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { answerFor, arm, failureFor, playable } from "./faults.ts";
import type { Answer, Armed } from "./faults.ts";
import { redactTarget } from "./redact.ts";
import { cutAfter, dropFirst, passOn, wholeAround } from "./transfer.ts";
import type { Exchange, Fault, FaultKind, Wire } from "./wire.ts";

export interface WireProxy extends Wire, AsyncDisposable {
  /** The same service through the proxy. Each service (scheme, host and port) gets a listener of its own, the same one every time. */
  route(url: string): string;
  /** As the global one, through the proxy; the Host header is the service's. */
  readonly fetch: typeof globalThis.fetch;
}
export interface WireOptions {
  /** Services that can be routed to. Their listeners are opened beforehand, since `route` cannot wait. Default 4. */
  readonly services?: number | undefined;
}

/** @throws an Error of node:net where no listener can be opened on 127.0.0.1 */
export async function openWire(options: WireOptions = {}): Promise<WireProxy> {
  const proxy = new Proxy(options.services ?? 4);
  await proxy.listen();
  return proxy;
}

/** `fetch` sets the Host header itself, so that what it must become travels beside it and is taken off by the proxy. */
const hostHeader = "x-stratus-wire-host";

/** One request on its way. */
interface Passage {
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  readonly service: URL;
  readonly record: { -readonly [K in keyof Exchange]: Exchange[K] };
}

class Proxy implements WireProxy {
  readonly #spare: http.Server[] = [];
  readonly #routes = new Map<string, http.Server>();
  readonly #services = new Map<http.Server, URL>();
  readonly #sockets = new Set<Socket>();
  /** Those that carried a request of a client of the store's own, and those with a request under way. */
  readonly #owned = new Set<Socket>();
  readonly #active = new Set<Socket>();
  readonly #agents = new WeakMap<Socket, http.Agent>();
  readonly #stalled = new Set<Socket>();
  #exchanges: Exchange[] = [];
  #armed: Armed | undefined;
  #busy = 0;

  constructor(services: number) {
    for (let i = 0; i < services; i += 1) this.#spare.push(this.#server());
  }

  async listen(): Promise<void> {
    await Promise.all(this.#spare.map((server) => new Promise<void>((done, fail) => server.once("error", fail).listen(0, "127.0.0.1", done))));
  }

  route(url: string): string {
    const service = new URL(url);
    const key = service.origin;
    let server = this.#routes.get(key);
    if (server === undefined) {
      server = this.#spare.pop();
      if (server === undefined) throw new Error(`The wire has no listener left for ${key}: open it with more services`);
      this.#routes.set(key, server);
      this.#services.set(server, service);
    }
    // As given apart from the origin: a trailing slash that is not there stays away.
    const rest = url.slice(url.indexOf("//") + 2);
    const end = rest.search(/[/?#]/);
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}${end === -1 ? "" : rest.slice(end)}`;
  }

  readonly fetch: typeof globalThis.fetch = (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    headers.set(hostHeader, new URL(url).host);
    // Not through a new Request where there is none: that would turn the body into a stream and lose its length.
    return globalThis.fetch(input instanceof Request ? new Request(this.route(url), input) : this.route(url), { ...init, headers });
  };

  get exchanges(): readonly Exchange[] {
    return this.#exchanges;
  }
  get open(): number {
    return this.#sockets.size;
  }
  /** Connections that somebody should have closed: not the idle ones of `fetch`, whose pool belongs to this process and not to the store. */
  get held(): number {
    let held = 0;
    for (const socket of this.#sockets) if (this.#owned.has(socket) || this.#active.has(socket)) held += 1;
    return held;
  }
  get busy(): number {
    return this.#busy;
  }
  clear(): void {
    this.#exchanges = [];
  }
  break(fault: Fault): void {
    this.#armed = arm(fault);
  }
  mend(): void {
    this.#armed = undefined;
    for (const socket of this.#stalled) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.mend();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([...this.#spare, ...this.#routes.values()].map((server) => new Promise((done) => server.close(done))));
  }

  #server(): http.Server {
    // No time-outs: a slow client is what some checks are about, and idle connections are the service's to close.
    const server = http.createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, maxHeaderSize: 256 * 1024 });
    const pass = (request: http.IncomingMessage, response: http.ServerResponse): void => void this.#pass(server, request, response);
    server.on("request", pass);
    server.on("checkContinue", pass);
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {}); // its "close" follows, and that is what matters
      socket.once("close", () => {
        this.#sockets.delete(socket);
        this.#owned.delete(socket);
        this.#active.delete(socket);
        this.#stalled.delete(socket);
        this.#agents.get(socket)?.destroy();
      });
    });
    return server;
  }

  async #pass(server: http.Server, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const service = this.#services.get(server);
    if (service === undefined) return void request.socket.destroy(); // nobody was routed here
    const target = redactTarget(request.url ?? "/");
    const method = request.method ?? "GET";
    const record = { index: this.#exchanges.length, method, target, status: null as number | null, bytesUp: 0, bytesDown: 0, fault: null as FaultKind | null };
    this.#exchanges.push(record);
    this.#busy += 1;
    const { socket } = request;
    if (request.headers[hostHeader] === undefined) this.#owned.add(socket);
    this.#active.add(socket);
    response.once("close", () => {
      this.#busy -= 1;
      this.#active.delete(socket);
    });
    response.on("error", () => {});
    request.on("error", () => {});
    const fault = this.#armed?.take({ method, target }) ?? null;
    try {
      await this.#play({ request, response, service, record }, fault);
    } catch {
      // The client went away, the service cannot be reached or broke off: the other side must see the same.
      request.socket.destroy();
    }
  }

  async #play(passage: Passage, fault: Fault | null): Promise<void> {
    const { request, response, record } = passage;
    const answer = fault === null ? null : answerFor(fault, request.headers);
    if (fault !== null && answer !== null) {
      record.fault = fault.kind;
      return await this.#answer(passage, answer);
    }
    switch (fault?.kind) {
      case "refused":
        record.fault = fault.kind;
        return void request.socket.resetAndDestroy();
      case "resetBefore":
        record.fault = fault.kind;
        if (request.headers.expect !== undefined) response.writeContinue();
        await drain(request, (bytes) => (record.bytesUp += bytes));
        return void request.socket.resetAndDestroy();
      case "resetAfter": {
        record.fault = fault.kind;
        const reply = await this.#send(passage);
        record.status = reply.statusCode ?? null;
        await drain(reply, () => {});
        return void request.socket.resetAndDestroy();
      }
      case "failedAfter": {
        record.fault = fault.kind;
        await drain(await this.#send(passage), () => {});
        return await this.#answer(passage, failureFor(request.headers));
      }
      case "twice": {
        record.fault = fault.kind;
        if (request.headers.expect !== undefined) response.writeContinue();
        const body: Uint8Array[] = [];
        for await (const chunk of request as AsyncIterable<Uint8Array>) body.push(chunk);
        await drain(await this.#send(passage, body), () => {});
        return await this.#reply(passage, await this.#send(passage, body), null);
      }
      default:
        return await this.#reply(passage, await this.#send(passage), fault);
    }
  }

  /** An answer of the proxy's own; the service sees nothing. The body is read first, as a service does that answers late, unless the client waits to be asked for it. */
  async #answer({ request, response, record }: Passage, answer: Answer): Promise<void> {
    const waits = request.headers.expect !== undefined;
    if (!waits) await drain(request, (bytes) => (record.bytesUp += bytes));
    record.status = answer.status;
    response.writeHead(answer.status, waits ? { ...answer.headers, connection: "close" } : answer.headers);
    if (request.method !== "HEAD") record.bytesDown = Buffer.byteLength(answer.body);
    await new Promise<void>((done) => response.end(request.method === "HEAD" ? "" : answer.body, done));
  }

  /** Sends the request on, its body included, and resolves with the head of the answer, which may come before the body has ended. */
  #send({ request, response, service, record }: Passage, body?: readonly Uint8Array[]): Promise<http.IncomingMessage> {
    const head = service.protocol === "https:" ? https : http;
    const upstream = head.request({
      host: service.hostname.replace(/^\[|\]$/g, ""),
      port: service.port === "" ? undefined : service.port,
      servername: service.hostname,
      method: request.method,
      path: request.url,
      agent: this.#agentOf(request.socket, service),
      setDefaultHeaders: false,
    });
    for (const [name, values] of grouped(request.rawHeaders)) upstream.setHeader(name, values);
    const host = request.headers[hostHeader];
    if (typeof host === "string") upstream.setHeader("host", host).removeHeader(hostHeader);
    // Without a body no framing may be made up: MKCOL with an empty chunked body is refused by servers.
    const bodyless = request.headers["transfer-encoding"] === undefined && (request.headers["content-length"] ?? "0") === "0";
    if (bodyless) upstream.useChunkedEncodingByDefault = false;
    return new Promise((done, fail) => {
      let answered: http.IncomingMessage | undefined;
      // Once the answer is complete its connection is free for the next request, and no longer this one's to cut.
      const leave = (): void => void (answered?.complete === true || upstream.destroy());
      response.once("close", leave);
      upstream.once("error", fail);
      upstream.once("response", (reply) => {
        upstream.on("error", () => reply.destroy());
        answered = reply;
        done(reply);
      });
      upstream.on("continue", () => body ?? response.writeContinue());
      if (body !== undefined) for (const chunk of body) upstream.write(chunk);
      if (body !== undefined || bodyless) return void upstream.end();
      upstream.flushHeaders();
      passOn(request, upstream, (bytes) => (record.bytesUp += bytes)).then(
        () => upstream.end(),
        () => upstream.destroy(), // the client broke off in the middle of its body: so do we
      );
    });
  }

  async #reply({ request, response, record }: Passage, reply: http.IncomingMessage, fault: Fault | null): Promise<void> {
    const status = reply.statusCode ?? 502;
    record.status = status;
    const count = (bytes: number): void => void (record.bytesDown += bytes);
    const headers = reply.rawHeaders;
    const hasBody = request.method !== "HEAD" && status !== 204 && status !== 304 && reply.headers["content-length"] !== "0";
    response.sendDate = false;
    const played =
      fault !== null && playable(fault.kind, request.headers.range !== undefined, { status, hasBody, range: reply.headers["content-range"] }) ? fault : null;
    record.fault ??= played?.kind ?? null;
    const head = (code: number, text: string | undefined, raw: readonly string[]): void => void response.writeHead(code, text, [...raw]);
    switch (played?.kind) {
      case "stall": {
        this.#stalled.add(request.socket);
        // An answer without a body is over with its head, so there even that is held back.
        if (!hasBody) return await drain(reply, () => {});
        const cut = await cutAfter(reply, played.after);
        head(status, reply.statusMessage, headers);
        response.flushHeaders();
        await passOn(cut.body, response, count);
        return;
      }
      case "truncated": {
        const cut = await cutAfter(reply, played.after);
        head(status, reply.statusMessage, headers);
        response.flushHeaders();
        await passOn(cut.body, response, count);
        // What was written must be on its way before the connection goes.
        await new Promise<void>((done) => response.write("", () => done()));
        request.socket.destroySoon();
        return;
      }
      case "short": {
        const cut = await cutAfter(reply, played.after);
        head(
          status,
          reply.statusMessage,
          replaced(headers, { "content-length": reply.headers["content-length"] === undefined ? undefined : String(cut.length) }),
        );
        await passOn(cut.body, response, count);
        break;
      }
      case "wrongRange": {
        const moved = dropFirst(reply);
        head(status, reply.statusMessage, replaced(headers, moved.headers));
        await passOn(moved.body, response, count);
        break;
      }
      case "wholeForRange": {
        const whole = wholeAround(reply);
        head(200, "OK", replaced(headers, whole.headers));
        await passOn(whole.body, response, count);
        break;
      }
      default:
        head(status, reply.statusMessage, headers);
        response.flushHeaders();
        await passOn(reply, response, count);
        if (!reply.complete) throw new Error("the service broke off");
    }
    await new Promise<void>((done) => response.end(done));
    // The service answered without asking for the body: what the client sends next on this connection would be taken for a request.
    if (!request.complete && request.headers.expect !== undefined) request.socket.destroySoon();
  }

  /** One connection to the service for each connection to the proxy, and both end together. */
  #agentOf(socket: Socket, service: URL): http.Agent {
    let agent = this.#agents.get(socket);
    if (agent !== undefined) return agent;
    agent = new (service.protocol === "https:" ? https : http).Agent({ keepAlive: true, maxSockets: 1 });
    // The agent's own rule closes idle connections by the service's hint; the client must find out as it would without a proxy: when the service closes.
    const end = (): void => socket.destroySoon();
    agent.keepSocketAlive = (upstream): boolean => {
      upstream.once("close", end);
      return true;
    };
    // In use, an end is an answer that breaks off; or the agent's choice (it keeps none after a HEAD without a length), of which the client must see nothing.
    const reuse = agent.reuseSocket.bind(agent);
    agent.reuseSocket = (upstream, request): void => {
      upstream.off("close", end);
      reuse(upstream, request);
    };
    this.#agents.set(socket, agent);
    return agent;
  }
}

async function drain(stream: AsyncIterable<Uint8Array>, count: (bytes: number) => void): Promise<void> {
  for await (const chunk of stream) count(chunk.length);
}

/** Raw headers with repeated ones together, names and order as they came. */
function grouped(raw: readonly string[]): Map<string, string[]> {
  const found = new Map<string, { readonly name: string; readonly values: string[] }>();
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? "";
    const known = found.get(name.toLowerCase());
    if (known === undefined) found.set(name.toLowerCase(), { name, values: [raw[i + 1] ?? ""] });
    else known.values.push(raw[i + 1] ?? "");
  }
  return new Map([...found.values()].map(({ name, values }) => [name, values]));
}

/** Raw headers with some replaced; undefined takes one away. */
function replaced(raw: readonly string[], changes: Readonly<Record<string, string | undefined>>): string[] {
  const result: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) if (!Object.hasOwn(changes, (raw[i] ?? "").toLowerCase())) result.push(raw[i] ?? "", raw[i + 1] ?? "");
  for (const [name, value] of Object.entries(changes)) if (value !== undefined) result.push(name, value);
  return result;
}
