/** What is at a path: PROPFIND of one resource, and the meaning of its absence. */
import { StoreError, parentOf, root } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import { PROPERTIES, entryOf } from "./entries.ts";
import { errorOf } from "./errors.ts";
import type { Answer } from "./errors.ts";
import { parseMultistatus } from "./multistatus.ts";
import type { Resource } from "./multistatus.ts";
import type { Session } from "./session.ts";

export const XML: Readonly<Record<string, string>> = { "Content-Type": "application/xml; charset=utf-8" };
/** Answers to a question about something below a file: servers say 400, 403, 404, 405, 409 or 500 to that. */
const MAY_BE_ABSENT: ReadonlySet<number> = new Set([400, 403, 405, 409, 500]);

export function propfind(session: Session, href: string, depth: "0" | "1", signal: AbortSignal | undefined, body: string = PROPERTIES): Promise<Answer> {
  return session.ask({ method: "PROPFIND", href, headers: { ...XML, Depth: depth }, body, signal, repeatable: true });
}

/** The resources of a 207. Anything else that a server says to PROPFIND with success is not WebDAV. */
export async function resources(session: Session, answer: Answer): Promise<Resource[]> {
  if (answer.status === 207) return parseMultistatus(answer.text, session.package);
  if (answer.status < 300 || answer.status === 405 || answer.status === 501)
    throw errorOf(answer, { code: "config", reason: `nothing at this address speaks WebDAV (${answer.status})`, applied: false });
  throw errorOf(answer);
}

/** The entry, or null for nothing there. An access that is refused is never nothing. */
export async function look(session: Session, path: StorePath, signal: AbortSignal | undefined): Promise<Entry | null> {
  const href = session.names.file(path);
  const answer = await propfind(session, href, "0", signal);
  if (answer.status === 404 || answer.status === 410) return null;
  if (path !== root && MAY_BE_ABSENT.has(answer.status)) {
    if (await isBelowFileOrNothing(session, path, signal)) return null;
    if (answer.status === 405) throw errorOf(answer, { code: "unavailable", reason: "the server does not say what is there (405)" });
    throw errorOf(answer);
  }
  const all = await resources(session, answer);
  const found = all.find((one) => session.names.same(one.href, href)) ?? (all.length === 1 ? all[0] : undefined);
  if (found === undefined) throw new StoreError("unavailable", "the server answers about something else than it was asked");
  if (found.status === 404) return null;
  if (found.status >= 300) throw errorOf({ status: found.status, headers: answer.headers, text: "" });
  return entryOf(found, path, session.settings.profile);
}

/** Is the parent no directory? Then nothing can be below it, whatever the server called that. */
export async function isBelowFileOrNothing(session: Session, path: StorePath, signal: AbortSignal | undefined): Promise<boolean> {
  const parent = parentOf(path);
  if (parent === root) return false;
  const there = await look(session, parent, signal);
  return there === null || there.kind === "file";
}

/** The entry, or `not-found`: said only while the root itself is there, because a lost root must not read as "no files". */
export async function need(session: Session, path: StorePath, signal: AbortSignal | undefined): Promise<Entry> {
  for (let made = false; ; made = true) {
    const found = await look(session, path, signal);
    if (found !== null) return found;
    if (!(await rootWasMade(session, signal)) || made || path !== root) throw new StoreError("not-found", "nothing is there");
  }
}

/** Returns true where the root was missing and has been made, false where it is there. @throws StoreError `config` where it is missing. */
export async function rootWasMade(session: Session, signal: AbortSignal | undefined): Promise<boolean> {
  const { base, createRoot } = session.settings;
  const answer = await propfind(session, base, "0", signal);
  if (answer.status !== 404 && answer.status !== 410) {
    await resources(session, answer);
    return false;
  }
  session.forget();
  if (!createRoot) throw errorOf(answer, { code: "config", reason: "the collection of the url does not exist: make it, or say createRoot", applied: false });
  let made = answer;
  let href = "/";
  for (const name of base.split("/").filter((part) => part !== "")) {
    href += `${name}/`;
    // What exists already is answered with 405, and with what not when somebody makes it at the same time; only the end counts.
    made = await session.ask({ method: "MKCOL", href, signal, repeatable: true });
  }
  const after = await propfind(session, base, "0", signal);
  if (after.status === 207) return true;
  throw errorOf(made, { code: "config", reason: `the collection of the url cannot be made (${made.status})`, applied: false });
}
