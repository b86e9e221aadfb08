/** Making directories: MKCOL, parents first where they are missing. */
import { StoreError, entry, parentOf, root } from "../../store/index.ts";
import type { Entry, MkdirCall, StorePath } from "../../store/index.ts";
import { errorOf } from "./errors.ts";
import type { Answer } from "./errors.ts";
import { look, rootWasMade } from "./look.ts";
import type { Session } from "./session.ts";

export async function mkdir(session: Session, { path, existOk, signal }: MkdirCall): Promise<Entry> {
  if (session.settings.profile.silentMkcol) {
    const there = await look(session, path, signal);
    if (there !== null) return existing(there, existOk);
  }
  for (let parents = false; ; parents = true) {
    const answer = await mkcol(session, path, signal, existOk);
    if (answer.status === 201) {
      session.remember(path);
      return entry({ path, kind: "directory", complete: false });
    }
    const there = await look(session, path, signal);
    if (there !== null) return existing(there, existOk);
    if (parents) throw refusal(answer);
    await ensure(session, parentOf(path), signal);
  }
}

function existing(there: Entry, existOk: boolean): Entry {
  if (existOk && there.kind === "directory") return there;
  throw new StoreError("already-exists", `a ${there.kind} of this name is there`, { entry: there });
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

/** The parent stands as far as we know: looked at once, then remembered. For bodies that can be sent only once. */
export async function ensureParent(session: Session, path: StorePath, signal: AbortSignal | undefined): Promise<void> {
  const parent = parentOf(path);
  if (session.knows(parent)) return;
  if (parent === root) {
    await rootWasMade(session, signal);
    return session.remember(root);
  }
  const there = await look(session, parent, signal);
  if (there === null) return ensure(session, parent, signal);
  if (there.kind === "file") throw new StoreError("not-a-directory", "a parent of this path is a file", { applied: false });
  session.remember(parent);
}
