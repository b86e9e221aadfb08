/**
 * One request through the package, over a fetch of ours.
 *
 * What is added: the limit on silence, the pause of the account, one renewal of the token, and the bytes of a download before the package reads them all
 * into memory. What the package takes for an answer although it is none (a cut document is handed on as text) is an error here.
 */
import type { Watchdog } from "../../store/index.ts";
import { StoreError, watchdog } from "../../store/index.ts";
import { ApiError, asksToWait, refusalOf } from "./errors.ts";
import type { Session } from "./session.ts";
import { ROUTES } from "./sdk.ts";
import type { RouteName, SdkAnswer, SdkClient, SdkFetch, SdkRequest, SdkResponse } from "./sdk.ts";

export interface Question {
  readonly route: RouteName;
  readonly args: unknown;
  readonly signal: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How long it may be silent. Default: `timeoutMs`. */
  readonly quietMs?: number | undefined;
}
export interface Said {
  readonly status: number;
  readonly headers: Headers;
  readonly result: unknown;
  /** The bytes of a download, with the watch over them. */
  readonly download: Download | undefined;
}
export interface Download {
  readonly response: Response;
  readonly dog: Watchdog;
}

/** Up to this size a copy costs less than a stream. */
const COPIED_BYTES = 1 << 20;
const CHUNK_BYTES = 256 << 10;
/** Refused tokens: 401 with these, or with none where somebody between us and the service says it. */
const NOT_THE_TOKEN: ReadonlySet<string> = new Set(["missing_scope", "route_access_denied", "invalid_select_user", "invalid_select_admin"]);

/** @throws ApiError for a refusal, StoreError for what it means for the account, and whatever fetch throws */
export async function ask(session: Session, question: Question): Promise<Said> {
  for (let token = await session.tokens.current(question.signal), renewed = false; ; renewed = true) {
    await session.lane.pass(session.settings.maxWaitMs, question.signal);
    try {
      return await once(session, question, token);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (asksToWait(error)) session.lane.pause(refusalOf(error).retryAfterMs ?? 0);
      if (error.status !== 401 || NOT_THE_TOKEN.has(error.tag)) throw error;
      // Refused before anything was done, and every body is in memory: it may be sent again.
      const another = renewed ? undefined : await session.tokens.instead(token, question.signal);
      if (another === undefined) throw session.tokens.refuse(error);
      token = another;
    }
  }
}

async function once(session: Session, { route, args, signal, headers = {}, quietMs }: Question, token: string): Promise<Said> {
  const { settings } = session;
  const dog = watchdog(settings.clock, quietMs ?? settings.timeoutMs, signal);
  // Hanging up on a change undoes nothing, and what is on its way may land on top of the caller's next call.
  if (ROUTES[route] === "commit") dog.linger();
  const sending = { over: false };
  let response: Response | undefined;
  const through: SdkFetch = async (url, init) => {
    response = await settings.fetch(url, { method: init.method, ...sendable(init, sending), redirect: "manual", signal: dog.signal });
    dog.touch();
    // The package would read all of a file into memory.
    return route === "filesDownload" && response.ok ? withoutBody(response) : response;
  };
  try {
    if (dog.signal.aborted) throw dog.signal.reason;
    const client = clientOf(session, token, through);
    const said: SdkResponse = await client[route](args, { signal: dog.signal, extraHeaders: headers });
    if (route === "filesDownload") return { ...said, download: { response: response as Response, dog } };
    dog.stop();
    // A document that does not end is given as the text it is.
    if (typeof said.result !== "object") throw new StoreError("unavailable", "the service's answer broke off, or is not the service's");
    return { status: said.status, headers: said.headers, result: said.result, download: undefined };
  } catch (error) {
    dog.stop();
    // Nobody reads the rest.
    if (response?.body !== null && response?.bodyUsed === false) void response.body.cancel().catch(() => {});
    if (dog.signal.aborted) throw dog.signal.reason;
    throw apiError(error) ?? error;
  } finally {
    sending.over = true;
  }
}

/** A client with a fetch for one request. The package puts two hundred and fifty routes into each that it makes, so one is made for a token and inherited from. */
function clientOf(session: Session, token: string, fetch: SdkFetch): SdkClient {
  const { sdk, settings } = session;
  if (session.client?.token !== token) {
    const pathRoot = settings.namespace === undefined ? {} : { pathRoot: JSON.stringify({ ".tag": "namespace_id", namespace_id: settings.namespace }) };
    // It compares the route with a form that never occurs; each hash is computed and sent here.
    const client = new sdk.Dropbox({ auth: new sdk.DropboxAuth({ accessToken: token, fetch }), fetch, autoContentHash: false, ...pathRoot });
    session.client = { token, client };
  }
  return Object.create(session.client.client, { fetch: { value: fetch } }) as SdkClient;
}

interface Sendable {
  readonly body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly duplex?: "half";
}

/** As fetch takes it. It copies bytes that it is given, so a piece goes as a stream over its memory, with its length, and is not read any more when `over`. */
function sendable({ body = null, headers }: SdkRequest, sending: { readonly over: boolean }): Sendable {
  if (!(body instanceof Uint8Array) || body.byteLength <= COPIED_BYTES) return { body: body as Sendable["body"], headers };
  let at = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (sending.over) return controller.error(new Error("the request has ended"));
        controller.enqueue(body.subarray(at, at + CHUNK_BYTES));
        at += CHUNK_BYTES;
        if (at >= body.byteLength) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return { body: stream, headers: { ...headers, "Content-Length": String(body.byteLength) }, duplex: "half" };
}

/** The head of a download for the package. @throws StoreError where what it says of the file is missing, which the package takes for a file of its own */
function withoutBody(response: Response): SdkAnswer {
  const told = response.headers.get("dropbox-api-result");
  let file: unknown;
  try {
    file = JSON.parse(told ?? "null");
  } catch {
    file = null; // Said below.
  }
  if (typeof file !== "object" || file === null)
    throw new StoreError("unavailable", "the service sends bytes and does not say of which file", { applied: false });
  // A Response of its own for each would be a tenth of the CPU of a small read.
  const { status, headers } = response;
  return { ok: true, status, headers, text: async () => "", arrayBuffer: async () => new ArrayBuffer(0), blob: async () => new Blob([]) };
}

/** What the package throws for every answer that is not a success. */
function apiError(error: unknown): ApiError | undefined {
  const { name, status, headers, error: body } = (error ?? {}) as { name?: unknown; status?: unknown; headers?: unknown; error?: unknown };
  return name === "DropboxResponseError" && typeof status === "number" && isHeaders(headers) ? new ApiError(status, headers, body) : undefined;
}

/** Also those of a fetch that is not Node's own, as undici's for a proxy. */
function isHeaders(value: unknown): value is Headers {
  return typeof (value as Partial<Headers> | null)?.get === "function";
}
