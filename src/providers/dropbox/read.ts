/** Reading: download, with a range where one is asked for. The metadata of exactly these bytes comes with them, in a header. */
import { StoreError, rangeHeader, root } from "../../store/index.ts";
import type { ProviderRead, ReadCall } from "../../store/index.ts";
import type { Download } from "./ask.ts";
import { fileEntry, fileIn, unclear } from "./entries.ts";
import { ApiError, isRefusal, refusalOf } from "./errors.ts";
import { absent, stat } from "./look.ts";
import type { Session } from "./session.ts";

export async function read(session: Session, call: ReadCall): Promise<ProviderRead> {
  const { path, range, signal } = call;
  // The root of an account has no metadata to refuse with.
  if (path === root) throw new StoreError("is-a-directory", "a folder has no bytes", { applied: false });
  const native = session.names.native(path);
  const asked = rangeHeader(range);
  const headers = { "Accept-Encoding": "identity", ...(asked === undefined ? {} : { Range: asked }) };
  let said;
  try {
    said = await session.ask("filesDownload", { path: native }, signal, { headers });
  } catch (error) {
    if (isRefusal(error, "path/not_found")) throw await absent(session, signal, error);
    if (error instanceof ApiError && error.status === 416) return pastTheEnd(session, call, error);
    throw error instanceof ApiError ? refusalOf(error) : error;
  }
  const download = said.download as Download;
  try {
    const { response } = download;
    if (response.headers.get("content-encoding") !== null)
      throw new StoreError("unavailable", "the bytes were packed on the way, although it was asked not to");
    const entry = fileEntry(path, fileIn(said.result));
    return { entry, offset: response.status === 206 ? startOf(response, entry.size) : 0, body: bytesOf(download) };
  } catch (error) {
    drop(download);
    throw error;
  }
}

/** From Content-Range: what came, not what was asked for. */
function startOf(response: Response, size: number | null): number {
  const found = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
  if (found === null || (size !== null && Number(found[3]) !== size)) throw unclear();
  return Number(found[1]);
}

async function pastTheEnd(session: Session, { path, range, signal }: ReadCall, cause: ApiError): Promise<ProviderRead> {
  const there = await stat(session, path, signal);
  if (there.kind === "directory") throw new StoreError("is-a-directory", "a folder has no bytes");
  // Of an empty file every range from its start is good, and is empty.
  if (there.size === 0 && (range?.offset ?? 0) === 0) return { entry: there, body: new Uint8Array(0) };
  throw new StoreError("bad-range", "the range starts at or past the end", { cause, status: cause.status, entry: there });
}

function drop({ response, dog }: Download): void {
  dog.stop();
  void response.body?.cancel().catch(() => {});
}

/** Closing, also unread, lets go of the connection; a service that falls silent in the middle is noticed, a slow reader is not hurried. */
function bytesOf(download: Download): AsyncIterable<Uint8Array> | Uint8Array {
  const { response, dog } = download;
  if (response.body === null) {
    dog.stop();
    return new Uint8Array(0);
  }
  const reader = response.body.getReader();
  dog.pause();
  let ended = false;
  const letGo = async (): Promise<void> => {
    dog.stop();
    if (ended) return;
    await reader.cancel().catch(() => {}); // What it failed of was told by `next`.
  };
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        try {
          dog.touch();
          const { done, value } = await reader.read();
          dog.pause();
          if (!done) return { done: false as const, value };
          ended = true;
          dog.stop();
          return { done: true as const, value: undefined };
        } catch (error) {
          const fired = dog.signal.aborted;
          dog.stop();
          throw fired ? dog.signal.reason : error;
        }
      },
      async return() {
        await letGo();
        return { done: true as const, value: undefined };
      },
    }),
    // Also of a body that nobody began to read.
    [Symbol.asyncDispose]: letGo,
  } as AsyncIterable<Uint8Array>;
}
