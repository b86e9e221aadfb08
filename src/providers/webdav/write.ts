/**
 * Writing: PUT where the server shows old or new and nothing else, a temporary name and MOVE where it doesn't; then a look, which is the entry.
 */
import { StoreError } from "../../store/index.ts";
import type { Entry, WriteCall } from "../../store/index.ts";
import { look } from "./look.ts";
import { send } from "./send.ts";
import type { Session } from "./session.ts";
import { settled, vanished } from "./settle.ts";
import { writeByMove } from "./write-by-move.ts";

export function write(session: Session, call: WriteCall): Promise<Entry> {
  const { atomicPut, writesInPlace } = session.settings.profile;
  const byMove = !atomicPut || call.ifAbsent || (writesInPlace && call.body.size === 0);
  return byMove ? writeByMove(session, call) : writeByPut(session, call);
}

/** By MOVE all the same, where parents must be made for a body that may fail. */
async function writeByPut(session: Session, call: WriteCall): Promise<Entry> {
  const { path, signal } = call;
  const href = session.names.file(path);
  const sent = await send(session, call, href);
  if (sent === null) return writeByMove(session, call);
  const { bytes } = sent;
  const there = await settled(session, signal, () => look(session, path, signal));
  if (there === null) throw vanished();
  if (there.kind === "directory" || (there.size !== null && there.size !== bytes)) throw await difference(session, call, there, bytes);
  return there;
}

/** Something else is there than was sent. Cut by the server, or written over by somebody else? A body in memory tells. */
async function difference(session: Session, { path, body, signal }: WriteCall, there: Entry, bytes: number): Promise<StoreError> {
  const changed = new StoreError("conflict", `the file has ${there.size} bytes, not the ${bytes} sent: somebody else wrote it at this moment`, {
    applied: "unknown",
    entry: there,
  });
  if (!body.inMemory || there.kind === "directory" || (there.size ?? bytes) > bytes) return changed;
  const answer = await session.get(session.names.file(path), {}, signal);
  if (answer.body === null) return changed;
  const sent = await body.open().all();
  let at = 0;
  for await (const chunk of answer.body) {
    if (at + chunk.byteLength > sent.byteLength || Buffer.compare(chunk, sent.subarray(at, at + chunk.byteLength)) !== 0) return changed;
    at += chunk.byteLength;
  }
  return at === bytes
    ? changed
    : new StoreError("integrity", `the server stored ${at} of ${bytes} bytes and called that success`, { applied: "unknown", entry: there });
}
