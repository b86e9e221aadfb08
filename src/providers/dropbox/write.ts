/** Writing: one request for what fits into a piece, an upload session for the rest. Nothing is visible before the last request. */
import { StoreError } from "../../store/index.ts";
import type { Entry, WriteCall } from "../../store/index.ts";
import type { Said } from "./ask.ts";
import { fileEntry, fileIn, stampOf } from "./entries.ts";
import type { FileMetadata } from "./entries.ts";
import { ApiError, isRefusal, outcomeUnknown, refusalOf } from "./errors.ts";
import { metadataAt } from "./look.ts";
import { sendParallel } from "./parallel-pieces.ts";
import { Pieces } from "./pieces.ts";
import type { Piece } from "./pieces.ts";
import { makeRoom } from "./room.ts";
import type { Session } from "./session.ts";
import { sendPieces } from "./upload-session.ts";
import type { Cursor } from "./upload-session.ts";
import { takeBack } from "./take-back.ts";

/** What a rev looks like; anything else is the etag of no file here. */
export const REV: RegExp = /^[0-9a-f]{9,}$/;

export interface CommitInfo {
  readonly path: string;
  readonly mode: { readonly ".tag": "add" | "overwrite" } | { readonly ".tag": "update"; readonly update: string };
  readonly autorename: boolean;
  readonly strict_conflict: boolean;
  readonly client_modified: string;
}

export async function write(session: Session, call: WriteCall): Promise<Entry> {
  const { path, body, ifMatch, signal } = call;
  const native = session.names.native(path);
  if (ifMatch !== undefined && !REV.test(ifMatch)) throw lost(call);
  await session.needRoot(signal);
  const stream = body.open();
  try {
    const pieces = new Pieces(stream, session.settings.pieceBytes);
    const info = commitInfo(session, call, native);
    const first = await pieces.next();
    const file = first.last ? await writeOne(session, call, info, first) : await writeMany(session, call, info, first, pieces);
    if (file.content_hash !== undefined && file.content_hash !== pieces.hash()) throw await takeBack(session, native, file, call.ifAbsent);
    // Somebody else wrote the same bytes at this moment, and Dropbox kept that version.
    if (call.modifiedMs !== undefined && file.client_modified !== info.client_modified)
      throw new StoreError("conflict", "somebody else wrote the same bytes at this moment, with another time", { applied: false });
    return entryAfter(session, call, native, file);
  } finally {
    await stream.close();
  }
}

function commitInfo({ settings }: Session, { ifAbsent, ifMatch, modifiedMs }: WriteCall, native: string): CommitInfo {
  const conditional = ifAbsent || ifMatch !== undefined;
  return {
    path: native,
    mode: ifMatch !== undefined ? { ".tag": "update", update: ifMatch } : { ".tag": ifAbsent ? "add" : "overwrite" },
    autorename: conditional && settings.conflicts === "copy",
    // Else equal bytes would be no conflict, and a lock file of nobody's.
    strict_conflict: conditional,
    client_modified: stampOf(modifiedMs ?? settings.clock.now()),
  };
}

/** All of it in one request. */
async function writeOne(session: Session, call: WriteCall, info: CommitInfo, piece: Piece): Promise<FileMetadata> {
  const send = (how: CommitInfo): Promise<Said> => session.ask("filesUpload", { ...how, content_hash: piece.hash, contents: piece.bytes }, call.signal);
  return session.commit(call.signal, async () => {
    const file = await stored(session, call, info, piece.hash, () => send(info));
    if (call.modifiedMs === undefined || file.client_modified === info.client_modified || file.content_hash !== piece.hash) return file;
    // Dropbox keeps the file as it is where the bytes are the same, and its time with it: it goes, and comes back with the time.
    const room = await makeRoom(session, info.path, { ".tag": "file", ...file }, call.signal);
    return room.fill(() => stored(session, call, anew(info), piece.hash, () => send(anew(info))), { made: () => standing(session, info, piece.hash) });
  });
}

