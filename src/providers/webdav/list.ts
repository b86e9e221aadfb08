/** The children of a directory: one PROPFIND of depth 1. Depth infinity is refused by some servers and answered by others as if it were 1. */
import { StoreError, root } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import { entryOf, isCollection } from "./entries.ts";
import { errorOf } from "./errors.ts";
import type { Answer } from "./errors.ts";
import { need, propfind, resources, rootWasMade } from "./look.ts";
import type { Resource } from "./multistatus.ts";
import type { Session } from "./session.ts";

/** For a listing that breaks off: so often, with a pause that grows by so much. */
const TRIES = 6;
const PAUSE_MS = 10;

export interface Listed {
  readonly entries: readonly Entry[];
  /** Of the directory itself, where the server has one: with the quotes and the mark that `If` wants back. */
  readonly etag: string | undefined;
  /** When the youngest temporary file in it was written to; -Infinity where there is none. */
  readonly writtenMs: number;
}

/** All children, temporary files and names of the server's own left out. @throws StoreError `not-found`, `not-a-directory` */
export async function children(session: Session, path: StorePath, signal: AbortSignal | undefined): Promise<Listed> {
  const { names, settings } = session;
  const href = names.directory(path);
  const { answer, found } = await whole(session, href, signal);
  if (found === undefined) {
    if (path === root && (answer.status === 404 || answer.status === 410)) {
      await rootWasMade(session, signal);
      return { entries: [], etag: undefined, writtenMs: -Infinity };
    }
    // With its slash a file is something that servers do not know; without it they say what it is.
    if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) {
      const there = await need(session, path, signal);
      if (there.kind === "file") throw new StoreError("not-a-directory", "a file has no children");
    }
  }
  // What is no listing is an error here.
  const all = found ?? (await resources(session, answer));
  const entries = new Map<StorePath, Entry>();
  let self: (typeof all)[number] | undefined;
  let writtenMs = -Infinity;
  for (const one of all) {
    if (names.same(one.href, href)) {
      self = one;
      continue;
    }
    if (names.isTemporary(one.href)) writtenMs = Math.max(writtenMs, entryOf(one, path, settings.profile).modifiedMs ?? 0);
    const child = names.child(one.href, path, href);
    if (child === null || entries.has(child) || one.status === 404) continue; // Gone while the server was listing.
    if (one.status >= 300)
      throw errorOf(
        { status: one.status, headers: answer.headers, text: "" },
        { reason: `the server cannot tell everything that is in the directory (${one.status})` },
      );
    entries.set(child, entryOf(one, child, settings.profile));
  }
  if (self === undefined) throw foreign(all.length);
  if (self.status === 404) throw new StoreError("not-found", "nothing is there");
  if (self.status >= 300)
    throw errorOf(
      { status: self.status, headers: answer.headers, text: "" },
      { reason: `the server says itself that its listing is not complete (${self.status})` },
    );
  if (!isCollection(self)) throw new StoreError("not-a-directory", "a file has no children");
  const etag = self.props["getetag"];
  return { entries: [...entries.values()], etag: typeof etag === "string" ? etag : undefined, writtenMs };
}

/** The listing as the server gives it. One that breaks off because something goes away under it is asked for again, where the server is known for that. */
async function whole(
  session: Session,
  href: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly answer: Answer; readonly found: readonly Resource[] | undefined }> {
  const { clock, profile } = session.settings;
  for (let tries = 1; ; tries++) {
    const answer = await propfind(session, href, "1", signal);
    if (answer.status !== 207) return { answer, found: undefined };
    try {
      return { answer, found: await resources(session, answer) };
    } catch (error) {
      if (!profile.uploadsBreakListings || tries >= TRIES) throw error;
      await clock.sleep(PAUSE_MS * tries, signal);
    }
  }
}

/** Without its own entry a listing is about another address: behind a proxy that maps paths, or no listing at all. An empty one would be believed. */
function foreign(count: number): StoreError {
  return count === 0
    ? new StoreError("unavailable", "the server's listing is empty: not even the directory itself is in it")
    : new StoreError("config", "the server lists under another address than it was asked for: give the url that it knows itself by");
}
