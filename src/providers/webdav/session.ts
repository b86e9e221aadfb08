/** One open connection to a server: the three ways to ask it, and what has been learned about it. */
import { StoreError, Turns, undone } from "../../store/index.ts";
import type { Source, StorePath } from "../../store/index.ts";
import { authenticationOf } from "./authentication.ts";
import type { Authentication } from "./authentication.ts";
import { ask, quietly } from "./control.ts";
import type { Ask } from "./control.ts";
import { download } from "./download.ts";
import type { Download } from "./download.ts";
import { errorOf, spoken, translate } from "./errors.ts";
import type { Answer } from "./errors.ts";
import { wentStale } from "./exchange.ts";
import type { TransferError } from "./exchange.ts";
import { rootWasMade } from "./look.ts";
import { namesOf } from "./names.ts";
import type { Names } from "./names.ts";
import type { Settings } from "./options.ts";
import { persist } from "./persist.ts";
import type { Attempt } from "./persist.ts";
import { loadWebdav } from "./sdk.ts";
import type { WebdavClient, WebdavPackage } from "./sdk.ts";
import { upload } from "./upload.ts";
import type { Sent, Upload } from "./upload.ts";
import { poolOf, retire } from "./wire.ts";
import type { Pool } from "./wire.ts";

/** So many directories are remembered as made; a longer memory costs more than the request it saves. */
const REMEMBERED = 4096;

export class Session {
  readonly settings: Settings;
  readonly names: Names;
  readonly #authentication: Authentication;
  readonly #package: WebdavPackage;
  readonly #client: WebdavClient;
  #pool: Pool;
  #shelf: Promise<string> | undefined;
  /** Shelves that may be gone, or hold what other calls are about to move. */
  readonly #left: Promise<string>[] = [];
  /** The first request with credentials, while it is under way. */
  #trying: Promise<void> | undefined;
  /** False once the server let `Expect` pass in silence. */
  continues = true;
  /** Directories that stood when we looked last. Only ever saves a request; nothing is believed because of it. */
  readonly #directories = new Set<StorePath>();

  private constructor(settings: Settings, sdk: WebdavPackage) {
    this.settings = settings;
    this.names = namesOf(settings);
    this.#authentication = authenticationOf(settings);
    this.#package = sdk;
    // Identity is added to each request by `ask`; the package gets none, so that it cannot follow a challenge of its own.
    this.#client = sdk.createClient(settings.origin, { authType: "none" });
    this.#pool = poolOf(settings);
  }

  readonly #poolFor = (fresh: boolean): Pool => (fresh ? poolOf(this.settings, false) : this.#pool);

  static async open(settings: Settings): Promise<Session> {
    return new Session(settings, await loadWebdav());
  }

  /** By path: what must not overlap with another call of ours. Where a server moves in two steps, as rclone does, of two moves at once both may delete the target. */
  readonly turns: Turns = new Turns();

  /** The challenge of the server, where it made one. */
  get challenge(): string {
    return this.#authentication.asked ?? "";
  }

  get package(): WebdavPackage {
    return this.#package;
  }

  /** A request without bytes of a file. */
  ask(question: Ask): Promise<Answer> {
    return this.#inTurn(() => ask({ settings: this.settings, authentication: this.#authentication, client: this.#client, pool: this.#poolFor }, question));
  }

