/**
 * The three ways of uploading (developers.google.com/workspace/drive/api/guides/manage-uploads): media, multipart and resumable.
 *
 * A resumable session takes chunks of multiples of 256 KiB but for the last, says 308 with `Range` for what it has, keeps what came of a chunk that was
 * cut off, and is 404 when it is over or was never there.
 */
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Gathering, contentOf } from "./content.ts";
import { Refusal, badRequest, notFound } from "./errors.ts";
import { planCreate, planUpdate } from "./files.ts";
import type { Params, Planned } from "./files.ts";
import type { Body } from "./resource.ts";
import type { File, State } from "./state.ts";

const GRAIN = 256 << 10;
const LIFETIME_MS = 7 * 86_400_000;

interface Session {
  readonly planned: Planned;
  readonly type: string | undefined;
  /** Of X-Upload-Content-Length. */
  readonly announced: number | undefined;
  readonly startedMs: number;
  readonly params: Params;
  readonly gathering: Gathering;
  done: File | undefined;
}

export interface Said {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The file, shown with the `fields` of these parameters. */
  readonly file?: File;
  readonly params?: Params;
}

export class Uploads {
  readonly #sessions = new Map<string, Session>();
  readonly #state: State;

  constructor(state: State) {
    this.#state = state;
  }

  /** Sessions that were begun and neither finished nor given up. */
  get open(): number {
    let open = 0;
    for (const { done } of this.#sessions.values()) if (done === undefined) open++;
    return open;
  }

  /** Bytes that lie in sessions which were neither finished nor given up. */
  get heldBytes(): number {
    let bytes = 0;
    for (const { done, gathering } of this.#sessions.values()) if (done === undefined) bytes += gathering.size;
    return bytes;
  }

  /** Ends all sessions, as a week does. */
  forget(): void {
    this.#sessions.clear();
  }

  async take(request: IncomingMessage, params: Params, id: string | undefined, origin: string): Promise<Said> {
    const method = request.method ?? "";
    const upload = params.get("upload_id");
    if (upload !== undefined) return this.#resume(request, upload);
    const plan = (body: Body): Planned => (id === undefined ? planCreate(this.#state, params, body) : planUpdate(this.#state, params, id, body));
    if (method !== (id === undefined ? "POST" : "PATCH")) throw new Refusal(404, "notFound", "Not Found");
    switch (params.get("uploadType")) {
      case "media": {
        const bytes = await all(request);
        return { status: 200, file: plan({}).commit(contentOf(bytes), request.headers["content-type"]), params };
      }
      case "multipart": {
        const { body, bytes, type } = parts(await all(request), request.headers["content-type"] ?? "");
        return { status: 200, file: plan(body).commit(contentOf(bytes), type), params };
      }
      case "resumable": {
        const text = (await all(request)).toString("utf8");
        const announced = request.headers["x-upload-content-length"];
        const planned = plan(text === "" ? {} : json(text));
        const uploadId = randomBytes(30).toString("base64url");
        this.#sessions.set(uploadId, {
          planned,
          type: one(request.headers["x-upload-content-type"]),
          announced: announced === undefined ? undefined : Number(announced),
          startedMs: this.#state.options.now(),
          params,
          gathering: new Gathering(),
          done: undefined,
        });
        const kept = [...params].filter(([name]) => name !== "upload_id").map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
        const path = `/upload/drive/v3/files${id === undefined ? "" : `/${id}`}`;
        return { status: 200, headers: { location: `${origin}${path}?${[...kept, `upload_id=${uploadId}`].join("&")}`, "x-guploader-uploadid": uploadId } };
      }
      default:
        throw new Refusal(400, "badContent", "Unsupported upload type.");
    }
  }

  async #resume(request: IncomingMessage, uploadId: string): Promise<Said> {
    const session = this.#sessions.get(uploadId);
    if (session === undefined || session.startedMs + LIFETIME_MS < this.#state.options.now()) {
      await all(request);
      throw notFound(uploadId);
    }
    // Giving a session up is answered with 499 (cloud.google.com/storage/docs/performing-resumable-uploads#cancel-upload).
    if (request.method === "DELETE") {
      this.#sessions.delete(uploadId);
      return { status: 499 };
    }
    // PUT, as the guide says; rclone sends POST, and the service takes it.
    if (request.method !== "PUT" && request.method !== "POST") throw new Refusal(404, "notFound", "Not Found");
    const range = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(request.headers["content-range"] ?? "");
    if (request.headers["content-range"] !== undefined && range === null) throw badRequest("Failed to parse Content-Range header.");
    if (session.done !== undefined) {
      await all(request);
      return { status: 200, file: session.done, params: session.params };
    }
    const [, first, last, total] = range ?? [];
    const size = total === undefined || total === "*" ? undefined : Number(total);
    if (range !== null && first === undefined) {
      await all(request);
      // Of an empty file the question is the upload itself.
      return size !== undefined && size === session.gathering.size ? this.#finish(session) : this.#incomplete(session);
    }
    const from = Number(first ?? 0);
    if (from !== session.gathering.size) {
      await all(request);
      throw badRequest(`Invalid request. The next byte is ${session.gathering.size}.`);
    }
    const length = last === undefined ? undefined : Number(last) - from + 1;
    const final = range === null || (size !== undefined && Number(last) + 1 === size);
    if (size !== undefined && session.announced !== undefined && size !== session.announced) throw badRequest("The size differs from X-Upload-Content-Length.");
    if (!final && (length ?? 0) % GRAIN !== 0) {
      await all(request);
      throw badRequest("Invalid request. The number of bytes uploaded is required to be equal or greater than 262144, except for the final request.");
    }
    await this.#receive(request, session, length, final);
    return final ? this.#finish(session) : this.#incomplete(session);
  }

  /** What came before a cut is kept down to the last 256 KiB. */
  async #receive(request: IncomingMessage, session: Session, length: number | undefined, _final: boolean): Promise<void> {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        pieces.push(chunk);
        bytes += chunk.byteLength;
      }
    } catch (error) {
      keep(session, pieces, Math.floor(bytes / GRAIN) * GRAIN);
      throw error;
    }
    if (length !== undefined && bytes !== length) throw badRequest("The body differs from its Content-Range.");
    keep(session, pieces, bytes);
  }

  #finish(session: Session): Said {
    session.done = session.planned.commit(session.gathering.content(), session.type);
    return { status: 200, file: session.done, params: session.params };
  }

  #incomplete({ gathering: { size } }: Session): Said {
    return { status: 308, headers: size === 0 ? {} : { range: `bytes=0-${size - 1}` } };
  }
}

