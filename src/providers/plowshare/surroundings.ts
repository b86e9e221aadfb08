/**
 * What a command finds around itself: a home, a configuration and a temporary directory of our own, so that neither the user's plowshare.conf nor a
 * .curlrc changes what it does, and nothing of it is left when it ends.
 *
 *   <run>/home/                       HOME, empty
 *   <run>/config/plowshare/           XDG_CONFIG_HOME: modules.d (links to the user's), storage (sessions)
 *   <run>/curl                        curl that checks certificates (curl.ts)
 *   <run>/settings.conf               credentials, mode 0600, named by --plowsharerc; absent without any
 *   <run>/<n>/                        one per call: its working directory, and in it .tmp/ for what it makes
 *   <run>/<name>.bin                  the body of a write
 */
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "../../store/index.ts";
import { checkingCurl } from "./curl.ts";
import type { Settings } from "./options.ts";

const TEMPORARY = ".tmp";

export interface Place extends AsyncDisposable {
  /** Fresh; empty but for a directory of temporary files. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

export class Surroundings {
  readonly run: string;
  /** What every command is told about settings. */
  readonly arguments: readonly string[];
  readonly #environment: Readonly<Record<string, string>>;
  #serial = 0;

  private constructor(run: string, settings: Settings, path: string, curl: string | undefined) {
    const { curlConfig, environment } = settings;
    this.run = run;
    this.arguments = [
      "-q",
      "--no-color",
      ...(curlConfig === undefined ? ["--no-curlrc"] : [`--curlrc=${curlConfig}`]),
      ...(settingsFile(settings) === undefined ? ["--no-plowsharerc"] : [`--plowsharerc=${join(run, "settings.conf")}`]),
    ];
    this.#environment = {
      PATH: path,
      HOME: join(run, "home"),
      XDG_CONFIG_HOME: join(run, "config"),
      LC_ALL: "C.UTF-8",
      ...(curl !== undefined && { PLOWSHARE_CURL: curl }),
      ...environment,
    };
  }

  /** @throws StoreError `config` where there is no directory of modules, or where it can run no programs */
  static async make(run: string, settings: Settings): Promise<Surroundings> {
    const configuration = join(run, "config", "plowshare");
    await mkdir(join(run, "home"), { recursive: true, mode: 0o700 });
    await mkdir(join(configuration, "modules.d"), { recursive: true, mode: 0o700 });
    await mkdir(join(configuration, "storage"), { mode: 0o700, recursive: true });
    for (const name of await modulesIn(settings.modules)) await symlink(join(settings.modules, name), join(configuration, "modules.d", name));
    const text = settingsFile(settings);
    if (text !== undefined) await writeFile(join(run, "settings.conf"), text, { mode: 0o600, flag: "wx" });
    const path = settings.environment["PATH"] ?? process.env["PATH"] ?? "/usr/bin:/bin";
    return new Surroundings(run, settings, path, settings.checkCertificates ? await checkingCurl(run, path) : undefined);
  }

  /** A fresh place for one call; everything in it goes when it is disposed. */
  async place(): Promise<Place> {
    const directory = join(this.run, String((this.#serial += 1)));
    const temporary = join(directory, TEMPORARY);
    await mkdir(directory, { mode: 0o700 });
    await mkdir(temporary, { mode: 0o700 });
    return {
      directory,
      environment: { ...this.#environment, TMPDIR: temporary },
      [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 }),
    };
  }

  async remove(): Promise<void> {
    await rm(this.run, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
  }
}

/** "a" is what modules call the account of a user. Quoted, so that spaces at the ends stay. Undefined: nothing to say. */
function settingsFile({ credentials, hostOptions }: Settings): string | undefined {
  const accounts = Object.entries(credentials).map(([host, secret]) => `${host}/a = "${secret}"\n`);
  const options = Object.entries(hostOptions).flatMap(([host, own]) => Object.entries(own).map(([key, value]) => `${host}/${key} = "${value}"\n`));
  if (accounts.length === 0 && options.length === 0) return undefined;
  return `[General]\n${accounts.join("")}\n[Plowup]\n${options.join("")}`;
}

async function modulesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (cause) {
    throw new StoreError("config", "there is no directory of plowshare modules: install some with plowmod --install, or name it by the option modules", {
      cause,
      applied: false,
    });
  }
}
