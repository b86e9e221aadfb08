/**
 * A file in pieces (api/guides/manage-uploads#resumable): a piece that was lost on the way is asked after, and only what is missing of it is sent again.
 * Nothing of the file is to be seen before the last piece; a session that is given up leaves nothing.
 */
import { StoreError, undone } from "../../store/index.ts";
import type { FileBody, Signal } from "./api.ts";
import { fileOf, jsonOf, textOf } from "./api.ts";
import { errorOf, isMissing } from "./errors.ts";
import { uploadUrl } from "./multipart.ts";
import type { DriveFile } from "./resource.ts";
import { patience } from "./retries.ts";
import type { Session } from "./session.ts";

/** How long giving up a session may take. */
const CANCEL_MS = 5000;

/** The service does not know the session any more. Nothing of it is stored. */
export class SessionLost extends Error {}

interface Said {
  /** The finished file. */
  readonly file?: DriveFile;
  /** So many bytes have arrived. */
  readonly arrived: number;
}

export class Upload {
  readonly #session: Session;
  readonly #url: string;
  readonly #signal: Signal;
  readonly #size: number | null;
  #over = false;

  private constructor(session: Session, url: string, size: number | null, signal: Signal) {
    this.#session = session;
    this.#url = url;
    this.#size = size;
    this.#signal = signal;
  }

  /** `fileId`: the file that gets new bytes; undefined: a new one. */
  static async begin(session: Session, fileId: string | undefined, body: FileBody, size: number | null, signal: Signal): Promise<Upload> {
    const { api } = session;
    const headers: Record<string, string> = {
      "content-type": "application/json; charset=UTF-8",
      "x-upload-content-type": body.mimeType ?? "application/octet-stream",
    };
    if (size !== null) headers["x-upload-content-length"] = String(size);
    try {
      const url = uploadUrl(api, fileId, { uploadType: "resumable" });
      const { response } = await api.text({
        method: fileId === undefined ? "POST" : "PATCH",
        url,
        headers,
        body: JSON.stringify(body),
        signal,
        changes: false,
      });
      const place = response.headers.get("location");
      if (place === null) throw new StoreError("unavailable", "Drive does not say where the upload goes on");
      return new Upload(session, new URL(place, url).href, size, signal);
    } catch (error) {
      // A session that nobody knows of is nothing.
      throw undone(error, signal);
    }
  }

  /** A piece that is not the last: all of it has arrived when this resolves. */
  async piece(bytes: Uint8Array, offset: number): Promise<void> {
    try {
      const file = await this.#put(bytes, offset, false);
      if (file !== undefined) throw new StoreError("unavailable", "Drive takes the file for complete before its end", { applied: "unknown" });
    } catch (error) {
      throw undone(error, this.#signal);
    }
  }

  /** The last piece, which makes the file. */
  async finish(bytes: Uint8Array, offset: number): Promise<DriveFile> {
    const file = await this.#put(bytes, offset, true);
    this.#over = true;
    return file as DriveFile;
  }

  /** Tells the service to forget what has arrived. After the end, or where it cannot be told, nothing: it forgets by itself after a week. */
  async cancel(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    const { api, settings } = this.#session;
    const stop = new AbortController();
    const done = new AbortController();
    settings.clock.sleep(CANCEL_MS, done.signal, { background: true }).then(
      () => stop.abort(new StoreError("timeout", "the service does not answer")),
      () => {},
    );
    try {
      await textOf(await api.send({ method: "DELETE", url: this.#url, headers: { "content-length": "0" }, signal: stop.signal, changes: false }));
    } catch (error) {
      // Why the upload failed is what the caller must hear.
      if (!StoreError.is(error)) throw error;
    } finally {
      done.abort();
    }
  }

  async #put(bytes: Uint8Array, offset: number, isLast: boolean): Promise<DriveFile | undefined> {
    const end = offset + bytes.byteLength;
    const total = isLast ? end : (this.#size ?? "*");
    const waits = patience(this.#session.settings);
    let at = offset;
    let asks = false;
    for (;;) {
      try {
        const said = asks ? await this.#ask(total) : await this.#send(bytes.subarray(at - offset), at, end, total, isLast);
        asks = false;
        if (said.file !== undefined) return said.file;
        if (said.arrived < offset || said.arrived > end) throw new SessionLost("the service has other bytes than were sent");
        if (said.arrived > at) waits.reset();
        else if (said.arrived < end) await waits.wait(new StoreError("unavailable", "Drive takes nothing of the file", { applied: "unknown" }), this.#signal);
        at = said.arrived;
        if (at === end && !isLast) return undefined;
        // All is there, and it does not say that it is done.
        if (at === end) {
          await waits.wait(new StoreError("unavailable", "Drive has all of the file and does not finish it", { applied: "unknown" }), this.#signal);
          asks = true;
        }
      } catch (error) {
        if (isMissing(error)) throw new SessionLost("the upload session is gone", { cause: error });
        await waits.wait(error, this.#signal);
        asks = true;
      }
    }
  }

  #send(bytes: Uint8Array, at: number, end: number, total: number | string, isLast: boolean): Promise<Said> {
    const range = bytes.byteLength === 0 ? `bytes */${total}` : `bytes ${at}-${end - 1}/${total}`;
    return this.#request(range, bytes, isLast);
  }

  /** What has arrived. */
  #ask(total: number | string): Promise<Said> {
    return this.#request(`bytes */${total}`, undefined, false);
  }

  async #request(range: string, bytes: Uint8Array | undefined, changes: boolean): Promise<Said> {
    const headers = { "content-range": range, ...(bytes === undefined ? { "content-length": "0" } : {}) };
    const answer = await this.#session.api.send({ method: "PUT", url: this.#url, headers, body: bytes, signal: this.#signal, changes });
    const { response } = answer;
    const text = await textOf(answer);
    if (response.status === 308) {
      const last = /^bytes=0-(\d+)$/.exec(response.headers.get("range")?.trim() ?? "")?.[1];
      return { arrived: last === undefined ? 0 : Number(last) + 1 };
    }
    if (response.status === 200 || response.status === 201) return { file: fileOf(jsonOf(text)), arrived: Infinity };
    throw errorOf(response.status, response.headers, text);
  }
}
