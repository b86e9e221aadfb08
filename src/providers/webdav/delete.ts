/** Deleting. DELETE of a collection takes everything below it, so emptiness is looked at first, and guarded where the server can. */
import { StoreError, beforehand, hasCode } from "../../store/index.ts";
import type { DeleteCall, StorePath } from "../../store/index.ts";
import { errorOf, translate } from "./errors.ts";
import type { Answer } from "./errors.ts";
import { children } from "./list.ts";
import type { Listed } from "./list.ts";
import { look, resources, rootWasMade } from "./look.ts";
import type { Session } from "./session.ts";

/** A temporary file of this age has no writer any more. */
const FORGOTTEN_MS = 86_400_000;
/** Times that a directory changes between the look and DELETE before we say so. */
const TRIES = 3;

export async function remove(session: Session, { path, recursive, signal }: DeleteCall): Promise<void> {
  session.forget();
  try {
    if (recursive) await removeTree(session, path, signal);
    else await removeOne(session, path, signal);
  } finally {
    session.forget();
  }
}

async function removeTree(session: Session, path: StorePath, signal: AbortSignal | undefined): Promise<void> {
  const there = await beforehand(look(session, path, signal), signal, translate);
  if (there === null) return beforehand(gone(session, signal), signal, translate);
  const href = there.kind === "directory" ? session.names.directory(path) : session.names.file(path);
  await finish(session, await sendDelete(session, href, {}, signal), path, signal);
}

async function removeOne(session: Session, path: StorePath, signal: AbortSignal | undefined): Promise<void> {
  for (let tries = 1; ; tries++) {
    // A DELETE before this was refused by its condition: it has done nothing.
    const there = await beforehand(look(session, path, signal), signal, translate);
    if (there === null) return beforehand(gone(session, signal), signal, translate);
    if (there.kind === "file") return finish(session, await sendDelete(session, session.names.file(path), {}, signal), path, signal);
    if (await removeEmpty(session, path, true, signal)) return;
    if (tries === TRIES) throw new StoreError("conflict", "somebody else changes the directory at this moment", { applied: false });
  }
}

/** Deletes an empty directory. `first`: nothing was changed before this. False: it changed after the look, or went; look again. @throws StoreError `not-empty` */
export async function removeEmpty(session: Session, path: StorePath, first: boolean, signal: AbortSignal | undefined): Promise<boolean> {
  let listed: Listed;
  try {
    const asked = children(session, path, signal);
    listed = await (first ? beforehand(asked, signal, translate) : asked);
  } catch (error) {
    if (hasCode(error, "not-found", "not-a-directory")) return false;
    throw error;
  }
  if (listed.entries.length > 0) throw new StoreError("not-empty", "the directory has children", { applied: false });
  const { settings, names } = session;
  // Hidden, so the directory is empty for the caller; but somebody is writing a file there, and it would go with it.
  if (listed.writtenMs > settings.clock.now() - FORGOTTEN_MS) throw new StoreError("conflict", "a file is being written in this directory", { applied: false });
  const href = names.directory(path);
  // The etag of a collection changes with its children, so a child that came in between makes the server refuse. Tagged: a condition without
  // an address is asked of the parent as well, which has another etag.
  const guard = settings.profile.guardedDelete && listed.etag !== undefined ? { If: `<${settings.origin}${href}> ([${listed.etag}])` } : {};
  const answer = await sendDelete(session, href, guard, signal);
  if (answer.status === 412) return false;
  await finish(session, answer, path, signal);
  return true;
}

function sendDelete(session: Session, href: string, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<Answer> {
  return session.ask({ method: "DELETE", href, headers, signal, quietMs: session.settings.treeTimeoutMs, repeatable: !("If" in headers) });
}

/** Nothing to delete is success, but only below a root that is there. */
async function gone(session: Session, signal: AbortSignal | undefined): Promise<void> {
  await rootWasMade(session, signal);
}

async function finish(session: Session, answer: Answer, path: StorePath, signal: AbortSignal | undefined): Promise<void> {
  const { status } = answer;
  if (status === 207) throw await innerError(session, answer);
  if (status === 404 || status === 410) return gone(session, signal);
  if (status >= 200 && status < 300) return;
  // Refused for what is not there any more.
  if (status >= 400 && status < 500 && status !== 401 && status !== 429 && (await look(session, path, signal)) === null) return gone(session, signal);
  throw errorOf(answer);
}

/** A 207 to DELETE, COPY or MOVE is a failure: the first that it names says which. What the others were nobody knows, so some of it is done. */
export async function innerError(session: Session, answer: Answer): Promise<StoreError> {
  const failed = (await resources(session, answer)).filter(({ status }) => status >= 300);
  // 424 only says that something else failed; that something is the reason.
  const first = failed.find(({ status }) => status !== 424) ?? failed[0];
  if (first === undefined)
    return errorOf(answer, { code: "unavailable", reason: "the server answers with a list of results and no failure in it", applied: "unknown" });
  return errorOf(
    { status: first.status, headers: answer.headers, text: answer.text },
    { applied: failed.every(({ status }) => status === 412) ? false : "partly" },
  );
}
