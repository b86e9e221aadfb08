/**
 * The commands themselves, for links that no store knows: `plowshareTools({ modules })`. Each call has the isolation, the limits and the typed errors of
 * the store; files are moved to where they are wanted only when they are whole.
 *
 *   await using tools = plowshareTools({ commandDirectory: "/opt/plowshare/bin" });
 *   const { url, remove } = await tools.upload("somehost", "/tmp/a report.pdf", { name: "report.pdf" });
 *   const { path } = await tools.download(url, "/tmp/inbox");
 */
import { copyFile, link, lstat, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, extname, join, resolve } from "node:path";
import { StoreError } from "../../store/index.ts";
import type { CallOptions } from "../../store/index.ts";
import { Commands, checkName } from "./commands.ts";
import type { Given, Upload } from "./commands.ts";
import { translate } from "./errors.ts";
import { isLink } from "./links.ts";
import { settingsOf } from "./options.ts";
import type { PlowshareCommandOptions } from "./options.ts";
import type { Listed, Probed } from "./output.ts";
import { run } from "./process.ts";
import { freshName } from "./spooled.ts";
import { Surroundings } from "./surroundings.ts";
import type { Place } from "./surroundings.ts";

export interface UploadOptions extends CallOptions {
  /** The name at the host: letters, digits, ".", "_", "-"; what hosts make of others is not known. Default: letters at random with the extension of the file. */
  readonly name?: string | undefined;
  /** Instead: a format of plowup's --name ("%h.%x": MD5 and extension). It is applied to `name`. */
  readonly nameFormat?: string | undefined;
  /** Options of the module for this upload, in front of those of `hostOptions`. They are arguments: no secrets. */
  readonly hostOptions?: Readonly<Record<string, string>> | undefined;
  /** A program called before, with module, file and name. */
  readonly runBefore?: string | undefined;
}
export interface DownloadOptions extends CallOptions {
  /** Default: the name that the host gives. */
  readonly name?: string | undefined;
  /** What happens to a file of that name: `replace` it, `keep-both` (".1" is added), or `refuse` with `already-exists`. Default "refuse". */
  readonly existing?: "replace" | "keep-both" | "refuse" | undefined;
  /** About how many bytes will come, for the limit of time. Default: 100 GB, so that only silence of the network ends it. */
  readonly expectedBytes?: number | undefined;
  /** Less free disk than this, in bytes: `config`, and nothing is downloaded. Rounded to KiB. Default: no limit. */
  readonly minFreeBytes?: number | undefined;
  /** An address that no module knows is downloaded as it is. Default false: `config`. */
  readonly plainLinks?: boolean | undefined;
  /** Programs called before and after each, with module, link, cookie file; afterwards also the final address and the name. */
  readonly runBefore?: string | undefined;
  readonly runAfter?: string | undefined;
}
export interface UploadedFile {
  readonly url: string;
  readonly remove: string | null;
  readonly admin: string | null;
}
export interface DownloadedFile {
  readonly path: string;
  readonly bytes: number;
}

/** Disposing ends what runs: those calls, and later ones, fail with `closed`. */
export interface PlowshareTools extends AsyncDisposable {
  /**
   * Any file of any name: it is given to plowup under a safe one. An empty file is `unsupported`: no host takes it. After a failure that leaves open whether the host has the
   * file, and after an earlier try of `retries` that may have left it there, `applied` is "unknown": no list is kept of such copies.
   */
  upload(host: string, file: string, options?: UploadOptions): Promise<UploadedFile>;
  /** The host fetches the address by itself. "pending": it will do so later, and nobody says when. `applied` of a failure as with `upload`. */
  uploadFrom(host: string, url: string, options?: CallOptions): Promise<UploadedFile | "pending">;
  download(url: string, directory: string, options?: DownloadOptions): Promise<DownloadedFile>;
  /** A file with one link a line. Each is marked in it when it is done, so that the next call goes on with the rest. Those that fail do not keep the others. */
  downloadList(
    list: string,
    directory: string,
    options?: Omit<DownloadOptions, "name">,
  ): Promise<{ readonly files: readonly DownloadedFile[]; readonly failure: StoreError | null }>;
  /** Where the bytes come from, without a transfer. */
  finalUrl(url: string, options?: CallOptions): Promise<string>;
  /** "dead": it was gone already. */
  remove(url: string, options?: CallOptions): Promise<"removed" | "dead">;
  /** `corrupt` for a dead link; all else that fails says nothing about it. */
  probe(url: string, options?: CallOptions): Promise<Probed>;
  list(url: string, options?: CallOptions & { readonly recursive?: boolean | undefined }): Promise<readonly Listed[]>;
  /** Names of the modules that this command can use. Default "plowup": hosts that take files. */
  modules(command?: "plowup" | "plowdown" | "plowdel" | "plowprobe" | "plowlist", options?: CallOptions): Promise<readonly string[]>;
  /** The module that knows this link. @throws StoreError `config` where none does */
  moduleFor(url: string, options?: CallOptions): Promise<string>;
}

