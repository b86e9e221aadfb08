/** The commands of plowshare, one method each: safe arguments, always a limit, output for machines, typed errors. */
import { join } from "node:path";
import { StoreError, abortError } from "../../store/index.ts";
import { exitCodeOf, failureOf, hider } from "./errors.ts";
import type { Task } from "./errors.ts";
import type { HostLink } from "./links.ts";
import { checkHost } from "./options.ts";
import type { Settings } from "./options.ts";
import { finalUrlsIn, linksIn, listedIn, probesIn, templates } from "./output.ts";
import type { Listed, Probed } from "./output.ts";
import type { Ended, Runner } from "./process.ts";
import type { Place, Surroundings } from "./surroundings.ts";

/** Names that every command takes as they are. */
const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;
const MAX_OUTPUT = 64 << 10;
const MAX_LISTING = 64 << 20;

/** @throws StoreError `config` before anything is made under a name that is none, or leads elsewhere */
export function checkName(name: string): void {
  if (!SAFE_NAME.test(name)) throw new StoreError("config", "a name that the commands would not understand", { applied: false });
}

export interface Given {
  readonly place: Place;
  /** Bytes to transfer, for the limit of time. */
  readonly bytes?: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly tooMuch?: (() => Promise<boolean>) | undefined;
}
export interface Upload {
  /** Exactly one link where the upload succeeded. */
  readonly links: readonly HostLink[];
  /** Undefined: it succeeded. */
  readonly failure: StoreError | undefined;
  /** The bytes may be at the host although no link came of them. */
  readonly mayHaveLanded: boolean;
  /** The exit code, of several items that of the first failure; null: it was ended by a signal. */
  readonly code: number | null;
}
export interface UploadSettings {
  /** Further arguments. */
  readonly more?: readonly string[] | undefined;
  /** Tries of plowup by itself. Whatever an earlier one of them left at the host, nothing tells of it. Default: those of the settings. */
  readonly retries?: number | undefined;
}

/** Nothing was tried: no module, a wrong command line, a command that does not run. */
const NOT_TRIED: ReadonlySet<number> = new Set([2, 15, 126, 127]);
/** The host refused the file: login, captcha, busy, password, rights, size, session. After all others it may have it: its answer was lost or not understood. */
const REFUSED: ReadonlySet<number> = new Set([...NOT_TRIED, 4, 7, 10, 11, 12, 14, 17]);

export class Commands {
  readonly settings: Settings;
  readonly surroundings: Surroundings;
  readonly #runner: Runner;
  readonly #hide: (text: string) => string;

  constructor(settings: Settings, surroundings: Surroundings, runner: Runner) {
    this.settings = settings;
    this.#runner = runner;
    this.surroundings = surroundings;
    this.#hide = hider(Object.values(settings.credentials).flatMap((secret) => [secret, secret.slice(secret.indexOf(":") + 1)]));
  }

