/** The new file stands at its path; what bore the name before goes (decisions/0066). */
import { StoreError } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import type { Signal } from "./api.ts";
import { discardAll } from "./delete.ts";
import { isMissing } from "./errors.ts";
import type { DriveFile, Item } from "./resource.ts";
import type { Session } from "./session.ts";

/** `there`: what bore the name. Where it cannot go, `back` takes the new file back: then nothing has changed. */
export async function giveWay(
  session: Session,
  path: StorePath,
  there: readonly Item[],
  made: DriveFile,
  signal: Signal,
  back: () => Promise<void>,
): Promise<void> {
  const old = there.map(({ file }) => file).filter(({ id }) => id !== made.id);
  try {
    await discardAll(session, path, old, signal);
  } catch (error) {
    if (!StoreError.is(error) && signal?.aborted !== true) throw error;
    const failure = StoreError.is(error) ? error : new StoreError("aborted", "the caller gave up", { cause: error });
    // The caller gave up on the answer, and it went all the same: then everything has happened, and nothing may be taken back.
    if (signal?.aborted === true && (await areGone(session, old))) throw failure.with({ applied: true, cause: failure.cause });
    try {
      await back();
    } catch {
      throw failure.with({ applied: "unknown", cause: failure.cause });
    }
    throw failure.with({ applied: failure.applied === false ? false : "unknown", cause: failure.cause });
  }
}

/** False where the service does not say. */
async function areGone(session: Session, files: readonly DriveFile[]): Promise<boolean> {
  for (const { id } of files) {
    try {
      if ((await session.api.get(id, undefined)).trashed !== true) return false;
    } catch (error) {
      if (!isMissing(error)) return false;
    }
  }
  return true;
}