async function writeMany(session: Session, call: WriteCall, info: CommitInfo, first: Piece, pieces: Pieces): Promise<FileMetadata> {
  const { cursor, ...last } = await sendAll(session, call, first, pieces);
  const hash = pieces.hash();
  const finish = (how: CommitInfo): Promise<FileMetadata> => {
    const args = { cursor, commit: how, ...last };
    return stored(session, call, how, hash, () => session.ask("filesUploadSessionFinish", args, call.signal));
  };
  return session.commit(call.signal, async () => {
    if (call.modifiedMs === undefined || call.ifAbsent) return finish(info);
    // A session is finished once: whether the bytes are those that stand there is asked before.
    const there = await metadataAt(session, info.path, call.signal);
    const same = there?.[".tag"] === "file" && there.content_hash === hash && there.client_modified !== info.client_modified;
    if (!same || (call.ifMatch !== undefined && there.rev !== call.ifMatch)) return finish(info);
    const room = await makeRoom(session, info.path, there, call.signal);
    return room.fill(() => finish(anew(info)), { made: () => standing(session, info, hash) });
  });
}

/** All bytes, but for what goes with the commit. */
async function sendAll(
  session: Session,
  { body, signal }: WriteCall,
  first: Piece,
  pieces: Pieces,
): Promise<{ readonly cursor: Cursor; readonly contents: Uint8Array; readonly content_hash?: string }> {
  const { parallelPieces, pieceBytes } = session.settings;
  // Two requests more: worth it where there are several rounds of pieces, and a body of unknown size may end with the next one.
  if (parallelPieces > 1 && body.size !== null && body.size > parallelPieces * pieceBytes)
    return { cursor: await sendParallel(session, first, pieces, parallelPieces, signal), contents: new Uint8Array(0) };
  const { cursor, piece } = await sendPieces(session, first, pieces, signal);
  return { cursor, contents: piece.bytes, content_hash: piece.hash };
}

const anew = (info: CommitInfo): CommitInfo => ({ ...info, mode: { ".tag": "add" }, autorename: false, strict_conflict: true });

/** What the service stored, or why it did not; an answer that was lost is settled by a look where that can prove it. */
async function stored(session: Session, call: WriteCall, info: CommitInfo, hash: string, send: () => Promise<Said>): Promise<FileMetadata> {
  try {
    return fileIn((await send()).result);
  } catch (error) {
    if (error instanceof ApiError) throw refused(call, error);
    if (info.mode[".tag"] === "add" || call.signal?.aborted === true || !outcomeUnknown(error)) throw error;
    const there = await standing(session, info, hash, call.signal).catch(() => undefined); // The first failure is the one to tell.
    if (there !== undefined) return there;
    throw error;
  }
}

/** These bytes, of this time: whoever put them there, the file is what it was to become. */
async function standing(session: Session, info: CommitInfo, hash: string, signal?: AbortSignal): Promise<FileMetadata | undefined> {
  const there = await metadataAt(session, info.path, signal);
  return there?.[".tag"] === "file" && there.content_hash === hash && there.client_modified === info.client_modified ? there : undefined;
}

function refused(call: WriteCall, error: ApiError): StoreError {
  const { ifAbsent, ifMatch } = call;
  if (/^(?:lookup_failed\/)?path\/conflict\/(?:file|folder|other)$/.test(error.tag)) {
    if (ifAbsent) return refusalOf(error, { code: "already-exists", reason: "something of this name is there" });
    if (ifMatch !== undefined && !error.tag.endsWith("/folder")) return lost(call, error);
  }
  if (isRefusal(error, "content_hash_mismatch"))
    return refusalOf(error, { code: "integrity", reason: "the bytes were damaged on the way" }).with({ transient: true });
  return refusalOf(error);
}

function lost({ ifMatch }: WriteCall, cause?: ApiError): StoreError {
  return new StoreError("precondition-failed", "the file has another etag, or is not there", {
    applied: false,
    cause: cause ?? (ifMatch === undefined ? undefined : new Error("the etag is none of this service")),
    status: cause?.status,
  });
}

/** With `conflicts: "copy"` a lost condition is an answer of success under another name. */
function entryAfter(session: Session, call: WriteCall, native: string, file: FileMetadata): Entry {
  if (session.settings.conflicts !== "copy" || (!call.ifAbsent && call.ifMatch === undefined)) return fileEntry(call.path, file);
  const wanted = session.names.last(native);
  if (file.name === wanted || file.name.toLowerCase() === wanted.toLowerCase()) return fileEntry(call.path, file);
  const parent = call.path.slice(0, call.path.lastIndexOf("/"));
  const copy = session.names.child((parent === "" ? "/" : parent) as typeof call.path, file.name);
  throw new StoreError(
    call.ifAbsent ? "already-exists" : "precondition-failed",
    "somebody else's version stands there; these bytes are kept beside it, under the name in `entry`",
    { applied: false, entry: fileEntry(copy ?? call.path, file) },
  );
}
