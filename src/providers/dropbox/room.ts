/** What is at a target goes before something else takes its place, and comes back where that fails. */
import { StoreError } from "../../store/index.ts";
import type { Metadata } from "./entries.ts";
import { ApiError, isRefusal, refusalOf, translate } from "./errors.ts";
import { isEmpty } from "./look.ts";
import type { Session } from "./session.ts";

export interface Room {
  /** Does the work; if it fails, the old one is put back, and `applied` says whether that worked. */
  fill<T>(work: () => Promise<T>): Promise<T>;
}

/** Deletes a file in exactly this version, or an empty folder. @throws StoreError `not-empty`, `conflict` */
export async function makeRoom(session: Session, native: string, there: Metadata, signal: AbortSignal | undefined): Promise<Room> {
  if (there[".tag"] === "folder" && !(await isEmpty(session, native, signal)))
    throw new StoreError("not-empty", "the folder at the target is not empty", { applied: false });
  try {
    await session.ask("filesDeleteV2", { path: native, ...(there[".tag"] === "file" ? { parent_rev: there.rev } : {}) }, signal);
  } catch (error) {
    if (isRefusal(error, "path_lookup/not_found")) return { fill: (work) => work() };
    if (isRefusal(error, "path_write/conflict/file", "path_write/conflict/folder"))
      throw refusalOf(error, { code: "conflict", reason: "somebody else changes the target at this moment" });
    throw error instanceof ApiError ? refusalOf(error) : error;
  }
  return {
    async fill(work) {
      try {
        return await work();
      } catch (error) {
        throw await putBack(session, native, there, error);
      }
    },
  };
}

async function putBack(session: Session, native: string, there: Metadata, error: unknown): Promise<unknown> {
  const known =
    error instanceof ApiError ? refusalOf(error) : (translate(error) ?? new StoreError("unknown", "something failed that nobody expected", { cause: error }));
  try {
    // Without the caller's signal: a call that was given up is taken back all the same.
    if (there[".tag"] === "file") await session.ask("filesRestore", { path: native, rev: there.rev }, undefined);
    else await session.ask("filesCreateFolderV2", { path: native, autorename: false }, undefined);
    return known;
  } catch (failure) {
    // Something stands there: what we tried has happened after all, or somebody else was quicker.
    if (isRefusal(failure, "path_write/conflict/folder", "path/conflict/folder", "path/conflict/file")) return known;
    return known.with({
      reason: `${known.reason}; and what had been at the target could not be put back: it is among the deleted files of the account`,
      applied: "partly",
      cause: known.cause,
    });
  }
}