const UNKNOWN_BYTES = 1e11;

/** Nothing is started before the first call. @throws StoreError `config` for wrong options */
export function plowshareTools(options: PlowshareCommandOptions = {}): PlowshareTools {
  return new Tools(options);
}

class Tools implements PlowshareTools {
  readonly #settings: ReturnType<typeof settingsOf>;
  #commands: Promise<Commands> | undefined;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: PlowshareCommandOptions) {
    this.#settings = settingsOf(options);
  }

  async #open(): Promise<Commands> {
    const directory = await mkdtemp(join(tmpdir(), `stratus-plowshare-${process.pid}-`));
    try {
      return new Commands(this.#settings, await Surroundings.make(directory, this.#settings), run);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  async #at<T>(signal: AbortSignal | undefined, work: (commands: Commands, given: Given & { readonly place: Place }) => Promise<T>): Promise<T> {
    const over = this.#closing.signal;
    if (over.aborted) throw closed();
    const task = this.#run(signal === undefined ? over : AbortSignal.any([signal, over]), work);
    this.#running.add(task);
    try {
      return await task;
    } catch (error) {
      throw over.aborted && signal?.aborted !== true ? closed(error) : (translate(error) ?? error);
    } finally {
      this.#running.delete(task);
    }
  }

  async #run<T>(signal: AbortSignal, work: (commands: Commands, given: Given & { readonly place: Place }) => Promise<T>): Promise<T> {
    this.#commands ??= this.#open().catch((error: unknown) => {
      this.#commands = undefined;
      throw error;
    });
    const commands = await this.#commands;
    await using place = await commands.surroundings.place();
    return await work(commands, { place, signal });
  }

  upload(host: string, file: string, { name, nameFormat, hostOptions = {}, runBefore, signal }: UploadOptions = {}): Promise<UploadedFile> {
    return this.#at(signal, async (commands, given) => {
      const stat = await lstat(file);
      if (!stat.isFile()) throw new StoreError("unsupported", "only a regular file can be uploaded", { applied: false });
      if (stat.size === 0) throw new StoreError("unsupported", "hosts take no empty files", { applied: false });
      const extension = extname(file);
      const safe = name ?? freshName(Math.random) + (/^\.[A-Za-z0-9]{1,10}$/.test(extension) ? extension : ".bin");
      checkName(safe);
      await link(resolve(file), join(given.place.directory, safe)).catch(() => copyFile(resolve(file), join(given.place.directory, safe)));
      const more = [
        ...(nameFormat === undefined ? [] : [`--name=${nameFormat}`]),
        ...(runBefore === undefined ? [] : [`--run-before=${resolve(runBefore)}`]),
        ...Object.entries(hostOptions).map(([key, value]) => `--${key}=${value}`),
      ];
      return uploaded(await commands.upload(host, safe, { ...given, bytes: stat.size }, { more }));
    });
  }

  uploadFrom(host: string, url: string, { signal }: CallOptions = {}): Promise<UploadedFile | "pending"> {
    return this.#at(signal, async (commands, given) => {
      checkLink(url);
      const upload = await commands.uploadFrom(host, url, given);
      return upload.code === 16 ? "pending" : uploaded(upload);
    });
  }

  download(url: string, directory: string, options: DownloadOptions = {}): Promise<DownloadedFile> {
    return this.#at(options.signal, async (commands, given) => {
      checkLink(url);
      await commands.download(url, { ...given, bytes: options.expectedBytes ?? UNKNOWN_BYTES }, argumentsOf(options));
      const [file, ...others] = await delivered(given.place, directory, options);
      if (file === undefined || others.length > 0) throw new StoreError("integrity", "the command ended well and left no file", { applied: false });
      return file;
    });
  }

  downloadList(list: string, directory: string, options: Omit<DownloadOptions, "name"> = {}): ReturnType<PlowshareTools["downloadList"]> {
    return this.#at(options.signal, async (commands, given) => {
      let failure: StoreError | null = null;
      try {
        await commands.download(resolve(list), { ...given, bytes: options.expectedBytes ?? UNKNOWN_BYTES }, ["-m", ...argumentsOf(options)]);
      } catch (error) {
        // What came is the caller's all the same: its links are marked as done.
        if (!StoreError.is(error) || error.code === "config") throw error;
        failure = error;
      }
      return { files: await delivered(given.place, directory, options), failure };
    });
  }

  finalUrl(url: string, { signal }: CallOptions = {}): Promise<string> {
    return this.#at(signal, async (commands, given) => {
      checkLink(url);
      return commands.finalUrl(url, given);
    });
  }

  remove(url: string, { signal }: CallOptions = {}): Promise<"removed" | "dead"> {
    return this.#at(signal, async (commands, given) => {
      checkLink(url);
      return commands.remove(url, given);
    });
  }
  probe(url: string, { signal }: CallOptions = {}): Promise<Probed> {
    return this.#at(signal, async (commands, given) => {
      checkLink(url);
      return commands.probe(url, given);
    });
  }
  list(url: string, { recursive = false, signal }: CallOptions & { readonly recursive?: boolean | undefined } = {}): Promise<readonly Listed[]> {
    return this.#at(signal, async (commands, given) => {
      checkLink(url);
      return commands.list(url, recursive, given);
    });
  }
  modules(command: Parameters<PlowshareTools["modules"]>[0] = "plowup", { signal }: CallOptions = {}): Promise<readonly string[]> {
    return this.#at(signal, async (commands, given) => {
      const ended = await commands.run(command, ["--modules"], given);
      commands.check("list", ended, given.signal);
      return ended.stdout.split("\n").filter((name) => /^[a-z0-9_]+$/.test(name));
    });
  }
  moduleFor(url: string, { signal }: CallOptions = {}): Promise<string> {
    return this.#at(signal, async (commands, given) => {
      checkLink(url);
      const ended = await commands.run("plowprobe", ["--get-module", url], given);
      const name = ended.stdout.trim();
      if (ended.code === 2 || (ended.code === 0 && !/^[a-z0-9_]+$/.test(name))) throw new StoreError("config", "no module knows this link", { applied: false });
      commands.check("probe", ended, given.signal);
      return name;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(closed());
    await Promise.allSettled(this.#running);
    const commands = this.#commands;
    this.#commands = undefined;
    await (await commands)?.surroundings.remove();
  }
}

