/**
 * Upload sessions whose pieces come in any order (API reference, UploadSessionType "concurrent"; the rules are in the errors UploadSessionStartError,
 * UploadSessionAppendError and UploadSessionFinishError): the start and the finish carry no bytes, every piece begins at a multiple of 4 MiB, every piece
 * but the one that closes the session is a multiple of that, and a session is closed and whole before it is finished.
 */
import { refused } from "./errors.ts";
import { spilled } from "../spill.ts";
import type { Chunk } from "../spill.ts";
import type { Asked } from "./routes.ts";
import type { UploadSession } from "./tree.ts";

const GRAIN = 1 << 22;
const sizeOf = (chunks: readonly { readonly byteLength: number }[]): number => chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);

export function startConcurrent({ account, args, body }: Asked): UploadSession {
  if (sizeOf(body) > 0) throw refused("concurrent_session_data_not_allowed");
  if (args["close"] === true) throw refused("concurrent_session_close_not_allowed");
  return account.tree.openSession(true);
}

/** The same piece twice is one piece; what else may overlap is not documented, and refused. */
export function addConcurrent(session: UploadSession, offset: number, body: readonly Uint8Array[], closes: boolean): void {
  const parts = session.concurrent as Map<number, readonly Chunk[]>;
  const size = sizeOf(body);
  if (offset % GRAIN !== 0) throw refused("concurrent_session_invalid_offset");
  if (!closes && (size === 0 || size % GRAIN !== 0)) throw refused("concurrent_session_invalid_data_size");
  for (const [at, chunks] of parts)
    if (at < offset + size && offset < at + sizeOf(chunks) && (at !== offset || sizeOf(chunks) !== size)) throw refused("concurrent_session_invalid_offset");
  parts.set(offset, spilled(body));
  session.size = [...parts.values()].reduce((sum, chunks) => sum + sizeOf(chunks), 0);
}

/** All bytes, in order. `end`: how many the client believes there are. */
export function assembled(session: UploadSession, end: number, body: readonly Uint8Array[]): readonly Chunk[] {
  if (sizeOf(body) > 0) throw refused("concurrent_session_data_not_allowed");
  if (!session.closed) throw refused("concurrent_session_not_closed");
  const parts = [...(session.concurrent as Map<number, readonly Chunk[]>)].sort(([one], [other]) => one - other);
  let at = 0;
  for (const [offset, chunks] of parts) {
    if (offset !== at) throw refused("concurrent_session_missing_data");
    at += sizeOf(chunks);
  }
  if (at !== end) throw refused("concurrent_session_missing_data");
  return parts.flatMap(([, chunks]) => chunks);
}
