/** What each address does. Source of each rule: the page of that name below https://www.sugarsync.com/dev/api/method/ unless said otherwise. */
import type { IncomingMessage } from "node:http";
import { bytesOf } from "../spill.ts";
import type { Chunk } from "../spill.ts";
import type { Account, Accounts } from "./accounts.ts";
import { readRequest } from "./markup.ts";
import type { Asked } from "./markup.ts";
import * as show from "./show.ts";
import { Refused } from "./tree.ts";
import type { Node } from "./tree.ts";

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | readonly Chunk[] | undefined;
}
export interface Service {
  readonly accounts: Accounts;
  readonly base: string;
}
export interface Question {
  readonly method: string;
  /** Decoded segments of the path. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  /** The whole body; rejects where the client broke off. */
  bytes(): Promise<readonly Chunk[]>;
}

export async function answer(service: Service, question: Question): Promise<Reply> {
  const { method, segments, request } = question;
  const [what = "", id = "", ...rest] = segments;
  if (what === "app-authorization" && id === "") return signIn(service, await asked(question, "POST", "appAuthorization"));
  if (what === "authorization" && id === "") return authorize(service, await asked(question, "POST", "tokenAuthRequest"));
  const account = service.accounts.of(request.headers.authorization);
  const shown = { base: service.base, account };
  if (what === "user") return userRoutes(shown, question, id, rest);
  if (what === "workspace") return ok(show.contents(shown, account.tree.children(null), paging(question)));
  const node = account.tree.find(localId(account, id));
  if (what !== "file" && what !== "folder") throw new Refused(404, "Resource not found");
  // CloudFusion's client: asked for as a file, a folder is 400.
  if (node.kind !== what) throw new Refused(400, "The resource is of another kind");
  if (what === "folder") return folderRoutes(shown, question, node, rest);
  if (method === "GET" && rest.length === 0) return ok(show.file(shown, node));
  if (method === "PUT" && rest.length === 0) return update(shown, question, node);
  if (method === "DELETE" && rest.length === 0) return gone(account, node);
  return fileRoutes(shown, question, node, rest);
}

const ok = (body: string): Reply => ({ status: 200, headers: { "content-type": "application/xml; charset=UTF-8" }, body });

function localId(account: Account, id: string): string {
  const [empty, sc, user, local = ""] = id.split(":");
  if (empty !== "" || sc !== "sc" || user !== account.userId) throw new Refused(404, "Resource not found");
  return local;
}

function signIn({ accounts, base }: Service, { fields }: Asked): Reply {
  return { status: 201, headers: { location: `${base}/app-authorization/${accounts.signIn(fields)}` } };
}

function authorize({ accounts, base }: Service, { fields }: Asked): Reply {
  const { token, account, endMs } = accounts.access(fields);
  return {
    status: 201,
    headers: { location: `${base}/authorization/${token}`, "content-type": "application/xml; charset=UTF-8" },
    body: show.authorization(base, account, endMs),
  };
}

async function userRoutes(shown: show.Shown, question: Question, id: string, [list = "", contents = ""]: readonly string[]): Promise<Reply> {
  const { method } = question;
  const { account } = shown;
  if (id !== "" && id !== account.userId) throw new Refused(404, "Resource not found");
  if (method === "GET" && list === "") return ok(show.user(shown));
  if (method === "GET" && list === "workspaces" && contents === "contents") return ok(show.workspaces(shown));
  if (list !== "folders") throw new Refused(404, "Resource not found");
  if (method === "GET" && contents === "contents") return ok(show.contents(shown, account.tree.children(null), paging(question)));
  if (contents !== "") throw new Refused(404, "Resource not found");
  // rclone, backend/sugarsync, CreateDir: only for clients that name this version, and the answer does not name what was made.
  if (question.request.headers["x-sugarsync-api-version"] !== "1.5") throw new Refused(400, "Unknown request");
  const { fields } = await asked(question, "POST", "syncFolder");
  account.tree.create("folder", nameIn(fields), null);
  return { status: 201 };
}

async function folderRoutes(shown: show.Shown, question: Question, node: Node, [contents = ""]: readonly string[]): Promise<Reply> {
  const { method, query } = question;
  const { tree } = shown.account;
  if (contents === "contents" && method === "GET") {
    const type = query.get("type");
    if (type !== null && type !== "file" && type !== "folder") throw new Refused(400, "type is file or folder");
    const order = query.get("order");
    if (order !== null && !["name", "last_modified", "size", "extension"].includes(order)) throw new Refused(400, "unknown order");
    return ok(
      show.contents(
        shown,
        tree.children(node).filter(({ kind }) => type === null || kind === type),
        paging(question),
      ),
    );
  }
  if (contents !== "") throw new Refused(404, "Resource not found");
  if (method === "GET") return ok(show.folder(shown, node));
  if (method === "DELETE") return gone(shown.account, node);
  if (method === "PUT") return update(shown, question, node);
  const { name, fields, attributes } = await asked(question, "POST", "folder", "file", "fileCopy");
  const made =
    name === "fileCopy"
      ? tree.copy(linked(shown, attributes["source"]), nameIn(fields), node)
      : tree.create(name as "folder" | "file", nameIn(fields), node, fields["mediaType"]);
  return { status: 201, headers: { location: show.linkOf(shown, made) } };
}

