/**
 * Several pieces of one body at once, in a session that takes them in any order. The service wants them so: no bytes with the start and the finish, each
 * piece a multiple of 4 MiB at a multiple of 4 MiB but for the last, which closes the session and so goes when all others are there.
 */
import type { StoreError } from "../../store/index.ts";
import { ApiError } from "./errors.ts";
import type { Piece, Pieces } from "./pieces.ts";
import type { Session } from "./session.ts";
import { begin, isRefused, told } from "./upload-session.ts";
import type { Cursor } from "./upload-session.ts";

/** Sends all pieces. `width` of them are in memory. */
export async function sendParallel(session: Session, first: Piece, pieces: Pieces, width: number, signal: AbortSignal | undefined): Promise<Cursor> {
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const id = await begin(session, { session_type: { ".tag": "concurrent" }, contents: new Uint8Array(0) }, signal);
  const sent: Promise<void>[] = [];
  pieces.keep(width);
  try {
    let piece = first;
    for (; !piece.last; piece = await pieces.next()) {
      const one = send(session, id, piece, false, either);
      one.catch(() => {}); // Told by the await below, unless another failure is told first.
      sent.push(one);
      // The next piece takes the memory of the oldest.
      if (sent.length === width) await sent.shift();
    }
    await Promise.all(sent);
    await send(session, id, piece, true, either);
    return { session_id: id, offset: piece.offset + piece.bytes.byteLength };
  } catch (error) {
    // The others would go on reading memory that is not theirs any more.
    stop.abort();
    await Promise.allSettled(sent);
    throw error;
  }
}

/** A piece whose answer was lost is sent again: the same bytes at the same place are the same piece. */
async function send(session: Session, id: string, piece: Piece, close: boolean, signal: AbortSignal): Promise<void> {
  const args = { cursor: { session_id: id, offset: piece.offset }, close, content_hash: piece.hash, contents: piece.bytes };
  let mayHaveArrived = false;
  const failed = async (failure: StoreError): Promise<undefined> => {
    mayHaveArrived ||= !isRefused(failure);
    return undefined;
  };
  await told(
    session.askAgain("filesUploadSessionAppendV2", args, signal, failed).catch((error: unknown) => {
      // Nobody else closes it.
      if (close && mayHaveArrived && error instanceof ApiError && error.tag === "closed") return "done";
      throw error;
    }),
  );
}
