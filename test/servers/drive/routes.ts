/** Which request goes where, who may ask, and how answers are written. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { part } from "./content.ts";
import type { Content } from "./content.ts";
import { Refusal, badRequest, forbidden, notFound, unauthorized } from "./errors.ts";
import { masked } from "./fields.ts";
import { EXPORTS, about, allDrives, changes, copy, generateIds, list, planCreate, planUpdate, remove } from "./files.ts";
import type { Params } from "./files.ts";
import type { Asked, Failure } from "./index.ts";
import type { OAuth } from "./oauth.ts";
import { KNOWN, show } from "./resource.ts";
import { isGoogle } from "./state.ts";
import type { File, State } from "./state.ts";
import { all, json } from "./uploads.ts";
import type { Uploads } from "./uploads.ts";

interface Passage {
  readonly state: State;
  readonly oauth: OAuth;
  readonly uploads: Uploads;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly asked: Asked;
  readonly origin: string;
  readonly failure: Failure | undefined;
}

const FILES = /^\/drive\/v3\/files(?:\/([^/]+)(?:\/(copy|export|revisions)(?:\/([^/]+))?)?)?$/;
const UPLOAD = /^\/upload\/drive\/v3\/files(?:\/([^/]+))?$/;
/** What an answer says of a file unless asked otherwise. */
const USUAL = "kind,id,name,mimeType";

export async function route(passage: Passage): Promise<void> {
  const { response, request, failure } = passage;
  try {
    if (failure !== undefined) {
      await all(request);
      throw new Refusal(failure.status, failure.reason, failure.message ?? failure.reason, { headers: failure.headers ?? {} });
    }
    await inside(passage);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // What is refused is read to its end all the same, so that the connection can be used again.
    if (!request.complete) request.resume();
    if (error.status === 304) return void response.writeHead(304).end();
    send(response, error.status, { "content-type": "application/json; charset=UTF-8", ...error.headers }, error.body());
  }
}

async function inside(passage: Passage): Promise<void> {
  const { state, oauth, uploads, request, response, asked, origin } = passage;
  const { method, path, query } = asked;
  if (path === "/token" && method === "POST") {
    const host = request.headers.host ?? "";
    const audience = host.endsWith("googleapis.com") ? "https://oauth2.googleapis.com/token" : `${origin}/token`;
    const { status, body } = oauth.answer(new URLSearchParams((await all(request)).toString("utf8")), audience);
    return send(response, status, { "content-type": "application/json; charset=utf-8" }, JSON.stringify(body));
  }
  if (!oauth.knows(request.headers.authorization)) {
    await all(request);
    throw unauthorized();
  }
  const upload = UPLOAD.exec(path);
  if (upload !== null) {
    const said = await uploads.take(request, query, upload[1], origin);
    if (said.file !== undefined) return answer(passage, show(state, said.file), said.params ?? query, USUAL);
    return send(response, said.status, { ...said.headers }, "");
  }
  const files = FILES.exec(path);
  if (files !== null) return onFiles(passage, files[1] === undefined ? undefined : decodeURIComponent(files[1]), files[2], files[3]);
  const key = `${method} ${path}`;
  if (key === "GET /drive/v3/about") return answer(passage, about(state, query), query, "*");
  if (key === "GET /drive/v3/changes/startPageToken")
    return answer(passage, { kind: "drive#startPageToken", startPageToken: String(state.changes.length + 1) }, query, "*");
  if (key === "GET /drive/v3/changes") return answer(passage, changes(state, query), query, "*");
  if (key === "GET /drive/v3/drives")
    return answer(passage, { drives: [...state.drives].map(([id, name]) => ({ kind: "drive#drive", id, name })) }, query, "*");
  const drive = /^\/drive\/v3\/drives\/([^/]+)$/.exec(path)?.[1];
  if (drive !== undefined && method === "GET") {
    const name = state.drives.get(drive);
    if (name === undefined) throw notFound(drive);
    return answer(passage, { kind: "drive#drive", id: drive, name }, query, "*");
  }
  await all(request);
  throw new Refusal(404, "notFound", "Not Found");
}

