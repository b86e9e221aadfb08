/**
 * COPY and MOVE by the rules of rename(2): a file over a file, a directory over nothing or an empty directory, never a merge.
 *
 * Servers differ in all of it: some replace a tree, lighttpd merges it and puts a file copied onto a directory inside, SabreDAV and rclone destroy the
 * target even where the source is missing. So the source is looked at first, the target is never overwritten unseen, and `Overwrite: T` is said only
 * for a file over a file.
 */
import { StoreError, beforehand, parentOf, undone } from "../../store/index.ts";
import type { CopyCall, Entry, MoveCall } from "../../store/index.ts";
import { quietly } from "./control.ts";
import { innerError, removeEmpty } from "./delete.ts";
import { ensure } from "./directories.ts";
import { errorOf, isUnsure, networkCause, taken, translate } from "./errors.ts";
import type { Answer } from "./errors.ts";
import { look, need, resources } from "./look.ts";
import type { Session } from "./session.ts";
import { settled, vanished } from "./settle.ts";
import { destination } from "./write-by-move.ts";

type Transfer = CopyCall | MoveCall;
/** Times that source or target change between a look and the request before we say so. */
const TRIES = 4;

export async function transfer(session: Session, call: Transfer): Promise<Entry> {
  const { path, to, signal } = call;
  session.names.file(to); // A name that cannot be held is refused before any request.
  let source = await beforehand(need(session, path, signal), signal, translate);
  let target = session.settings.profile.looksAtTarget ? await beforehand(look(session, to, signal), signal, translate) : null;
  let removed = false;
  let unsure = false;
  try {
    for (let tries = 1; ; tries++) {
      if (target !== null) allow(call, source, target, unsure);
      if (target?.kind === "directory") {
        removed = (await removeEmpty(session, to, tries === 1, signal)) || removed;
        target = null;
      }
      const inPlace = call.operation === "copy" && target?.kind === "file" && session.settings.profile.writesInPlace;
      const answer = inPlace ? await copyAside(session, call) : await asOne(session, call, await sendOne(session, call, source, target !== null));
      const { status } = answer;
      if (status === 207) throw await failedTree(session, call, source, answer);
      if (status === 200 || status === 201 || status === 204) break;
      const isOpen = isUnsure(answer);
      if (isOpen && (await hasMoved(session, call, source))) break;
      unsure ||= isOpen;
      if (tries === TRIES)
        throw errorOf(answer, { code: "conflict", reason: "somebody else changes source or target at this moment", applied: unsure ? "unknown" : false });
      const overwritten = target !== null;
      source = call.operation === "move" && unsure ? await stillThere(session, call, answer) : await need(session, path, signal);
      target = await look(session, to, signal);
      // 412 with nothing there: it went meanwhile. Everything else may be a parent that is missing.
      if (target === null && status !== 412) await prepare(session, call, answer, tries);
      else if (target?.kind === "file" && overwritten) throw errorOf(answer);
    }
  } catch (error) {
    // The empty directory that made room comes back.
    if (removed) await quietly(ensure(session, to, undefined));
    throw error;
  }
  if (call.operation === "move") session.forget();
  const there = await settled(session, signal, () => look(session, to, signal));
  if (there !== null && there.kind !== source.kind)
    throw new StoreError("conflict", "somebody else put something else at the target at this moment", { applied: "unknown", entry: there });
  if (there === null) throw vanished();
  return there;
}

/** A 207 that names only source or target themselves says of the whole what a status would: lighttpd's way to say 409 and 412. */
async function asOne(session: Session, { path, to }: Transfer, answer: Answer): Promise<Answer> {
  if (answer.status !== 207) return answer;
  const all = await resources(session, answer);
  const [only] = all;
  if (all.length !== 1 || only === undefined || only.status < 400) return answer;
  const itself = session.names.same(only.href, session.names.file(path)) || session.names.same(only.href, session.names.file(to));
  return itself && [403, 409, 412, 423].includes(only.status) ? { ...answer, status: only.status } : answer;
}

/** The source of a move that may have happened, and then took it along. With nothing at the target somebody else has taken it: Apache says 500 to the slower one. */
async function stillThere(session: Session, { path, to, signal }: Transfer, answer: Answer): Promise<Entry> {
  const there = await look(session, path, signal);
  if (there === null && (await look(session, to, signal)) !== null) throw errorOf(answer, { applied: "unknown" });
  return there ?? need(session, path, signal);
}

