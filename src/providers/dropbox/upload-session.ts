/** The pieces of a large body, in order; parallel-pieces.ts has those that go several at once. One that fails is sent again, and no other: the service is asked first how far it got. */
import { StoreError } from "../../store/index.ts";
import { ApiError, refusalOf } from "./errors.ts";
import type { Piece, Pieces } from "./pieces.ts";
import type { Session } from "./session.ts";

export interface Cursor {
  readonly session_id: string;
  readonly offset: number;
}

/** Sends all pieces but the last, which goes with the commit. A session that is given up is seen by nobody, and ends by itself after a week. */
export async function sendPieces(
  session: Session,
  first: Piece,
  pieces: Pieces,
  signal: AbortSignal | undefined,
): Promise<{ readonly cursor: Cursor; readonly piece: Piece }> {
  const id = await begin(session, { content_hash: first.hash, contents: first.bytes }, signal);
  for (;;) {
    const piece = await pieces.next();
    const cursor = { session_id: id, offset: piece.offset };
    if (piece.last) return { cursor, piece };
    await append(session, cursor, piece, signal);
  }
}

/** The id of a new session. */
export async function begin(session: Session, args: unknown, signal: AbortSignal | undefined): Promise<string> {
  const begun = await told(session.askAgain("filesUploadSessionStart", args, signal));
  const { session_id: id } = (begun as { readonly result: { readonly session_id?: unknown } | null }).result ?? {};
  if (typeof id !== "string") throw new StoreError("unavailable", "the service does not name the upload that it began", { applied: false });
  return id;
}

async function append(session: Session, cursor: Cursor, piece: Piece, signal: AbortSignal | undefined): Promise<void> {
  const end = piece.offset + piece.bytes.byteLength;
  const args = { cursor, content_hash: piece.hash, contents: piece.bytes };
  // What the service has, by a piece of no bytes: refused with the right offset where it is not this one.
  const arrived = async (failure: StoreError): Promise<"done" | undefined> => {
    if (isRefused(failure)) return undefined;
    try {
      await session.ask("filesUploadSessionAppendV2", { cursor, contents: new Uint8Array(0) }, signal);
      return undefined;
    } catch (error) {
      if (error instanceof ApiError && error.tag === "incorrect_offset" && error.fields["correct_offset"] === end) return "done";
      throw error;
    }
  };
  await told(session.askAgain("filesUploadSessionAppendV2", args, signal, arrived));
}

/** It was refused, so it is not there. A failure inside, or of something between, says nothing. */
export function isRefused({ status, code }: StoreError): boolean {
  return status !== null && (code === "rate-limited" || (status < 500 && status !== 408));
}

/** Refusals of pieces in the words of the store. */
export async function told<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (["not_found", "closed", "incorrect_offset", "concurrent_session_invalid_offset"].includes(error.tag))
      throw refusalOf(error, { code: "conflict", reason: "the service has lost the upload that this piece belongs to" });
    throw refusalOf(error);
  }
}
