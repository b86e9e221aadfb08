/** What is at a target goes before something else takes its place, and comes back where that fails. */
import { StoreError, abortError, inPart, undone } from "../../store/index.ts";
import type { Metadata } from "./entries.ts";
import { isRefusal, outcomeUnknown, refusalOf, translate } from "./errors.ts";
import { isEmpty, metadataAt, seen } from "./look.ts";
import type { Session } from "./session.ts";

export interface Room {
  /** Does the work; if it fails, the old one is put back, and `applied` says whether that worked. */
  fill<T>(work: () => Promise<T>, settle: Settle<T>): Promise<T>;
}
/** For work whose answer was lost, or was a failure inside, which says nothing about what was done. */
export interface Settle<T> {
  /** What the work made, where it is seen to have happened. */
  made(): Promise<T | undefined>;
  /** The old one is back, and the work cannot happen any more. Where it had happened just before: what it made, brought back in its turn. */
  recovered?(): Promise<T | undefined>;
}

/** Deletes a file in exactly this version, or an empty folder. @throws StoreError `not-empty`, `conflict` */
export async function makeRoom(session: Session, native: string, there: Metadata, signal: AbortSignal | undefined): Promise<Room> {
  if (there[".tag"] === "folder" && !(await isEmpty(session, native, signal)))
    throw new StoreError("not-empty", "the folder at the target is not empty", { applied: false });
  let gone = true;
  try {
    await session.ask("filesDeleteV2", { path: native, ...(there[".tag"] === "file" ? { parent_rev: there.rev } : {}) }, signal);
  } catch (error) {
    if (isRefusal(error, "path_write/conflict/file", "path_write/conflict/folder"))
      throw refusalOf(error, { code: "conflict", reason: "somebody else changes the target at this moment" });
    if (!isRefusal(error, "path_lookup/not_found"))
      throw outcomeUnknown(error) ? await notDeleted(session, native, there, knownOf(error, signal)) : knownOf(error, signal);
    gone = false;
  }
  return { fill: (work, settle) => fill({ session, native, there: gone ? there : undefined, signal }, work, settle) };
}

interface Emptied {
  readonly session: Session;
  readonly native: string;
  /** What went; undefined: somebody else had taken it away. */
  readonly there: Metadata | undefined;
  readonly signal: AbortSignal | undefined;
}

async function fill<T>({ session, native, there, signal }: Emptied, work: () => Promise<T>, settle: Settle<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const known = knownOf(error, signal);
    const unsure = outcomeUnknown(error);
    const made = unsure ? await seen(settle.made) : undefined;
    if (made !== undefined) return made;
    if (there === undefined) throw known;
    const end = await putBack(session, native, there);
    if (end === "lost")
      throw inPart(
        known.with({
          reason: `${known.reason}; and what had been at the target could not be put back: it is among the deleted files of the account`,
          cause: known.cause,
        }),
        "write",
      );
    if (!unsure) throw known;
    // What we tried has happened after all, or somebody else was quicker.
    const late = end === "taken" ? await seen(settle.made) : await settle.recovered?.();
    if (late !== undefined) return late;
    throw end === "back" ? undone(known) : known;
  }
}

/** taken: something else stands there. Without the caller's signal: a call that was given up is taken back all the same. */
async function putBack(session: Session, native: string, there: Metadata): Promise<"back" | "taken" | "lost"> {
  try {
    if (there[".tag"] === "file") await session.ask("filesRestore", { path: native, rev: there.rev }, undefined);
    else await session.ask("filesCreateFolderV2", { path: native, autorename: false }, undefined);
    return "back";
  } catch (error) {
    return isRefusal(error, "path_write/conflict/folder", "path/conflict/folder", "path/conflict/file") ? "taken" : "lost";
  }
}

/** The deletion may have happened, or happen in a moment. A file that is restored has a new version, which a deletion of the old one does not touch. */
async function notDeleted(session: Session, native: string, there: Metadata, known: StoreError): Promise<StoreError> {
  const unseen = known.with({
    reason: `${known.reason}; where what was at the target is gone by it, it is among the deleted files of the account`,
    applied: "unknown",
    cause: known.cause,
  });
  const now = await seen(() => metadataAt(session, native, undefined));
  if (now === undefined) return unseen;
  const is = now === null || (now[".tag"] === "file" && there[".tag"] === "file" && now.rev === there.rev);
  // Somebody else has put something there meanwhile; or a folder, which may go yet.
  if (!is) return there[".tag"] === "file" ? undone(known) : unseen;
  return (await putBack(session, native, there)) === "back" ? undone(known) : unseen;
}

function knownOf(error: unknown, signal: AbortSignal | undefined): StoreError {
  if (signal?.aborted === true && !StoreError.is(error)) return abortError(signal);
  return translate(error) ?? new StoreError("unknown", "something failed that nobody expected", { cause: error });
}