function uploaded({ links, failure, mayHaveLanded }: Upload): UploadedFile {
  const [found] = links;
  if (failure === undefined && found !== undefined) return { url: found.url, remove: found.remove, admin: found.admin };
  const error = failure ?? new StoreError("unknown", "the command ended well and gave no link");
  throw mayHaveLanded || found !== undefined ? error.with({ applied: "unknown", cause: error.cause }) : error;
}

function argumentsOf({ minFreeBytes, plainLinks, runBefore, runAfter }: DownloadOptions): string[] {
  return [
    ...(minFreeBytes === undefined ? [] : [`--min-space=${Math.ceil(minFreeBytes / 1024) * 1024}`]),
    ...(plainLinks === true ? ["--fallback"] : []),
    ...(runBefore === undefined ? [] : [`--run-before=${resolve(runBefore)}`]),
    ...(runAfter === undefined ? [] : [`--run-after=${resolve(runAfter)}`]),
  ];
}

/** What came, moved to where it is wanted. Only regular files. */
async function delivered({ directory: from }: Place, to: string, { name: wanted, existing = "refuse" }: DownloadOptions): Promise<DownloadedFile[]> {
  const files: DownloadedFile[] = [];
  for (const name of (await readdir(from)).sort()) {
    const stat = await lstat(join(from, name));
    if (!stat.isFile()) continue;
    const target = wanted ?? name;
    if (target === "" || target !== basename(target) || target === "." || target === "..")
      throw new StoreError("invalid-path", "a name is one segment", { applied: false });
    files.push({ path: await moved(join(from, name), join(resolve(to), target), existing), bytes: stat.size });
  }
  return files;
}

async function moved(from: string, to: string, existing: NonNullable<DownloadOptions["existing"]>): Promise<string> {
  // Beside the target first: a rename between file systems is none.
  const beside = `${to}.stratus-${freshName(Math.random)}.tmp`;
  await copyFile(from, beside);
  try {
    if (existing === "replace") {
      await rename(beside, to);
      return to;
    }
    for (let n = 0; ; n++) {
      const path = n === 0 ? to : `${to}.${n}`;
      try {
        await link(beside, path);
        return path;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        if (existing === "refuse") throw new StoreError("already-exists", "a file of this name is there", { cause: error, applied: false });
        if (n >= 99) throw new StoreError("already-exists", "a hundred files of this name are there", { cause: error, applied: false });
      }
    }
  } finally {
    await rm(beside, { force: true });
  }
}

function checkLink(url: string): void {
  if (typeof url !== "string" || !isLink(url))
    throw new StoreError("invalid-path", "this is no link: http or https, no spaces, no second address inside", { applied: false });
}

/** What an upload that was cut off by it has left behind, nobody knows. */
function closed(ended?: unknown): StoreError {
  return new StoreError("closed", "these tools are closed", { applied: StoreError.is(ended) ? ended.applied : false });
}