  get(href: string, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<Download> {
    return this.#fetch("GET", href, headers, signal);
  }

  /** What GET would say now, without the bytes. */
  head(href: string, signal: AbortSignal | undefined): Promise<Download> {
    return this.#fetch("HEAD", href, {}, signal);
  }

  #fetch(method: "GET" | "HEAD", href: string, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<Download> {
    return this.#inTurn(() =>
      persist(this.#authentication, {
        method,
        href,
        send: ({ authorization, fresh }) => download(this.settings, this.#poolFor(fresh), method, href, withProof(headers, authorization), signal),
        mayRepeat: wentStale,
      }),
    );
  }

  /**
   * Sends a body. It is sent again after a challenge or a stale connection only if it can be; otherwise it waits until the server wants it. `sent`: of an
   * earlier try of the same change, which may have stored it.
   */
  async put(href: string, source: Source, signal: AbortSignal | undefined, sent: Sent = { whole: false }): Promise<Upload> {
    const send = ({ authorization, fresh }: Attempt): Promise<Upload> =>
      upload(this.settings, this.#poolFor(fresh), href, withProof({}, authorization), source, this.continues, sent, signal);
    try {
      // A body takes its time, and others wait while credentials are tried for the first time; one that can be sent only once must not be spent on a
      // challenge by a server that would not say so before.
      if (!this.#authentication.settled || (!source.replayable && !this.continues)) await this.#prime(signal);
      return await persist(this.#authentication, {
        method: "PUT",
        href,
        send: async (attempt) => {
          const answer = await send(attempt);
          if (answer.ignoredExpect) this.continues = false;
          if (answer.status !== 417 || answer.spent) return answer;
          this.continues = false;
          return send(attempt);
        },
        mayRepeat: (error) => wentStale(error) && (source.replayable || !(error as TransferError).spent),
        again: (answer) => {
          if (answer.spent && !source.replayable)
            throw new StoreError("unavailable", "the server asked who we are after a body that can be read only once", {
              status: 401,
              applied: false,
              cause: spoken(answer),
            });
        },
      });
    } catch (error) {
      throw sent.whole ? error : undone(error, signal, translate);
    }
  }

  /** Learns the challenge, or a fresh nonce, without a body. */
  async #prime(signal: AbortSignal | undefined): Promise<void> {
    await this.ask({ method: "PROPFIND", href: this.settings.base, headers: { Depth: "0" }, signal, repeatable: true });
  }

  /** One at a time until the server has taken the credentials, or has let us in without: wrong ones are tried once, however many calls begin together. */
  async #inTurn<T>(send: () => Promise<T>): Promise<T> {
    while (!this.#authentication.settled && this.#trying !== undefined) await this.#trying;
    if (this.#authentication.settled) return send();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#trying = promise;
    try {
      return await send();
    } finally {
      this.#trying = undefined;
      resolve();
    }
  }

  /** A new temporary file in this directory, or on a shelf of this session's own where files on their way break listings. */
  async temporary(directory: StorePath, signal: AbortSignal | undefined): Promise<string> {
    if (!this.settings.profile.uploadsBreakListings) return this.names.temporary(directory);
    this.#shelf ??= this.#makeShelf(signal).catch((error: unknown) => {
      this.#shelf = undefined;
      throw error;
    });
    return this.names.aside(await this.#shelf);
  }

  async #makeShelf(signal: AbortSignal | undefined): Promise<string> {
    const href = this.names.shelf();
    for (let again = true; ; again = false) {
      const answer = await this.ask({ method: "MKCOL", href, signal, repeatable: true });
      if (answer.status === 201) return href;
      if (!(await rootWasMade(this, signal)) || !again) throw errorOf(answer, { applied: false });
    }
  }

  /** Somebody may have taken it away: the next temporary file gets a new one. Other calls may still have files on it. */
  leaveShelf(): void {
    if (this.#shelf !== undefined) this.#left.push(this.#shelf);
    this.#shelf = undefined;
  }

  async #dropShelves(): Promise<void> {
    this.leaveShelf();
    // Ours alone, and empty unless an upload was cut off in the middle.
    for (const shelf of this.#left.splice(0)) await quietly(shelf.then((href) => this.ask({ method: "DELETE", href, signal: undefined, repeatable: true })));
  }

  knows(path: StorePath): boolean {
    return this.#directories.has(path);
  }

  remember(path: StorePath): void {
    if (this.#directories.size >= REMEMBERED) this.#directories.clear();
    this.#directories.add(path);
  }

  forget(): void {
    this.#directories.clear();
  }

  /** New connections, a new proof of identity, nothing remembered; running calls are not disturbed. */
  reconnect(): void {
    retire(this.#pool);
    this.#pool = poolOf(this.settings);
    this.#authentication.forget();
    this.continues = true;
    this.forget();
  }

  async close(): Promise<void> {
    await this.#dropShelves();
    this.#pool.destroy();
  }
}

function withProof(headers: Readonly<Record<string, string>>, proof: string | undefined): Readonly<Record<string, string>> {
  return proof === undefined ? headers : { ...headers, Authorization: proof };
}
