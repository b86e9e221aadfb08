/** upload and upload sessions: pieces in order, the offset is checked, a session that is finished or closed takes no more (API reference, upload_session). Those whose pieces come in any order are in concurrent.ts. */
import type { Account } from "./accounts.ts";
import { commit } from "./commit.ts";
import { addConcurrent, assembled, startConcurrent } from "./concurrent.ts";
import { contentHash } from "./content-hash.ts";
import { Refusal, refused, union } from "./errors.ts";
import { metadataOf } from "./metadata.ts";
import type { Json } from "./metadata.ts";
import type { Asked } from "./routes.ts";
import { spilled } from "../spill.ts";
import type { UploadSession } from "./tree.ts";

/** "Do not use this to upload a file larger than 150 MiB"; the same holds for one piece. */
export const LARGEST_CALL = 150 * 1024 * 1024;
interface Cursor {
  readonly session_id: string;
  readonly offset: number;
}

const sizeOf = (chunks: readonly { readonly byteLength: number }[]): number => chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);

function checked({ body, args }: Asked): void {
  if (sizeOf(body) > LARGEST_CALL) throw refused("payload_too_large");
  const announced = args["content_hash"];
  if (announced !== undefined && announced !== contentHash(body)) throw refused("content_hash_mismatch");
}

export function upload(asked: Asked): Json {
  checked(asked);
  const { content_hash: _, ...info } = asked.args;
  return metadataOf(commit(asked.account, info, asked.body));
}

export function start(asked: Asked): Json {
  checked(asked);
  if (isConcurrent(asked.args)) return { session_id: startConcurrent(asked).id };
  const session = asked.account.tree.openSession(false);
  add(session, asked.body);
  session.closed = asked.args["close"] === true;
  return { session_id: session.id };
}

export function append(asked: Asked): Json {
  const session = find(asked.account, asked.args["cursor"] as Cursor, "", true);
  checked(asked);
  if (session.concurrent !== undefined) addConcurrent(session, (asked.args["cursor"] as Cursor).offset, asked.body, asked.args["close"] === true);
  else add(session, asked.body);
  session.closed = asked.args["close"] === true;
  // No result: the answer is `null`.
  return null as unknown as Json;
}

export function finish(asked: Asked): Json {
  const { account, args, body } = asked;
  const session = find(account, args["cursor"] as Cursor, "lookup_failed", body.length > 0);
  checked(asked);
  const chunks = session.concurrent === undefined ? [...session.chunks, ...body] : assembled(session, (args["cursor"] as Cursor).offset, body);
  const node = commit(account, args["commit"] as Json, chunks, session.id);
  account.tree.sessions.delete(session.id);
  return metadataOf(node);
}

/** All in one hold of the lock; each has a result of its own. Sessions must have been closed. */
export function finishBatch({ account, args }: Asked): Json {
  const entries = (args["entries"] as readonly { readonly cursor: Cursor; readonly commit: Json }[]).map((entry): Json => {
    try {
      const session = find(account, entry.cursor, "lookup_failed", false);
      if (!session.closed) throw refused("lookup_failed/not_closed");
      const chunks = session.concurrent === undefined ? session.chunks : assembled(session, entry.cursor.offset, []);
      const node = commit(account, entry.commit, chunks, session.id);
      account.tree.sessions.delete(session.id);
      return { ".tag": "success", ...metadataOf(node) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { ".tag": "failure", failure: inBatch((JSON.parse(error.body) as { readonly error: Json }).error) };
    }
  });
  return { entries };
}

/** In UploadSessionFinishError the write error is a plain union under `path`, without the reason of `upload`. */
function inBatch(error: Json): Json {
  return error[".tag"] === "path" ? { ".tag": "path", path: error["reason"] } : error;
}

export function finishBatchCheck(): Json {
  throw refused("invalid_async_job_id");
}

function isConcurrent({ session_type: type }: Json): boolean {
  return type === "concurrent" || (type as { readonly ".tag"?: unknown } | undefined)?.[".tag"] === "concurrent";
}

function add(session: UploadSession, body: readonly Uint8Array[]): void {
  session.chunks.push(...spilled(body));
  session.size += sizeOf(body);
}

function find({ tree }: Account, { session_id, offset }: Cursor, at: string, adds: boolean): UploadSession {
  const fail = (tag: string, fields: Json = {}): Refusal => {
    const lookup = union(tag, fields);
    return at === "" ? refused(tag, lookup) : refused(`${at}/${tag}`, { ".tag": at, [at]: lookup });
  };
  const session = tree.sessions.get(session_id);
  if (session === undefined) throw fail("not_found");
  // One whose pieces come in any order is closed when it is finished, and looks at the rest by itself.
  if (session.closed && adds && (session.concurrent === undefined || at === "")) throw fail("closed");
  if (session.concurrent !== undefined) return session;
  if (session.size !== offset) throw fail("incorrect_offset", { correct_offset: session.size });
  return session;
}
