/** Reading: GET, with a range where one is asked for. */
import { StoreError, rangeHeader } from "../../store/index.ts";
import type { Entry, ProviderRead, ReadCall } from "../../store/index.ts";
import { validators } from "./conditions.ts";
import { entryOfHeaders, etagOf, sizeOf } from "./entries.ts";
import { errorOf } from "./errors.ts";
import { look, need } from "./look.ts";
import type { Session } from "./session.ts";
import type { Download } from "./download.ts";

/** A third of what a server remembers of a file that was changed behind its back, and a little. */
const STALE_MS = 700;
/** Times that a file is replaced while it is being opened before we say so. */
const TRIES = 4;

export async function read(session: Session, call: ReadCall): Promise<ProviderRead> {
  const { settings, names } = session;
  const { path, range, signal } = call;
  const { profile } = settings;
  const href = names.file(path);
  const headers: Record<string, string> = {};
  const asked = rangeHeader(range);
  if (asked !== undefined) headers["Range"] = asked;
  const unchanged = call.ifNoneMatch === undefined || !profile.notModified ? undefined : validators(call.ifNoneMatch, profile.etag);
  if (unchanged !== undefined) headers["If-None-Match"] = unchanged;
  for (let tries = 1; ; tries++) {
    const known = profile.looksBeforeRead ? await needFile(session, call) : undefined;
    const answer = await session.get(href, headers, signal);
    if (answer.body === null) return refused(session, call, answer);
    try {
      // Pages that servers make for directories carry no validator; files always do here.
      const told = answer.headers.get("last-modified") ?? answer.headers.get("etag");
      if (known === undefined && told === null) await needFile(session, call);
      const found = await accepted(session, call, answer, known);
      const same =
        known === undefined || ((known.size === null || known.size === found.entry.size) && (known.etag === null || known.etag === found.entry.etag));
      if (same && (!profile.looksAfterRead || (await isStill(session, href, answer, signal)))) return found;
    } catch (error) {
      drop(answer);
      throw error;
    }
    drop(answer);
    if (tries === TRIES) throw new StoreError("conflict", "the file is being replaced over and over");
    // lighttpd remembers size and etag for a second: asked again at once it says the same again.
    if (profile.writesInPlace) await settings.clock.sleep(STALE_MS, signal);
  }
}

/** The file was open when its answer began; when its etag is the announced one after that, what was opened was that version. */
async function isStill(session: Session, href: string, answer: Download, signal: AbortSignal | undefined): Promise<boolean> {
  const announced = etagOf(answer.headers.get("etag"), session.settings.profile);
  if (announced === null) return true;
  const now = await session.head(href, signal);
  return now.status === 200 && etagOf(now.headers.get("etag"), session.settings.profile) === announced;
}

/** Lets go of the connection: the rest of the answer is not wanted. */
function drop(answer: Download): void {
  answer.body?.destroy();
}

async function needFile(session: Session, { path, signal }: ReadCall): Promise<Entry> {
  const there = await need(session, path, signal);
  if (there.kind === "directory") throw new StoreError("is-a-directory", "a directory has no bytes");
  return there;
}

async function accepted(session: Session, call: ReadCall, answer: Download, known: Entry | undefined): Promise<ProviderRead> {
  const { profile } = session.settings;
  const body = answer.body as AsyncIterable<Uint8Array>;
  // A file may be stored packed and named so by its suffix. One that is packed on the way has another size than the file that is listed.
  const encoding = answer.headers.get("content-encoding");
  const stored = encoding === null || encoding.trim().toLowerCase() === "identity" ? known : await needFile(session, call);
  if (answer.status === 206) {
    const found = /^bytes\s+(\d+)-(\d+)\/(\d+|\*)$/i.exec(answer.headers.get("content-range")?.trim() ?? "");
    if (found === null) {
      // rclone says "bytes 0--1/0" of an empty file.
      const there = stored ?? (await needFile(session, call));
      if (there.size === 0) {
        drop(answer);
        return { entry: there, body: new Uint8Array(0) };
      }
      throw unclear();
    }
    const size = found[3] === "*" ? (stored ?? (await needFile(session, call))).size : Number(found[3]);
    if (encoding !== null) checkStored(stored, size);
    return { entry: entryOfHeaders(call.path, size, answer.headers, profile), body, offset: Number(found[1]) };
  }
  // Without a length a cut answer may look whole: the size is asked for.
  const length = sizeOf(answer.headers.get("content-length"));
  if (encoding !== null) checkStored(stored, length);
  const size = length ?? (await needFile(session, call)).size;
  return { entry: entryOfHeaders(call.path, size, answer.headers, profile), body };
}

function unclear(): StoreError {
  return new StoreError("unavailable", "the server does not say which part of the file it sends");
}

function checkStored(stored: Entry | undefined, size: number | null): void {
  if (stored !== undefined && stored.size !== size) throw new StoreError("unsupported", "the server packs the file on the way, although it was asked not to");
}

/** What else a GET is answered with. */
async function refused(session: Session, call: ReadCall, answer: Download): Promise<ProviderRead> {
  const { status } = answer;
  if (status === 304) {
    throw new StoreError("not-modified", "the file has this etag", { status });
  }
  if (status === 416) {
    const there = await needFile(session, call);
    // Of an empty file every range from its start is good, and is empty.
    if (there.size === 0 && (call.range === undefined || call.range.offset <= 0)) return { entry: there, body: new Uint8Array(0) };
    throw new StoreError("bad-range", "the range starts at or past the end", { status, entry: there });
  }
  if (status >= 500 && status !== 501) {
    // nginx says 500 to a path below a file.
    if (status === 500 && (await look(session, call.path, call.signal)) === null) await need(session, call.path, call.signal);
    throw errorOf(answer);
  }
  if (status === 429 || status === 423 || status === 408) throw errorOf(answer);
  // A directory is 301, 403, 405 or 501, what lies below a file 400, 403 or 404: the look says which.
  await needFile(session, call);
  if (status === 404 || status === 410) throw new StoreError("conflict", "the file came or went at this moment", { status });
  if (status >= 300 && status < 400) throw errorOf(answer, { code: "config", reason: "the server sends us to another address for this file" });
  throw errorOf(answer);
}
