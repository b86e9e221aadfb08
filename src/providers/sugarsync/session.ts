/** Who we are, and what is known: the access token, renewed by itself; the user's links; the folders seen so far. */
import { StoreError, beforehand, undone } from "../../store/index.ts";
import type { Source } from "../../store/index.ts";
import { errorOf, translate } from "./errors.ts";
import type { Refusal } from "./errors.ts";
import { Index } from "./folders.ts";
import { refOf } from "./links.ts";
import type { Settings } from "./options.ts";
import { Shared } from "./shared.ts";
import { Turns } from "./turns.ts";
import * as wire from "./wire.ts";
import type { Download, Upload } from "./wire.ts";
import { parseXml, request, textOf } from "./xml.ts";
import type { XmlElement } from "./xml.ts";

export interface Question {
  readonly method: wire.Asked["method"];
  readonly path: string;
  readonly xml?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal: AbortSignal | undefined;
}
export interface Orphan {
  remove(mayBeNamed: boolean, signal: AbortSignal | undefined): Promise<void>;
}
/** What every call needs of the user. */
export interface User {
  /** Of the collection of sync folders: what stands for the root. */
  readonly root: string;
  readonly deleted: string;
}

interface Access {
  readonly token: string;
  /** By the monotonic clock, some time before the service ends it. */
  readonly renewAt: number;
}

/** A token is renewed so long before its end, so that no long upload meets it. */
const LEEWAY_MS = 300_000;
const GRACE_MS = 1500;

export class Session {
  readonly settings: Settings;
  readonly turns: Turns = new Turns();
  /** Temporary files that could not be removed when their write failed: removed with the next write, or at the end. */
  readonly orphans: Set<Orphan> = new Set();
  index: Index;
  readonly #graces = new WeakMap<AbortSignal, AbortSignal>();
  #access: Shared<Access> | undefined;
  #refused: StoreError | undefined;
  #user: Promise<User> | undefined;

  constructor(settings: Settings) {
    this.settings = settings;
    this.index = new Index(settings);
  }

  /** New token, nothing remembered; running calls are not disturbed. */
  reconnect(): void {
    this.#access = undefined;
    this.#refused = undefined;
    this.#user = undefined;
    this.index = new Index(this.settings);
  }

  ask({ method, path, xml, headers = {}, signal }: Question): Promise<Refusal> {
    return this.#known(signal, (authorization) => wire.ask(this.settings, { method, path, headers: { ...headers, authorization }, signal }, xml));
  }

  /** A question, and what its answer says: what fails of it has changed nothing. */
  async get<T>(path: string, signal: AbortSignal | undefined, read: (answer: Refusal) => T): Promise<T> {
    return beforehand(this.ask({ method: "GET", path, signal }).then(read), signal, translate);
  }

  download(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<Download> {
    return this.#known(signal, (authorization) => wire.download(this.settings, { method: "GET", path, headers: { ...headers, authorization }, signal }));
  }

  upload(path: string, source: Source, signal: AbortSignal | undefined): Promise<Upload> {
    return this.#known(
      signal,
      (authorization) => wire.upload(this.settings, { method: "PUT", path, headers: { authorization }, signal }, source),
      () => {
        if (!source.replayable)
          throw new StoreError("unavailable", "the service asked who we are after a body that can be read only once", {
            status: 401,
            applied: false,
            transient: false,
          });
      },
    );
  }

  /** For what must be settled or taken back after the caller gave up: goes on a little longer than his own. The same one for all of a call. */
  grace(signal: AbortSignal | undefined): AbortSignal | undefined {
    if (signal === undefined) return undefined;
    const known = this.#graces.get(signal);
    if (known !== undefined) return known;
    const late = new AbortController();
    const begin = (): void => {
      this.settings.clock.sleep(GRACE_MS, undefined, { background: true }).then(
        () => late.abort(new StoreError("timeout", "the service did not answer in the little time after the caller gave up")),
        () => {},
      );
    };
    if (signal.aborted) begin();
    else signal.addEventListener("abort", begin, { once: true });
    this.#graces.set(signal, late.signal);
    return late.signal;
  }

