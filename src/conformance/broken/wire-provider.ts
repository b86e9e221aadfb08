/**
 * A provider for the tiny service of wire-service.ts, right in every way on the wire; and, with `bug`, wrong in exactly one.
 *
 *   createStore(wireProvider({ endpoint: place.route(service.url) }));
 *   createStore(wireProvider({ endpoint, bug: "M28" }));         // a body cut by the network is returned as complete
 *
 * Each bug is one branch on `bug`, next to the line that is right.
 */
import http from "node:http";
import { StoreError, bytesFrom, entry, errorFromResponse, rangeHeader, rebase } from "../../store/index.ts";
import type {
  ByteStream,
  Capabilities,
  Entry,
  EntryFields,
  ErrorCode,
  ListCall,
  Page,
  Provider,
  ProviderRead,
  ReadCall,
  StorePath,
  WriteCall,
} from "../../store/index.ts";
import { everything } from "../model/reference.ts";

export type WireBug =
  | "M27"
  | "M27b"
  | "M28"
  | "M29"
  | "M34"
  | "M59"
  | "M59b"
  | "M60"
  | "M60b"
  | "M60c"
  | "W01"
  | "W02"
  | "W03"
  | "W04"
  | "W05"
  | "W06"
  | "W07"
  | "W08"
  | "W09"
  | "W10"
  | "W11"
  | "W12"
  | "W13"
  | "W14"
  | "W15"
  | "W16"
  | "W18"
  | "W19"
  | "W24"
  | "W25"
  | "W26"
  | "W20"
  | "W21"
  | "W22"
  | "W23";

export interface WireProviderOptions {
  /** Read for every request, so that the service may begin with the store's `open`. */
  readonly endpoint: string;
  readonly bug?: WireBug | undefined;
}

/** Larger bodies, and those of unknown size, go up in parts of this size. */
export const partBytes: number = 64 * 1024;

export const wireCapabilities: Capabilities = {
  ...everything,
  readSuffix: "emulated",
  readIfMatch: "emulated",
  readIfNoneMatch: "emulated",
  writeModified: false,
  writeContentType: false,
  writeMetadata: false,
  listRecursive: "emulated",
  listIfNoneMatch: false,
  deleteRecursive: "native",
  hashes: [],
  writeExpect: [],
  listSorted: false,
  maxMetadataBytes: 0,
  sizeSteps: [partBytes],
  space: false,
  account: false,
};