async function fileRoutes(shown: show.Shown, question: Question, node: Node, rest: readonly string[]): Promise<Reply> {
  const { method } = question;
  const [first = "", versionId = "", data = ""] = rest;
  const { tree } = shown.account;
  if (first === "data" && method === "PUT") {
    // "Chunked transfer encoding can be specified" where the length is not known: put-file-data.
    tree.mayGrow(Number(question.request.headers["content-length"] ?? 0));
    tree.addVersion(node, await question.bytes());
    return { status: 204 };
  }
  if (first === "data" && method === "GET") return dataOf(node.versions.at(-1), node, question);
  if (first === "version" && versionId === "" && method === "GET") return ok(show.versions(shown, node));
  const version = node.versions.find(({ id }) => id === versionId);
  if (first === "version" && data === "data" && method === "GET" && version !== undefined) return dataOf(version, node, question);
  throw new Refused(first === "data" || first === "version" ? 405 : 404, "Resource not found");
}

/** One range from the front; a suffix is not understood, so the whole file is sent. */
function dataOf(version: Node["versions"][number] | undefined, node: Node, { request }: Question): Reply {
  if (version === undefined) throw new Refused(404, "No data");
  const headers = { "content-type": node.mediaType === "" ? "application/octet-stream" : node.mediaType };
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  if (range === null) return { status: 200, headers: { ...headers, "content-length": String(version.size) }, body: version.bytes };
  const first = Number(range[1]);
  if (first >= version.size) throw new Refused(416, "Requested range not satisfiable");
  const last = range[2] === "" ? version.size - 1 : Math.min(Number(range[2]), version.size - 1);
  const whole = Buffer.concat(version.bytes.map(bytesOf));
  return {
    status: 206,
    headers: { ...headers, "content-length": String(last - first + 1), "content-range": `bytes ${first}-${last}/${version.size}` },
    body: [whole.subarray(first, last + 1)],
  };
}

/** The answer shows the resource, against what the page says (rclone: moveFile), and has no link to it. */
async function update(shown: show.Shown, question: Question, node: Node): Promise<Reply> {
  const { fields } = await asked(question, "PUT", node.kind);
  const { displayName, parent } = fields;
  const to = parent === undefined ? undefined : linked(shown, parent);
  shown.account.tree.update(node, displayName, to);
  return ok(node.kind === "file" ? show.file(shown, node) : show.folder(shown, node));
}

function gone({ tree }: Account, node: Node): Reply {
  tree.remove(node);
  return { status: 204 };
}

function linked({ base, account }: show.Shown, link: string | undefined): Node {
  const found = /^\/(?:file|folder)\/([^/]+)$/.exec((link ?? "").startsWith(base) ? (link as string).slice(base.length) : "");
  if (found === null) throw new Refused(400, "A link that leads nowhere");
  return account.tree.find(localId(account, decodeURIComponent(found[1] as string)));
}

function nameIn(fields: Readonly<Record<string, string>>): string {
  const name = fields["displayName"];
  if (name === undefined) throw new Refused(400, "displayName is missing");
  return name;
}

/** `max` is 500 where it is not given (get-folder-contents). */
function paging({ query }: Question): show.Paging {
  const start = Number(query.get("start") ?? 0);
  const max = Number(query.get("max") ?? 500);
  if (!Number.isSafeInteger(start) || start < 0 || !Number.isSafeInteger(max) || max < 1) throw new Refused(400, "start and max are numbers");
  return { start, max: Math.min(max, 500) };
}

async function asked(question: Question, method: string, ...names: readonly string[]): Promise<Asked> {
  if (question.method !== method) throw new Refused(405, "Method not allowed");
  const type = question.request.headers["content-type"] ?? "";
  if (!/^application\/xml(?:\s*;\s*charset="?utf-8"?)?$/i.test(type)) throw new Refused(415, "The content type must be application/xml in UTF-8");
  const found = readRequest(Buffer.concat((await question.bytes()).map(bytesOf)));
  if (found === undefined || !names.includes(found.name)) throw new Refused(400, "The request cannot be understood");
  return found;
}
