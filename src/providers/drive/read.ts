/** Reading: the revision that was looked up, so that bytes and entry are of one version; Google's own documents as what they are exported to. */
import { StoreError, byteStream, undone } from "../../store/index.ts";
import type { ByteRange, ProviderRead, ReadCall } from "../../store/index.ts";
import type { Signal } from "./api.ts";
import { errorOf, isMissing } from "./errors.ts";
import { need } from "./lookup.ts";
import { entryOf, etagOf, hasBytes, isFolder, sizeOf } from "./resource.ts";
import type { DriveFile, Item } from "./resource.ts";
import type { Session } from "./session.ts";
import { close, reader, textOf } from "./transmit.ts";
import type { Answer } from "./transmit.ts";

/** Times that a file is replaced while it is being opened before we say so. */
const TRIES = 4;

export async function read(session: Session, call: ReadCall): Promise<ProviderRead> {
  const { path, signal } = call;
  for (let tries = 1; ; tries++) {
    const item = await need(session, path, signal);
    const file = bytesOf(item);
    const entry = entryOf(path, item);
    if (call.ifMatch !== undefined && call.ifMatch !== entry.etag)
      throw new StoreError("precondition-failed", "the file has another etag", { entry, applied: false });
    if (call.ifNoneMatch !== undefined && call.ifNoneMatch === entry.etag) throw new StoreError("not-modified", "the file has this etag", { entry });
    if (!hasBytes(file)) return exported(session, item, call);
    const size = sizeOf(file);
    if (size === 0) {
      if ((call.range?.offset ?? 0) > 0) throw new StoreError("bad-range", "the range starts past the end", { entry });
      return { entry, body: new Uint8Array(0) };
    }
    const range = clamped(call.range, size);
    if (range !== undefined && size !== null && range.offset >= size) throw new StoreError("bad-range", "the range starts at or past the end", { entry });
    try {
      const found = await opened(session, file, range, signal);
      if (found !== null) return { entry, offset: found.offset, body: found.body };
    } catch (error) {
      // Replaced, moved or deleted since it was looked up.
      if (!isMissing(error)) throw error;
      session.recent.forget(file.id);
    }
    if (tries === TRIES) throw new StoreError("conflict", "the file is being replaced over and over");
  }
}

function bytesOf({ target }: Item): DriveFile {
  if (target === null) throw new StoreError("corrupt", "the shortcut leads to nothing that this account can see");
  if (isFolder({ file: target, target })) throw new StoreError("is-a-directory", "a directory has no bytes");
  return target;
}

/** A last part is asked for from where it begins: the size is known. */
function clamped(range: ByteRange | undefined, size: number | null): ByteRange | undefined {
  if (range === undefined || range.offset >= 0 || size === null) return range;
  return { offset: Math.max(0, size + range.offset) };
}

/** Null: it was replaced while it was being opened. */
async function opened(session: Session, file: DriveFile, range: ByteRange | undefined, signal: Signal): Promise<Pick<ProviderRead, "offset" | "body"> | null> {
  const { api } = session;
  const isPinned = file.headRevisionId !== undefined && file.capabilities?.canReadRevisions === true;
  const path = isPinned ? `${file.id}/revisions/${encodeURIComponent(file.headRevisionId)}` : file.id;
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (range !== undefined) headers["range"] = `bytes=${range.offset}-${range.length === undefined ? "" : range.offset + range.length - 1}`;
  const answer = await api.send({
    method: "GET",
    url: `${api.rootUrl}drive/v3/files/${path}?alt=media&supportsAllDrives=true`,
    headers,
    signal,
    changes: false,
  });
  const { response } = answer;
  if (response.status !== 200 && response.status !== 206) throw undone(errorOf(response.status, response.headers, await textOf(answer)), signal);
  try {
    const offset = offsetOf(response);
    // Who may not read revisions gets the file as it is now: the same one, if it is still the same after the answer began.
    if (isPinned || etagOf(await api.get(file.id, signal)) === etagOf(file)) return { offset, body: bodyOf(answer) };
  } catch (error) {
    await close(answer);
    throw error;
  }
  await close(answer);
  return null;
}

function offsetOf(response: Response): number {
  if (response.status === 200) return 0;
  const first = /^bytes\s+(\d+)-\d+\/(?:\d+|\*)$/i.exec(response.headers.get("content-range")?.trim() ?? "")?.[1];
  if (first === undefined) throw new StoreError("unavailable", "the service does not say which part of the file it sends");
  return Number(first);
}

function bodyOf(answer: Answer): ProviderRead["body"] {
  const told = answer.response.headers.get("content-length");
  const length = told !== null && answer.response.headers.get("content-encoding") === null ? Number(told) : null;
  answer.dog.pause();
  return byteStream({ length, pull: reader(answer), close: () => close(answer) });
}

async function exported(session: Session, item: Item, { path, signal }: ReadCall): Promise<ProviderRead> {
  const { api, settings } = session;
  const file = item.target as DriveFile;
  const form = settings.exports[file.mimeType];
  if (form === undefined)
    throw new StoreError("unsupported", "Google's own documents have no bytes: the option `exports` says what they are read as", {
      entry: entryOf(path, item),
    });
  const answer = await api.send({
    method: "GET",
    url: `${api.rootUrl}drive/v3/files/${file.id}/export?mimeType=${encodeURIComponent(form)}`,
    headers: { "accept-encoding": "identity" },
    signal,
    changes: false,
  });
  const { response } = answer;
  if (response.status !== 200) throw undone(errorOf(response.status, response.headers, await textOf(answer)), signal);
  return { entry: entryOf(path, item), body: bodyOf(answer) };
}
