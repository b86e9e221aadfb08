/** One open connection to an account: how it is asked, whose turn it is, and what has been learned about it. */
import { createHash } from "node:crypto";
import { StoreError, undone } from "../../store/index.ts";
import { ask } from "./ask.ts";
import type { Question, Said } from "./ask.ts";
import { ApiError, isRefusal, refusalOf, translate } from "./errors.ts";
import { enterLane, leaveLane } from "./lane.ts";
import type { Lane } from "./lane.ts";
import { namesOf } from "./names.ts";
import type { Names } from "./names.ts";
import type { Settings } from "./options.ts";
import { ROUTES, loadDropbox } from "./sdk.ts";
import type { DropboxPackage, RouteName, SdkClient } from "./sdk.ts";
import { Tokens } from "./tokens.ts";

/** Tries of what only asks or only adds a piece to an upload that nobody sees. */
const TRIES = 3;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5000;

export class Session {
  readonly settings: Settings;
  readonly names: Names;
  readonly sdk: DropboxPackage;
  readonly tokens: Tokens;
  readonly lane: Lane;
  /** The package's client for the last token. */
  client: { readonly token: string; readonly client: SdkClient } | undefined;
  readonly #account: string;
  /** The folder of `root` was there when we looked last. */
  #rootStands: boolean;

  private constructor(settings: Settings, sdk: DropboxPackage) {
    this.settings = settings;
    this.sdk = sdk;
    this.names = namesOf(settings.root, settings.random);
    this.tokens = new Tokens(settings);
    // Of the credentials only what tells two accounts apart is kept.
    this.#account = createHash("sha256")
      .update(settings.refreshToken ?? settings.accessToken ?? "")
      .digest("hex");
    this.lane = enterLane(settings.clock, this.#account);
    this.#rootStands = settings.root === "";
  }

  static async open(settings: Settings): Promise<Session> {
    return new Session(settings, await loadDropbox());
  }

  /** One request. What only asks, or only adds to an upload that nobody sees, says of its failure that nothing was changed. */
  async ask(route: RouteName, args: unknown, signal: AbortSignal | undefined, more: Omit<Question, "route" | "args" | "signal"> = {}): Promise<Said> {
    if (ROUTES[route] === "commit") return ask(this, { ...more, route, args, signal });
    try {
      return await ask(this, { ...more, route, args, signal });
    } catch (error) {
      // Refusals are looked at by whoever asked.
      if (isApi(error)) throw error;
      throw undone(error, signal, translate);
    }
  }

  /** The same, tried again while the failure may pass by itself. */
  async askAgain(
    route: RouteName,
    args: unknown,
    signal: AbortSignal | undefined,
    before?: (failure: StoreError) => Promise<"done" | undefined>,
  ): Promise<Said | "done"> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.ask(route, args, signal);
      } catch (error) {
        const known = translate(error);
        if (known?.transient !== true || tries === TRIES || signal?.aborted === true) throw error;
        const { clock, random, maxWaitMs } = this.settings;
        const wait = known.retryAfterMs ?? Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1)) * random();
        if (wait > maxWaitMs) throw error;
        await sleep(clock, wait, signal);
        if ((await before?.(known)) === "done") return "done";
      }
    }
  }

  /** A change, when it is our turn: Dropbox refuses a second writer while one commits. */
  async commit<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    let begun = false;
    try {
      return await this.lane.turn(signal, () => {
        begun = true;
        return work();
      });
    } catch (error) {
      throw begun ? error : undone(error, signal, translate);
    }
  }

  /** Before a change, which would make the folder of the store by the way: an account where it is missing must not be filled. */
  async needRoot(signal: AbortSignal | undefined): Promise<void> {
    if (this.#rootStands) return;
    await this.#look(signal);
  }

  /** Nothing is at some path: is the folder of the store itself still there? @throws StoreError `config` */
  async checkRoot(signal: AbortSignal | undefined): Promise<void> {
    if (this.settings.root === "") return;
    this.#rootStands = false;
    await this.needRoot(signal);
  }

  async #look(signal: AbortSignal | undefined): Promise<void> {
    const { root, createRoot } = this.settings;
    try {
      const { result } = await this.ask("filesGetMetadata", { path: root }, signal);
      if ((result as { readonly ".tag"?: unknown } | null)?.[".tag"] !== "folder")
        throw new StoreError("config", "the root of the store is no folder", { applied: false });
    } catch (error) {
      if (!isRefusal(error, "path/not_found")) throw error;
      if (!createRoot) throw new StoreError("config", "the folder of the option root does not exist in this account", { cause: error, applied: false });
      await this.#makeRoot(signal);
    }
    this.#rootStands = true;
  }

  async #makeRoot(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.commit(signal, () => this.ask("filesCreateFolderV2", { path: this.settings.root, autorename: false }, signal));
    } catch (error) {
      // Somebody else was quicker.
      if (isRefusal(error, "path/conflict/folder")) return;
      throw isApi(error) ? refusalOf(error) : error;
    }
  }

  reconnect(): void {
    this.tokens.forget();
    this.#rootStands = this.settings.root === "";
  }

  close(): void {
    leaveLane(this.settings.clock, this.#account, this.lane);
  }
}

const isApi = (error: unknown): error is ApiError => error instanceof ApiError;

async function sleep(clock: Settings["clock"], ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    throw undone(error, signal, translate);
  }
}
