/**
 * What a command finds around itself: a home, a configuration and a temporary directory of our own, so that neither the user's plowshare.conf nor a
 * .curlrc changes what it does, and nothing of it is left when it ends.
 *
 *   <run>/home/                       HOME, empty
 *   <run>/config/plowshare/           XDG_CONFIG_HOME: modules.d (links to the user's), storage (sessions)
 *   <run>/settings.conf               credentials, mode 0600, named by --plowsharerc; absent without any
 *   <run>/<n>/                        one per call: its working directory, and tmp/ for what it makes
 */
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "../../store/index.ts";
import type { Settings } from "./options.ts";

export interface Place extends AsyncDisposable {
  /** Fresh and empty. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

export class Surroundings {
  readonly run: string;
  /** What every command is told about settings. */
  readonly arguments: readonly string[];
  readonly #environment: Readonly<Record<string, string>>;
  #serial = 0;

  private constructor(run: string, { credentials, curlConfig, environment }: Settings) {
    this.run = run;
    this.arguments = [
      "-q",
      "--no-color",
      ...(curlConfig === undefined ? ["--no-curlrc"] : [`--curlrc=${curlConfig}`]),
      ...(Object.keys(credentials).length === 0 ? ["--no-plowsharerc"] : [`--plowsharerc=${join(run, "settings.conf")}`]),
    ];
    this.#environment = {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      HOME: join(run, "home"),
      XDG_CONFIG_HOME: join(run, "config"),
      LC_ALL: "C.UTF-8",
      ...environment,
    };
  }

  /** @throws StoreError `config` where there is no directory of modules */
  static async make(run: string, settings: Settings): Promise<Surroundings> {
    const configuration = join(run, "config", "plowshare");
    await mkdir(join(run, "home"), { recursive: true, mode: 0o700 });
    await mkdir(join(configuration, "modules.d"), { recursive: true, mode: 0o700 });
    await mkdir(join(configuration, "storage"), { mode: 0o700, recursive: true });
    for (const name of await modulesIn(settings.modules)) await symlink(join(settings.modules, name), join(configuration, "modules.d", name));
    const { credentials } = settings;
    if (Object.keys(credentials).length > 0) {
      // "a" is what modules call the account of a user. Quoted, so that spaces at the ends stay.
      const lines = Object.entries(credentials).map(([host, secret]) => `${host}/a = "${secret}"\n`);
      await writeFile(join(run, "settings.conf"), `[General]\n${lines.join("")}`, { mode: 0o600, flag: "wx" });
    }
    return new Surroundings(run, settings);
  }

  /** A fresh place for one call; everything in it goes when it is disposed. */
  async place(): Promise<Place> {
    const base = join(this.run, String((this.#serial += 1)));
    const directory = join(base, "work");
    const temporary = join(base, "tmp");
    await mkdir(base, { mode: 0o700 });
    await mkdir(directory, { mode: 0o700 });
    await mkdir(temporary, { mode: 0o700 });
    return {
      directory,
      environment: { ...this.#environment, TMPDIR: temporary },
      [Symbol.asyncDispose]: () => rm(base, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 }),
    };
  }

  async remove(): Promise<void> {
    await rm(this.run, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
  }
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
