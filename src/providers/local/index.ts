/**
 * A directory of this machine as a store.
 *
 *   const store = local({ directory: "/var/lib/app/files" });                     // must exist
 *   const scratch = local({ directory: "./scratch", createRoot: true, flush: false });
 */
import { StoreError, control, createStore, systemClock } from "../../store/index.ts";
import type { CallOptions, Capabilities, Control, Injected, Layered, Store } from "../../store/index.ts";
import { platformOf, profiles } from "./profiles.ts";
import type { Platform } from "./profiles.ts";
import { Local } from "./provider.ts";

export interface LocalOptions extends Pick<Injected, "clock" | "random"> {
  /** Path of a directory on this machine; relative ones start at the working directory of now. Nothing outside of it is ever read or written. */
  readonly directory: string;
  /** Makes the directory, with its parents, when the store is opened. Default false: a missing one is `config`, so that a disk that is not mounted is noticed. */
  readonly createRoot?: boolean | undefined;
  /** Tells two of them apart in errors and reports. Default "local". */
  readonly name?: string | undefined;
  /** Bytes and names are on the disk, not only in the system's memory, before a change resolves (fsync of the file and of its directory). Default true. Without it a power cut may take the last seconds. */
  readonly flush?: boolean | undefined;
  /** Permissions of new files, less the umask of the process. Default 0o600: nobody else reads them. */
  readonly fileMode?: number | undefined;
  /** Permissions of new directories, less the umask. Default 0o700. */
  readonly directoryMode?: number | undefined;
  /** The rules of names and renames. Default: those of this machine. */
  readonly platform?: Platform | undefined;
  /** Default: as the platform has it. Say so where the disk differs (a case-sensitive APFS volume, a FAT stick under Linux); it is not probed. */
  readonly caseSensitive?: boolean | undefined;
  /** Which Unicode forms the disk takes for one name. Default: as the platform has it. */
  readonly normalisation?: Capabilities["normalisation"] | undefined;
  /** False for file systems without hard links (FAT, some network disks): `ifAbsent` is then not offered, since nothing else is exact. Default true. */
  readonly hardLinks?: boolean | undefined;
}

export interface LocalControl extends Control {
  /** Removes the temporary files of writers that died, of ended processes of this machine and those untouched for a day, in the whole tree; resolves to how many. */
  sweep(options?: CallOptions): Promise<number>;
}

/** No I/O here. Throws `config` for wrong options. */
export function local(options: LocalOptions): Store & Layered<"local", LocalControl> {
  const { directory, platform = platformOf(process.platform), fileMode = 0o600, directoryMode = 0o700 } = options;
  if (typeof directory !== "string" || directory === "" || directory.includes("\0")) throw new StoreError("config", "directory is the path of a directory");
  if (!Object.hasOwn(profiles, platform)) throw new StoreError("config", `platform is one of ${Object.keys(profiles).join(", ")}`);
  for (const [key, mode] of Object.entries({ fileMode, directoryMode }))
    if (!Number.isInteger(mode) || mode < 0 || mode > 0o7777) throw new StoreError("config", `${key} is a file mode such as 0o600`);
  const profile = profiles[platform];
  const provider = new Local({
    directory,
    createRoot: options.createRoot ?? false,
    profile,
    caseSensitive: options.caseSensitive ?? profile.caseSensitive,
    normalisation: options.normalisation ?? profile.normalisation,
    hardLinks: options.hardLinks ?? true,
    flush: options.flush ?? true,
    fileMode,
    directoryMode,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  });
  const base = control("local", {}, {});
  const runtime: LocalControl = {
    kind: base.kind,
    get settings() {
      return base.settings;
    },
    configure: (patch) => base.configure(patch),
    flush: (call) => base.flush(call),
    report: () => base.report(),
    sweep: (call = {}) => provider.sweep(call.signal),
  };
  return createStore(provider, { name: options.name, control: runtime });
}

export type { Platform };