/** What rename(2) says to this pair; `not-empty` comes from the deletion of the target. `unsure`: what is there may be ours. */
function allow({ ifAbsent }: Transfer, source: Entry, target: Entry, unsure: boolean): void {
  if (ifAbsent) throw taken(target, source.kind, unsure, "is at the target");
  if (source.kind === "file" && target.kind === "directory") throw new StoreError("is-a-directory", "a file does not replace a directory", { applied: false });
  if (source.kind === "directory" && target.kind === "file") throw new StoreError("not-a-directory", "a directory does not replace a file", { applied: false });
}

async function sendOne(session: Session, call: Transfer, source: Entry, overwrite: boolean): Promise<Answer> {
  const { path, to, operation, signal } = call;
  const directory = source.kind === "directory";
  const href = directory ? session.names.directory(path) : session.names.file(path);
  const headers = { Destination: destination(session, to, directory), Overwrite: overwrite ? "T" : "F", ...(directory ? { Depth: "infinity" } : {}) };
  try {
    return await session.ask({
      method: operation === "copy" ? "COPY" : "MOVE",
      href,
      headers,
      signal,
      quietMs: session.settings.treeTimeoutMs,
      repeatable: false,
    });
  } catch (error) {
    if (networkCause(error) !== undefined && (await hasMoved(session, call, source))) return { status: 204, headers: new Headers(), text: "" };
    throw error;
  }
}

/** Over a file, where COPY would write into it: to a temporary name, then MOVE, so that readers have the old file or the new one. */
async function copyAside(session: Session, { path, to, signal }: Transfer): Promise<Answer> {
  const temporary = await session.temporary(parentOf(to), signal);
  const send = (method: string, href: string, target: string, overwrite: "T" | "F"): Promise<Answer> =>
    session.ask({ method, href, headers: { Destination: target, Overwrite: overwrite }, signal, quietMs: session.settings.treeTimeoutMs, repeatable: false });
  let answer: Answer | undefined;
  try {
    answer = await send("COPY", session.names.file(path), session.settings.origin + temporary, "F");
    if (answer.status !== 201 && answer.status !== 204) return answer;
    answer = await send("MOVE", temporary, destination(session, to), "T");
    return answer;
  } finally {
    if (answer?.status !== 201 && answer?.status !== 204)
      await quietly(session.ask({ method: "DELETE", href: temporary, signal: undefined, repeatable: true }));
  }
}

/** The answer to MOVE was lost, or tells nothing. With nothing left at the source and its like at the target it has happened; a look that finds less proves nothing. */
async function hasMoved(session: Session, { operation, path, to, signal }: Transfer, source: Entry): Promise<boolean> {
  if (operation !== "move" || signal?.aborted === true || (await look(session, path, signal)) !== null) return false;
  const there = await look(session, to, signal);
  return there !== null && there.kind === source.kind && there.size === source.size;
}

/** Nothing is at the target and the server refused: its parents are made, once. */
async function prepare(session: Session, { to, signal }: Transfer, answer: Answer, tries: number): Promise<void> {
  const { status } = answer;
  if (tries > 1 || ![400, 403, 404, 405, 409, 415, 500, 502].includes(status)) throw errorOf(answer);
  const parent = parentOf(to);
  const above = await look(session, parent, signal);
  if (above?.kind === "file") throw errorOf(answer, { code: "not-a-directory", reason: "a parent of the target is a file", applied: false });
  // There by now: somebody else has made it.
  if (above === null) await ensure(session, parent, signal);
}

/** Part of a tree was not copied: what was made goes again. What was moved stays where it is, for bytes may stand nowhere else. */
async function failedTree(session: Session, call: Transfer, source: Entry, answer: Answer): Promise<StoreError> {
  const error = await innerError(session, answer);
  if (call.operation === "move" || source.kind === "file" || error.applied === false) return error;
  const removed = await session
    .ask({ method: "DELETE", href: session.names.directory(call.to), signal: undefined, quietMs: session.settings.treeTimeoutMs, repeatable: true })
    .catch(() => undefined);
  // It may still take what is there by then.
  if (removed === undefined || removed.status >= 500) return error.with({ applied: "unknown", cause: error.cause });
  return removed.status === 404 || (removed.status < 300 && removed.status !== 207) ? undone(error) : error;
}