  /** A file of the place, by a safe name of its own. */
  async upload(host: string, name: string, given: Given, settings: UploadSettings = {}): Promise<Upload> {
    checkName(name);
    return this.#up(host, name, given, settings);
  }
  /** The host fetches the address by itself; code 16: later. */
  async uploadFrom(host: string, url: string, given: Given): Promise<Upload> {
    return this.#up(host, url, given, {});
  }
  async #up(host: string, source: string, given: Given, { more = [], retries = this.settings.retries }: UploadSettings): Promise<Upload> {
    checkHost(host);
    const ended = await this.run("plowup", [...this.#limits(retries), ...this.#unattended(), `--printf=${templates.up}`, ...more, host, source], given);
    const links = linksIn(host, ended.stdout);
    const none = links.length === 0;
    const code = ended.stopped !== null || ended.code === null ? null : exitCodeOf(ended.code);
    if (ended.stopped === "signal" && given.signal !== undefined)
      return { links, failure: abortError(given.signal, { applied: false }), mayHaveLanded: none, code };
    if (code !== 0) {
      const surelyNot = code !== null && (retries === 0 ? REFUSED : NOT_TRIED).has(code);
      return { links, failure: this.failure("upload", ended), mayHaveLanded: none && !surelyNot, code };
    }
    if (links.length === 1) return { links, failure: undefined, mayHaveLanded: false, code };
    // Skipped files end like this, and so do modules whose host changed.
    const reason = none ? "the command ended well and gave no link: the file was skipped, or the host changed" : "the command gave several links for one file";
    return { links, failure: new StoreError("unknown", reason, { applied: false }), mayHaveLanded: none, code };
  }

  /** Into the fresh directory of the place. What came is looked at by whoever asked: nothing that the command says of it counts. */
  async download(url: string, given: Given, more: readonly string[] = []): Promise<void> {
    const ended = await this.run(
      "plowdown",
      [...this.#limits(this.settings.retries), ...this.#unattended(), "-o", ".", `--printf=${templates.down}`, ...more, url],
      given,
    );
    this.check(this.settings.retries === 0 ? "download once" : "download", ended, given.signal);
  }

  /** Where the bytes come from, without a transfer. */
  async finalUrl(url: string, given: Given): Promise<string> {
    const limits = this.#limits(this.settings.retries);
    const ended = await this.run("plowdown", [...limits, ...this.#unattended(), "--skip-final", `--printf=${templates.down}`, url], given);
    this.check(this.settings.retries === 0 ? "download once" : "download", ended, given.signal);
    const [final] = finalUrlsIn(ended.stdout);
    if (final === undefined) throw new StoreError("unknown", "the command ended well and gave no address", { applied: false });
    return final;
  }

  /** "dead": gone already, which is what was wanted. */
  async remove(url: string, given: Given): Promise<"removed" | "dead"> {
    const ended = await this.run("plowdel", ["--captchamethod=none", url], given);
    if (ended.stopped === null && ended.code !== null && exitCodeOf(ended.code) === 13) return "dead";
    this.check("delete", ended, given.signal);
    return "removed";
  }

  /** What the host says of a link. @throws StoreError `corrupt` where it is dead; all else that fails says nothing about the link */
  async probe(url: string, given: Given): Promise<Probed> {
    const ended = await this.run("plowprobe", [`--printf=${templates.probe}`, url], given);
    this.check("probe", ended, given.signal);
    const [probed, ...others] = probesIn(ended.stdout);
    if (probed === undefined || others.length > 0) throw new StoreError("unknown", "the command ended well and told nothing of the link", { applied: false });
    return probed;
  }

  async list(url: string, recursive: boolean, given: Given): Promise<Listed[]> {
    const ended = await this.run("plowlist", [...(recursive ? ["-R"] : []), "-t", this.#wait(), `--printf=${templates.list}`, url], given, MAX_LISTING);
    this.check("list", ended, given.signal);
    return listedIn(ended.stdout);
  }

  /** Only the waits of hosts; what the network does is bounded by the limit of the process. Of plowup, plowdown and plowlist: the others know no -t, and none but the first two -r. */
  #wait(): string {
    return String(Math.ceil(this.settings.waitMs / 1000));
  }
  #limits(retries: number): string[] {
    const { maxBytesPerSecond } = this.settings;
    return ["-t", this.#wait(), "-r", String(retries), ...(maxBytesPerSecond === undefined ? [] : [`--max-rate=${maxBytesPerSecond}`])];
  }
  /** Nobody sits there to answer. */
  #unattended(): string[] {
    return ["--captchamethod=none", `--cache=${this.settings.sessions}`];
  }

  run(command: string, args: readonly string[], { place, bytes = 0, signal, tooMuch }: Given, maxOutputBytes: number = MAX_OUTPUT): Promise<Ended> {
    const { commandDirectory, waitMs, graceMs, minBytesPerSecond, maxBytesPerSecond = Infinity, clock } = this.settings;
    // A transfer that we slow down ourselves is not late.
    const pace = Math.min(minBytesPerSecond, maxBytesPerSecond / 2);
    return this.#runner({
      file: commandDirectory === undefined ? command : join(commandDirectory, command),
      args: [...this.surroundings.arguments, ...args],
      cwd: place.directory,
      environment: place.environment,
      limitMs: waitMs + graceMs + Math.ceil((bytes / pace) * 1000),
      maxOutputBytes,
      signal,
      clock,
      tooMuch,
    });
  }

  check(task: Task, ended: Ended, signal: AbortSignal | undefined): void {
    if (ended.stopped === "signal" && signal !== undefined) throw abortError(signal, { applied: false });
    if (ended.code !== 0 || ended.stopped !== null) throw this.failure(task, ended);
  }
  failure(task: Task, ended: Ended): StoreError {
    return failureOf(task, ended, this.#hide);
  }
}