async function onFiles(passage: Passage, id: string | undefined, action: string | undefined, more: string | undefined): Promise<void> {
  const { state, request, response, asked } = passage;
  const { method, query } = asked;
  const body = ["POST", "PATCH", "PUT"].includes(method) ? (await all(request)).toString("utf8") : "";
  const shown = (file: File): void => answer(passage, show(state, file), query, USUAL);
  const given = (): ReturnType<typeof json> => (body === "" ? {} : json(body));
  if (id === undefined) {
    if (method === "GET") return answer(passage, list(state, query), query, `kind,incompleteSearch,nextPageToken,files(${USUAL})`);
    if (method === "POST") return shown(planCreate(state, query, given()).commit(undefined, undefined));
  } else if (id === "generateIds" && method === "GET") return answer(passage, generateIds(state, query), query, "*");
  else if (id === "trash" && method === "DELETE") {
    for (const file of state.files.values()) if (file.explicitlyTrashed) state.remove(file.id);
    return send(response, 204, {}, "");
  } else if (action === undefined) {
    if (method === "GET") return query.get("alt") === "media" ? media(passage, state.get(id, allDrives(query))) : shown(state.get(id, allDrives(query)));
    if (method === "PATCH") return shown(planUpdate(state, query, id, given()).commit(undefined, undefined));
    if (method === "DELETE") {
      remove(state, query, id);
      return send(response, 204, {}, "");
    }
  } else if (action === "copy" && method === "POST") return shown(copy(state, query, id, given()));
  else if (action === "export" && method === "GET") return exported(passage, state.get(id, true));
  else if (action === "revisions" && method === "GET") {
    const file = state.get(id, true);
    const revisions = state.revisions.get(file.id) ?? new Map<string, Content>();
    if (more === undefined) return answer(passage, { revisions: [...revisions.keys()].map((one) => ({ id: one })) }, query, "*");
    const content = revisions.get(more);
    if (content === undefined) throw new Refusal(404, "notFound", `Revision not found: ${more}.`, { parameter: "revisionId" });
    if (query.get("alt") === "media") return bytes(passage, content, file.mimeType);
    return answer(passage, { kind: "drive#revision", id: more, size: String(content.size), md5Checksum: content.md5Checksum }, query, "*");
  }
  throw new Refusal(404, "notFound", "Not Found");
}

function media(passage: Passage, file: File): void {
  if (file.content === undefined || isGoogle(file.mimeType))
    throw forbidden("fileNotDownloadable", "Only files with binary content can be directly downloaded. Use Export with Docs Editors files.");
  bytes(passage, file.content, file.mimeType);
}

function exported(passage: Passage, file: File): void {
  const wanted = passage.asked.query.get("mimeType");
  if (wanted === undefined) throw new Refusal(400, "required", "Required parameter: mimeType", { parameter: "mimeType" });
  const can = EXPORTS[file.mimeType];
  if (can === undefined) throw forbidden("fileNotExportable", "Export only supports Docs Editors files.");
  if (!can.includes(wanted)) throw badRequest("The requested conversion is not supported.");
  const text = Buffer.from(`${file.name} as ${wanted}\n`);
  // No length is told: it is made while it is sent.
  const { response } = passage;
  response.writeHead(200, { "content-type": wanted });
  response.write(text.subarray(0, 3));
  response.end(text.subarray(3));
}

function bytes({ asked, response }: Passage, content: Content, type: string): void {
  const header = asked.headers.range;
  const range = header === undefined ? null : /^bytes=(\d*)-(\d*)$/.exec(header);
  const { size } = content;
  let first = 0;
  let last = size - 1;
  if (range !== null && (range[1] !== "" || range[2] !== "")) {
    if (range[1] === "") first = Math.max(0, size - Number(range[2]));
    else {
      first = Number(range[1]);
      if (range[2] !== "") last = Math.min(last, Number(range[2]));
    }
    if (first >= size || last < first)
      throw new Refusal(416, "requestedRangeNotSatisfiable", "Request range not satisfiable", {
        parameter: "Range",
        headers: { "content-range": `bytes */${size}` },
      });
  }
  const partly = range !== null;
  response.writeHead(partly ? 206 : 200, {
    "content-type": type,
    "content-length": last - first + 1,
    "accept-ranges": "bytes",
    ...(partly ? { "content-range": `bytes ${first}-${last}/${size}` } : {}),
  });
  const pieces = part(content, first, last);
  const more = (): void => {
    for (let next = pieces.next(); next.done !== true; next = pieces.next()) if (!response.write(next.value)) return void response.once("drain", more);
    response.end();
  };
  more();
}

function answer({ response, asked }: Passage, value: object, params: Params, usual: string): void {
  // An empty one is none: rclone sends it.
  const fields = params.get("fields") || usual;
  const text = JSON.stringify(masked(value, fields, KNOWN));
  send(response, 200, { "content-type": "application/json; charset=UTF-8" }, asked.method === "HEAD" ? "" : text);
}

function send(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>, text: string): void {
  response.writeHead(status, { ...headers, ...(status === 204 ? {} : { "content-length": Buffer.byteLength(text) }) });
  response.end(status === 204 ? undefined : text);
}
