/**
 * Writing under a temporary name, then MOVE: for servers whose PUT shows half a file or leaves one, and for "only if nothing is there" on those whose
 * MOVE excludes. The temporary file is ours alone, so its size proves that all bytes arrived.
 */
import { StoreError, beforehand, hasCode, parentOf, undone } from "../../store/index.ts";
import type { Entry, WriteCall } from "../../store/index.ts";
import { quietly } from "./control.ts";
import { ensure, nearest } from "./directories.ts";
import { entryOf } from "./entries.ts";
import { errorOf, isUnsure, networkCause, taken, translate } from "./errors.ts";
import type { Answer } from "./errors.ts";
import { look, propfind, resources } from "./look.ts";
import { sendable } from "./send.ts";
import type { Session } from "./session.ts";
import { search, settled, vanished } from "./settle.ts";
import { space } from "./space.ts";
import type { Upload } from "./upload.ts";

/** Times that the target changes between the look and the MOVE before we say so. */
const TRIES = 4;
/** The same while nothing is there any more: a MOVE of ours that failed may have deleted what was, so giving up would lose it. */
const PATIENT_TRIES = 20;
/** Answers to MOVE that may be another one the next time: the parent is missing, the target changed, somebody else is at it. */
const MAY_PASS: ReadonlySet<number> = new Set([400, 403, 404, 405, 409, 412, 415, 423, 500]);

export async function writeByMove(session: Session, call: WriteCall): Promise<Entry> {
  const { path, signal } = call;
  const { atomicPut } = session.settings.profile;
  // Before any byte is sent: MOVE onto a directory destroys it on some servers.
  const target = await beforehand(look(session, path, signal), signal, translate);
  refuse(call, target);
  // Parents are made when the bytes are there: a body that fails leaves nothing, no directory either.
  const home = await beforehand(nearest(session, path, signal), signal, translate);
  const temporary = await beforehand(session.temporary(home, signal), signal, translate);
  let isMoved = false;
  let isMoving = false;
  let isStored = false;
  try {
    const { bytes } = await upload(session, call, temporary);
    isStored = true;
    const stored = atomicPut ? null : await proven(session, call, temporary, bytes);
    if (home !== parentOf(path)) await ensure(session, parentOf(path), signal);
    const there = await session.turns.take(path, signal, async () => {
      const now = call.body.inMemory ? target : await look(session, path, signal);
      // A body that streams takes its time: by now there may be a directory of others, which MOVE would destroy.
      refuse(call, now);
      isMoving = true;
      await place(session, call, temporary, now, () => outcome(session, call, temporary, stored, bytes));
      isMoved = true;
      return settled(session, signal, () => look(session, path, signal));
    });
    if (there === null) throw vanished();
    // All of it was there before it moved, so what is there now is somebody else's.
    if (there.kind === "directory" || (there.size !== null && there.size !== bytes))
      throw new StoreError("conflict", "somebody else wrote the file at this moment", { applied: true, entry: there });
    return there;
  } catch (error) {
    if (!isMoved) await quietly(discard(session, temporary, isStored));
    // No place for it: somebody has taken the shelf away.
    if (!isStored && hasCode(error, "conflict")) session.leaveShelf();
    // Before MOVE was sent nothing has come to the path.
    throw isMoving ? error : undone(error, signal, translate);
  }
}

/** Puts the temporary file in its place. What the server refuses may be somebody else's doing: the target is looked at again, and it is tried again. */
async function place(session: Session, call: WriteCall, temporary: string, looked: Entry | null, settle: () => Promise<Outcome>): Promise<void> {
  const { path, signal } = call;
  let target = looked;
  let isContested = false;
  let mayHaveDeleted = false;
  let unsure = false;
  for (let tries = 1; ; tries++) {
    const headers = { Destination: destination(session, path), Overwrite: target === null ? "F" : "T" };
    let answer: Answer;
    try {
      answer = await session.ask({ method: "MOVE", href: temporary, headers, signal, repeatable: false });
    } catch (error) {
      if (networkCause(error) !== undefined && signal?.aborted !== true && (await settle()) === "moved") return;
      throw error;
    }
    const { status } = answer;
    if (status === 200 || status === 201 || status === 204) return;
    const isOpen = isUnsure(answer);
    const settled = isOpen ? await settle() : "there";
    if (settled === "moved") return;
    unsure ||= isOpen;
    mayHaveDeleted ||= target !== null;
    const before = target;
    target = await look(session, path, signal);
    // What was ours is somebody else's by now.
    if (settled === "gone" && target !== null) throw errorOf(answer, { applied: "unknown" });
    // Whoever may not move finds the target as it was; rclone says 403 also to the slower one of two.
    isContested ||= !isSame(before, target);
    refuse(call, target, unsure);
    if (status === 207) throw errorOf(answer, { code: "unavailable", applied: "unknown" });
    // Moved by a MOVE that was called a failure, or taken away; then somebody deleted the target, or its directory. There is nothing left to move.
    if (target === null && status !== 412 && (await propfind(session, temporary, "0", signal)).status === 404)
      throw errorOf(answer, { code: "conflict", reason: `somebody else deletes what is written at this moment (${status})`, applied: "unknown" });
    if (!MAY_PASS.has(status)) throw errorOf(answer);
    if (tries >= (target === null && mayHaveDeleted ? PATIENT_TRIES : TRIES)) {
      if ((status === 403 || status === 500) && !isContested) throw errorOf(answer);
      // SabreDAV deletes the target before it moves, and says 404 where somebody else was faster.
      throw errorOf(answer, {
        code: "conflict",
        reason: `somebody else changes the file at this moment (${status})`,
        applied: status === 412 && !unsure ? false : "unknown",
      });
    }
    // The parent went meanwhile: looked at, or remembered, before the upload.
    if (target === null && status !== 412) {
      session.forget();
      await ensure(session, parentOf(path), signal);
    }
  }
}