interface Answer {
  readonly response: http.IncomingMessage;
  readonly entry: EntryFields | undefined;
}
interface Sent {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

export function wireProvider(given: WireProviderOptions): Provider & { readonly kind: "tiny" } {
  const { bug } = given;
  let agent = new http.Agent({ keepAlive: true });
  /** What an early close left behind on "the connection" (M29). */
  let rest: AsyncIterator<Uint8Array> | undefined;

  /* ---- one request */

  /** Resolves with an answer that says yes; a no is a StoreError. */
  async function send(method: string, target: string, { headers = {}, body, signal }: Sent = {}): Promise<Answer> {
    const response = await new Promise<http.IncomingMessage>((done, fail) => {
      // W08: the signal of the caller never reaches the request.
      const request = http.request(`${given.endpoint}${target}`, {
        method,
        agent,
        headers: { ...headers, "content-length": body?.length ?? 0 },
        ...(signal === undefined || bug === "W08" || bug === "W21" ? {} : { signal }),
      });
      request.once("error", fail);
      request.once("response", done);
      request.end(body);
    });
    const status = response.statusCode ?? 0;
    const told = response.headers["x-entry"];
    const fields = typeof told === "string" ? (JSON.parse(decodeURIComponent(told)) as EntryFields) : undefined;
    if (status < 300) return { response, entry: fields };
    response.resume();
    throw refusal(response, status, fields);
  }

  function refusal(response: http.IncomingMessage, status: number, fields: EntryFields | undefined): StoreError {
    const code = response.headers["x-error"];
    if (typeof code === "string")
      return new StoreError(code as ErrorCode, `the service says ${code}`, { status, entry: fields === undefined ? undefined : entry(fields) });
    if (bug === "M59b" && (status === 401 || status === 403)) return new StoreError("not-found", "nothing is there");
    const headers = new Headers();
    // W11: when to come back is forgotten.
    if (bug !== "W11") for (const [name, value] of Object.entries(response.headers)) if (typeof value === "string") headers.set(name, value);
    if (bug === "W19" && status === 503) return new StoreError("unavailable", "the service is not able to answer now", { status, applied: true });
    if (bug === "W24" && status === 502) return new StoreError("unavailable", "the service failed", { status, applied: false });
    return errorFromResponse({ status, headers });
  }

  /** For requests that may be sent twice: parts of an upload that is not complete, and giving one up. */
  async function insist(method: string, target: string, sent: Sent): Promise<Answer> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await send(method, target, sent);
      } catch (error) {
        const known = translate(error);
        if (sent.signal?.aborted === true || known?.transient !== true) throw error;
        // W15: for ever.
        if (tries >= 3 && bug !== "W15") throw error;
        if (bug === "W15") await new Promise((done) => setTimeout(done, 20));
      }
    }
  }

  /** The head is what counts; what is left of the answer must leave the connection. */
  function entryOf({ response, entry: fields }: Answer, path: StorePath): Entry {
    response.resume();
    return entry({ ...(fields as EntryFields), path });
  }
  /** W25: what a change is about is asked first, and a question that fails is said to leave the change open. */
  async function asked(path: StorePath, signal: AbortSignal | undefined): Promise<void> {
    if (bug === "W25") settle(await send("HEAD", file(path), { signal }));
  }
  const settle = ({ response }: Answer): void => void response.resume();
  const file = (path: StorePath): string => `/f${encodeURIComponent(path)}`;
  const options = (given: Readonly<Record<string, boolean>>): Readonly<Record<string, string>> => ({ "x-options": JSON.stringify(given) });

  /* ---- reading */

  async function read({ path, range, signal }: ReadCall): Promise<ProviderRead> {
    if (bug === "W16") settle(await send("HEAD", file(path), { signal }));
    // W20: the adaptor cuts the range out of the whole file.
    const header = bug === "W20" ? undefined : rangeHeader(range);
    const { response, entry: fields } = await send("GET", file(path), { headers: header === undefined ? {} : { range: header }, signal });
    const now = entry({ ...(fields as EntryFields), path });
    const first = /^bytes (\d+)-/.exec(response.headers["content-range"] ?? "")?.[1];
    let offset = first === undefined ? 0 : Number(first);
    // M27: the answer is taken for what was asked for, whatever it says. M27b: a 200 alone.
    if (range !== undefined && range.offset >= 0 && (bug === "M27" || (bug === "M27b" && response.statusCode === 200))) offset = range.offset;
    if (bug === "M28" || bug === "W12") return await tolerant(response, now, offset);
    if (bug === "M29") return { entry: now, offset, body: poisoned(response) };
    // W09: a body that is closed early stays open below.
    if (bug === "W09")
      return {
        entry: now,
        offset,
        body: (async function* () {
          for await (const chunk of { [Symbol.asyncIterator]: () => response.iterator({ destroyOnReturn: false }) } as AsyncIterable<Uint8Array>) yield chunk;
        })(),
      };
    // W21: what reads the body is not told that the caller gave up.
    if (bug === "W21") return { entry: now, offset, body: deaf(response) };
    return { entry: now, offset, body: response as AsyncIterable<Uint8Array> };
  }

  /** M28: what came is what there is. W12: what did not come is zeros. */
  async function tolerant(response: http.IncomingMessage, now: Entry, offset: number): Promise<ProviderRead> {
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of response as AsyncIterable<Uint8Array>) chunks.push(chunk);
    } catch {
      // the bug: the end is not looked at
    }
    const came = Buffer.concat(chunks);
    const length = Number(response.headers["content-length"] ?? came.length);
    if (bug === "W12") return { entry: now, offset, body: Buffer.concat([came, Buffer.alloc(Math.max(0, length - came.length))]) };
    return { entry: came.length < length ? { ...now, size: offset + came.length } : now, offset, body: came };
  }

  /** W21: neither the signal nor a close reaches the answer before its next piece. */
  function deaf(response: http.IncomingMessage): ReadableStream<Uint8Array> {
    const pieces = response.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
    const next = async (): Promise<Uint8Array | undefined> => {
      const piece = await pieces.next();
      return piece.done === true ? undefined : piece.value;
    };
    return new ReadableStream({
      async pull(controller) {
        const piece = await next();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
    });
  }

  /** M29: the next body begins with what the one before left on the connection. */
  async function* poisoned(response: http.IncomingMessage): AsyncGenerator<Uint8Array> {
    const own = (response as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    const before = rest;
    rest = own;
    if (before !== undefined) {
      const left = await before.next();
      if (left.done !== true) yield left.value;
    }
    for (let next = await own.next(); next.done !== true; next = await own.next()) yield next.value;
    rest = undefined;
  }

  async function list({ path, cursor, signal }: ListCall): Promise<Page> {
    const target = `/d${encodeURIComponent(path)}${cursor === undefined ? "" : `?cursor=${encodeURIComponent(JSON.stringify(cursor))}`}`;
    let text = "";
    try {
      const { response } = await (bug === "W22" ? insist : send)("GET", target, { signal });
      try {
        for await (const chunk of response as AsyncIterable<Uint8Array>) text += Buffer.from(chunk).toString("latin1");
      } catch (error) {
        if (bug !== "W02") throw error; // W02: a page that was cut is a page
      }
    } catch (error) {
      // M34: a page that fails is the end. W03: only one that is throttled.
      // W22: one that fails three times.
      if (
        cursor !== undefined &&
        (bug === "M34" ||
          (bug === "W22" && signal?.aborted !== true && translate(error)?.code === "unavailable") ||
          (bug === "W03" && translate(error)?.code === "rate-limited"))
      )
        return { entries: [] };
      throw error;
    }
    const lines = Buffer.from(text, "latin1").toString().split("\n");
    if (lines.at(-1) !== "" && bug !== "W02") throw new StoreError("unavailable", "the listing was cut");
    const values = lines.slice(0, -1).map((line) => JSON.parse(line) as EntryFields | { readonly end: true; readonly cursor?: unknown });
    const last = values.at(-1);
    const whole = last !== undefined && "end" in last;
    if (!whole && bug !== "W02") throw new StoreError("unavailable", "the listing was cut");
    const entries = values.filter((value) => !("end" in value)).map((value) => entry(value as EntryFields));
    return { entries, cursor: whole ? last.cursor : undefined };
  }

  /* ---- writing */

  function conditionsOf({ ifAbsent, ifMatch }: WriteCall): Readonly<Record<string, string>> {
    return ifAbsent ? { "if-none-match": "*" } : ifMatch === undefined ? {} : { "if-match": `"${ifMatch}"` };
  }

  async function write(call: WriteCall): Promise<Entry> {
    const { path, body, signal } = call;
    await using stream = body.open();
    if (body.size === null || body.size > partBytes) return await inParts(call, stream);
    const bytes = await stream.all();
    // M60: a create is sent again although the first one may have happened. W01: a write with an etag.
    const again = (bug === "M60" && call.ifAbsent) || (bug === "W01" && call.ifMatch !== undefined);
    return entryOf(await (again ? insist : send)("PUT", file(path), { headers: conditionsOf(call), body: bytes, signal }), path);
  }

  async function inParts(call: WriteCall, stream: ByteStream): Promise<Entry> {
    const { path, signal } = call;
    const begun = await send("POST", `${file(path)}?uploads`, { signal });
    const id = Buffer.from(await bytesFrom(begun.response as AsyncIterable<Uint8Array>).all()).toString();
    const upload = `${file(path)}?upload=${id}`;
    let parts = 0;
    const put = async (bytes: Uint8Array): Promise<void> => {
      parts += 1;
      try {
        settle(await insist("PUT", `${upload}&part=${parts}`, { body: bytes, signal }));
      } catch (error) {
        // W23: only one that failed three times.
        if ((bug !== "W06" && bug !== "W23") || signal?.aborted === true || (bug === "W23" && translate(error)?.transient !== true)) throw error;
        parts -= 1; // W06: a part that fails is left out
      }
    };
    try {
      let held: Uint8Array[] = [];
      let bytes = 0;
      for await (let chunk of stream) {
        while (bytes + chunk.length >= partBytes) {
          const need = partBytes - bytes;
          await put(Buffer.concat([...held, chunk.subarray(0, need)]));
          chunk = chunk.subarray(need);
          held = [];
          bytes = 0;
        }
        held.push(chunk.slice());
        bytes += chunk.length;
      }
      if (bytes > 0) await put(Buffer.concat(held));
      return entryOf(await send("POST", upload, { headers: conditionsOf(call), body: Buffer.from(String(parts)), signal }), path);
    } catch (error) {
      // Without the signal: giving up must be said also when the caller gave up. W05: it is not said.
      if (bug !== "W05" && !(bug === "W18" && signal?.aborted === true)) await insist("DELETE", upload, {}).then(settle, () => {});
      throw error;
    }
  }

  /* ---- errors */

  function translate(error: unknown): StoreError | undefined {
    if (StoreError.is(error)) return error;
    if (!(error instanceof Error) || !("code" in error)) return undefined;
    if (error.name === "AbortError") return undefined;
    // W13: nobody has thought of the network.
    if (bug === "W13") return undefined;
    if (bug === "M59") return new StoreError("not-found", "nothing is there", { cause: error });
    const before = error.code === "ECONNREFUSED" || error.code === "ENOTFOUND";
    // W10: a request whose answer was lost is said not to have happened.
    return new StoreError("unavailable", "the service cannot be reached", { cause: error, applied: before || bug === "W10" ? false : undefined });
  }

  return {
    kind: "tiny",
    capabilities: wireCapabilities,
    identity: () => given.endpoint,
    async stat({ path, signal }) {
      const answer = await send("HEAD", file(path), { signal });
      return entryOf(answer, path);
    },
    read,
    write,
    list,
    async delete({ path, recursive, ifMatch, signal }) {
      await asked(path, signal);
      const headers = { ...options({ recursive }), ...(ifMatch === undefined ? {} : { "if-match": `"${ifMatch}"` }) };
      try {
        settle(await send("DELETE", file(path), { headers, signal }));
      } catch (error) {
        // W26: what became of a tree is said to be known in part.
        if (bug === "W26" && recursive) throw translate(error)?.with({ applied: "partly" }) ?? error;
        // W04: a failure to delete is said to be a deletion.
        if (bug !== "W04" || signal?.aborted === true) throw error;
      }
    },
    async mkdir({ path, existOk, signal }) {
      // M60c: made, answer lost, made again: "it exists", as if nothing had been done.
      return entryOf(await (bug === "M60c" ? insist : send)("MKCOL", file(path), { headers: options({ existOk }), signal }), path);
    },
    async copy({ path, to, ifAbsent, signal }) {
      await asked(path, signal);
      return entryOf(await send("COPY", file(path), { headers: { ...options({ ifAbsent }), "x-to": encodeURIComponent(to) }, signal }), to);
    },
    async move({ path, to, ifAbsent, signal }) {
      const headers = { ...options({ ifAbsent }), "x-to": encodeURIComponent(to) };
      if (bug === "W14") return await moveByCopy(path, to, headers, signal);
      // M60b: moved, answer lost, moved again: "not found".
      return entryOf(await (bug === "M60b" ? insist : send)("MOVE", file(path), { headers, signal }), to);
    },
    async reconnect() {
      agent.destroy();
      agent = new http.Agent({ keepAlive: true });
    },
    async close() {
      // W07: the connections are forgotten.
      if (bug !== "W07") agent.destroy();
    },
    translate: (error) => (StoreError.is(error) ? undefined : translate(error)),
  };

  /** W14: copy, then delete, whatever became of the copy. */
  async function moveByCopy(path: StorePath, to: StorePath, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<Entry> {
    const copied = send("COPY", file(path), { headers, signal });
    await copied.catch(() => {});
    settle(await send("DELETE", file(path), { headers: options({ recursive: true }), signal }));
    return entryOf(await copied, rebase(path, path, to));
  }
}