  async removeOrphans(signal: AbortSignal | undefined): Promise<void> {
    for (const orphan of this.orphans) {
      try {
        await orphan.remove(true, signal);
        this.orphans.delete(orphan);
      } catch (error) {
        // Not now either. What is not of the service is a defect of ours.
        if (translate(error) === undefined && signal?.aborted !== true) throw error;
        return;
      }
    }
  }

  /** The user's resource as it is now. */
  user(signal: AbortSignal | undefined): Promise<XmlElement> {
    return this.get("/user", signal, (answer) => {
      if (answer.status !== 200) throw errorOf(answer);
      const found = parseXml(answer.text);
      this.#user ??= Promise.resolve(linksOf(found, this.settings));
      return found;
    });
  }

  /** Asked once; a failure is not remembered, and one caller's signal is not the others'. */
  async links(signal: AbortSignal | undefined): Promise<User> {
    if (this.#user === undefined) await this.user(signal);
    return this.#user as unknown as Promise<User>;
  }

  /** Sends with the token; one that is not good any more is replaced once. */
  async #known<T extends Refusal>(signal: AbortSignal | undefined, send: (authorization: string) => Promise<T>, again?: () => void): Promise<T> {
    const first = await this.#token(signal);
    const answer = await send(first.token);
    if (answer.status !== 401) return answer;
    // For all later calls, also where this one cannot be sent again.
    if (this.#access?.value?.token === first.token) this.#access = undefined;
    again?.();
    const second = await send((await this.#token(signal)).token);
    if (second.status === 401) throw errorOf(second);
    return second;
  }

  /** One request for all who wait. One who gives up does not end it for the others; the last one does. */
  async #token(signal: AbortSignal | undefined): Promise<Access> {
    for (;;) {
      if (this.#refused !== undefined) throw this.#refused;
      const renewal = (this.#access ??= this.#begin());
      const access = await renewal.wait(signal);
      if (access.renewAt > this.settings.clock.monotonic()) return access;
      if (this.#access === renewal) this.#access = undefined;
    }
  }

  #begin(): Shared<Access> {
    const renewal: Shared<Access> = new Shared((signal) => this.#renew(signal));
    renewal.failed.then(
      () => {
        if (this.#access === renewal) this.#access = undefined;
      },
      () => {},
    );
    return renewal;
  }

  async #renew(signal: AbortSignal): Promise<Access> {
    const { accessKeyId, privateAccessKey, refreshToken, clock } = this.settings;
    const answer = await wire
      .ask(
        this.settings,
        { method: "POST", path: "/authorization", headers: {}, signal },
        request("tokenAuthRequest", { accessKeyId, privateAccessKey, refreshToken }),
      )
      .catch((error: unknown) => {
        // Nothing of the call itself was sent yet.
        throw undone(error, undefined, translate);
      });
    if (answer.status === 401 || answer.status === 403) {
      // Asked again and again, services lock out: until `reconnect` nothing is asked any more.
      this.#refused = errorOf(answer, {
        code: "unauthenticated",
        reason: "the refresh token is not good any more (revoked, or of another application): sign in again with `stratus auth sugarsync`",
        applied: false,
      });
      throw this.#refused;
    }
    const token = answer.headers.get("location");
    if (answer.status >= 300 || token === null) throw errorOf(answer, { applied: false });
    const ends = Date.parse(textOf(parseXml(answer.text), "expiration") ?? "");
    // Against the service's own clock: ours may be wrong by hours.
    const now = Date.parse(answer.headers.get("date") ?? "");
    const left = Number.isNaN(ends) ? LEEWAY_MS * 2 : ends - (Number.isNaN(now) ? clock.now() : now);
    return { token, renewAt: clock.monotonic() + Math.max(1000, left - LEEWAY_MS, left / 2 < LEEWAY_MS ? left / 2 : 0) };
  }
}

function linksOf(user: XmlElement, settings: Settings): User {
  const folders = textOf(user, "syncfolders");
  const deleted = textOf(user, "deleted");
  if (folders === undefined || deleted === undefined) throw new StoreError("unavailable", "the service does not say where the user's folders are");
  return { root: refOf(folders, settings).replace(/\/contents$/, ""), deleted: refOf(deleted, settings) };
}