function keep(session: Session, pieces: readonly Uint8Array[], most: number): void {
  let left = most;
  for (const piece of pieces) {
    if (left <= 0) return;
    session.gathering.add(piece.subarray(0, left));
    left -= piece.byteLength;
  }
}

const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);

export async function all(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function json(text: string): Body {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Body;
  } catch {
    // Said below.
  }
  throw new Refusal(400, "parseError", "Parse Error");
}

/** Exactly two parts: metadata as JSON, then the bytes (RFC 2387). */
function parts(whole: Buffer, contentType: string): { readonly body: Body; readonly bytes: Buffer; readonly type: string | undefined } {
  const boundary = /^multipart\/related;(?:.*;)?\s*boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (boundary === undefined) throw new Refusal(400, "badContent", "Unsupported content with type: " + contentType);
  const found: Buffer[] = [];
  const mark = Buffer.from(`--${boundary}`);
  let at = whole.indexOf(mark);
  if (at !== 0 && whole.subarray(0, at).toString() !== "\r\n") throw badRequest("Malformed multipart body.");
  for (;;) {
    const start = at + mark.length;
    if (whole.subarray(start, start + 2).toString() === "--") break;
    const end = whole.indexOf(Buffer.concat([Buffer.from("\r\n"), mark]), start);
    if (end < 0) throw badRequest("Malformed multipart body.");
    found.push(whole.subarray(start + 2, end));
    at = end + 2;
  }
  if (found.length !== 2) throw badRequest("A multipart upload has two parts.");
  const [first, second] = found.map((part) => {
    // An empty head leaves only the blank line.
    const end = part.indexOf("\r\n\r\n");
    return { head: part.subarray(0, end).toString("latin1"), rest: part.subarray(end + 4) };
  }) as [{ head: string; rest: Buffer }, { head: string; rest: Buffer }];
  if (!/content-type:\s*application\/json/i.test(first.head)) throw badRequest("The first part is the metadata.");
  return { body: json(first.rest.toString("utf8")), bytes: Buffer.from(second.rest), type: /content-type:\s*([^\r\n]+)/i.exec(second.head)?.[1] };
}
