/** From a request to its answer: host, style, who asks, arguments, the lock, and what a test wants to go wrong. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { locking } from "./accounts.ts";
import type { Account, Accounts } from "./accounts.ts";
import { checkArguments } from "./arguments.ts";
import { Refusal, badCall } from "./errors.ts";
import { downloadable } from "./files.ts";
import { metadataOf } from "./metadata.ts";
import type { Json } from "./metadata.ts";
import { hostOf, routes } from "./routes.ts";
import type { Route } from "./routes.ts";
import { sendFile } from "./send-file.ts";
import { token } from "./tokens.ts";

export interface Logged {
  /** "files/upload", "oauth2/token" */
  readonly route: string;
  readonly args: Json;
  readonly bytes: number;
  readonly headers: IncomingMessage["headers"];
  /** As it was asked for, query and all. */
  readonly url: string;
  status: number;
}
export interface Match {
  readonly route?: string | undefined;
  readonly when?: (args: Json) => boolean;
  /** Default 1. */
  readonly times?: number;
}
export type Failure =
  /** Instead of an answer; with `done`, although all is done. */
  | { readonly status: number; readonly body?: string | Json; readonly headers?: Readonly<Record<string, string>>; readonly done?: true }
  /** Cut before anything is done, or when all is done and the answer is due. */
  | { readonly cut: "before" | "after" }
  /** All is done, and the answer is another one. */
  | { readonly instead: (result: Json) => Json };

export class Answers {
  readonly log: Logged[] = [];
  readonly defects: unknown[] = [];
  readonly #accounts: Accounts;
  #failures: { readonly match: Match; readonly failure: Failure; left: number }[] = [];

  constructor(accounts: Accounts) {
    this.#accounts = accounts;
  }

  fail(match: Match, failure: Failure): void {
    this.#failures.push({ match, failure, left: match.times ?? 1 });
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body: Buffer[] = [];
      for await (const chunk of request) body.push(chunk as Buffer);
      await this.#answer(request, body, response);
    } catch (error) {
      if (error instanceof Refusal) return send(response, error.status, error.body, error.headers);
      // A client that breaks off is part of the tests.
      if ((error as { code?: string }).code !== "ECONNRESET") this.defects.push(error);
      response.destroy();
    }
  }

  async #answer(request: IncomingMessage, body: readonly Buffer[], response: ServerResponse): Promise<void> {
    const [host, path, query] = placeOf(request);
    const name = path.replace(/^\/2\//, "").replace(/^\//, "");
    const entry: Logged = {
      route: name,
      args: {},
      bytes: body.reduce((sum, { byteLength }) => sum + byteLength, 0),
      headers: request.headers,
      url: request.url ?? "",
      status: 0,
    };
    this.log.push(entry);
    response.once("finish", () => (entry.status = response.statusCode));
    if (request.method !== "POST") throw badCall(name, "expected HTTP method POST");
    if (name === "oauth2/token") {
      const failure = this.#failing(name, {});
      if (failure !== undefined && "status" in failure) return refuse(response, failure);
      const form = new URLSearchParams(`${Buffer.concat(body).toString("utf8")}&${query}`);
      return send(response, 200, JSON.stringify(token(this.#accounts, form, request.headers.authorization)));
    }
    const route = routes[name];
    if (route === undefined || hostOf(route.style) !== host) throw badCall(name, "Unknown API function");
    const account = this.#accounts.bySecret(name, request.headers.authorization);
    const args = argumentsOf(name, route, request, body);
    (entry as { args: Json }).args = args;
    const failure = this.#failing(name, args);
    if (failure !== undefined && "status" in failure && failure.done !== true) return refuse(response, failure);
    if (failure !== undefined && "cut" in failure && failure.cut === "before") return void response.destroy();
    if (route.style === "download") return sendFile(request, response, downloadable(account.tree, args["path"] as string), metadataOf);
    const result = await this.#work(name, route, account, args, route.style === "upload" ? body : []);
    if (failure !== undefined && "cut" in failure) return void response.destroy();
    if (failure !== undefined && "status" in failure) return refuse(response, failure);
    send(response, 200, JSON.stringify(failure === undefined ? result : failure.instead(result)));
  }

  #work(route: string, { commits, answer }: Route, account: Account, args: Json, body: readonly Buffer[]): Json | Promise<Json> {
    const work = (): Json => answer({ account, route, args, body });
    return commits === true ? locking(account, work) : work();
  }

  #failing(route: string, args: Json): Failure | undefined {
    const found = this.#failures.find(({ match, left }) => left > 0 && (match.route ?? route) === route && match.when?.(args) !== false);
    if (found === undefined) return undefined;
    found.left -= 1;
    this.#failures = this.#failures.filter(({ left }) => left > 0);
    return found.failure;
  }
}

function refuse(response: ServerResponse, { status, body, headers }: Extract<Failure, { readonly status: number }>): void {
  send(response, status, textOf(body), headers);
}

function placeOf(request: IncomingMessage): [host: string, path: string, query: string] {
  const [path = "", query = ""] = (request.url ?? "").split("?");
  const [, named] = /^(api|content|notify)\.dropbox(?:api)?\.com/.exec(request.headers.host ?? "") ?? [];
  if (named !== undefined) return [named, path, query];
  const [, host = "", rest = ""] = /^\/(api|content|notify)(\/.*)$/.exec(path) ?? [];
  return [host, rest, query];
}

function argumentsOf(name: string, route: Route, request: IncomingMessage, body: readonly Buffer[]): Json {
  const type = request.headers["content-type"];
  let json: string;
  if (route.style === "rpc") {
    json = Buffer.concat(body).toString("utf8");
    if (json !== "" && !/^application\/json(?:; charset=utf-8)?$/.test(type ?? ""))
      throw badCall(name, `Bad HTTP "Content-Type" header: "${type ?? ""}". Expecting one of "application/json", "application/json; charset=utf-8"`);
  } else {
    if (route.style === "upload" && type !== "application/octet-stream") throw badCall(name, `Bad HTTP "Content-Type" header: "${type ?? ""}"`);
    if (route.style === "download" && body.length > 0) throw badCall(name, "request body: expected none");
    const header = request.headers["dropbox-api-arg"];
    // Node reads headers as Latin-1; what is not ASCII was not escaped as the API asks for ("HTTP header safe JSON").
    if (typeof header !== "string" || !/^[\x20-\x7e]*$/.test(header)) throw badCall(name, 'HTTP header "Dropbox-API-Arg": could not decode input as JSON');
    json = header;
  }
  if (route.shape === undefined) {
    if (json !== "" && json !== "null") throw badCall(name, "request body: expected null");
    return {};
  }
  let args: unknown;
  try {
    args = JSON.parse(json);
  } catch {
    throw badCall(name, "request body: could not decode input as JSON");
  }
  return checkArguments(name, args, route.shape);
}

function textOf(body: string | Json | undefined): string {
  return body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = { "content-type": "application/json" },
): void {
  response.writeHead(status, { "content-length": Buffer.byteLength(body), ...headers }).end(body);
}