function isSame(one: Entry | null, other: Entry | null): boolean {
  return one?.kind === other?.kind && one?.etag === other?.etag && one?.size === other?.size && one?.modifiedMs === other?.modifiedMs;
}

/** The bytes, under a name of their own beside others that are there. */
async function upload(session: Session, call: WriteCall, temporary: string): Promise<Upload> {
  // Nothing of the call's path is asked about: the temporary file has a place.
  const answer = await session.put(temporary, await sendable(call.body), call.signal);
  if ([200, 201, 204].includes(answer.status)) return answer;
  session.forget();
  if (answer.status >= 300 && ![404, 409].includes(answer.status)) throw errorOf(answer);
  throw errorOf(answer, { code: "conflict", reason: `the server has no place for the file at this moment (${answer.status})`, applied: false });
}

/** `unsure`: the file may be our own. */
function refuse(call: WriteCall, target: Entry | null, unsure = false): void {
  if (call.ifAbsent && target !== null) throw taken(target, "file", unsure);
  if (target?.kind === "directory") throw new StoreError("is-a-directory", "there is a directory of this name", { applied: false });
}

export function destination({ settings, names }: Session, path: WriteCall["path"], directory = false): string {
  return settings.origin + (directory ? names.directory(path) : names.file(path));
}

/** The temporary file as the server has it. @throws StoreError `no-space` or `integrity` where bytes are missing: SabreDAV says 201 to a file that a full disk cut. */
async function proven(session: Session, call: WriteCall, temporary: string, bytes: number): Promise<Entry> {
  const { signal, path } = call;
  const there = await search(session, signal, async () => {
    const answer = await propfind(session, temporary, "0", signal);
    if (answer.status === 404) return null;
    const [first] = await resources(session, answer);
    return first === undefined || first.status === 404 ? null : entryOf(first, path, session.settings.profile);
  });
  if (there === null) throw new StoreError("unavailable", "the server called the file stored and does not have it", { applied: false });
  if (there.size === bytes || there.size === null) return there;
  const { free } = session.settings.profile.quota ? await space(session, signal) : { free: null };
  if (free !== null && free < bytes - there.size)
    throw new StoreError("no-space", `the server is full: it took ${there.size} of ${bytes} bytes`, { applied: false });
  throw new StoreError("integrity", `the server stored ${there.size} of ${bytes} bytes and called that success`, { applied: false, transient: true });
}

/** "there": the temporary file is, so MOVE has not happened so far; "moved": the target is what was in it; "gone": nobody knows. */
type Outcome = "there" | "moved" | "gone";

/** What has come of a MOVE whose answer was lost, or tells nothing. */
async function outcome(session: Session, { path, signal }: WriteCall, temporary: string, stored: Entry | null, bytes: number): Promise<Outcome> {
  const left = await propfind(session, temporary, "0", signal);
  if (left.status !== 404) return "there";
  const there = await look(session, path, signal);
  return there !== null && there.size === bytes && (stored?.etag == null || there.etag === stored.etag) ? "moved" : "gone";
}

/**
 * On its own account: the caller's signal may be why there is something to discard. What was cut off in the middle is not there yet for some servers
 * when it is deleted, and then it is: rclone writes it when it notices. So it is deleted until it stays away.
 */
async function discard(session: Session, temporary: string, isStored: boolean): Promise<void> {
  for (const wait of isStored ? [0] : [0, 100, 200, 400, 800]) {
    if (wait > 0) await session.settings.clock.sleep(wait);
    const { status } = await session.ask({ method: "DELETE", href: temporary, signal: undefined, repeatable: true });
    if (wait > 100 && status === 404) return;
  }
}
