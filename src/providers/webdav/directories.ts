/** Making directories: MKCOL, parents first where they are missing. */
import { StoreError, beforehand, entry, parentOf, root } from "../../store/index.ts";
import type { Entry, MkdirCall, StorePath } from "../../store/index.ts";
import { errorOf, isUnsure, taken, translate } from "./errors.ts";
import type { Answer } from "./errors.ts";
import { look, rootWasMade } from "./look.ts";
import type { Session } from "./session.ts";

export async function mkdir(session: Session, { path, existOk, signal }: MkdirCall): Promise<Entry> {
  if (session.settings.profile.silentMkcol) {
    const there = await beforehand(look(session, path, signal), signal, translate);
    if (there !== null) return existing(there, existOk, false);
  }
  for (let parents = false, unsure = false; ; parents = true) {
    const answer = await mkcol(session, path, signal, existOk);
    if (answer.status === 201) {
      session.remember(path);
      return entry({ path, kind: "directory", complete: false });
    }
    unsure ||= isUnsure(answer);
    const there = await look(session, path, signal);
    if (there !== null) return existing(there, existOk, unsure);
    if (parents) throw refusal(answer);
    await ensure(session, parentOf(path), signal);
  }
}

/** `unsure`: it may be our own. */
function existing(there: Entry, existOk: boolean, unsure: boolean): Entry {
  if (existOk && there.kind === "directory") return there;
  throw taken(there, "directory", unsure);
}

/** With its slash: nginx refuses it without. Sending it twice does harm where the answer must say who made it. */
function mkcol(session: Session, path: StorePath, signal: AbortSignal | undefined, repeatable: boolean): Promise<Answer> {
  return session.ask({ method: "MKCOL", href: session.names.directory(path), signal, repeatable });
}

function refusal(answer: Answer): StoreError {
  if (answer.status === 405) return errorOf(answer, { code: "conflict", reason: "the server says that it exists, and that it does not" });
  return errorOf(answer);
}

/** The directory and all above it are there afterwards. @throws StoreError `not-a-directory` where one of them is a file, `config` where the root is missing. */
export async function ensure(session: Session, path: StorePath, signal: AbortSignal | undefined): Promise<void> {
  if (path === root) {
    await rootWasMade(session, signal);
    return;
  }
  for (let parents = false; ; parents = true) {
    const answer = await mkcol(session, path, signal, true);
    if (answer.status === 201) return session.remember(path);
    const there = await look(session, path, signal);
    if (there?.kind === "directory") return session.remember(path);
    if (there?.kind === "file") throw new StoreError("not-a-directory", "a parent of this path is a file", { applied: false });
    if (parents) throw refusal(answer);
    await ensure(session, parentOf(path), signal);
  }
}

/** Does the parent stand? Looked at once, then remembered. @throws StoreError `not-a-directory` where it is a file */
export async function hasParent(session: Session, path: StorePath, signal: AbortSignal | undefined): Promise<boolean> {
  return (await nearest(session, path, signal)) === parentOf(path);
}

/** The closest directory above a path that is there. @throws StoreError `not-a-directory` where something above is a file, `config` where the root is missing. */
export async function nearest(session: Session, path: StorePath, signal: AbortSignal | undefined): Promise<StorePath> {
  for (let at = parentOf(path); ; at = parentOf(at)) {
    if (session.knows(at)) return at;
    if (at === root) await rootWasMade(session, signal);
    else {
      const there = await look(session, at, signal);
      if (there === null) continue;
      if (there.kind === "file") throw new StoreError("not-a-directory", "a parent of this path is a file", { applied: false });
    }
    session.remember(at);
    return at;
  }
}
